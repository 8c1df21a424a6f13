import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { Grant, List, Person } from '../api/types';
import { Badge, Empty, Icon, KeyedTable, PageBody, PageHeader, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { useTeams } from '../shell/TopBar';
import { FormDialog, Grants, GrantsEdit } from './parts';
import css from './settings.module.css';

/** PeoplePage: who may sign in, and as what. */
export function PeoplePage() {
  const people = useQuery({ queryKey: ['people'], queryFn: ({ signal }) => api.get<List<Person>>('/people', { limit: 1000 }, signal) });
  const may = useMay('CreatePerson');
  const me = useMe();
  const [edit, setEdit] = useState<Person | 'new'>();
  useShortcuts('People', may ? [{ keys: 'n', label: 'Add a person', run: () => setEdit('new') }] : []);
  const items = people.data?.items ?? [];
  const admins = items.filter((p) => !p.disabled && (p.grants ?? []).some((g) => g.role === 'admin')).length;
  return (
    <>
      <PageHeader
        title="People"
        question="Who may sign in, and as what?"
        answer={people.data && `${plural(items.filter((p) => !p.disabled).length, 'person', 'people')} may sign in, ${plural(admins, 'admin')} among them.`}
        actions={
          may && (
            <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setEdit('new')}>
              Add a person
            </Button>
          )
        }
      />
      <PageBody width={1180}>
        <ProblemNote error={people.error} retry={() => void people.refetch()} />
        <Panel>
          <KeyedTable
            label="People"
            rows={items}
            rowKey={(p) => p.id}
            empty={people.isSuccess && <Empty title="Nobody has an account yet." />}
            fields={[
              {
                head: 'Name',
                cell: (p) => (
                  <>
                    {p.full_name || p.name} {p.full_name && <span className="muted">{p.name}</span>} {p.id === me?.person?.id && <Badge tone="accent">you</Badge>} {p.disabled && <Badge tone="warn">may not sign in</Badge>}
                  </>
                ),
              },
              { head: 'Teams', cell: (p) => (p.teams ?? []).join(', ') || <span className="muted">none</span> },
              { head: 'Roles', cell: (p) => <Grants grants={p.grants} /> },
              { head: 'Since', cell: (p) => <Time at={p.created_at} as="day" /> },
              {
                head: 'Actions',
                end: true,
                cell: (p) =>
                  may && (
                    <Button size="compact-xs" aria-label={`Change ${p.name}`} onClick={() => setEdit(p)}>
                      Change
                    </Button>
                  ),
              },
            ]}
          />
        </Panel>
      </PageBody>
      {edit && <PersonDialog person={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
    </>
  );
}

function PersonDialog({ person, onClose }: { person?: Person; onClose: () => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const [name, setName] = useState(person?.name ?? '');
  const [fullName, setFullName] = useState(person?.full_name ?? '');
  const [email, setEmail] = useState(person?.email ?? '');
  const [password, setPassword] = useState('');
  const [disabled, setDisabled] = useState(person?.disabled ?? false);
  const [mine, setMine] = useState<string[]>(person?.teams ?? []);
  const [grants, setGrants] = useState<Grant[]>(person?.grants ?? [{ role: 'viewer', team: '*', environment: '*' }]);
  const save = useMutation({
    mutationFn: () =>
      person
        ? api.patch<Person>(`/people/${person.id}`, { version: person.version, full_name: fullName, email, disabled, teams: mine, grants, ...(password ? { password } : {}) })
        : api.post<Person>('/people', { name: name.trim(), full_name: fullName.trim() || undefined, email: email.trim() || undefined, password, teams: mine, grants }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['people'] });
      void client.invalidateQueries({ queryKey: ['me'] });
      onClose();
    },
  });
  return (
    <FormDialog title={person ? `Change ${person.name}` : 'Add a person'} submit={person ? 'Save' : 'Add'} pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={620}>
      <div className={css.two}>
        <TextInput label="Name" description="What one signs in with" required withAsterisk={false} disabled={!!person} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus={person ? undefined : true} />
        <TextInput label="Full name" description="How others see it" value={fullName} onChange={(e) => setFullName(e.currentTarget.value)} />
        <TextInput label="Mail" type="email" value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <PasswordInput label={person ? 'New password' : 'Password'} placeholder={person ? 'as it is' : undefined} autoComplete="new-password" required={!person} withAsterisk={false} minLength={12} value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
      </div>
      {teams.length > 0 && (
        <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
          <legend className={css.fieldLabel}>Teams</legend>
          <div style={{ display: 'flex', gap: 14, flexWrap: 'wrap' }}>
            {teams.map((t) => (
              <Checkbox key={t} label={t} checked={mine.includes(t)} onChange={(e) => setMine(e.currentTarget.checked ? [...mine, t] : mine.filter((x) => x !== t))} />
            ))}
          </div>
        </fieldset>
      )}
      <div>
        <span className={css.fieldLabel}>Roles</span>
        <GrantsEdit grants={grants} onChange={setGrants} />
      </div>
      {person && <Checkbox label="May not sign in" checked={disabled} onChange={(e) => setDisabled(e.currentTarget.checked)} />}
    </FormDialog>
  );
}
