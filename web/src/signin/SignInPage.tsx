import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import '../theme/forms';
import { api, Problem } from '../api/client';
import { noticesQuery } from '../api/queries';
import { remember } from '../api/session';
import type { ProviderButton, Setup, SignedIn } from '../api/types';
import { askPasskey, hasPasskeys } from '../shared/passkey';
import { useNoticeAction } from '../shell/Notices';
import css from './signin.module.css';

/** safeNext lets one return only to a page of this console. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?!\/|\\)/.test(next) && !next.startsWith('/sign-in') ? next : '/';
}

/** SignInPage: name and password; at the first start the admin token makes the first account. */
export function SignInPage() {
  const setup = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => api.get<Setup>('/setup', undefined, signal), retry: 1 });
  const notices = useQuery(noticesQuery).data?.items ?? [];
  const act = useNoticeAction();
  useEffect(() => {
    document.title = 'Sign in · Reeve';
  }, []);
  return (
    <main className={css.page}>
      <div className={css.box}>
        <div className={css.brand}>
          <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="var(--r-accent)" />
            <path d="M9 24V8h8.2c3.3 0 5.4 2 5.4 4.9 0 2.3-1.3 4-3.4 4.6L23.4 24h-4l-3.7-6.2h-3V24zm3.6-9.1h4.1c1.4 0 2.2-.7 2.2-1.9s-.8-1.9-2.2-1.9h-4.1z" fill="var(--r-on-accent)" />
          </svg>
          <h1>{setup.data?.needed ? 'Make the first account' : 'Sign in to Reeve'}</h1>
        </div>
        {setup.data?.needed ? <First /> : <Password providers={setup.data?.providers ?? []} />}
        {notices.map((n) =>
          (n.actions ?? []).length === 0 ? null : (
            <section key={n.id} className={css.notice} aria-label={n.title}>
              <strong>{n.title}</strong>
              {n.text && <p>{n.text}</p>}
              <div className={css.noticeActions}>
                {n.actions!.map((a) => (
                  <Button key={a.label} loading={act.isPending && act.variables === a} onClick={() => act.mutate(a)}>
                    {a.label}
                  </Button>
                ))}
              </div>
            </section>
          ),
        )}
        {act.error && <Says error={act.error} />}
      </div>
    </main>
  );
}

function Says({ error }: { error: unknown }) {
  const p = error instanceof Problem ? error : undefined;
  return (
    <p className={css.error} role="alert">
      {p?.message ?? (error instanceof Error ? error.message : 'That did not work.')} {p?.hint}
    </p>
  );
}

function useEnter() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { next } = useSearch({ strict: false }) as { next?: string };
  return (s: SignedIn) => {
    remember(s.secret);
    client.clear();
    void navigate({ href: safeNext(next), replace: true });
  };
}

/** useReturned takes over what a provider's sign-in left in the fragment: a code to trade for the session's secret, or why it was refused. */
function useReturned() {
  const enter = useEnter();
  const navigate = useNavigate();
  const [refused, setRefused] = useState<string>();
  const fetched = useMutation({
    mutationFn: ({ code }: { code: string; back: string }) => api.post<SignedIn>('/sign-ins/redeem', { code }),
    onSuccess: (s, { back }) => {
      enter(s);
      void navigate({ href: safeNext(back), replace: true });
    },
  });
  useEffect(() => {
    const left = new URLSearchParams(location.hash.slice(1));
    if (left.size === 0) return;
    history.replaceState(history.state, '', location.pathname + location.search);
    const code = left.get('handover');
    if (code) fetched.mutate({ code, back: left.get('back') ?? '/' });
    else setRefused(left.get('message') ?? 'The provider refused.');
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when the page opens
  }, []);
  return { refused, error: fetched.error, pending: fetched.isPending };
}

function Password({ providers }: { providers: ProviderButton[] }) {
  const returned = useReturned();
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [code, setCode] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const enter = useEnter();
  const send = useMutation({ mutationFn: () => api.post<SignedIn>('/sign-ins', { name, password, code: code || undefined }), onSuccess: enter });
  const passkey = useMutation({ mutationFn: async () => api.post<SignedIn>('/sign-ins/passkey', { credential: await askPasskey('/sign-ins/passkey/options') }), onSuccess: enter });
  const second = code !== '' || (send.error instanceof Problem && (send.error.code === 'identity.factor_needed' || send.error.code === 'identity.factor'));
  return (
    <form
      className={css.form}
      onSubmit={(e) => {
        e.preventDefault();
        send.mutate();
      }}
    >
      {returned.refused && <p className={css.error} role="alert">{returned.refused}</p>}
      {returned.error && <Says error={returned.error} />}
      <TextInput size="sm" label="Name" name="username" autoComplete="username" autoFocus required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <PasswordInput size="sm" label="Password" name="password" autoComplete="current-password" required withAsterisk={false} value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
      {second && <TextInput size="sm" label="Code" description="Of your authenticator, or a recovery code" name="code" inputMode="numeric" autoComplete="one-time-code" autoFocus value={code} onChange={(e) => setCode(e.currentTarget.value)} />}
      {send.error && <Says error={send.error} />}
      <Button type="submit" size="sm" variant="filled" loading={send.isPending || returned.pending} fullWidth>
        Sign in
      </Button>
      {hasPasskeys() && (
        <Button size="sm" fullWidth loading={passkey.isPending} onClick={() => passkey.mutate()}>
          Sign in with a passkey
        </Button>
      )}
      {passkey.error && <Says error={passkey.error} />}
      {providers.map((p) => (
        <Button key={p.name} component="a" size="sm" fullWidth href={`${p.url}?back=${encodeURIComponent(safeNext(next))}`}>
          Sign in with {p.label}
        </Button>
      ))}
    </form>
  );
}

function First() {
  const [token, setToken] = useState('');
  const [name, setName] = useState('');
  const [fullName, setFullName] = useState('');
  const [password, setPassword] = useState('');
  const enter = useEnter();
  const send = useMutation({
    mutationFn: async () => {
      await api.post('/people', { name: name.trim(), full_name: fullName.trim() || undefined, password }, { bearer: token.trim() });
      return api.post<SignedIn>('/sign-ins', { name: name.trim(), password });
    },
    onSuccess: enter,
  });
  return (
    <form
      className={css.form}
      onSubmit={(e) => {
        e.preventDefault();
        send.mutate();
      }}
    >
      <p className="soft">Nobody has an account yet. The server printed an admin token when it first started, and wrote it to the file admin-token of its data folder; it makes this account an admin and is then worth nothing.</p>
      <PasswordInput size="sm" label="Admin token" autoComplete="off" autoFocus required withAsterisk={false} value={token} onChange={(e) => setToken(e.currentTarget.value)} />
      <TextInput size="sm" label="Name" description="What you sign in with" autoComplete="username" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <TextInput size="sm" label="Full name" autoComplete="name" value={fullName} onChange={(e) => setFullName(e.currentTarget.value)} />
      <PasswordInput size="sm" label="Password" description="At least 12 characters" autoComplete="new-password" minLength={12} required withAsterisk={false} value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
      {send.error && <Says error={send.error} />}
      <Button type="submit" size="sm" variant="filled" loading={send.isPending} fullWidth>
        Make the account
      </Button>
    </form>
  );
}
