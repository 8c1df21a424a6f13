import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { useAddresses } from '../api/addresses';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AgentJWK, AgentOAuth, JoinToken, List, Workload } from '../api/types';
import { FormDialog, Once, Pick, Sure } from '../settings/parts';
import { Badge, Empty, Facts, Icon, KeyedTable, lives, Panel, ProblemNote, Snippet, Time } from '../shared';

const words = (s: string) => s.split(/[,\s]+/).map((x) => x.trim()).filter(Boolean);

/** AgentIdentity: the ways in which an agent can prove who it is, beside its keys: each with what is there and a way to add or end one. */
export function AgentIdentity({ name, alive = true }: { name: string; alive?: boolean }) {
  return (
    <>
      <JoinTokens name={name} alive={alive} />
      <Workloads name={name} alive={alive} />
      <JWKs name={name} alive={alive} />
      <OAuth name={name} />
    </>
  );
}

/** usePart lists one kind of credential of an agent. */
function usePart<T>(name: string, part: string, may: boolean) {
  const client = useQueryClient();
  const path = `/agents/${encodeURIComponent(name)}/${part}`;
  const key = ['agent', name, part];
  const q = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<List<T>>(path, undefined, signal), enabled: may });
  return { path, q, items: q.data?.items ?? [], again: () => void client.invalidateQueries({ queryKey: key }) };
}

const AddButton = ({ label, onAdd }: { label: string; onAdd: () => void }) => (
  <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={onAdd}>
    {label}
  </Button>
);

function JoinTokens({ name, alive }: { name: string; alive: boolean }) {
  const seen = useMay('ListJoinTokens');
  const may = useMay('CreateJoinToken') && alive;
  const { path, q, items, again } = usePart<JoinToken>(name, 'join-tokens', seen);
  const [making, setMaking] = useState(false);
  const [label, setLabel] = useState('');
  const [life, setLife] = useState('1h');
  const make = useMutation({ mutationFn: () => api.post<JoinToken>(path, { label: label.trim() || undefined, expires_in: life }), onSuccess: () => setMaking(false), onSettled: again });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`${path}/${id}`), onSettled: again });
  const { door } = useAddresses();
  if (!seen) return null;
  const open = (t: JoinToken) => !t.used_at && Date.parse(t.expires_at) > Date.now();
  return (
    <Panel title="Join tokens" note="one instance enrols with each, once" actions={may && <AddButton label="Make one" onAdd={() => setMaking(true)} />}>
      <ProblemNote error={q.error ?? end.error} />
      {make.data?.token && (
        <Once what="join token" secret={make.data.token}>
          <Snippet label="enrolment" text={`reeve svid --door ${door ?? 'DOOR'} --join-token ${make.data.token} --out ./svid`} />
        </Once>
      )}
      <KeyedTable
        label="Join tokens"
        rows={items}
        rowKey={(t) => t.id}
        empty={q.isSuccess && <Empty small title="No join token.">An instance that has nothing else to show enrols with a token that works once and dies soon. It gets a certificate of its own.</Empty>}
        fields={[
          { head: 'Label', cell: (t) => t.label || <code>{t.id}</code> },
          { head: 'State', cell: (t) => (t.used_at ? <>used <Time at={t.used_at} /> {t.instance && <code>{t.instance}</code>}</> : open(t) ? <Badge tone="good">open</Badge> : <Badge>ended</Badge>) },
          { head: 'Made', cell: (t) => <Time at={t.created_at} as="day" /> },
          { head: 'Ends', cell: (t) => <Time at={t.expires_at} /> },
          { head: 'Actions', end: true, cell: (t) => may && open(t) && <Sure label="Revoke" sure="Revoke now" pending={end.isPending && end.variables === t.id} onDo={() => end.mutate(t.id)} /> },
        ]}
      />
      {making && (
        <FormDialog title={`Make a join token for ${name}`} submit="Make" pending={make.isPending} error={make.error} onSubmit={() => make.mutate()} onClose={() => setMaking(false)}>
          <TextInput label="Label" description="Which instance it is for" data-autofocus value={label} onChange={(e) => setLabel(e.currentTarget.value)} />
          <Pick label="Ends after" value={life} options={lives('10m', '1h', '1d')} onPick={setLife} />
        </FormDialog>
      )}
    </Panel>
  );
}

function Workloads({ name, alive }: { name: string; alive: boolean }) {
  const seen = useMay('ListWorkloads');
  const may = useMay('CreateWorkload') && alive;
  const { path, q, items, again } = usePart<Workload>(name, 'workloads', seen);
  const [making, setMaking] = useState(false);
  const [uid, setUID] = useState('');
  const [exe, setExe] = useState('');
  const [cgroup, setCgroup] = useState('');
  const [life, setLife] = useState('');
  const make = useMutation({
    mutationFn: () => api.post<Workload>(path, { uid: uid === '' ? undefined : Number(uid), exe: exe.trim() || undefined, cgroup: cgroup.trim() || undefined, expires_in: life || undefined }),
    onSuccess: () => setMaking(false),
    onSettled: again,
  });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`${path}/${id}`), onSettled: again });
  if (!seen) return null;
  return (
    <Panel title="Workloads" note="processes of this host that are this agent" actions={may && <AddButton label="Register" onAdd={() => setMaking(true)} />}>
      <ProblemNote error={q.error ?? end.error} />
      <KeyedTable
        label="Workloads"
        rows={items}
        rowKey={(w) => w.id}
        empty={q.isSuccess && <Empty small title="No workload is registered.">A process of this host gets its certificate from the Workload API by what the kernel says of it: user, executable, cgroup. Nothing is handed out.</Empty>}
        fields={[
          { head: 'User', cell: (w) => (w.uid === null || w.uid === undefined ? <span className="muted">any</span> : <span className="num">{w.uid}</span>) },
          { head: 'Executable', width: '220px', title: (w) => w.exe, cell: (w) => (w.exe ? <code>{w.exe}</code> : <span className="muted">any</span>) },
          { head: 'Cgroup', cell: (w) => (w.cgroup ? <code>{w.cgroup}</code> : <span className="muted">any</span>) },
          { head: 'Below process', cell: (w) => (w.parent_pid ? <span className="num">{w.parent_pid}</span> : <span className="muted">any</span>) },
          { head: 'Ends', cell: (w) => (w.expires_at ? <Time at={w.expires_at} as="day" /> : <span className="muted">never</span>) },
          { head: 'Actions', end: true, cell: (w) => may && <Sure label="Remove" sure="Remove now" pending={end.isPending && end.variables === w.id} onDo={() => end.mutate(w.id)} /> },
        ]}
      />
      {making && (
        <FormDialog title={`Processes that are ${name}`} submit="Register" pending={make.isPending} error={make.error} onSubmit={() => make.mutate()} onClose={() => setMaking(false)} disabled={uid === '' && exe.trim() === '' && cgroup.trim() === ''}>
          <p className="muted">Every selector that you give must fit.</p>
          <TextInput label="User id" inputMode="numeric" data-autofocus value={uid} onChange={(e) => setUID(e.currentTarget.value.replace(/\D/g, ''))} />
          <TextInput label="Executable" description="SHA-256 of the file: sha256sum /usr/local/bin/agent" value={exe} onChange={(e) => setExe(e.currentTarget.value)} />
          <TextInput label="Cgroup" description="It, or what is below it" placeholder="/system.slice/refunds.service" value={cgroup} onChange={(e) => setCgroup(e.currentTarget.value)} />
          <Pick label="Ends after" value={life} options={[{ value: '', label: 'never' }, ...lives('1d', '30d', '90d', '365d')]} onPick={setLife} />
        </FormDialog>
      )}
    </Panel>
  );
}

function JWKs({ name, alive }: { name: string; alive: boolean }) {
  const seen = useMay('ListAgentJWKs');
  const may = useMay('AddAgentJWKs') && alive;
  const { path, q, items, again } = usePart<AgentJWK>(name, 'jwks', seen);
  const [making, setMaking] = useState(false);
  const [text, setText] = useState('');
  const [life, setLife] = useState('90d');
  const parsed = readJSON(text);
  const make = useMutation({ mutationFn: () => api.post(path, { jwks: parsed, expires_in: life }), onSuccess: () => setMaking(false), onSettled: again });
  const end = useMutation({ mutationFn: (kid: string) => api.delete(`${path}/${encodeURIComponent(kid)}`), onSettled: again });
  if (!seen) return null;
  const alg = (k: AgentJWK) => (k.jwk as { kty?: string; crv?: string; alg?: string } | undefined) ?? {};
  return (
    <Panel title="Public keys" note="with which it signs client assertions" actions={may && <AddButton label="Add" onAdd={() => setMaking(true)} />}>
      <ProblemNote error={q.error ?? end.error} />
      <KeyedTable
        label="Public keys"
        rows={items}
        rowKey={(k) => k.kid}
        empty={q.isSuccess && <Empty small title="No public key.">With one the agent asks the token endpoint by private_key_jwt: its private key never leaves it.</Empty>}
        fields={[
          { head: 'Key id', cell: (k) => <code>{k.kid}</code> },
          { head: 'Type', cell: (k) => [alg(k).kty, alg(k).crv, alg(k).alg].filter(Boolean).join(' ') },
          { head: 'Added', cell: (k) => <Time at={k.created_at} as="day" /> },
          { head: 'Ends', cell: (k) => (Date.parse(k.expires_at) < Date.now() ? <Badge tone="warn">ended</Badge> : <Time at={k.expires_at} as="day" />) },
          { head: 'Actions', end: true, cell: (k) => may && <Sure label="Remove" sure="Remove now" pending={end.isPending && end.variables === k.kid} onDo={() => end.mutate(k.kid)} /> },
        ]}
      />
      {making && (
        <FormDialog title={`Add public keys of ${name}`} submit="Add" pending={make.isPending} error={make.error} onSubmit={() => make.mutate()} onClose={() => setMaking(false)} disabled={parsed === undefined} size={560}>
          <Textarea label="JWK or JWK set" description="Public keys only; a private one is refused" placeholder='{"kty":"EC","crv":"P-256","kid":"a","x":"…","y":"…"}' autosize minRows={5} maxRows={14} data-autofocus value={text} error={text.trim() !== '' && parsed === undefined && 'This is no JSON object.'} onChange={(e) => setText(e.currentTarget.value)} />
          <Pick label="Ends after" value={life} options={lives('30d', '90d', '365d')} onPick={setLife} />
        </FormDialog>
      )}
    </Panel>
  );
}

/** readJSON reads an object; undefined when the text is none. */
export function readJSON(text: string): Record<string, unknown> | undefined {
  try {
    const v: unknown = JSON.parse(text);
    return v !== null && typeof v === 'object' && !Array.isArray(v) ? (v as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function OAuth({ name }: { name: string }) {
  const client = useQueryClient();
  const seen = useMay('GetAgentOAuth');
  const may = useMay('PutAgentOAuth');
  const path = `/agents/${encodeURIComponent(name)}/oauth`;
  const q = useQuery({ queryKey: ['agent', name, 'oauth'], queryFn: ({ signal }) => api.get<AgentOAuth>(path, undefined, signal), enabled: seen });
  const [edit, setEdit] = useState(false);
  const o = q.data;
  if (!seen) return null;
  const list = (all: string[] | null | undefined, none: string) => ((all ?? []).length > 0 ? all!.map((s) => <Badge key={s}>{s}</Badge>) : <span className="muted">{none}</span>);
  return (
    <Panel title="What it may ask of the token endpoint" padded actions={may && <Button size="compact-xs" onClick={() => setEdit(true)}>Change</Button>}>
      <ProblemNote error={q.error} />
      {o && (
        <Facts>
          <dt>Client id</dt>
          <dd>
            <code>{o.client_id}</code>
          </dd>
          <dt>Scopes</dt>
          <dd>{list(o.scopes, 'none')}</dd>
          <dt>Audiences</dt>
          <dd>{list(o.audiences, 'the door alone')}</dd>
          <dt>Introspects for</dt>
          <dd>{list(o.resources, 'nobody')}</dd>
          <dt>Tokens live</dt>
          <dd>
            {o.life_s > 0 ? `${Math.round(o.life_s / 60)} minutes` : 'the default'} {o.bound && <Badge tone="good">bound to a key</Badge>}
          </dd>
        </Facts>
      )}
      {edit && o && <OAuthDialog name={name} o={o} onClose={() => setEdit(false)} onDone={() => void client.invalidateQueries({ queryKey: ['agent', name, 'oauth'] })} />}
    </Panel>
  );
}

function OAuthDialog({ name, o, onClose, onDone }: { name: string; o: AgentOAuth; onClose: () => void; onDone: () => void }) {
  const [scopes, setScopes] = useState((o.scopes ?? []).join(' '));
  const [audiences, setAudiences] = useState((o.audiences ?? []).join(' '));
  const [resources, setResources] = useState((o.resources ?? []).join(' '));
  const [minutes, setMinutes] = useState(o.life_s ? String(Math.round(o.life_s / 60)) : '');
  const [bound, setBound] = useState(o.bound);
  const save = useMutation({ mutationFn: () => api.put(`/agents/${encodeURIComponent(name)}/oauth`, { scopes: words(scopes), audiences: words(audiences), resources: words(resources), life_s: minutes ? Number(minutes) * 60 : undefined, bound }), onSuccess: onClose, onSettled: onDone });
  return (
    <FormDialog title={`What ${name} may ask for`} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={560}>
      <TextInput label="Scopes" description="With spaces between" data-autofocus value={scopes} onChange={(e) => setScopes(e.currentTarget.value)} />
      <TextInput label="Audiences beside the door" value={audiences} onChange={(e) => setAudiences(e.currentTarget.value)} />
      <TextInput label="Audiences that it is itself" description="It may introspect their tokens" value={resources} onChange={(e) => setResources(e.currentTarget.value)} />
      <TextInput label="Minutes that a token lives" placeholder="the default" inputMode="numeric" value={minutes} onChange={(e) => setMinutes(e.currentTarget.value.replace(/\D/g, ''))} />
      <Checkbox label="Its tokens must be bound to a key (DPoP or mTLS)" checked={bound} onChange={(e) => setBound(e.currentTarget.checked)} />
    </FormDialog>
  );
}
