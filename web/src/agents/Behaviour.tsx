import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type uPlot from 'uplot';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useMay } from '../api/queries';
import type { AgentBehaviour, Behaviour, BehaviourPoint, Finding, List } from '../api/types';
import { timeAxis, valueAxis } from '../charts/axes';
import { Plot } from '../charts/Plot';
import { severities, words } from '../findings/data';
import { cel, SaveAsRule } from '../findings/SaveAsRule';
import { Pick } from '../settings/parts';
import { compact, count, duration, Empty, Figure, KeyedTable, Known, Mark, Panel, percent, plural, ProblemNote, Tabs, Time, Unknown } from '../shared';
import { useView } from '../state/url';
import { useTokens } from '../theme/token';
import css from './agents.module.css';

type Kinds = components['schemas']['LogKinds'];

// word is what a rule calls the measure; a chart without one is no figure of a window.
const measures: { id: string; word?: string; label: string; of: (p: BehaviourPoint) => number | null; text: (n: number) => string }[] = [
  { id: 'steps', word: 'steps', label: 'Steps', of: (p) => p.steps, text: (n) => compact(n) ?? '' },
  { id: 'runs', word: 'runs', label: 'Runs that began', of: (p) => p.runs, text: (n) => compact(n) ?? '' },
  { id: 'errors', word: 'errors', label: 'Errors', of: (p) => p.errors, text: (n) => compact(n) ?? '' },
  { id: 'repeated', word: 'repeated', label: 'Repeated calls', of: (p) => p.repeated, text: (n) => compact(n) ?? '' },
  { id: 'retries', word: 'retries', label: 'Retries after failures', of: (p) => p.retries, text: (n) => compact(n) ?? '' },
  { id: 'refused', word: 'refused', label: 'Refused actions', of: (p) => p.refused, text: (n) => compact(n) ?? '' },
  { id: 'first_seen', word: 'first_seen', label: 'First seen tools, models, places', of: (p) => p.first_seen, text: (n) => compact(n) ?? '' },
  { id: 'p50', word: 'p50_ms', label: 'Time of calls, median', of: (p) => p.p50_ms ?? null, text: (n) => duration(n) ?? '' },
  { id: 'p95', word: 'p95_ms', label: 'Time of calls, 95 of 100', of: (p) => p.p95_ms ?? null, text: (n) => duration(n) ?? '' },
  { id: 'cost', word: 'cost', label: 'Cost', of: (p) => p.cost ?? null, text: (n) => n.toPrecision(3) },
  { id: 'input', word: 'input_tokens', label: 'Input tokens', of: (p) => p.input_tokens, text: (n) => compact(n) ?? '' },
  { id: 'output', label: 'Output a model call', of: (p) => p.output_per_call ?? null, text: (n) => compact(n) ?? '' },
  { id: 'growth', word: 'context_growth', label: 'Context growth of a run', of: (p) => p.context_growth ?? null, text: (n) => `${n.toFixed(1)} times` },
  { id: 'surprise', word: 'surprise', label: 'How unusual the path was, bits', of: (p) => p.surprise ?? null, text: (n) => n.toFixed(2) },
  { id: 'waiting', label: 'Time waiting for people', of: (p) => p.waiting_ms, text: (n) => duration(n) ?? '' },
  { id: 'declined', label: 'Answers that refuse in words', of: (p) => p.declined, text: (n) => compact(n) ?? '' },
  { id: 'handoffs', word: 'handoffs', label: 'Handoffs', of: (p) => p.handoffs, text: (n) => compact(n) ?? '' },
];

/** AgentBehaviourTab is what was measured of an agent while it worked: series, tools, paths, hours, and what is normal. */
export function AgentBehaviourTab({ name }: { name: string }) {
  const [from, setFrom] = useState('-24h');
  const q = useQuery({ queryKey: ['agent', name, 'behaviour', from], queryFn: ({ signal }) => api.get<AgentBehaviour>(`/agents/${encodeURIComponent(name)}/behaviour`, { from }, signal), refetchInterval: 15_000 });
  const findings = useQuery({ queryKey: ['findings', 'agent', name], queryFn: ({ signal }) => api.get<List<Finding>>('/findings', { agent: name, limit: 20 }, signal), refetchInterval: 15_000 });
  const mayLogs = useMay('ListLogKinds');
  const seen = q.data?.seen ?? [];
  const [source, setSource] = useState<string>();
  const b = seen.find((s) => s.source === source) ?? seen[0];
  return (
    <div className={css.behaviour}>
      <ProblemNote error={q.error ?? findings.error} />
      <Panel title="Findings about it" note={findings.data && count(findings.data.items.length)}>
        <KeyedTable
          label="Findings about it"
          rows={findings.data?.items ?? []}
          rowKey={(f) => f.id}
          empty={findings.isSuccess && <Empty small title="Nothing was out of the ordinary." />}
          fields={[
            { head: 'Severity', cell: (f) => <Mark {...(severities[f.severity] ?? severities.warning!)} words /> },
            { head: 'What', width: '420px', title: (f) => f.text, cell: (f) => <Figure to="/findings" search={{ finding: f.id, state: 'all' }}>{f.text}</Figure> },
            { head: 'Detector', cell: (f) => words(f.detector) },
            { head: 'Seen', cell: (f) => <Time at={f.last_seen} /> },
            { head: 'Verdict', cell: (f) => f.verdict?.verdict ?? <span className="muted">{f.closed_at ? 'over' : 'not judged'}</span> },
          ]}
        />
      </Panel>
      {seen.length > 1 && <Tabs label="Seen by" tabs={seen.map((s) => ({ id: s.source, label: s.source === 'door' ? 'the door' : 'telemetry (claimed)' }))} on={b!.source} onPick={setSource} />}
      {q.isSuccess && !b && <Empty title="Nothing was seen of it.">Its behaviour is measured from its steps as they arrive.</Empty>}
      {b && <Series agent={name} b={b} from={from} onFrom={setFrom} />}
      {b && <Normal b={b} />}
      {b && mayLogs && <LogKinds name={name} />}
    </div>
  );
}

function Series({ agent, b, from, onFrom }: { agent: string; b: Behaviour; from: string; onFrom: (v: string) => void }) {
  const [id, setId] = useState('steps');
  const m = measures.find((x) => x.id === id)!;
  const points = b.points ?? [];
  const data = useMemo<uPlot.AlignedData>(() => [points.map((p) => Date.parse(p.at) / 1000), points.map((p) => m.of(p))], [points, m]);
  const { tz } = useView();
  const ink = useTokens({ text: '--r-text-3', grid: '--r-grid', line: '--r-series-1' });
  const spanMs = points.length > 1 ? Date.parse(points[points.length - 1]!.at) - Date.parse(points[0]!.at) : 0;
  const few = points.length < 120;
  const options = useMemo<Omit<uPlot.Options, 'width' | 'height'>>(
    () => ({
      padding: [6, 6, 0, 0],
      cursor: { show: false },
      scales: { x: { time: true }, y: { range: (_u, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 1e-9) * 1.1] } },
      axes: [timeAxis(tz, ink, spanMs), valueAxis(ink, m.text, 60)],
      series: [{}, { stroke: ink.line, width: 1.5, points: { show: few, size: 4 }, spanGaps: false }],
    }),
    [m, tz, ink, spanMs, few],
  );
  const last = points[points.length - 1];
  const now = last && m.of(last);
  const most = Math.max(...points.map((p) => m.of(p) ?? 0), 0);
  return (
    <Panel
      title={m.label}
      note={points.length === 0 ? 'nothing in this time' : `each ${b.step_seconds === 3600 ? 'hour' : '5 minutes'} with activity; last ${now === null || now === undefined ? 'unknown' : m.text(now)}`}
      actions={
        <span className={css.pick}>
          {m.word && points.length > 0 && <SaveAsRule agent={agent} window={b.step_seconds === 3600 ? '1h' : '5m'} when={`${m.word} > ${cel(most)}`} />}
          <Pick label="Measure" value={id} options={measures.map((x) => ({ value: x.id, label: x.label }))} onPick={setId} />
          <Pick label="Time" value={from} options={[{ value: '-3h', label: '3 hours' }, { value: '-24h', label: '24 hours' }, { value: '-168h', label: '7 days' }]} onPick={onFrom} />
        </span>
      }
      padded
    >
      <Plot options={options} data={data} height={170} label={`${m.label} over time`} />
    </Panel>
  );
}

function Normal({ b }: { b: Behaviour }) {
  const tools = (b.parts ?? []).filter((p) => p.kind === 'tool');
  const others = (b.parts ?? []).filter((p) => p.kind !== 'tool');
  const runsOf = others.filter((p) => p.kind === 'version' || p.kind === 'task');
  return (
    <>
      <Panel title="What is normal of it" note={b.ranges && b.ranges.length > 0 ? 'learned from its own runs' : 'learned after twenty runs'}>
        <KeyedTable
          label="What is normal of it"
          rows={b.ranges ?? []}
          rowKey={(r) => r.measure}
          empty={<Empty small title={`It is still learned: ${plural(b.runs, 'run')} ended.`} />}
          fields={[
            { head: 'Measure', width: '260px', title: (r) => r.measure, cell: (r) => words(r.measure) },
            { head: 'Median', num: true, cell: (r) => Number(r.median.toPrecision(3)) },
            { head: '99 of 100 below', num: true, cell: (r) => Number(r.high.toPrecision(3)) },
            { head: 'From', num: true, cell: (r) => plural(r.values, 'value') },
          ]}
        />
      </Panel>
      <Panel title="Path" padded>
        {b.path ? (
          <>
            <p>
              Its tools come in the same order in <strong>{percent(b.path.repeatable)}</strong>: the next one tells {b.path.entropy.toFixed(2)} bits when the one before is known.
            </p>
            <KeyedTable
              label="Moves from tool to tool"
              rows={(b.path.moves ?? []).slice(0, 12)}
              rowKey={(m) => `${m.from}\t${m.to}`}
              fields={[
                { head: 'After', width: '200px', title: (m) => m.from, cell: (m) => m.from || <span className="muted">the run begins</span> },
                { head: 'Comes', width: '200px', title: (m) => m.to, cell: (m) => m.to },
                { head: 'Share', num: true, cell: (m) => percent(m.share) },
              ]}
            />
          </>
        ) : (
          <p className="muted">Too few calls of tools were seen to say how repeatable its paths are.</p>
        )}
      </Panel>
      <Panel title="Tools and models" note={count(tools.length)}>
        <Parts rows={tools} what="Calls" />
      </Panel>
      {others.length > 0 && (
        <Panel title="Versions, tasks and errors" note={count(others.length)}>
          <Parts rows={others} what="Times" />
        </Panel>
      )}
      {runsOf.length > 0 && (
        <Panel title="By version and task" note="sums over their runs">
          <RunParts rows={runsOf} />
        </Panel>
      )}
    </>
  );
}

function Parts({ rows, what }: { rows: NonNullable<Behaviour['parts']>; what: string }) {
  return (
    <KeyedTable
      label={`${what} by part`}
      rows={rows}
      rowKey={(p) => `${p.kind} ${p.name}`}
      empty={<Empty small title="None was seen." />}
      fields={[
        { head: 'Kind', cell: (p) => p.kind },
        { head: 'Name', width: '240px', title: (p) => p.name, cell: (p) => p.name },
        { head: what, num: true, cell: (p) => count(p.calls) },
        { head: 'Errors', num: true, cell: (p) => (p.errors > 0 ? `${count(p.errors)} (${percent(p.errors / Math.max(1, p.calls))})` : '0') },
        { head: 'Repeated', num: true, cell: (p) => count(p.repeated) },
        { head: 'Retries', num: true, cell: (p) => count(p.retries) },
        { head: 'Refused', num: true, cell: (p) => count(p.refused) },
        { head: 'Output a call', num: true, cell: (p) => (p.output_per_call === null || p.output_per_call === undefined ? <Unknown /> : <Known text={compact(p.output_per_call)} />) },
        { head: 'Mean', num: true, cell: (p) => (p.mean_ms === null || p.mean_ms === undefined ? <Unknown /> : <Known text={duration(p.mean_ms)} />) },
        { head: 'Last', cell: (p) => <Time at={p.last_seen} /> },
      ]}
    />
  );
}

/** LogKinds are the kinds of lines that its logs have, which findings of new_log name by number. */
function LogKinds({ name }: { name: string }) {
  const q = useQuery({ queryKey: ['agent', name, 'log-kinds'], queryFn: ({ signal }) => api.get<Kinds>(`/agents/${encodeURIComponent(name)}/log-kinds`, undefined, signal), retry: false });
  const rows = (q.data?.items ?? []).flatMap((x) => x.kinds.map((k) => ({ ...k, from: x.source, place: x.environment ?? '' })));
  if (q.isSuccess && rows.length === 0) return null;
  return (
    <Panel title="Kinds of log lines" note="values are masked">
      <ProblemNote error={q.error} />
      <KeyedTable
        label="Kinds of log lines"
        rows={rows.slice(0, 100)}
        rowKey={(k) => `${k.from} ${k.place} ${k.id}`}
        fields={[
          { head: 'Kind', num: true, cell: (k) => k.id },
          { head: 'Lines', num: true, cell: (k) => count(k.lines) },
          { head: 'What they say', width: '420px', title: (k) => k.text, cell: (k) => k.text },
          { head: 'Seen by', cell: (k) => k.from },
        ]}
      />
    </Panel>
  );
}

/** RunParts is what only runs have: hand-overs, refusals in words, growth, waiting, by version and task. */
function RunParts({ rows }: { rows: NonNullable<Behaviour['parts']> }) {
  return (
    <KeyedTable
      label="Runs by version and task"
      rows={rows}
      rowKey={(p) => `${p.kind} ${p.name}`}
      fields={[
        { head: 'Kind', cell: (p) => p.kind },
        { head: 'Name', width: '200px', title: (p) => p.name, cell: (p) => p.name },
        { head: 'Handed on', num: true, cell: (p) => count(p.handoffs ?? 0) },
        { head: 'Refuse in words', num: true, cell: (p) => `${count(p.declined ?? 0)} of ${count(p.answers ?? 0)}` },
        { head: 'Input grows', num: true, cell: (p) => (p.context_growth === null || p.context_growth === undefined ? <Unknown /> : `${p.context_growth.toFixed(1)} times`) },
        { head: 'Waited for people', num: true, cell: (p) => <Known text={duration(p.waiting_ms ?? 0)} /> },
      ]}
    />
  );
}
