import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Team } from '../api/types';
import { Empty, Figure, Icon, KeyedTable, PageBody, PageHeader, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { FormDialog } from './parts';

/** TeamsPage: who owns agents. */
export function TeamsPage() {
  const client = useQueryClient();
  const teams = useQuery({ queryKey: ['teams'], queryFn: ({ signal }) => api.get<List<Team>>('/teams', undefined, signal) });
  const may = useMay('CreateTeam');
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const [channel, setChannel] = useState('');
  useShortcuts('Teams', may ? [{ keys: 'n', label: 'Add a team', run: () => setOpen(true) }] : []);
  const add = useMutation({
    mutationFn: () => api.post<Team>('/teams', { name: name.trim(), channel: channel.trim() || undefined }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['teams'] });
      setOpen(false);
      setName('');
      setChannel('');
    },
  });
  const items = teams.data?.items ?? [];
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen(true)}>
      Add a team
    </Button>
  );
  return (
    <>
      <PageHeader title="Teams" question="Who owns agents?" answer={teams.data && items.length > 0 && `${plural(items.length, 'team')}. What a key sends belongs to the key's team.`} actions={button} />
      <PageBody width={1180}>
        <ProblemNote error={teams.error} retry={() => void teams.refetch()} />
        <Panel>
          <KeyedTable
            label="Teams"
            rows={items}
            rowKey={(t) => t.id}
            empty={
              teams.isSuccess && (
                <Empty title="There is no team yet." actions={button}>
                  A team owns agents, intake keys and roles. What a team's key sends belongs to that team.
                </Empty>
              )
            }
            fields={[
              { head: 'Team', cell: (t) => t.name },
              { head: 'People', cell: (t) => (t.people ?? []).join(', ') || <span className="muted">nobody</span> },
              { head: 'Channel', cell: (t) => t.channel || <span className="muted">none</span> },
              { head: 'Since', cell: (t) => <Time at={t.created_at} as="day" /> },
              { head: 'Runs', cell: (t) => <Figure to="/runs" search={{ team: t.name }}>its runs</Figure> },
            ]}
          />
        </Panel>
      </PageBody>
      {open && (
        <FormDialog title="Add a team" submit="Add" pending={add.isPending} error={add.error} onSubmit={() => add.mutate()} onClose={() => setOpen(false)}>
          <TextInput label="Name" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
          <TextInput label="Channel" description="Where the team talks, for those who look for it" value={channel} onChange={(e) => setChannel(e.currentTarget.value)} />
        </FormDialog>
      )}
    </>
  );
}
