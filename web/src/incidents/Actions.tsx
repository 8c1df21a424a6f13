import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import type { List } from '../api/types';
import { Badge, Empty, KeyedTable, Panel, ProblemNote, Time, Unknown } from '../shared';
import { visible } from '../tools/data';
import type { IncidentTask } from './data';
import css from './incidents.module.css';

/** Actions are what is to be done after incidents, and what is to be put right, over all of them, the first due first. */
export function Actions() {
  const client = useQueryClient();
  const ask = (kind: string) => useQuery({ queryKey: ['incident-actions', kind], queryFn: async ({ signal }) => (await api.get<List<IncidentTask>>('/incident-actions', { kind }, signal)).items, refetchInterval: 30_000 });
  const actions = ask('action');
  const right = ask('compensation');
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string; approve?: boolean; done?: boolean }) => api.post(`/incident-tasks/${id}`, body),
    onSettled: () => {
      for (const key of ['incident-actions', 'inbox', 'incident', 'incidents']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const table = (label: string, rows: IncidentTask[] | undefined, none: string) => (
    <KeyedTable
      label={label}
      rows={rows ?? []}
      rowKey={(t) => t.id}
      mark={(t) => (t.due_at && Date.parse(t.due_at) < Date.now() ? 'bad' : undefined)}
      empty={rows && <Empty small title={none} />}
      fields={[
        { head: 'To do', width: '420px', title: (t) => t.text, cell: (t) => visible(t.text) },
        { head: 'Incident', title: (t) => t.title, cell: (t) => <Link to={`/incidents/${t.number || t.incident}` as never}>{t.number ? `${t.number}: ${visible(t.title ?? '')}` : 'open it'}</Link> },
        { head: 'Owner', cell: (t) => t.owner || <Unknown why="Nobody owns it." /> },
        { head: 'Due', cell: (t) => (t.due_at ? <Time at={t.due_at} as="day" /> : <span className="muted">no date</span>) },
        { head: 'Agreed', cell: (t) => (t.kind !== 'compensation' ? '' : t.approved_by || <Badge tone="warn">waits for a second person</Badge>) },
        {
          head: 'Do',
          cell: (t) => (
            <Button size="compact-xs" aria-label={`${t.kind === 'compensation' && !t.approved_by ? 'Agree to' : 'Done'}: ${t.text}`} loading={change.isPending && change.variables.id === t.id} onClick={() => change.mutate(t.kind === 'compensation' && !t.approved_by ? { id: t.id, approve: true } : { id: t.id, done: true })}>
              {t.kind === 'compensation' && !t.approved_by ? 'Agree' : 'Done'}
            </Button>
          ),
        },
      ]}
    />
  );
  return (
    <div className={css.column}>
      <ProblemNote error={actions.error ?? right.error ?? change.error} />
      <Panel title="So that it does not come again" note="actions of reviews, the first due first">
        {table('Actions', actions.data, 'Nothing is to be done after an incident.')}
      </Panel>
      <Panel title="To put right" note="a second person agrees first">
        {table('Compensations', right.data, 'Nothing is to be put right.')}
      </Panel>
    </div>
  );
}
