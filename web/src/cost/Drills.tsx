import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type uPlot from 'uplot';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, Dataset, Drill, DrillResult, Evaluator, Interval, List, Upstream } from '../api/types';
import { timeAxis, valueAxis } from '../charts/axes';
import { Plot } from '../charts/Plot';
import { Badge, Beside, Empty, Facts, Figure, KeyedTable, Panel, percent, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { useView } from '../state/url';
import { useTokens } from '../theme/token';
import { visible } from '../tools/data';
import css from './cost.module.css';

const signed = (v: number) => `${v > 0 ? '+' : ''}${(100 * v).toFixed(1)}`;

/** points is a change of quality with its interval. */
function points(q: Interval | undefined) {
  if (typeof q?.value !== 'number') return undefined;
  return `${signed(q.value)}${typeof q.low === 'number' && typeof q.high === 'number' ? ` (${signed(q.low)} to ${signed(q.high)})` : ''}`;
}

const when = (d: Drill) => (d.paused ? 'paused' : d.every ? `every ${d.every.replace(/^(\d+)h0m0s$/, (_, h: string) => (Number(h) % 24 === 0 ? `${Number(h) / 24} d` : `${h} h`))}` : d.at ? `daily at ${d.at} ${d.zone || 'UTC'}` : 'when asked');

const verdicts: Record<string, { tone?: 'good' | 'warn' | 'bad'; label: string }> = {
  passed: { tone: 'good', label: 'holds' },
  failed: { tone: 'bad', label: 'does not hold' },
  unsure: { tone: 'warn', label: 'quality not known' },
  nothing: { tone: 'warn', label: 'no result' },
};

function Verdict({ of }: { of: string }) {
  const v = verdicts[of];
  return <Badge {...(v?.tone ? { tone: v.tone } : {})}>{v?.label ?? of}</Badge>;
}

const state = (d: Drill) =>
  d.running ? <Badge>running</Badge> : d.failing ? <Badge tone="bad">does not hold</Badge> : d.trouble ? <Badge tone="warn">no result</Badge> : d.result?.came ? <Verdict of={d.result.came.verdict} /> : <Badge>not tried yet</Badge>;

/** Drills: failovers that are tried, and what that does to answers. */
export function Drills({ name, set }: { name?: string | undefined; set: (name?: string) => void }) {
  const may = useMay('PutDrill');
  const [making, setMaking] = useState(false);
  const list = useQuery({ queryKey: ['drills'], queryFn: ({ signal }) => api.get<List<Drill>>('/drills', undefined, signal), refetchInterval: 5000, retry: false });
  const all = list.data?.items ?? [];
  const one = all.find((d) => d.name === name);
  useShortcuts('Failover drills', may ? [{ keys: 'd', label: 'Set a failover drill', run: () => setMaking(true) }] : []);
  return (
    <>
      <Beside label="The drill" side={one && <One key={one.name} d={one} may={may} onClose={() => set()} />}>
        <Panel title="Failovers, tried" note="an upstream taken as down, for an agent's tests alone" actions={may && <Button size="compact-xs" onClick={() => setMaking(true)}>Set a drill</Button>}>
          <ProblemNote error={list.error} retry={() => void list.refetch()} />
          <KeyedTable
            label="Failover drills"
            rows={all}
            rowKey={(d) => d.name}
            mark={(d) => (d.failing ? 'bad' : d.trouble ? 'warn' : undefined)}
            empty={list.isSuccess && <Empty small title="No failover was tried.">A fallback that nobody tried is a hope. A drill puts an agent's cases to its upstream and to what stands in for it, and compares the answers.</Empty>}
            fields={[
              {
                head: 'Drill',
                cell: (d) => (
                  <button type="button" className="link" aria-pressed={d.name === name} onClick={() => set(d.name === name ? undefined : d.name)}>
                    {d.name}
                  </button>
                ),
              },
              { head: 'State', cell: state },
              { head: 'Agent', cell: (d) => d.agent },
              { head: 'Down', cell: (d) => d.upstream },
              { head: 'Instead', cell: (d) => d.fallbacks.join(', ') || <Badge tone="bad">nothing</Badge> },
              { head: 'Answered', num: true, cell: (d) => (typeof d.result?.came?.answered.value === 'number' ? percent(d.result.came.answered.value) : <Unknown why="It came to nothing yet." />) },
              { head: 'Quality, in points', num: true, cell: (d) => points(d.result?.came?.quality) ?? <Unknown why="No answer could be compared." /> },
              { head: 'Next', cell: (d) => (d.next_at && !d.paused ? <Time at={d.next_at} /> : <span className="muted">{when(d)}</span>) },
              { head: 'Set by', cell: (d) => d.by ?? '' },
            ]}
          />
        </Panel>
      </Beside>
      {making && <Make onClose={() => setMaking(false)} onDone={set} />}
    </>
  );
}

/** One is a drill with its newest result and those before. */
function One({ d, may, onClose }: { d: Drill; may: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const whole = useQuery({ queryKey: ['drill', d.name], queryFn: ({ signal }) => api.get<Drill>(`/drills/${d.name}`, undefined, signal), refetchInterval: 3000 });
  const done = () => {
    void client.invalidateQueries({ queryKey: ['drills'] });
    void client.invalidateQueries({ queryKey: ['drill', d.name] });
  };
  const run = useMutation({ mutationFn: () => api.post<Drill>(`/drills/${d.name}/run`), onSettled: done });
  const put = useMutation({
    mutationFn: () =>
      api.put<Drill>(`/drills/${d.name}`, { agent: d.agent, upstream: d.upstream, dataset: d.dataset, runs: d.runs, model: d.model, evaluators: d.evaluators, least: d.least, tolerance: d.tolerance, every: d.every, at: d.at, zone: d.zone, paused: !d.paused, revision: d.revision }),
    onSettled: done,
  });
  const drop = useMutation({
    mutationFn: () => api.delete(`/drills/${d.name}`),
    onSuccess: () => {
      done();
      onClose();
    },
  });
  const history = whole.data?.history ?? [];
  const came = d.result?.came;
  return (
    <Panel title={d.name} note={d.paused ? 'paused' : undefined} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={run.error ?? put.error ?? drop.error ?? whole.error} />
      <p role="status">
        {state(d)} {d.running ? 'Its cases are put with the upstream and without.' : d.trouble ? visible(d.trouble) : came ? visible(came.says) : 'It has no result yet.'}
      </p>
      {d.failing && <p className="muted">Its alert ends with the next one that holds.</p>}
      {may && (
        <div className={css.acts}>
          <Button size="compact-xs" variant="filled" loading={run.isPending} disabled={!!d.running} onClick={() => run.mutate()}>Run now</Button>
          <Button size="compact-xs" loading={put.isPending} disabled={!!d.running} onClick={() => put.mutate()}>{d.paused ? 'Go on' : 'Pause'}</Button>
          <Sure label="End it" sure="End the drill? Its experiments stay." pending={drop.isPending} onDo={() => drop.mutate()} />
        </div>
      )}
      {came && <Came c={came} d={d} />}
      <Course d={d} history={history} />
      <KeyedTable
        label={`History of ${d.name}`}
        rows={history}
        rowKey={(x) => x.experiment}
        mark={(x) => (x.came?.verdict === 'failed' ? 'bad' : undefined)}
        empty={whole.isSuccess && <Empty small title="It was not tried yet." />}
        fields={[
          { head: 'When', cell: (x) => <Figure to="/evaluations/experiments/$id" params={{ id: x.experiment }} title="Each case of it"><Time at={x.at} /></Figure> },
          { head: 'Result', cell: (x) => (x.state === 'done' && x.came ? <Verdict of={x.came.verdict} /> : <span title={x.why}>{x.state}</span>) },
          { head: 'Answered', num: true, cell: (x) => (typeof x.came?.answered.value === 'number' ? `${percent(x.came.answered.value)} of ${x.came.answered.n}` : <Unknown why={x.why || 'No case says anything of it.'} />) },
          { head: 'Quality, in points', num: true, cell: (x) => points(x.came?.quality) ?? <Unknown why="No answer could be compared." /> },
          { head: 'By', cell: (x) => x.by ?? '' },
        ]}
      />
      <Facts>
        <dt>Cases</dt>
        <dd>{d.dataset ? `of the data set ${d.dataset}` : `the newest ${plural(d.runs ?? 0, 'recorded run')}, put again${d.model ? ` to ${d.model}` : ''}`}</dd>
        <dt>Judged by</dt>
        <dd>{d.evaluators.join(', ') || 'what the cases expect'}</dd>
        <dt>Asked of it</dt>
        <dd>{percent(d.least, 0)} answered, at most {(100 * d.tolerance).toFixed(0)} points of quality less; {plural(d.needs, 'compared case')} or more can show that</dd>
        <dt>When</dt>
        <dd>{when(d)}{d.next_at && !d.paused && <>, next <Time at={d.next_at} /></>}</dd>
        <dt>Set by</dt>
        <dd>{d.by ?? <Unknown why="Nobody is known." />}</dd>
      </Facts>
    </Panel>
  );
}

/** Came is a result beside what it was with the upstream. */
function Came({ c, d }: { c: DrillResult; d: Drill }) {
  const usd = (v: number | null | undefined) => (typeof v === 'number' ? `${v.toPrecision(3)} USD` : undefined);
  const rows = [
    { what: 'Passed', with: share(c.before), without: share(c.now) },
    { what: 'A case took (median)', with: ms(c.took_before), without: ms(c.took_now) },
    { what: 'A case cost', with: usd(c.cost_before), without: usd(c.cost_now) },
  ];
  return (
    <>
      <KeyedTable
        label="With the upstream and without"
        rows={rows}
        rowKey={(r) => r.what}
        fields={[
          { head: 'Of its cases', cell: (r) => r.what },
          { head: d.upstream, num: true, cell: (r) => r.with ?? <Unknown why="No case could be compared." /> },
          { head: c.served.join(', ') || 'instead', num: true, cell: (r) => r.without ?? <Unknown why="No case could be compared." /> },
        ]}
      />
      {c.lost.length > 0 && (
        <ul className={css.lost} aria-label="Cases that were not answered">
          {c.lost.map((l) => (
            <li key={l.item}>
              {l.run ? <Figure to="/runs/$runId" params={{ runId: l.run }}>{l.item}</Figure> : l.item} {l.why && visible(l.why)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const share = (s: { value?: number | null; n: number }) => (typeof s.value === 'number' ? `${percent(s.value)} of ${s.n}` : undefined);
const ms = (v: number | null | undefined) => (typeof v === 'number' ? `${v} ms` : undefined);

/** Course is the change of quality over the drills, between the ends of its interval. */
function Course({ d, history }: { d: Drill; history: NonNullable<Drill['history']> }) {
  const { tz } = useView();
  const ink = useTokens({ text: '--r-text-3', grid: '--r-grid', line: '--r-series-1', band: '--r-band', bound: '--r-bad' });
  const points = useMemo(() => history.filter((x) => typeof x.came?.quality.value === 'number').reverse(), [history]);
  const first = points.length > 0 ? Date.parse(points[0]!.at) / 1000 : 0;
  const last = points.length > 0 ? Date.parse(points[points.length - 1]!.at) / 1000 : 0;
  const pad = Math.max((last - first) * 0.05, 30);
  const data = useMemo<uPlot.AlignedData>(
    () => [points.map((p) => Date.parse(p.at) / 1000), points.map((p) => p.came!.quality.high ?? null), points.map((p) => p.came!.quality.low ?? null), points.map((p) => p.came!.quality.value ?? null), points.map(() => -d.tolerance)] as uPlot.AlignedData,
    [points, d.tolerance],
  );
  const options = useMemo<Omit<uPlot.Options, 'width' | 'height'>>(
    () => ({
      padding: [6, 6, 0, 0],
      cursor: { show: false },
      scales: { x: { time: true, range: () => [first - pad, last + pad] }, y: { range: (_u, min, max) => [Math.min(min ?? 0, -d.tolerance) - 0.02, Math.max(max ?? 0, 0) + 0.02] } },
      axes: [timeAxis(tz, ink, (last - first) * 1000, 18), valueAxis(ink, (v) => (100 * v).toFixed(0), 36, 26)],
      series: [{}, { stroke: ink.band, width: 0, points: { show: false } }, { stroke: ink.band, width: 0, points: { show: false } }, { stroke: ink.line, width: 1.5, points: { show: true } }, { stroke: ink.bound, width: 1, dash: [4, 4], points: { show: false } }],
      bands: [{ series: [1, 2] as [number, number], fill: ink.band }],
    }),
    [tz, ink, first, last, pad, d.tolerance],
  );
  if (points.length < 2) return null;
  return <Plot options={options} data={data} label={`Change of quality without ${d.upstream} in ${plural(points.length, 'drill')}, with its interval and what is tolerated`} height={120} />;
}

const times = [
  { value: '', label: 'When asked' },
  { value: '24h', label: 'Each day' },
  { value: '7d', label: 'Each week' },
  { value: '30d', label: 'Each month' },
  { value: 'at', label: 'Each day at a time' },
];

function Make({ onClose, onDone }: { onClose: () => void; onDone: (name: string) => void }) {
  const client = useQueryClient();
  const { tz } = useView();
  const agents = useQuery({ queryKey: ['agents', 'names'], queryFn: ({ signal }) => api.get<List<Agent>>('/agents', { limit: 500 }, signal) });
  const upstreams = useQuery({ queryKey: ['upstreams', 'all'], queryFn: ({ signal }) => api.get<List<Upstream>>('/upstreams', undefined, signal) });
  const datasets = useQuery({ queryKey: ['datasets', 'all'], queryFn: ({ signal }) => api.get<List<Dataset>>('/datasets', undefined, signal) });
  const evaluators = useQuery({ queryKey: ['evaluation', 'evaluators'], queryFn: ({ signal }) => api.get<List<Evaluator>>('/evaluators', undefined, signal) });
  const names = (agents.data?.items ?? []).map((a) => a.name);
  const down = (upstreams.data?.items ?? []).filter((u) => u.kind === 'llm' && (u.fallback ?? []).length > 0).map((u) => u.name);
  const sets = (datasets.data?.items ?? []).map((s) => s.name);
  const judges = (evaluators.data?.items ?? []).map((e) => e.name);
  const [name, setName] = useState('');
  const [agent, setAgent] = useState('');
  const [upstream, setUpstream] = useState('');
  const [of, setOf] = useState('');
  const [runs, setRuns] = useState('40');
  const [by, setBy] = useState('');
  const [tolerance, setTolerance] = useState('10');
  const [every, setEvery] = useState('7d');
  const [at, setAt] = useState('04:30');
  const cases = [...sets.map((s) => ({ value: `set:${s}`, label: `of the data set ${s}` })), { value: 'runs', label: 'recorded runs, put again' }];
  const chosen = of || cases[0]!.value;
  const replays = chosen === 'runs';
  const judge = by || (replays ? (judges[0] ?? '') : '');
  const put = useMutation({
    mutationFn: () =>
      api.put<Drill>(`/drills/${encodeURIComponent(name.trim())}`, {
        agent: agent || names[0], upstream: upstream || down[0], dataset: replays ? undefined : chosen.slice(4), runs: replays ? Number(runs) : undefined, evaluators: judge ? [judge] : [], tolerance: Number(tolerance) / 100,
        every: every && every !== 'at' ? every : undefined, at: every === 'at' ? at.trim() : undefined, zone: every === 'at' ? (tz === 'local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : tz === 'utc' ? 'UTC' : tz) : undefined,
      }),
    onSuccess: (d) => {
      void client.invalidateQueries({ queryKey: ['drills'] });
      onDone(d.name);
      onClose();
    },
  });
  const nothing = upstreams.isSuccess && down.length === 0;
  return (
    <FormDialog title="Set a failover drill" submit="Set it" pending={put.isPending} error={put.error ?? agents.error ?? upstreams.error} onSubmit={() => put.mutate()} onClose={onClose} disabled={name.trim() === '' || names.length === 0 || down.length === 0 || !(Number(tolerance) > 0)}>
      <TextInput label="Name" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
      {names.length > 0 && <Pick label="Agent" value={agent || names[0]!} options={names.map((n) => ({ value: n, label: n }))} onPick={setAgent} />}
      {down.length > 0 && <Pick label="Taken as down" value={upstream || down[0]!} options={down.map((n) => ({ value: n, label: n }))} onPick={setUpstream} />}
      {nothing && <p>No upstream with models has a fallback: give one to it first, in the settings of Upstreams.</p>}
      <Pick label="Cases" value={chosen} options={cases} onPick={setOf} />
      {replays && <TextInput label="Recorded runs, the newest, at most" inputMode="numeric" value={runs} onChange={(e) => setRuns(e.currentTarget.value)} />}
      {judges.length > 0 && <Pick label="Evaluator that looks at the answers" value={judge} options={[...(replays ? [] : [{ value: '', label: 'none: what the cases expect' }]), ...judges.map((n) => ({ value: n, label: n }))]} onPick={setBy} />}
      <TextInput label="Points of quality that it may cost" inputMode="decimal" value={tolerance} onChange={(e) => setTolerance(e.currentTarget.value)} />
      <Pick label="When" value={every} options={times} onPick={setEvery} />
      {every === 'at' && <TextInput label="At" value={at} onChange={(e) => setAt(e.currentTarget.value)} />}
      <p className="muted">Each case is put twice, and paid for. Live calls go where they always do; policies and budgets hold for the tests as for any call.</p>
    </FormDialog>
  );
}
