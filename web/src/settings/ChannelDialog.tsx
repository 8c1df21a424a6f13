import { Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useTeams } from '../shell/TopBar';
import { askOf, channelPath, useChannelKinds, type Channel, type Delivery } from './channels';
import { FormDialog, Pick } from './parts';
import css from './settings.module.css';

const words = (s: string) => s.trim() || undefined;

/** ChannelDialog adds a channel or changes one: it asks for what its kind needs. A secret is typed once and never read back. */
export function ChannelDialog({ of, onClose, onDone }: { of?: Channel; onClose: () => void; onDone: (c: Channel) => void }) {
  const teams = useTeams();
  const kinds = useChannelKinds();
  const [f, setF] = useState({
    name: of?.name ?? '', kind: of?.kind ?? 'webhook', team: of?.team ?? '', incidents: of?.incidents ?? '', off: of?.off ?? false,
    url: of?.settings.url ?? '', channel: of?.settings.channel ?? '', from: of?.settings.from ?? '', user: of?.settings.user ?? '', insecure: of?.settings.insecure ?? false, token: '', signing: '',
  });
  const ask = askOf(f.kind);
  // Its secret would go to a stranger: the server wants it anew then.
  const moved = of !== undefined && (of.kind !== f.kind || (of.settings.url ?? '') !== f.url.trim() || (of.settings.user ?? '') !== f.user.trim());
  const secret = !ask.token.optional && (!of || moved);
  const save = useMutation({
    mutationFn: () =>
      api.put<Channel>(channelPath(f.name.trim()), {
        kind: f.kind, team: words(f.team), incidents: words(f.incidents), off: f.off || undefined, revision: of?.revision,
        token: words(f.token), signing: ask.signing ? words(f.signing) : undefined,
        settings: {
          url: ask.url ? words(f.url) : undefined, channel: ask.channel ? words(f.channel) : undefined, from: ask.from ? words(f.from) : undefined, user: ask.user ? words(f.user) : undefined,
          insecure: (ask.insecure && f.insecure) || undefined, signing: of?.settings.signing ?? false,
        },
      }),
    onSuccess: onDone,
  });
  const text = (key: 'name' | 'url' | 'channel' | 'from' | 'user', label: string, more: object = {}) => <TextInput label={label} withAsterisk={false} value={f[key]} onChange={(e) => setF({ ...f, [key]: e.currentTarget.value })} {...more} />;
  const hidden = (key: 'token' | 'signing', label: string, description: string, required: boolean) => (
    <PasswordInput label={label} description={of && !required ? `${description}. Empty: it stays` : description} required={required} withAsterisk={false} autoComplete="off" value={f[key]} onChange={(e) => setF({ ...f, [key]: e.currentTarget.value })} />
  );
  return (
    <FormDialog title={of ? `Change ${of.name}` : 'Add a channel'} submit={of ? 'Change' : 'Add'} pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={600}>
      <div className={css.two}>
        {text('name', 'Name', { required: true, disabled: of !== undefined, 'data-autofocus': of ? undefined : true, description: 'a-z, 0-9, - and _' })}
        <Pick label="Kind" value={f.kind} options={(kinds.data ?? [{ name: f.kind, title: f.kind }]).map((k) => ({ value: k.name, label: k.title }))} onPick={(kind) => setF({ ...f, kind })} />
        {ask.url && text('url', ask.url.label, { description: ask.url.description, required: !ask.url.optional, inputMode: 'url' })}
        {ask.channel && text('channel', ask.channel.label, { description: ask.channel.description })}
        {ask.from && text('from', 'From', { description: 'The sender’s address', required: true })}
        {ask.user && text('user', 'User', { description: ask.user, autoComplete: 'off' })}
        {hidden('token', ask.token.label, ask.token.description, secret)}
        {ask.signing && hidden('signing', 'Signing secret', ask.signing, false)}
        <Pick label="Team" value={f.team} options={[...new Set(['', ...teams, f.team])].map((v) => ({ value: v, label: v || 'all teams' }))} onPick={(team) => setF({ ...f, team })} />
        <Pick label="Tells of incidents" value={f.incidents} options={[{ value: '', label: 'only when it is called' }, { value: 'critical', label: 'that are critical' }, { value: 'warning', label: 'of warning and worse' }, { value: 'info', label: 'all' }]} onPick={(incidents) => setF({ ...f, incidents })} />
      </div>
      {ask.insecure && <Checkbox label="Without TLS: only to a server on this host" checked={f.insecure} onChange={(e) => setF({ ...f, insecure: e.currentTarget.checked })} />}
      {of && <Checkbox label="Off: nothing but tests is sent" checked={f.off} onChange={(e) => setF({ ...f, off: e.currentTarget.checked })} />}
    </FormDialog>
  );
}

/** TestDialog asks where a test goes, for a channel that has no recipient of its own. */
export function TestDialog({ of, address, onClose, onDone }: { of: Channel; address: string; onClose: () => void; onDone: (d: Delivery) => void }) {
  const [to, setTo] = useState('');
  const send = useMutation({ mutationFn: () => api.post<Delivery>(`${channelPath(of.name)}/try`, { to: words(to) }), onSuccess: onDone });
  return (
    <FormDialog title={`Test ${of.name}`} submit="Send a test" pending={send.isPending} error={send.error} disabled={to.trim() === ''} onSubmit={() => send.mutate()} onClose={onClose}>
      <TextInput label="To" description={`This channel has no recipient of its own: one ${address}`} data-autofocus value={to} onChange={(e) => setTo(e.currentTarget.value)} />
    </FormDialog>
  );
}
