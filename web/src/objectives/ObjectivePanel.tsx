import { Button, TextInput } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type uPlot from 'uplot';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { timeAxis, valueAxis } from '../charts/axes';
import { Flags } from '../charts/Flags';
import { Plot } from '../charts/Plot';
import { opened } from '../kpis/opened';
import { Sure } from '../settings/parts';
import { count, Empty, Facts, Figure, KeyedTable, Mark, Panel, percent, pickView, plural, ProblemNote, Time, Unknown } from '../shared';
import { useView } from '../state/url';
import { useTokens } from '../theme/token';
import { few, figure, states, wanted, windowText, type Proposal, type Status } from './data';
import { Left } from './ObjectivesPage';
import css from './objectives.module.css';

const severities: Record<string, 'bad' | 'warn' | 'info'> = { critical: 'bad', warning: 'warn', info: 'info' };

/** useAgain asks anew for what a change of an objective or a proposal moves. */
export function useAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['objectives', 'objective', 'objective-proposals', 'agents', 'agent', 'overview']) void client.invalidateQueries({ queryKey: [key] });
  };
}

/** useDecide accepts or declines a proposal. */
export function useDecide(p: Proposal) {
  const again = useAgain();
  return useMutation({ mutationFn: ({ how, reason }: { how: 'accept' | 'decline'; reason?: string }) => api.post<Proposal>(`/objective-proposals/${p.id}/${how}`, { reason: reason || undefined }), onSettled: again });
}

/** ObjectivePanel is one objective: how it stands, what burns, what spent its budget. */
export function ObjectivePanel({ name, onEdit, onClose }: { name: string; onEdit: () => void; onClose: () => void }) {
  const again = useAgain();
  const may = useMay('PutObjective');
  const q = useQuery({ queryKey: ['objective', name], queryFn: ({ signal }) => api.get<Status>(`/objectives/${encodeURIComponent(name)}/status`, undefined, signal), placeholderData: keepPreviousData, retry: false, refetchInterval: 15_000 });
  const drop = useMutation({ mutationFn: () => api.delete(`/objectives/${encodeURIComponent(name)}`), onSuccess: onClose, onSettled: again });
  const o = q.data;
  if (!o)
    return (
      <Panel title={name} padded>
        <ProblemNote error={q.error} />
      </Panel>
    );
  const s = o.status;
  return (
    <Panel title={o.title} note={o.name}>
      <div className={css.one}>
        <ProblemNote error={q.error ?? drop.error} />
        {o.text && <p>{o.text}</p>}
        {o.proposal && <ProposalBox p={o.proposal} />}
        <Facts>
          <dt>State</dt>
          <dd>
            <Mark {...(states[s.state] ?? states.waiting!)} words /> {s.since && <Time at={s.since} />} {s.why && <span className="muted">{s.why}</span>}
          </dd>
          <dt>Wanted</dt>
          <dd>
            <Link className="link" to={'/outcomes' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), kpi: o.kpi })) as never}>
              {o.kpi_title || o.kpi}
            </Link>{' '}
            {wanted(o)}, {windowText(o)}
          </dd>
          <dt>Is</dt>
          <dd>
            {figure(o, s.value) ?? <Unknown why={s.why || 'Nothing was counted.'} />}{' '}
            {typeof s.low === 'number' && typeof s.high === 'number' && (
              <span className="muted">
                {figure(o, s.low)} to {figure(o, s.high)}, of {count(s.n)}
                {typeof s.coverage === 'number' && `, ${percent(s.coverage, 0)} of what there is`}
              </span>
            )}
          </dd>
          <dt>Budget</dt>
          <dd>
            <Left o={o} />{' '}
            {typeof s.allowed === 'number' && (
              <span className="muted">
                {few(s.bad)} bad of {few(s.allowed)} allowed{s.few && `; fewer than ${count(o.minimum)} records, so it is not called spent`}
              </span>
            )}
          </dd>
          {s.stream && (
            <>
              <dt>Verdicts</dt>
              <dd>
                {s.stream.n === 0 ? (
                  <span className="muted">none yet; {count(s.stream.minimum)} are needed</span>
                ) : (
                  <>
                    {percent(s.stream.passed / s.stream.n)} of {count(s.stream.n)} labelled runs are good{' '}
                    <span className="muted">
                      {percent(s.stream.low)} to {percent(s.stream.high)}, however often one looks; bets against the target are worth {few(s.stream.worth)} and alarm at {few(s.stream.needs)}
                    </span>
                  </>
                )}
              </dd>
            </>
          )}
        </Facts>
        {s.alarms.map((h) => (
          <p key={h.kind + h.text}>
            <Mark level={severities[h.severity] ?? 'warn'} letter="!" label={h.severity} /> {h.text}, since <Time at={h.since} />
            {h.finding && (
              <>
                {': '}
                <Link className="link" to={'/findings' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), finding: h.finding })) as never}>
                  the finding
                </Link>
              </>
            )}
          </p>
        ))}
        <Burndown o={o} />
        <h3>What spent it</h3>
        <KeyedTable
          label="What spent it"
          rows={o.spent}
          rowKey={(x) => `${x.by}/${x.name}`}
          empty={<Empty small title={s.bad > 0 ? 'No part stands out.' : 'Nothing was bad.'} />}
          fields={[
            { head: 'By', cell: (x) => x.by.replace('_', ' ') },
            { head: 'Which', title: (x) => x.name, width: '200px', cell: (x) => x.name || <span className="muted">none named</span> },
            {
              head: 'Bad',
              num: true,
              cell: (x) => (
                <Figure {...(opened(o.table ?? 'runs', x.records) ?? { to: '/runs' })} title="Open them">
                  {few(x.bad)}
                </Figure>
              ),
            },
            { head: 'Of', num: true, cell: (x) => count(x.n) },
            { head: 'Share', num: true, cell: (x) => percent(x.share, 0) },
          ]}
        />
        {o.runs.length > 0 && (
          <>
            <h3>
              The newest that were bad
              {o.records && (
                <>
                  {' '}
                  <Figure {...(opened(o.table ?? 'runs', o.records) ?? { to: '/runs' })} title="Open all of them">
                    all
                  </Figure>
                </>
              )}
            </h3>
            <KeyedTable
              label="The newest that were bad"
              rows={o.runs.slice(0, 8)}
              rowKey={(r) => r.id}
              fields={[
                {
                  head: 'Run',
                  cell: (r) => (
                    <Link className="link" to={`/runs/${r.id}` as never} search={pickView as never}>
                      <Time at={r.ended_at} />
                    </Link>
                  ),
                },
                { head: 'Ended', cell: (r) => r.outcome || 'unknown' },
                { head: 'Version', title: (r) => r.version, width: '90px', cell: (r) => r.version },
                { head: 'Task', title: (r) => r.task, width: '120px', cell: (r) => r.task },
                { head: 'Error', title: (r) => r.error, width: '140px', cell: (r) => r.error },
              ]}
            />
          </>
        )}
        <h3>Burn alerts</h3>
        <KeyedTable
          label="Burn alerts"
          rows={s.burns}
          rowKey={(b) => b.severity + b.long}
          mark={(b) => (b.fires ? 'bad' : undefined)}
          empty={<Empty small title="It was not looked at yet." />}
          fields={[
            { head: 'Severity', cell: (b) => b.severity },
            { head: 'Over', cell: (b) => `${b.long} and ${b.short}` },
            { head: 'Fires at', num: true, cell: (b) => <span title={b.never || undefined}>{b.never ? 'exact test' : few(b.factor)}</span> },
            { head: 'Burns', num: true, cell: (b) => (typeof b.long_rate === 'number' ? <span title={`chance of so many bad where the objective is just met: ${b.chance.toPrecision(2)}, believed below ${b.significance.toPrecision(2)}`}>{few(b.long_rate)}</span> : <Unknown why={b.why || 'Nothing was counted.'} />) },
            { head: 'Now', num: true, cell: (b) => (typeof b.short_rate === 'number' ? few(b.short_rate) : <Unknown why="Nothing was counted in the short time." />) },
          ]}
        />
        {s.warnings.map((w) => (
          <p key={w} className="muted">
            {w}
          </p>
        ))}
        {may && (
          <div className={css.acts}>
            <Button size="compact-sm" onClick={onEdit}>
              Change
            </Button>
            <Sure label="Drop" sure="Drop it: what holds for it stays" pending={drop.isPending} onDo={() => drop.mutate()} />
          </div>
        )}
      </div>
    </Panel>
  );
}

/** ProposalBox is a lasting change of autonomy that the figures speak for: one press makes it. */
export function ProposalBox({ p }: { p: Proposal }) {
  const may = useMay('AcceptObjectiveProposal');
  const decide = useDecide(p);
  const [reason, setReason] = useState('');
  return (
    <section className={css.proposal} aria-label="Proposed">
      <strong>
        Let {p.agent} be {p.to.replace('_', ' ')} instead of {p.from.replace('_', ' ')}
      </strong>
      <span>
        {p.why}
        {typeof p.value === 'number' && ` (${percent(p.value)} of ${count(p.n)}; ${percent(p.left, 0)} of the budget left)`}. <Time at={p.at} />
      </span>
      {may ? (
        <>
          <TextInput size="xs" label="Reason" placeholder="kept with the change" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <div className={css.acts}>
            <Button size="compact-sm" variant="filled" loading={decide.isPending} onClick={() => decide.mutate({ how: 'accept', reason })}>
              Accept
            </Button>
            <Button size="compact-sm" loading={decide.isPending} onClick={() => decide.mutate({ how: 'decline', reason })}>
              Decline
            </Button>
          </div>
        </>
      ) : (
        <span className="muted">Somebody with the role developer, responder or security decides.</span>
      )}
      <ProblemNote error={decide.error} />
    </section>
  );
}

/** Burndown is what was left of the budget over its window, above what was bad. */
function Burndown({ o }: { o: Status }) {
  const { tz } = useView();
  const ink = useTokens({ text: '--r-text-3', grid: '--r-grid', line: '--r-series-1', bad: '--r-bad' });
  const points = o.series;
  const from = o.status.from ? Date.parse(o.status.from) : points.length > 0 ? Date.parse(points[0]!.at) : 0;
  const to = Math.min(o.status.to ? Date.parse(o.status.to) : Date.now(), Date.now());
  const data = useMemo<uPlot.AlignedData>(() => [points.map((p) => (Date.parse(p.at) + o.bucket_ms) / 1000), points.map((p) => p.left ?? null), points.map(() => 0)] as uPlot.AlignedData, [points, o.bucket_ms]);
  const options = useMemo<Omit<uPlot.Options, 'width' | 'height'>>(
    () => ({
      padding: [6, 6, 0, 0],
      cursor: { show: false },
      scales: { x: { time: true, range: () => [from / 1000, to / 1000] }, y: { range: (_u, min, max) => [Math.min(0, min ?? 0), Math.max(1, max ?? 1)] } },
      axes: [{ ...timeAxis(tz, ink, to - from, 18), space: 56 }, valueAxis(ink, (v) => percent(v, 0) ?? '', 56, 26)],
      series: [{}, { stroke: ink.line, width: 1.5, points: { show: points.length < 3 } }, { stroke: ink.bad, width: 1, dash: [4, 3], points: { show: false } }],
    }),
    [tz, ink, from, to, points.length],
  );
  if (points.length === 0) return <Empty small title="Nothing was counted in its window." />;
  return (
    <div className={css.chart}>
      <Plot options={options} data={data} label={`What is left of the budget of ${o.title}: ${points.length > 0 ? plural(points.length, 'part') : 'no part'} of its window, ${typeof o.status.left === 'number' ? percent(o.status.left, 0) : 'an unknown share'} now`} height={150} />
      <Flags from={from} to={to} left={56} right={6} />
    </div>
  );
}
