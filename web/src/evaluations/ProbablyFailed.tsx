import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { Pick } from '../settings/parts';
import { type Column, Empty, KeyTable, Panel, percent, plural, ProblemNote, Time, useWide } from '../shared';
import { useView } from '../state/url';
import { visible } from '../tools/data';

type Answer = components['schemas']['ProbablyFailed'];
type Guess = components['schemas']['ProbablyFailedRun'];
type Bin = components['schemas']['ProbablyFailedBin'];

const columns: Column<Guess>[] = [
  { id: 'p', head: 'Chance', width: '74px', cell: (x) => percent(x.p) },
  { id: 'run', head: 'Run', width: 'minmax(120px, 1fr)', cell: (x) => <Link to={'/runs/$id' as never} params={{ id: x.run_id } as never}>{x.run_id.slice(0, 16)}</Link> },
  { id: 'why', head: 'What its chance is made of', width: 'minmax(180px, 2fr)', cell: (x) => x.parts.map((p) => `${visible(p.name)} ${p.adds > 0 ? '+' : '−'}${Math.abs(p.adds).toFixed(1)}`).join('; ') || <span className="muted">as its runs are</span> },
  { id: 'task', head: 'Task', width: 'minmax(80px, .7fr)', cell: (x) => (x.task ? visible(x.task) : <span className="muted">unknown</span>) },
  { id: 'start', head: 'Began', width: '94px', cell: (x) => <Time at={x.start} /> },
];
const narrow = columns.filter((c) => ['p', 'run'].includes(c.id));

const bins: Column<Bin>[] = [
  { id: 'chance', head: 'Chance', width: 'minmax(90px, 1fr)', cell: (b) => `${percent(b.low)} to ${percent(b.high)}` },
  { id: 'runs', head: 'Judged runs', width: '100px', cell: (b) => b.runs },
  { id: 'predicted', head: 'Predicted', width: '90px', cell: (b) => percent(b.predicted) },
  { id: 'failed', head: 'Had failed', width: '90px', cell: (b) => percent(b.failed) },
];

/** ProbablyFailed ranks an agent's unjudged runs by how likely each has failed, and says how far to believe it. */
export function ProbablyFailed() {
  const navigate = useNavigate();
  const view = useView();
  const wide = useWide(700);
  const { agent } = useSearch({ strict: false }) as { agent?: string };
  const agents = useQuery({ queryKey: ['agent-names'], queryFn: ({ signal }) => api.get<{ items: { name: string }[] }>('/agents', { limit: 200 }, signal), retry: false });
  const q = useQuery({
    queryKey: ['probably-failed', agent, view.env, view.team, view.from],
    queryFn: ({ signal }) => api.get<Answer>('/probably-failed', { agent, environment: view.env, team: view.team, limit: 100 }, signal),
    enabled: !!agent,
    retry: false,
    staleTime: 60_000,
  });
  const x = q.data;
  return (
    <>
      <Panel padded>
        <Pick
          label="Agent"
          value={agent ?? ''}
          options={[{ value: '', label: 'Choose an agent' }, ...[...new Set([...(agent ? [agent] : []), ...(agents.data?.items ?? []).map((a) => a.name)])].map((name) => ({ value: name, label: name }))]}
          onPick={(name) => void navigate({ to: '.', search: ((old: object) => ({ ...old, agent: name || undefined })) as never, replace: true })}
        />
        <p className="muted">What failure looks like is learned of each agent by itself, from its judged runs of 30 days.</p>
        {agent && q.isPending && <p className="muted">Measuring its runs…</p>}
        {x && <p role="status">{x.text.charAt(0).toUpperCase() + x.text.slice(1)}.{x.truncated && ' There are more runs: the newest were looked at.'}</p>}
        <ProblemNote error={agents.error ?? q.error} />
      </Panel>
      {x?.learned && (
        <>
          <Panel title="Unjudged runs" note={plural(x.unjudged, 'run')}>
            <KeyTable label="Probably failed" columns={wide ? columns : narrow} rows={x.items} rowKey={(r) => r.run_id} height="min(420px, 50dvh)" empty={<Empty title="All of its runs are judged.">New ones come here as they end.</Empty>} />
          </Panel>
          {x.bins.length > 0 && (
            <Panel title="How far to believe it" note="judged runs that it had not learned from">
              <KeyTable label="Calibration" columns={bins} rows={x.bins} rowKey={(b) => String(b.low)} height="min(220px, 30dvh)" />
            </Panel>
          )}
        </>
      )}
    </>
  );
}
