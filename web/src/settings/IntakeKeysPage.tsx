import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { IntakeKey, List, NewIntakeKey } from '../api/types';
import { Snippets } from '../connect/Snippets';
import { Badge, count, Empty, Icon, KeyedTable, lives, PageBody, PageHeader, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { useEnvironments, useTeams } from '../shell/TopBar';
import { FormDialog, Once, Pick, Sure } from './parts';
import css from './settings.module.css';

/** IntakeKeysPage: who may send telemetry, for which team and environment. */
export function IntakeKeysPage() {
  const client = useQueryClient();
  const keys = useQuery({ queryKey: ['intake-keys'], queryFn: ({ signal }) => api.get<List<IntakeKey>>('/intake-keys', undefined, signal) });
  const may = useMay('CreateIntakeKey');
  const dev = useMe()?.dev;
  const teams = useTeams();
  const envs = useEnvironments();
  const [open, setOpen] = useState(false);
  const [fresh, setFresh] = useState<NewIntakeKey>();
  const [name, setName] = useState('');
  const [team, setTeam] = useState('');
  const [environment, setEnvironment] = useState('production');
  const [spans, setSpans] = useState('');
  const [life, setLife] = useState('');
  useShortcuts('Intake keys', may ? [{ keys: 'n', label: 'Make an intake key', run: () => setOpen(true) }] : []);
  const again = () => void client.invalidateQueries({ queryKey: ['intake-keys'] });
  const chosen = team || teams[0] || '';
  const make = useMutation({
    mutationFn: () => api.post<NewIntakeKey>('/intake-keys', { name: name.trim(), team: chosen, environment: environment.trim(), spans_per_second: spans ? Number(spans) : undefined, expires_in: life || undefined }),
    onSuccess: (k) => {
      setFresh(k);
      setOpen(false);
      setName('');
      again();
    },
  });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`/intake-keys/${id}`), onSuccess: again });
  const items = keys.data?.items ?? [];
  const good = (k: IntakeKey) => !k.revoked && (!k.expires_at || Date.parse(k.expires_at) > Date.now());
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen(true)}>
      Make an intake key
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Intake keys"
        question="Who may send telemetry?"
        answer={keys.data && `${plural(items.filter(good).length, 'key')} may send.${dev ? ' In development mode this computer may send without one.' : ''} A key writes for one team and environment, and reads nothing.`}
        actions={button}
      />
      <PageBody width={1180}>
        {fresh && (
          <Once what="key" secret={fresh.secret}>
            <Snippets apiKey={fresh.secret} />
            <span className="muted">The same key is accepted as Bearer token, as x-api-key, as DD-API-KEY and as the password of Basic authentication.</span>
          </Once>
        )}
        <ProblemNote error={keys.error ?? end.error} retry={() => void keys.refetch()} />
        <Panel>
          <KeyedTable
            label="Intake keys"
            rows={items}
            rowKey={(k) => k.id}
            empty={
              keys.isSuccess && (
                <Empty title="There is no intake key." actions={button}>
                  {dev ? 'In development mode telemetry from this computer needs none. Off this computer every sender needs a key.' : 'Senders need one: make a key for each team and environment, so that each can be limited and revoked alone.'}
                </Empty>
              )
            }
            fields={[
              { head: 'Name', cell: (k) => k.name },
              { head: 'Team', cell: (k) => k.team },
              { head: 'Environment', cell: (k) => k.environment },
              { head: 'Quota', cell: (k) => (k.spans_per_second ? <span className="num">{count(k.spans_per_second)} spans/s</span> : <span className="muted">none of its own</span>) },
              { head: 'Made', cell: (k) => <Time at={k.created_at} as="day" /> },
              { head: 'Ends', cell: (k) => (k.revoked ? <Badge tone="bad">revoked</Badge> : !k.expires_at ? <span className="muted">never</span> : !good(k) ? <Badge tone="warn">ended</Badge> : <Time at={k.expires_at} as="day" />) },
              { head: 'Last used', cell: (k) => (k.last_used ? <Time at={k.last_used} /> : <span className="muted">never</span>) },
              { head: 'Actions', end: true, cell: (k) => good(k) && <Sure label="Revoke" sure="Revoke now" pending={end.isPending && end.variables === k.id} onDo={() => end.mutate(k.id)} /> },
            ]}
          />
        </Panel>
      </PageBody>
      {open && (
        <FormDialog title="Make an intake key" submit="Make" pending={make.isPending} error={make.error} onSubmit={() => make.mutate()} onClose={() => setOpen(false)} size={540}>
          <TextInput label="Name" description="What sends with it" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
          <div className={css.two}>
            {teams.length > 0 ? <Pick label="Team" value={chosen} options={teams.map((t) => ({ value: t, label: t }))} onPick={setTeam} /> : <TextInput label="Team" required withAsterisk={false} value={team} onChange={(e) => setTeam(e.currentTarget.value)} />}
            <TextInput label="Environment" list="intake-environments" required withAsterisk={false} value={environment} onChange={(e) => setEnvironment(e.currentTarget.value)} />
            <datalist id="intake-environments">
              {[...new Set(['production', 'staging', 'test', ...envs])].map((e) => (
                <option key={e} value={e} />
              ))}
            </datalist>
            <TextInput label="Spans a second, at most" placeholder="no quota of its own" inputMode="numeric" pattern="[0-9]*" value={spans} onChange={(e) => setSpans(e.currentTarget.value.replace(/\D/g, ''))} />
            <Pick label="Ends after" value={life} options={[{ value: '', label: 'never' }, ...lives('7d', '30d', '90d', '365d')]} onPick={setLife} />
          </div>
        </FormDialog>
      )}
    </>
  );
}
