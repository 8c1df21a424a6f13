import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { Grant, List, NewToken, Token } from '../api/types';
import { Badge, Empty, Icon, KeyedTable, lives, PageBody, PageHeader, Panel, plural, ProblemNote, Snippet, Time, useShortcuts } from '../shared';
import { FormDialog, Grants, GrantsEdit, Once, Pick, Sure } from './parts';
import css from './settings.module.css';

/** TokensPage: what may call the API, until when. */
export function TokensPage() {
  const client = useQueryClient();
  const [everybody, setEverybody] = useState(false);
  const tokens = useQuery({ queryKey: ['tokens', everybody], queryFn: ({ signal }) => api.get<List<Token>>('/tokens', { everybody: everybody || undefined }, signal) });
  const may = useMay('CreateToken');
  const admin = useMay('CreatePerson');
  const grantsOfMine = useMe()?.grants ?? [];
  const [open, setOpen] = useState(false);
  const [fresh, setFresh] = useState<NewToken>();
  const [name, setName] = useState('');
  const [kind, setKind] = useState('personal');
  const [life, setLife] = useState('30d');
  const [grants, setGrants] = useState<Grant[]>([]);
  useShortcuts('Tokens', may ? [{ keys: 'n', label: 'Make a token', run: () => setOpen(true) }] : []);
  const again = () => void client.invalidateQueries({ queryKey: ['tokens'] });
  const make = useMutation({
    mutationFn: () => api.post<NewToken>('/tokens', { name: name.trim(), kind, expires_in: life, grants: grants.length > 0 ? grants : undefined }),
    onSuccess: (t) => {
      setFresh(t);
      setOpen(false);
      setName('');
      again();
    },
  });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`/tokens/${id}`), onSuccess: again });
  const items = tokens.data?.items ?? [];
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen(true)}>
      Make a token
    </Button>
  );
  return (
    <>
      <PageHeader
        title="API tokens"
        question="What may call the API?"
        answer={tokens.data && `${plural(items.filter((t) => !t.revoked && Date.parse(t.expires_at) > Date.now()).length, 'token')} ${everybody ? 'of everybody' : 'of yours'} may call the API. A token never grants, approves or releases.`}
        actions={
          <>
            {admin && <Checkbox label="Everybody's" checked={everybody} onChange={(e) => setEverybody(e.currentTarget.checked)} styles={{ root: { alignSelf: 'center' } }} />}
            {button}
          </>
        }
      />
      <PageBody width={1180}>
        {fresh && (
          <Once what="token" secret={fresh.secret}>
            <Snippet text={`curl -sS -H 'Authorization: Bearer ${fresh.secret}' '${location.origin}/api/v1/runs?limit=5'`} label="a first call" />
          </Once>
        )}
        <ProblemNote error={tokens.error ?? end.error} retry={() => void tokens.refetch()} />
        <Panel>
          <KeyedTable
            label="Tokens"
            rows={items}
            rowKey={(t) => t.id}
            empty={
              tokens.isSuccess && (
                <Empty title="There is no token." actions={button}>
                  Tokens let programs read what you may read, until a day you choose. Agents do not use them: they send with intake keys.
                </Empty>
              )
            }
            fields={[
              { head: 'Name', cell: (t) => <>{t.name} {everybody && <span className="muted">{t.owner}</span>}</> },
              { head: 'Kind', cell: (t) => t.kind },
              { head: 'Roles', cell: (t) => <Grants grants={t.grants} /> },
              { head: 'Made', cell: (t) => <Time at={t.created_at} as="day" /> },
              { head: 'Ends', cell: (t) => (t.revoked ? <Badge tone="bad">revoked</Badge> : Date.parse(t.expires_at) < Date.now() ? <Badge tone="warn">ended</Badge> : <Time at={t.expires_at} as="day" />) },
              { head: 'Last used', cell: (t) => (t.last_used ? <Time at={t.last_used} /> : <span className="muted">never</span>) },
              { head: 'Actions', end: true, cell: (t) => !t.revoked && <Sure label="Revoke" sure="Revoke now" pending={end.isPending && end.variables === t.id} onDo={() => end.mutate(t.id)} /> },
            ]}
          />
        </Panel>
      </PageBody>
      {open && (
        <FormDialog title="Make a token" submit="Make" pending={make.isPending} error={make.error} onSubmit={() => make.mutate()} onClose={() => setOpen(false)} size={600}>
          <div className={css.two}>
            <TextInput label="Name" description="What it is for" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
            <div />
            <Pick label="Kind" value={kind} options={[{ value: 'personal', label: 'personal: dies with my account' }, { value: 'service', label: 'service: for a program' }]} onPick={setKind} />
            <Pick label="Ends after" value={life} options={lives('1d', '7d', '30d', '90d', '365d')} onPick={setLife} />
          </div>
          <div>
            <span className={css.fieldLabel}>Roles</span>
            {grants.length === 0 && (
              <p className="muted" style={{ marginBottom: 6 }}>
                All of yours ({grantsOfMine.map((g) => g.role).join(', ') || 'none'}), unless you name fewer.
              </p>
            )}
            <GrantsEdit grants={grants} onChange={setGrants} />
          </div>
        </FormDialog>
      )}
    </>
  );
}
