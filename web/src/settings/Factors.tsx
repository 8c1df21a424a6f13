import { Button, Modal, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMe } from '../api/queries';
import type { Enrolment, Factors as FactorsShape, RecoveryCodes, Setup } from '../api/types';
import { Badge, Empty, Icon, Panel, plural, ProblemNote, Snippet, Time } from '../shared';
import { addPasskey, hasPasskeys } from '../shared/passkey';
import { FormDialog, Once, Sure } from './parts';
import css from './settings.module.css';

/** Factors: the devices whose codes prove that it is really this person. */
export function Factors() {
  const client = useQueryClient();
  const me = useMe();
  const q = useQuery({ queryKey: ['factors'], queryFn: ({ signal }) => api.get<FactorsShape>('/people/me/factors', undefined, signal) });
  const setup = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => api.get<Setup>('/setup', undefined, signal) });
  const [adding, setAdding] = useState<'device' | 'passkey'>();
  const [codes, setCodes] = useState<string[]>();
  const again = () => {
    void client.invalidateQueries({ queryKey: ['factors'] });
    void client.invalidateQueries({ queryKey: ['me'] });
  };
  const remove = useMutation({ mutationFn: (id: string) => api.delete(`/factors/${id}`), onSuccess: again });
  const renew = useMutation({
    mutationFn: () => api.post<RecoveryCodes>('/me/recovery-codes'),
    onSuccess: (r) => {
      setCodes(r.codes ?? []);
      again();
    },
  });
  const Adding = adding === 'passkey' ? AddPasskey : AddFactor;
  const items = (q.data?.items ?? []).filter((f) => f.confirmed);
  const left = q.data?.recovery_codes_left ?? 0;
  return (
    <Panel
      title="Second factors"
      note={items.length > 0 ? `${plural(left, 'recovery code')} left` : undefined}
      actions={
        <>
          {items.length > 0 && <Sure label="New recovery codes" sure="Replace them now" pending={renew.isPending} onDo={() => renew.mutate()} />}
          {hasPasskeys() && (
            <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setAdding('passkey')}>
              Add a passkey
            </Button>
          )}
          <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setAdding('device')}>
            Add a device
          </Button>
        </>
      }
    >
      <ProblemNote error={q.error ?? remove.error ?? renew.error} />
      {codes && codes.length > 0 && (
        <Once what="list of recovery codes" secret={codes.join('\n')}>
          <span className="muted">Each stands for one code, once: for the day a device is lost. Keep them apart from it.</span>
        </Once>
      )}
      {items.length === 0 ? (
        q.isSuccess && <Empty title="No second factor.">Roles, releases, upstream credentials and keys of production need one that was shown within five minutes. A passkey or any authenticator app will do; a passkey also signs you in without a password.{!hasPasskeys() && ' Passkeys need this console to be opened by a name and over TLS, or as localhost.'}</Empty>
      ) : (
        <div className={css.scroll} tabIndex={0}>
          <table className={css.table}>
            <thead>
              <tr>
                <th>Device</th>
                <th>Added</th>
                <th>Last used</th>
                <th>
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((f) => (
                <tr key={f.id}>
                  <td>
                    {f.label} {f.kind === 'passkey' && <Badge>passkey</Badge>} {me?.fresh_until && <Badge tone="good">shown, until {new Date(me.fresh_until).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}</Badge>}
                  </td>
                  <td>
                    <Time at={f.created_at} as="day" />
                  </td>
                  <td>{f.last_used ? <Time at={f.last_used} /> : <span className="muted">never</span>}</td>
                  <td className={css.end}>
                    <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === f.id} onDo={() => remove.mutate(f.id)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(setup.data?.providers ?? []).length > 0 && (
        <p className="muted" style={{ padding: '6px 12px' }}>
          Sign in also with{' '}
          {setup.data!.providers!.map((p) => (
            <a key={p.name} className="link" href={`${p.url}?link=1&back=/account`}>
              {p.label}
            </a>
          ))}
        </p>
      )}
      {adding && (
        <Adding
          first={!me?.has_factor}
          onClose={() => setAdding(undefined)}
          onDone={(c) => {
            setAdding(undefined);
            setCodes(c);
            again();
          }}
        />
      )}
    </Panel>
  );
}

interface Add {
  first: boolean;
  onClose: () => void;
  onDone: (codes: string[]) => void;
}

/** AddPasskey names a passkey, which the browser then makes. */
function AddPasskey({ first, onClose, onDone }: Add) {
  const [label, setLabel] = useState('');
  const [password, setPassword] = useState('');
  const add = useMutation({ mutationFn: () => addPasskey(label.trim(), password), onSuccess: onDone });
  return (
    <FormDialog title="Add a passkey" submit="Go on" pending={add.isPending} error={add.error} onSubmit={() => add.mutate()} onClose={onClose}>
      <Named first={first} placeholder="laptop" label={label} onLabel={setLabel} password={password} onPassword={setPassword} />
    </FormDialog>
  );
}

/** Named asks what a factor is called and, for the first one, for the password. */
function Named({ first, placeholder, label, onLabel, password, onPassword }: { first: boolean; placeholder: string; label: string; onLabel: (s: string) => void; password: string; onPassword: (s: string) => void }) {
  return (
    <>
      <TextInput label="Name" description="What you call it" placeholder={placeholder} value={label} onChange={(e) => onLabel(e.currentTarget.value)} data-autofocus />
      {first && <PasswordInput label="Your password" description="So that nobody who found this page open adds a device of their own" autoComplete="current-password" value={password} onChange={(e) => onPassword(e.currentTarget.value)} />}
    </>
  );
}

/** AddFactor enrols a device: its secret is scanned, then a first code proves that it took it. */
function AddFactor({ first, onClose, onDone }: Add) {
  const [label, setLabel] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const begin = useMutation({ mutationFn: () => api.post<Enrolment>('/me/factors', { label: label.trim(), password: password || undefined }) });
  const confirm = useMutation({ mutationFn: (id: string) => api.post<RecoveryCodes>(`/me/factors/${id}/confirm`, { code }), onSuccess: (r) => onDone(r.codes ?? []) });
  const made = begin.data;
  if (!made) {
    return (
      <FormDialog title="Add a device" submit="Go on" pending={begin.isPending} error={begin.error} onSubmit={() => begin.mutate()} onClose={onClose}>
        <Named first={first} placeholder="phone" label={label} onLabel={setLabel} password={password} onPassword={setPassword} />
      </FormDialog>
    );
  }
  return (
    <Modal opened onClose={onClose} title="Scan, then show a code" size={480}>
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault();
          confirm.mutate(made.factor.id);
        }}
      >
        <p>Scan this with an authenticator app, or type the secret into it.</p>
        <img src={made.image} width={192} height={192} alt="QR code of the secret below" className={css.qr} />
        <Snippet text={made.secret} label="secret" />
        <TextInput label="Code that it shows now" inputMode="numeric" autoComplete="one-time-code" required withAsterisk={false} data-autofocus value={code} onChange={(e) => setCode(e.currentTarget.value)} />
        {confirm.error && <ProblemNote error={confirm.error} />}
        <div className={css.formEnd}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="filled" loading={confirm.isPending}>
            Add it
          </Button>
        </div>
      </form>
    </Modal>
  );
}
