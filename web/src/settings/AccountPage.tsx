import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMe } from '../api/queries';
import type { List, SignIn } from '../api/types';
import { Badge, KeyedTable, PageBody, PageHeader, Panel, plural, ProblemNote, Time } from '../shared';
import { signOut } from '../shell/signout';
import { Factors } from './Factors';
import { Grants, Sure } from './parts';

/** browser names a browser from its user agent, roughly. */
export function browser(agent: string | undefined): string {
  if (!agent) return 'unknown client';
  const name = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : agent.split(/[/ ]/)[0];
  const on = /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'macOS' : /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Linux/.test(agent) ? 'Linux' : '';
  return on ? `${name} on ${on}` : (name ?? 'unknown client');
}

/** AccountPage: who one is, what one may do, where one is signed in. */
export function AccountPage() {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [now] = useState(() => Date.now());
  const q = useQuery({ queryKey: ['sign-ins'], queryFn: ({ signal }) => api.get<List<SignIn>>('/sign-ins', undefined, signal), enabled: me?.kind === 'person' });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`/sign-ins/${id}`), onSuccess: () => void client.invalidateQueries({ queryKey: ['sign-ins'] }) });
  const items = (q.data?.items ?? []).filter((s) => Date.parse(s.expires_at) > now);
  return (
    <>
      <PageHeader
        title={me?.person?.full_name || me?.person?.name || 'Account'}
        question="Who am I here, and where am I signed in?"
        answer={me?.kind === 'dev' ? 'Development mode: nobody has to sign in on this computer.' : q.data && `Signed in at ${plural(items.length, 'place')}. A sign-in ends after an hour without use, or twelve hours.`}
        actions={me?.kind === 'person' && <Button onClick={() => void signOut(navigate)}>Sign out</Button>}
      />
      <PageBody width={1180}>
        <ProblemNote error={q.error ?? end.error} />
        <Panel title="Roles" padded>
          <Grants grants={me?.grants} />
        </Panel>
        {me?.kind === 'person' && <Factors />}
        {me?.kind === 'person' && (
          <Panel title="Sign-ins">
            <KeyedTable
              label="Sign-ins"
              rows={items}
              rowKey={(s) => s.id}
              fields={[
                { head: 'Where', cell: (s) => <span title={s.agent}>{browser(s.agent)} {s.current && <Badge tone="accent">this one</Badge>}</span> },
                { head: 'Address', cell: (s) => <span className="num">{s.address}</span> },
                { head: 'Since', cell: (s) => <Time at={s.created_at} as="day" /> },
                { head: 'Last used', cell: (s) => <Time at={s.last_used} /> },
                { head: 'Ends', cell: (s) => <Time at={s.expires_at} as="day" /> },
                { head: 'Actions', end: true, cell: (s) => !s.current && <Sure label="End" sure="End now" pending={end.isPending && end.variables === s.id} onDo={() => end.mutate(s.id)} /> },
              ]}
            />
          </Panel>
        )}
        <p className="muted">
          Programs use{' '}
          <Link className="link" to={'/settings/tokens' as never}>
            API tokens
          </Link>
          , not your password.
        </p>
      </PageBody>
    </>
  );
}
