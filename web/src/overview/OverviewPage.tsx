import { ActionIcon, Button } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { BrokenIncident, Deviation, Overview, OverviewBroken, OverviewRow, OverviewWaiting } from '../api/types';
import { bucketFor, Figure, Icon, Panel, pickView, ProblemNote, span, Time, useNow, useShortcuts, ago, dayClock, duration, money, plural, Unknown, wilson } from '../shared';
import { setPrefs, usePrefs } from '../state/prefs';
import { useSetView, useView } from '../state/url';
import { FirstTrace } from '../connect/FirstTrace';
import { where } from '../agents/data';
import { boundKPI, cel, SaveAsRule } from '../findings/SaveAsRule';
import { Sure } from '../settings/parts';
import { Fleet } from './Fleet';
import css from './overview.module.css';
import { OutcomesChart, OutcomesLegend, outcomes, questions, totals } from './OutcomesChart';
import { Sentence } from './Sentence';
import { SmallChart } from './SmallChart';

const Difference = lazy(() => import('../runs/Difference').then((m) => ({ default: m.Difference })));

const bandIDs = ['needs', 'outcomes', 'fleet'] as const;

/** order puts the bands as this person likes them; unknown names are ignored, new ones come last. */
export function order(liked: string[]): string[] {
  const known = liked.filter((b): b is (typeof bandIDs)[number] => (bandIDs as readonly string[]).includes(b));
  return [...new Set([...known, ...bandIDs])];
}

/** OverviewPage: are the agents helping, and what needs a person? */
export function OverviewPage() {
  const view = useView();
  const setView = useSetView();
  const { bands } = usePrefs();
  const navigate = useNavigate();
  const [brushed, setBrushed] = useState<{ from: number; to: number }>();
  const [comparing, setComparing] = useState(false);
  const period = span(view.from, view.to);
  const bucket = bucketFor(period.to - period.from).text;
  const q = useQuery({
    queryKey: ['overview', view.filter, bucket],
    queryFn: ({ signal }) => api.get<Overview>('/overview', { ...view.filter, bucket }, signal),
    placeholderData: keepPreviousData,
    meta: { live: true },
    refetchInterval: view.live ? 15_000 : false,
  });
  const o = q.data;
  const broken = useQuery({
    queryKey: ['overview-broken', view.filter.environment, view.filter.team],
    queryFn: ({ signal }) => api.get<OverviewBroken>('/overview/broken', { environment: view.filter.environment, team: view.filter.team }, signal),
    enabled: (o?.needs_a_person?.items ?? []).some((r) => r.kind === 'incident'),
    placeholderData: keepPreviousData,
    refetchInterval: view.live ? 30_000 : false,
    retry: false,
  });
  useEffect(() => {
    document.title = 'Overview · Reeve';
  }, []);
  useEffect(() => {
    setBrushed(undefined);
    setComparing(false);
  }, [view.from, view.to]);
  useShortcuts('Overview', [
    { keys: 'enter', label: 'Act on the first thing that needs a person', run: () => document.querySelector<HTMLElement>('[data-first-need] a, [data-first-need] button')?.click() },
    { keys: '1', label: 'Last hour', run: () => setView({ from: '-1h', to: undefined }) },
    { keys: '2', label: 'Last 24 hours', run: () => setView({ from: undefined, to: undefined }) },
    { keys: '3', label: 'Last 7 days', run: () => setView({ from: '-7d', to: undefined }) },
  ]);

  if (!o) {
    return (
      <div className={css.page}>
        <h1 className="unseen">Overview</h1>
        {q.error ? <ProblemNote error={q.error} retry={() => void q.refetch()} /> : <p className={css.sentence}>Reading…</p>}
      </div>
    );
  }
  if (o.seen?.state === 'never') {
    return (
      <div className={css.page}>
        <h1 className="unseen">Overview</h1>
        <FirstTrace />
      </div>
    );
  }

  const list = order(bands);
  const move = (id: string) => <Move id={id} list={list} />;
  const band: Record<string, ReactNode> = {
    needs: (
      <div className={css.pair} key="needs">
        <Panel title="Needs a person now" actions={move('needs')}>
          <Waiting w={o.needs_a_person} calm={<Calm o={o} />} unknown="No part of Reeve reports here now: whether something waits is unknown." first broken={broken.data?.items} />
        </Panel>
        <Panel title="In force now" note="what we ourselves hold back">
          <Waiting w={o.in_force} calm="No limit holds at this moment." unknown="No part of Reeve reports here now: what is held back is unknown." />
        </Panel>
      </div>
    ),
    outcomes: (
      <div className={css.pair} key="outcomes">
        <Panel title="Outcomes" note="drag to look closer" actions={<>{failing(o, where(view))}{move('outcomes')}</>}>
          <div className={css.legend}>
            <OutcomesLegend data={o.outcomes} />
          </div>
          <div className={css.chart}>
            <OutcomesChart data={o.outcomes} height={198} onBrush={(from, to) => setBrushed({ from, to })} />
          </div>
          {brushed && (
            <div className={css.brush}>
              <span className="num">
                {dayClock(brushed.from, view.tz)} to {dayClock(brushed.to, view.tz)}
              </span>
              <span className="grow" />
              <Button size="compact-xs" aria-pressed={comparing} onClick={() => setComparing(!comparing)}>
                What is different
              </Button>
              <Button size="compact-xs" onClick={() => setView({ from: new Date(brushed.from).toISOString(), to: new Date(brushed.to).toISOString() })}>
                Look closer
              </Button>
              <Figure to="/runs" search={{ from: new Date(brushed.from).toISOString(), to: new Date(brushed.to).toISOString() }}>
                Its runs
              </Figure>
              <ActionIcon size={20} aria-label="Drop the selection" onClick={() => (setBrushed(undefined), setComparing(false))}>
                <Icon name="close" size={12} />
              </ActionIcon>
            </div>
          )}
          {brushed && comparing && (
            <Suspense fallback={null}>
              <Difference words="Runs of this stretch" ask={{ query: where(view), from: view.from, to: view.live ? undefined : view.to, selected_from: new Date(brushed.from).toISOString(), selected_to: new Date(brushed.to).toISOString() }} onClose={() => setComparing(false)} onNarrow={(term) => void navigate({ to: '/runs' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), q: term, from: new Date(brushed.from).toISOString(), to: new Date(brushed.to).toISOString() })) as never })} />
            </Suspense>
          )}
        </Panel>
        <Panel title="How well, how dear, how fast">
          <div className={css.smalls}>
            {(o.charts ?? []).slice(0, 4).map((c) => (
              <SmallChart key={c.id} chart={c} figures={o.figures ?? []} rule={chartRule(c.id, o, where(view), view)} />
            ))}
          </div>
        </Panel>
      </div>
    ),
    fleet: <Fleet key="fleet" teams={o.fleet ?? []} move={move('fleet')} />,
  };

  return (
    <div className={css.page}>
      <h1 className="unseen">Overview</h1>
      {o.seen?.state === 'blind' && <Blind o={o} />}
      <Sentence o={o} />
      {q.error && <ProblemNote error={q.error} retry={() => void q.refetch()} />}
      {list.map((id) => band[id])}
      <Outside rows={o.outside ?? []} />
    </div>
  );
}

/** failing saves the outcomes' chart as a rule: the share of runs that fail is higher than it is now by more than chance. */
function failing(o: Overview, search: string) {
  const t = totals(o.outcomes?.points ?? []);
  const all = outcomes.reduce((n, x) => n + t[x.id], 0);
  const w = wilson(t.failed, all);
  return w && <SaveAsRule search={search} figure="share" of={questions.failed} when={`value > ${cel(w[1])} && records >= 20.0`} window="24h" />;
}

/** chartRule is what a small chart is asked as, beyond what it shows now; undefined where it shows nothing. */
export function chartRule(id: string, o: Pick<Overview, 'figures'>, search: string, view: { team?: string; env?: string }): Parameters<typeof SaveAsRule>[0] | undefined {
  const value = (name: string) => o.figures?.find((f) => f.id === name)?.value;
  const over = (v: number | null | undefined) => (typeof v === 'number' && v > 0 ? `value > ${cel(v * 1.5)} && records >= 20.0` : undefined);
  const kpi = (id: string, name: string): Parameters<typeof SaveAsRule>[0] | undefined => {
    const f = o.figures?.find((x) => x.id === name);
    return f && typeof f.value === 'number' ? { kpi: id, when: boundKPI({ value: f.value, low: f.low, high: f.high, direction: 'up' }), team: view.team || undefined, environment: view.env || undefined } : undefined;
  };
  switch (id) {
    case 'satisfaction':
      return kpi('csat', 'satisfaction');
    case 'cost': {
      const when = over(value('cost_per_run'));
      return when ? { search, figure: 'avg cost', when, window: '24h' } : undefined;
    }
    case 'time': {
      const when = over(value('p95_ms'));
      return when ? { search, figure: 'p95 duration_ms', when, window: '24h' } : undefined;
    }
  }
  return undefined;
}

/** Blind is not quiet: nothing arrives, so nothing below can be trusted to be complete. */
function Blind({ o }: { o: Overview }) {
  const now = useNow();
  const at = o.seen.last_telemetry_at ? Date.parse(o.seen.last_telemetry_at) : undefined;
  return (
    <div className={css.blind} role="alert">
      <Icon name="incidents" />
      <span className="grow">
        <strong>We see nothing now.</strong> {o.seen.text || 'Intake is silent.'}
        {at !== undefined && ` The last telemetry arrived ${ago(at, now)}.`} What follows may be out of date.
      </span>
      <Link to={'/settings/health' as never} className="link">
        Health of Reeve
      </Link>
    </div>
  );
}

function Calm({ o }: { o: Overview }) {
  const now = useNow();
  const runs = o.figures?.find((f) => f.id === 'runs')?.value;
  const agents = (o.fleet ?? []).reduce((n, t) => n + (t.agents?.length ?? 0), 0);
  const at = o.seen?.last_telemetry_at ? Date.parse(o.seen.last_telemetry_at) : undefined;
  return (
    <>
      Nothing needs a person. {plural(agents, 'agent')}
      {typeof runs === 'number' && `, ${plural(runs, 'run')}`}
      {at !== undefined && `, telemetry ${ago(at, now)}`}.
    </>
  );
}

function Waiting({ w, calm, unknown, first, broken }: { w: OverviewWaiting | undefined; calm: ReactNode; unknown: string; first?: boolean; broken?: BrokenIncident[] }) {
  const items = w?.items ?? [];
  if (items.length === 0 && (w?.sources ?? []).length === 0) {
    return (
      <div className={`hatch ${css.notReported}`}>
        <span>{unknown}</span>
      </div>
    );
  }
  if (items.length === 0) return <div className={css.quiet}>{calm}</div>;
  return (
    <ul className={css.rows}>
      {items.slice(0, 7).map((r, i) => (
        <Row key={r.id} row={r} first={first && i === 0} behind={r.kind === 'incident' ? broken?.find((b) => b.id === r.id) : undefined} />
      ))}
    </ul>
  );
}

/** Behind says of an incident what was changed before it, and what its runs cost; what is unknown says why. */
function Behind({ b, since }: { b: BrokenIncident; since: string }) {
  return (
    <span className={css.behind}>
      <span className="muted">Changed before: </span>
      {b.change ? (
        <Link className="link" to={'/changes' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), change: b.change!.id })) as never} title={b.change.by ? `by ${b.change.by}` : undefined}>
          {b.change.title}
        </Link>
      ) : (
        <span className="muted">{b.change_why}</span>
      )}
      {b.change && <span className="muted"> {duration(Math.max(0, Date.parse(since) - Date.parse(b.change.at)))} before it</span>}
      <span className="muted">. Cost since: </span>
      {typeof b.cost === 'number' ? (
        <Figure to="/runs" search={{ q: b.q, from: b.from }} title={b.unpriced > 0 ? `${plural(b.unpriced, 'run')} of them had calls without a price` : 'Open its runs'}>
          {b.unpriced > 0 ? '≥ ' : ''}
          {money(b.cost)}
        </Figure>
      ) : b.runs === 0 ? (
        <span className="muted">none, it has not run since</span>
      ) : (
        <Unknown why={b.cost_why ?? ''} />
      )}
      {!!b.runs && <span className="muted"> for {plural(b.runs, 'run')}</span>}
    </span>
  );
}

function Row({ row, first, behind }: { row: OverviewRow; first?: boolean; behind?: BrokenIncident }) {
  return (
    <li data-first-need={first || undefined}>
      <span className="grow">
        {row.text}
        <span className="muted">
          {' '}
          since <Time at={row.since} as="day" />
          {row.until && (
            <>
              {' '}
              until <Time at={row.until} as="day" />
            </>
          )}
          {row.owner && `, ${row.owner}`}
        </span>
        {behind && <Behind b={behind} since={row.since} />}
      </span>
      <Release row={row} />
      {row.path && <OpenPath path={row.path} />}
    </li>
  );
}

// What may be ended on the overview: how it is called, and what ends it.
const endings: Record<string, { operation: string; label: string; sure: string; end: (row: OverviewRow) => Promise<unknown> }> = {
  stop: { operation: 'LiftStop', label: 'Lift', sure: 'Lift it now', end: (row) => api.post(`/stops/${row.id}/lift`, { reason: 'lifted from the overview' }) },
  break_glass: { operation: 'UpdateAgent', label: 'End', sure: 'Enforce again', end: (row) => api.patch(row.path!, { enforcement: 'enforce', reason: 'the emergency is over' }) },
  held_run: { operation: 'ReleaseRun', label: 'Let go', sure: 'Let it go on', end: (row) => api.post(`${row.path}/release`, { reason: 'released from the overview' }) },
};

/** Release ends here what may be ended here: a stop, broken glass, a held run. */
function Release({ row }: { row: OverviewRow }) {
  const client = useQueryClient();
  const ending = row.path ? endings[row.kind] : undefined;
  const may = useMay(ending?.operation ?? '');
  const end = useMutation({
    mutationFn: () => ending!.end(row),
    onSettled: () => {
      for (const key of ['overview', 'stops', 'agent', 'agents', 'steering']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  if (!ending || !may) return null;
  return (
    <span className={css.did}>
      {end.error && <span role="alert">{end.error.message}</span>}
      <Sure label={ending.label} sure={ending.sure} pending={end.isPending} onDo={() => end.mutate()} />
    </span>
  );
}

function OpenPath({ path }: { path: string }) {
  const navigate = useNavigate();
  return (
    <Button size="compact-xs" onClick={() => void navigate({ href: path })}>
      Open
    </Button>
  );
}

function Outside({ rows }: { rows: Deviation[] }) {
  return (
    <Panel title="Outside of normal" note="models and tools that differ from the period before by more than chance">
      {rows.length === 0 ? (
        <div className={css.quiet}>Nothing stands out.</div>
      ) : (
        <ul className={css.rows}>
          {rows.slice(0, 12).map((d) => (
            <li key={`${d.kind} ${d.name} ${d.measure}`}>
              <Icon name={d.worse ? 'up' : 'down'} size={14} />
              <span className="muted">{d.worse ? 'worse' : 'better'}</span>
              <span className="grow">{d.text}</span>
              <Link className="link" to={'/runs' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: d.query })) as never}>
                Runs
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Move({ id, list }: { id: string; list: string[] }) {
  const at = list.indexOf(id);
  const swap = (to: number) => {
    const next = [...list];
    [next[at], next[to]] = [next[to]!, next[at]!];
    setPrefs({ bands: next });
  };
  return (
    <span className={css.move}>
      <ActionIcon size={22} aria-label="Move this band up" title="Move this band up" disabled={at === 0} onClick={() => swap(at - 1)}>
        <Icon name="up" size={13} />
      </ActionIcon>
      <ActionIcon size={22} aria-label="Move this band down" title="Move this band down" disabled={at === list.length - 1} onClick={() => swap(at + 1)}>
        <Icon name="down" size={13} />
      </ActionIcon>
    </span>
  );
}
