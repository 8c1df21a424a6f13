import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api } from '../api/client';
import type { List, Run } from '../api/types';
import { Badge, Cost, count, Duration, Empty, Figure, KeyTable, PageHeader, Panel, percent, pickView, plural, ProblemNote, RunStatus, Time, type Column } from '../shared';
import { useView } from '../state/url';
import { useNavigate } from '@tanstack/react-router';
import { useSeenAgents } from './data';

const quote = (v: string) => (/^[\w.@/-]+$/.test(v) ? v : JSON.stringify(v));

const columns: Column<Run>[] = [
  { id: 'status', head: 'State', width: '92px', cell: (r) => <RunStatus status={r.status} failed={r.failed} words /> },
  { id: 'name', head: 'Run', width: 'minmax(200px, 1fr)', cell: (r) => <Link to={'/runs/$id' as never} params={{ id: r.id } as never}>{r.task || r.name || r.id}</Link> },
  { id: 'started', head: 'Started', width: '100px', align: 'right', cell: (r) => <Time at={r.started_at} /> },
  { id: 'duration', head: 'Took', width: '110px', align: 'right', cell: (r) => <Duration ms={r.duration_ms} running={r.status === 'running'} /> },
  { id: 'steps', head: 'Steps', width: '80px', align: 'right', cell: (r) => count(r.step_count) },
  { id: 'cost', head: 'Cost', width: '100px', align: 'right', cell: (r) => <Cost cost={r.cost} partial={r.coverage.unknown_cost_calls} /> },
];

/** AgentPage: what telemetry says of one agent. */
export function AgentPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const view = useView();
  const navigate = useNavigate();
  const { rows, query } = useSeenAgents(view, name);
  const runs = useQuery({ queryKey: ['runs', 'agent', name, view.filter], queryFn: ({ signal }) => api.get<List<Run>>('/runs', { ...view.filter, agent: name, limit: 50 }, signal), meta: { live: true } });
  const total = rows.reduce((n, r) => n + r.runs, 0);
  const failed = rows.reduce((n, r) => n + (r.errors ?? 0), 0);
  const teams = [...new Set(rows.map((r) => r.team).filter(Boolean))];
  return (
    <>
      <PageHeader
        title={name}
        badge={<Badge>seen, not registered</Badge>}
        question="May it go on?"
        answer={
          query.isSuccess &&
          (total === 0 ? (
            'It has not been seen in this period.'
          ) : (
            <>
              <Figure to="/runs" search={{ q: `agent:${quote(name)}` }}>
                {plural(total, 'run')}
              </Figure>{' '}
              in this period,{' '}
              <Figure to="/runs" search={{ q: `agent:${quote(name)} failed:true` }}>
                {count(failed)} failed
              </Figure>{' '}
              ({percent(failed / total)}). {teams.length > 0 ? `Team ${teams.join(', ')}.` : 'No team owns it.'} Owner, purpose and limits come with the registry; it cannot be stopped from here before the gateway.
            </>
          ))
        }
      />
      <div style={{ padding: '4px 20px 20px', flex: 1, minHeight: 0 }}>
        <ProblemNote error={query.error ?? runs.error} retry={() => void runs.refetch()} />
        <Panel title="Newest runs" actions={<Link className="link" to={'/runs' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: `agent:${quote(name)}` })) as never}>All runs</Link>}>
          <KeyTable
            label={`Newest runs of ${name}`}
            columns={columns}
            rows={runs.data?.items ?? []}
            rowKey={(r) => r.id}
            onOpen={(r) => void navigate({ to: '/runs/$id' as never, params: { id: r.id } as never, search: pickView as never })}
            height="calc(100dvh - 210px)"
            autoFocus
            empty={runs.isSuccess && <Empty title="No run in this period.">Choose a longer period.</Empty>}
          />
        </Panel>
      </div>
    </>
  );
}
