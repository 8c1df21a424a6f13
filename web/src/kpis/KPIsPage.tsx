import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { Behind } from './Behind';
import { opened, pages } from './opened';
import type uPlot from 'uplot';
import { api } from '../api/client';
import type { KPI, KPIDetail, KPIList } from '../api/types';
import { timeAxis, valueAxis } from '../charts/axes';
import { Flags } from '../charts/Flags';
import { Plot } from '../charts/Plot';
import { boundKPI, SaveAsRule } from '../findings/SaveAsRule';
import { unitText } from '../overview/SmallChart';
import { Beside, count, dayClock, Empty, Facts, Figure, KeyedTable, PageBody, PageHeader, Panel, percent, ProblemNote, quote, Unknown } from '../shared';
import { stretch } from '../runs/Difference';
import { WhatDiffers } from '../runs/WhatDiffers';
import { Pick } from '../settings/parts';
import { useView } from '../state/url';
import { useTokens } from '../theme/token';
import { DefineKPI, OwnKPI } from './Define';
import css from './kpis.module.css';
import { Ways } from './OutcomesPage';

type Fig = Pick<KPI, 'value' | 'low' | 'high' | 'n' | 'coverage' | 'why'>;

const said = (unit: string, v: number | null | undefined) => (unit === 'bits' && typeof v === 'number' ? `${v.toFixed(2)} bits` : unitText(unit, v));

/** Shown is a figure with its interval; an unknown one says why. */
function Shown({ f, unit }: { f: Fig; unit: string }) {
  if (f.value === null || f.value === undefined) return <Unknown why={f.why || 'No record says it.'} />;
  return (
    <span>
      {said(unit, f.value)}{' '}
      {typeof f.low === 'number' && typeof f.high === 'number' && (
        <span className="muted">
          {said(unit, f.low)} to {said(unit, f.high)}
        </span>
      )}
    </span>
  );
}

/** Records is how many records a figure is from, which opens them: by a search, or as a list of their own. */
function Records({ k, group }: { k: Pick<KPI, 'id' | 'table' | 'n'> & { records?: string }; group?: { by: string; name: string } }) {
  const to = opened(k.table, k.records);
  if (to) {
    return (
      <Figure to={to.to} search={to.search} title="Open the records behind it">
        {count(k.n)}
      </Figure>
    );
  }
  if (!k.table || k.n === 0 || pages[k.table]) return <>{count(k.n)}</>;
  return (
    <Figure to="/outcomes" search={{ kpi: k.id, records: k.table, by: group?.by, group: group?.name }} title="List the records behind it">
      {count(k.n)}
    </Figure>
  );
}

/** KPIsPage: what do we get? Every figure with interval, sample, coverage and its records. */
export function KPIsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { kpi = '', by = 'agent', records, group, hits } = useSearch({ strict: false }) as { kpi?: string; by?: string; records?: string; group?: string; hits?: unknown };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const scope = { from: view.from, to: view.to, environment: view.env || undefined, team: view.team || undefined };
  const q = useQuery({ queryKey: ['kpis', scope], queryFn: ({ signal }) => api.get<KPIList>('/kpis', scope, signal), placeholderData: keepPreviousData, refetchInterval: 30_000 });
  const items = q.data?.items ?? [];
  const find = (id: string) => items.find((k) => k.id === id);
  const done = find('task_completion');
  const held = find('containment_rate');
  const again = find('repeat_contact_rate');
  return (
    <>
      <PageHeader
        title="Outcomes and KPIs"
        question="What do we get?"
        answer={
          done &&
          (typeof done.value === 'number' ? (
            <>
              <strong>{percent(done.value)}</strong> of {count(done.n)} runs with a known outcome are resolved; {typeof held?.value === 'number' ? percent(held.value) : 'an unknown share'} needed no person, and of those whose user is known {typeof again?.value === 'number' ? percent(again.value) : 'an unknown share'} came back. {typeof done.coverage === 'number' && `Of ${percent(1 - done.coverage, 0)} of the runs the outcome is unknown.`}
            </>
          ) : (
            'No run of this period has a known outcome.'
          ))
        }
      />
      <PageBody width={1560}>
        <Ways on="" />
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        <Beside label="The KPI" side={kpi ? <One id={kpi} by={by} scope={scope} onBy={(v) => set({ by: v, group: undefined })} onOpen={(id) => set({ kpi: id || undefined, ...none })} /> : undefined}>
          <Panel title="KPIs" note="each with its 95 % interval and what it is from" actions={<DefineKPI onDone={(id) => set({ kpi: id })} />}>
            <KeyedTable
              label="KPIs"
              rows={items}
              rowKey={(k) => k.id}
              mark={(k) => (k.id === kpi ? 'good' : undefined)}
              empty={q.isSuccess && <Empty title="No KPI is defined." />}
              fields={[
                { head: 'KPI', cell: (k) => <button type="button" className="link" aria-pressed={k.id === kpi} onClick={() => set({ kpi: k.id === kpi ? undefined : k.id, ...none })} title={k.about}>{k.title}</button> },
                { head: 'Value', num: true, cell: (k) => <Shown f={k} unit={k.unit} /> },
                { head: 'From', num: true, cell: (k) => <Records k={k} /> },
                { head: 'Covered', num: true, cell: (k) => (typeof k.coverage === 'number' ? percent(k.coverage, 0) : '') },
                { head: 'Better', cell: (k) => (k.direction === 'up' ? 'more' : k.direction === 'down' ? 'less' : '') },
              ]}
            />
          </Panel>
        </Beside>
        {kpi && records && <Behind id={kpi} scope={scope} by={group === undefined ? undefined : by} group={group} hits={Boolean(hits)} onClose={() => set(none)} />}
      </PageBody>
    </>
  );
}

/** none takes the list of records away. */
const none = { records: undefined, group: undefined, hits: undefined };

const splits = ['agent', 'version', 'task', 'environment', 'team', 'model', 'tool', 'error_type', 'mode'];

function One({ id, by, scope, onBy, onOpen }: { id: string; by: string; scope: Record<string, string | undefined>; onBy: (v: string) => void; onOpen: (id: string) => void }) {
  const q = useQuery({ queryKey: ['kpi', id, by, scope], queryFn: ({ signal }) => api.get<KPIDetail>(`/kpis/${id}`, { ...scope, by }, signal), placeholderData: keepPreviousData, retry: false });
  const { tz } = useView();
  const [brushed, setBrushed] = useState<{ from: number; to: number }>();
  useEffect(() => setBrushed(undefined), [id, scope.from, scope.to]);
  const k = q.data;
  return (
    <Panel title={k?.title ?? id} actions={k && k.value !== null && <SaveAsRule kpi={k.id} when={boundKPI(k)} team={scope.team} environment={scope.environment} />}>
      <div className={css.one}>
        <ProblemNote error={q.error} />
        {k && (
          <>
            <p>{k.about}</p>
            <Facts>
              <dt>Value</dt>
              <dd>
                <Shown f={k} unit={k.unit} />
                {k.value === null && k.why && <span className="muted"> {k.why}</span>}
              </dd>
              <dt>Before</dt>
              <dd>{k.previous && <Shown f={k.previous} unit={k.unit} />}</dd>
              <dt>From</dt>
              <dd>
                <Records k={k} /> {k.table}
                {typeof k.hit_count === 'number' && k.hit_count > 0 && <>, of which <Hits k={k} /> count</>}
                {typeof k.coverage === 'number' && `, ${percent(k.coverage, 0)} of what there is`}
              </dd>
              <dt>Formula</dt>
              <dd className={css.formula}>{k.formula}</dd>
              <dt>Definition</dt>
              <dd>
                version {k.definition_version}, {k.owner}
                {k.method && `; interval by ${k.method}`}
              </dd>
              {(k.guards ?? []).length > 0 && (
                <>
                  <dt>Beside it</dt>
                  <dd>
                    {(k.guards ?? []).map((g) => (
                      <button key={g} type="button" className="link" onClick={() => onOpen(g)}>
                        {g}
                      </button>
                    ))}
                  </dd>
                </>
              )}
            </Facts>
            {k.custom && <OwnKPI k={k} onGone={() => onOpen('')} />}
            <Trend k={k} onBrush={(from, to) => setBrushed({ from, to })} />
            {brushed && (
              <div className={css.brushed}>
                <span className="num">
                  {dayClock(brushed.from, tz)} to {dayClock(brushed.to, tz)}
                </span>
                <WhatDiffers label="What is different" words="Runs of this stretch" ask={{ query: k.table === 'runs' ? k.records : undefined, ...stretch(brushed) }} />
                <Button size="compact-xs" onClick={() => setBrushed(undefined)}>
                  Drop it
                </Button>
              </div>
            )}
            <Pick inline label="Compare by" options={splits.map((s) => ({ value: s, label: s }))} value={by} onPick={onBy} />
            <Split k={k} by={by} />
          </>
        )}
      </div>
    </Panel>
  );
}

/** Hits is how many of a share's records count, which opens them. */
function Hits({ k }: { k: KPI }) {
  const to = opened(k.table, k.hits);
  if (to && k.hits) {
    return (
      <Figure to={to.to} search={to.search} title="Open those that count">
        {count(k.hit_count ?? 0)}
      </Figure>
    );
  }
  if (!k.table || pages[k.table]) return <>{count(k.hit_count ?? 0)}</>;
  return (
    <Figure to="/outcomes" search={{ kpi: k.id, records: k.table, hits: true }} title="List those that count">
      {count(k.hit_count ?? 0)}
    </Figure>
  );
}

/** Split is the figure of each group, with its records; what is left out, or cannot be told, is said. */
export function Split({ k, by }: { k: Pick<KPIDetail, 'id' | 'table' | 'groups' | 'cut' | 'group_count' | 'groups_why' | 'unit'> & Partial<Pick<KPIDetail, 'records'>>; by: string }) {
  const rows = k.groups ?? [];
  if (k.groups_why) return <p className={css.said}>By {by} it is unknown: {k.groups_why}.</p>;
  return (
    <>
      <KeyedTable
        label={`By ${by}`}
        rows={rows}
        rowKey={(g) => g.name}
        empty={<Empty small title="Nothing to compare." />}
        fields={[
          { head: by, cell: (g) => g.name || <Unknown why={`The records name no ${by}.`} /> },
          { head: 'Value', num: true, cell: (g) => <Shown f={g} unit={k.unit} /> },
          { head: 'From', num: true, cell: (g) => <Records k={{ id: k.id, table: k.table, n: g.n, records: g.records }} group={{ by, name: g.name }} /> },
          { head: <span className="unseen">What is different</span>, end: true, cell: (g) => g.n > 0 && <WhatDiffers words={`Runs of ${g.name || `no ${by}`}`} about={g.name || `what names no ${by}`} ask={{ selection: `${by}:${g.name ? quote(g.name) : 'unknown'}`, query: k.table === 'runs' ? k.records : undefined }} /> },
        ]}
      />
      {k.cut && (
        <p className={css.said}>
          Only the {count(rows.length)} with the most records are shown of {count(k.group_count)}. Narrow by team, or ask for a shorter period, to see others.
        </p>
      )}
    </>
  );
}

/** Trend is the figure over time between its interval's ends. */
function Trend({ k, onBrush }: { k: KPIDetail; onBrush: (from: number, to: number) => void }) {
  const { tz } = useView();
  const ink = useTokens({ text: '--r-text-3', grid: '--r-grid', line: '--r-series-1', band: '--r-band' });
  const points = k.series ?? [];
  const data = useMemo<uPlot.AlignedData>(
    () => [points.map((p) => Date.parse(p.at) / 1000), points.map((p) => p.high ?? null), points.map((p) => p.low ?? null), points.map((p) => p.value ?? null)] as uPlot.AlignedData,
    [points],
  );
  const spanMs = Date.parse(k.to) - Date.parse(k.from);
  const options = useMemo<Omit<uPlot.Options, 'width' | 'height'>>(
    () => ({
      padding: [6, 6, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true, range: () => [Date.parse(k.from) / 1000, Date.parse(k.to) / 1000] }, y: { range: (_u, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 1e-9) * 1.05] } },
      axes: [{ ...timeAxis(tz, ink, spanMs, 18), space: 56 }, valueAxis(ink, (v) => said(k.unit, v) ?? '', 56, 26)],
      series: [{}, { stroke: ink.band, width: 0, points: { show: false } }, { stroke: ink.band, width: 0, points: { show: false } }, { stroke: ink.line, width: 1.5, points: { show: points.length < 3 } }],
      bands: [{ series: [1, 2] as [number, number], fill: ink.band }],
    }),
    [tz, ink, spanMs, k.unit, k.from, k.to, points.length],
  );
  if (k.series_why) return <p className={css.said}>Over time it is unknown: {k.series_why}.</p>;
  if (points.length === 0) return <Empty small title="Nothing in this period." />;
  return (
    <div className={css.trend}>
      <Plot options={options} data={data} label={`${k.title} over time with its interval`} height={160} onBrush={(a, b) => onBrush(a * 1000, b * 1000)} />
      <Flags from={Date.parse(k.from)} to={Date.parse(k.to)} left={56} right={6} />
    </div>
  );
}
