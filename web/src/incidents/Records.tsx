import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import type { List } from '../api/types';
import { Empty, KeyedTable, Panel, plural, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import type { IncidentDetail, IncidentRecord } from './data';

/** Records are what runs of the affected agents changed since it began: what a wrong action has to put right. */
export function Records({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
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
