import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import { aggregate } from '../api/queries';
import type { List } from '../api/types';
import { count, Empty, Figure, KeyedTable, Panel, plural, ProblemNote, quote, Time } from '../shared';
import { visible } from '../tools/data';
import type { IncidentDetail, IncidentRecord } from './data';

/** Touched are the people and the records that the runs reach which share what the incident is about. */
export function Touched(props: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  return (
    <>
      <People i={props.i} />
      <Records {...props} />
    </>
  );
}

const mostPeople = 200;

/** People are who saw it: the users of the runs that share what the incident is about, the most runs first. */
function People({ i }: { i: IncidentDetail }) {
  const reach = i.reach;
  const q = useQuery({
    ...aggregate({ from: 'runs', select: [{ func: 'count', as: 'runs' }, { func: 'max', field: 'started', as: 'last' }], where: reach?.q, group_by: ['user'], order_by: '-runs', limit: mostPeople, start: reach?.from, end: reach?.to }),
    enabled: !!reach,
  });
  const at = Object.fromEntries((q.data?.columns ?? []).map((c, n) => [c.name, n]));
  const rows = (q.data?.rows ?? []).map((r) => ({ user: String(r[at.user!] ?? ''), runs: Number(r[at.runs!] ?? 0), last: Number(r[at.last!] ?? NaN) }));
  const named = rows.filter((r) => r.user);
  const nameless = rows.find((r) => !r.user)?.runs ?? 0;
  const runsOf = (user?: string) => ({ to: '/runs', search: { q: `${reach?.q}${user ? ` user:${quote(user)}` : ''}`, from: reach?.from, to: reach?.to } });
  return (
    <Panel
      title="Who saw it"
      note={q.data && `${named.length === mostPeople ? `the first ${mostPeople}` : plural(named.length, 'person', 'people')}${nameless > 0 ? `; ${plural(nameless, 'run')} named nobody` : ''}`}
      actions={reach && <Figure {...runsOf()}>All their runs</Figure>}
    >
      <ProblemNote error={q.error} />
      <KeyedTable
        label="Who saw it"
        rows={named}
        rowKey={(r) => r.user}
        empty={(!reach || q.isSuccess) && <Empty small title="No run of its agents named its user.">Who saw it is unknown, which is not nobody. Senders name a user with user.id or enduser.id.</Empty>}
        fields={[
          { head: 'Person', width: '320px', title: (r) => r.user, cell: (r) => visible(r.user) },
          { head: 'Runs', num: true, cell: (r) => <Figure {...runsOf(r.user)}>{count(r.runs)}</Figure> },
          { head: 'Last', cell: (r) => (Number.isFinite(r.last) ? <Time at={new Date(r.last * 1000).toISOString()} /> : '') },
        ]}
      />
    </Panel>
  );
}

/** Records are what runs of the affected agents changed since it began: what a wrong action has to put right. */
function Records({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  const q = useQuery({ queryKey: ['incident', i.id, 'records'], queryFn: async ({ signal }) => (await api.get<List<IncidentRecord>>(`/incidents/${i.id}/records`, undefined, signal)).items, refetchInterval: 30_000 });
  const right = useMutation({
    mutationFn: (r: IncidentRecord) => api.post(`/incidents/${i.id}/tasks`, { kind: 'compensation', text: `Put right: ${r.action} ${r.target ?? ''} of ${r.at}`, evidence: { kind: 'decision', id: r.decision ?? r.run } }),
    onSettled: onDone,
  });
  const proposed = new Set((i.tasks ?? []).filter((t) => t.kind === 'compensation').map((t) => t.evidence?.id));
  return (
    <Panel title="What was changed since it began" note={q.data && `${plural(q.data.length, 'action')} of ${plural((i.agents ?? []).length, 'agent')}; ${plural(i.runs, 'run')}`}>
      <ProblemNote error={q.error ?? right.error} />
      <KeyedTable
        label="Records"
        rows={q.data ?? []}
        rowKey={(r) => r.decision || r.run + r.at}
        empty={q.isSuccess && <Empty small title="Nothing was written through the door.">What agents change past the door is not seen here.</Empty>}
        fields={[
          { head: 'When', cell: (r) => <Time at={r.at} /> },
          { head: 'Agent', cell: (r) => <Link to={`/agents/${r.agent}` as never}>{r.agent}</Link> },
          { head: 'Did', width: '180px', title: (r) => r.action, cell: (r) => visible(r.action) },
          { head: 'To', width: '200px', title: (r) => r.target, cell: (r) => visible(r.target ?? '') },
          { head: 'Effect', cell: (r) => r.effect },
          { head: 'Ended', cell: (r) => r.outcome },
          { head: 'For', width: '120px', title: (r) => r.user, cell: (r) => r.user },
          { head: 'Run', cell: (r) => r.run && <Link to={`/runs/${r.run}` as never}>run</Link> },
          { head: 'Act', end: true, cell: (r) => may && (proposed.has(r.decision) ? <span className="muted">proposed</span> : <Button size="compact-xs" loading={right.isPending && right.variables === r} onClick={() => right.mutate(r)}>Put right</Button>) },
        ]}
      />
    </Panel>
  );
}
