import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import type { ConnectionAttempt, Upstream } from '../api/types';
import { Badge, duration } from '../shared';
import css from '../settings/settings.module.css';

const words: Record<string, { tone?: 'bad' | 'warn' | 'good'; text: string }> = {
  connected: { text: 'connected' },
  not_connected: { tone: 'warn', text: 'not connected' },
  scope_missing: { tone: 'warn', text: 'more must be granted' },
  failed: { tone: 'bad', text: 'failed' },
};

/** ConnectionState is how things stand with an upstream's authorization server. */
export function ConnectionState({ u }: { u: Upstream }) {
  const c = u.connection!;
  const w = words[c.state] ?? { text: c.state };
  const left = c.expires_at ? Date.parse(c.expires_at) - Date.now() : undefined;
  const own = c.grant === 'client_credentials';
  return (
    <>
      {c.state === 'connected' ? <span>{w.text}</span> : <Badge tone={w.tone === 'good' ? undefined : w.tone}>{c.state === 'not_connected' && own && !c.error ? 'not asked yet' : w.text}</Badge>}
      <span className={css.under} title={[c.issuer, c.redirect && `comes back to ${c.redirect}`, (c.scopes ?? []).join(' ')].filter(Boolean).join('\n')}>
        {c.error
          ? c.error
          : c.state === 'scope_missing'
            ? (c.missing ?? []).join(', ')
            : [c.state !== 'connected' && c.client === 'registered' && c.redirect && `register ${c.redirect} there`, c.issuer && new URL(c.issuer).host, c.connected_by && `by ${c.connected_by}`, c.state === 'connected' && !c.renews && left !== undefined && (left > 0 ? `ends in ${duration(left)}` : 'ended')].filter(Boolean).join(', ')}
      </span>
    </>
  );
}

/** ConnectButton sends a person to the authorization server, in this tab: its answer is taken where it was begun. */
export function ConnectButton({ u, onError }: { u: Upstream; onError: (e: unknown) => void }) {
  const client = useQueryClient();
  const c = u.connection!;
  const begin = useMutation({
    mutationFn: () => api.post<ConnectionAttempt>(`/upstreams/${encodeURIComponent(u.name)}/connection`, {}),
    onSuccess: (a) => {
      if (a.authorization_url && /^https?:/.test(a.authorization_url)) location.assign(a.authorization_url);
    },
    onError,
    onSettled: () => void client.invalidateQueries({ queryKey: ['upstreams'] }),
  });
  return (
    <Button size="compact-xs" variant={c.state === 'connected' ? 'default' : 'filled'} loading={begin.isPending} onClick={() => begin.mutate()}>
      {c.state === 'connected' ? 'Connect anew' : 'Connect'}
    </Button>
  );
}
