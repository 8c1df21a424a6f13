import { Button, Checkbox, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useAddresses } from '../api/addresses';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Upstream } from '../api/types';
import { Badge, count, duration, Empty, Figure, Icon, KeyedTable, Mark, PageHeader, Panel, percent, plural, ProblemNote, Snippet, Unknown, useShortcuts } from '../shared';
import { useRegistered } from '../agents/data';
import { useTeams } from '../shell/TopBar';
import { usePins } from '../tools/data';
import { ConnectButton, ConnectionState } from '../upstreams/Connection';
import { FormDialog, Pick, Sure } from './parts';
import css from './settings.module.css';

const of = (...all: [string, string][]) => all.map(([value, label]) => ({ value, label }));
const kinds = of(['llm', 'models'], ['mcp', 'tools (MCP)'], ['a2a', 'agent (A2A)'], ['http', 'HTTP API']);
const bindings = of(['', 'as its card says'], ['JSONRPC', 'JSON-RPC'], ['HTTP+JSON', 'HTTP and JSON'], ['GRPC', 'gRPC']);
const placeholders: Record<string, string> = { llm: 'https://api.openai.com', mcp: 'https://tools.example.com/mcp', a2a: 'https://agent.example.com', http: 'https://api.example.com' };
const dialects = of(['openai', 'OpenAI'], ['anthropic', 'Anthropic'], ['azure', 'Azure OpenAI'], ['bedrock', 'Amazon Bedrock'], ['gemini', 'Gemini']);
const sources = of(['', 'none'], ['value', 'typed here, kept in a file of this server'], ['env', "this server's environment"], ['file', 'a file of this server'], ['vault', 'Vault'], ['oauth-code', 'an authorization server: a person agrees once'], ['oauth-client', 'an authorization server: Reeve speaks for itself']);
const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'unknown'; letter: string; label: string }> = {
  ok: { level: 'good', letter: 'O', label: 'answers' },
  failing: { level: 'warn', letter: 'F', label: 'failing' },
  open: { level: 'bad', letter: 'X', label: 'kept from: it fails' },
  unknown: { level: 'unknown', letter: '?', label: 'not called yet' },
};

/** routesText writes routes a line each: "GET /v1/users/{id} read". */
export const routesText = (u: Upstream | undefined) => (u?.routes ?? []).map((r) => [r.method, r.path, r.effect, (r.classes ?? []).join(',')].filter(Boolean).join(' ')).join('\n');

/** readRoutes reads what routesText wrote; a line that is no route is given back as the fault. */
export function readRoutes(text: string): { routes: { method: string; path: string; effect: string; classes?: string[] }[]; bad?: string } {
  const routes = [];
  for (const line of text.split('\n').map((l) => l.trim()).filter(Boolean)) {
    const [method, path, effect = 'destructive', classes] = line.split(/\s+/);
    if (!method || !path?.startsWith('/') || !['read', 'write', 'destructive'].includes(effect)) return { routes: [], bad: line };
    routes.push({ method: method.toUpperCase(), path, effect, ...(classes ? { classes: classes.split(',') } : {}) });
  }
  return { routes };
}

/** UpstreamsPage: what the door forwards to, and whether it answers. */
export function UpstreamsPage() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['upstreams'], queryFn: ({ signal }) => api.get<List<Upstream>>('/upstreams', undefined, signal), refetchInterval: 5000 });
  const may = useMay('PutUpstream');
  const { door } = useAddresses();
  const [edit, setEdit] = useState<Upstream | 'new'>();
  const [refused, setRefused] = useState<unknown>();
  useShortcuts('Upstreams', may ? [{ keys: 'n', label: 'Name an upstream', run: () => setEdit('new') }] : []);
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/upstreams/${encodeURIComponent(name)}`), onSettled: () => void client.invalidateQueries({ queryKey: ['upstreams'] }) });
  const items = q.data?.items ?? [];
  const pins = usePins().data ?? [];
  const tools = new Map<string, number>();
  const waits = new Map<string, number>();
  for (const t of pins) {
    tools.set(t.upstream, (tools.get(t.upstream) ?? 0) + 1);
    if (t.state === 'held') waits.set(t.upstream, (waits.get(t.upstream) ?? 0) + 1);
  }
  const waiting = [...waits.values()].reduce((n, x) => n + x, 0);
  const failing = items.filter((u) => u.health.state === 'open' || u.health.state === 'failing');
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setEdit('new')}>
      Name an upstream
    </Button>
  );
  return (
    <>
      <PageHeader title="Upstreams" question="What does the door forward to?" answer={q.data && `${plural(items.length, 'upstream')}${failing.length > 0 ? `, ${failing.map((u) => u.name).join(', ')} failing` : ''}${waiting > 0 ? `; ${plural(waiting, 'tool')} of them ${waiting === 1 ? 'waits' : 'wait'} for a person` : ''}. Agents reach them by name and never see their credentials.`} actions={button} />
      <div className={css.wide}>
        <ProblemNote error={q.error ?? remove.error ?? refused} retry={() => void q.refetch()} />
        <Panel>
          <KeyedTable
            label="Upstreams"
            rows={items}
            rowKey={(u) => u.name}
            mark={(u) => (u.health.state === 'open' ? 'bad' : u.health.state === 'failing' || (waits.get(u.name) ?? 0) > 0 ? 'warn' : undefined)}
            empty={
              q.isSuccess && (
                <Empty title="There is no upstream." actions={button}>
                  Agents can call nothing through the door yet. Name a model provider, a server of tools, another agent or an API: the door adds its credential, and agents use their own key.
                </Empty>
              )
            }
            fields={[
              {
                head: 'Name',
                cell: (u) => (
                  <>
                    {u.name} {u.external && <Badge title="Data sent there leaves the house">external</Badge>} {u.shared && <Badge>shared</Badge>}
                    <span className={css.under} title={u.url}>
                      {u.url || 'a program of this host'}
                    </span>
                  </>
                ),
              },
              {
                head: 'State',
                cell: (u) => (
                  <span title={u.health.last_error}>
                    <Mark {...(states[u.health.state] ?? states.unknown!)} words />
                    {u.health.last_error && (u.health.state === 'failing' || u.health.state === 'open') && <span className={css.why}>{u.health.last_error}</span>}
                    {u.switch && <span className={css.why}>Its calls go to {u.switch.to}: {u.switch.reason}, by {u.switch.by}</span>}
                  </span>
                ),
              },
              { head: 'Kind', cell: (u) => <>{u.kind === 'llm' ? `models, ${u.dialect}` : (kinds.find((k) => k.value === u.kind)?.label ?? u.kind)}<span className={css.under}>{`${u.team}, ${u.environment}`}</span></> },
              { head: 'Credential', cell: (u) => (u.connection ? <ConnectionState u={u} /> : !u.credential ? <span className="muted">none</span> : u.credential.set ? `${u.credential.source}${u.credential.ref ? ` ${u.credential.ref}` : ''}` : <Badge tone="bad">not there</Badge>) },
              { head: 'May be called', cell: (u) => <Offer u={u} tools={tools.get(u.name) ?? 0} waits={waits.get(u.name) ?? 0} /> },
              { head: 'Calls, p95', num: true, cell: (u) => <>{count(u.health.calls)}<span className={css.under}>{u.health.p95_ms === null ? <Unknown why="It was not called yet." /> : duration(u.health.p95_ms)}</span></> },
              {
                head: 'Errors',
                num: true,
                cell: (u) => (
                  <>
                    {count(u.health.errors)}
                    <span className={css.under}>{u.health.calls > 0 ? percent(u.health.errors / u.health.calls) : ''}</span>
                  </>
                ),
              },
              {
                head: 'Actions',
                end: true,
                cell: (u) =>
                  may && (
                    <>
                      {u.connection && <ConnectButton u={u} onError={setRefused} />}
                      <Button size="compact-xs" onClick={() => setEdit(u)}>
                        Change
                      </Button>
                      <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === u.name} onDo={() => remove.mutate(u.name)} />
                    </>
                  ),
              },
            ]}
          />
        </Panel>
        {items.length > 0 && door && (
          <Panel title="How agents reach them" padded>
            <p className="muted">With a key of their own (on the agent&apos;s page), at the door:</p>
            <Snippet label="addresses" text={items.slice(0, 6).map((u) => `${door}/${u.kind}/${u.name}${u.kind === 'llm' && u.dialect === 'openai' ? '/v1' : ''}${u.kind === 'mcp' ? '        all that an agent is entitled to, as one server: /mcp' : ''}`).join('\n')} />
          </Panel>
        )}
      </div>
      {edit && <UpstreamDialog upstream={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
    </>
  );
}

/** Offer is what an upstream may be called for. */
function Offer({ u, tools, waits }: { u: Upstream; tools: number; waits: number }) {
  if (u.kind === 'http') return <>{plural(u.routes?.length ?? 0, 'route')}</>;
  if (u.kind === 'a2a') return u.peer?.agent ? <Figure to={`/agents/${encodeURIComponent(u.peer.agent)}`}>{u.peer.agent}</Figure> : <span className="muted">an agent that nobody registered</span>;
  if (u.kind === 'mcp') {
    return (
      <>
        <Figure to="/tools" search={{ server: u.name }}>
          {plural(tools, 'tool')}
        </Figure>{' '}
        {waits > 0 && <Badge tone="warn">{count(waits)} held</Badge>}
      </>
    );
  }
  return <>{(u.models?.length ?? 0) > 0 ? plural(u.models!.length, 'model') : 'every model'}</>;
}

function UpstreamDialog({ upstream, onClose }: { upstream: Upstream | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const [name, setName] = useState(upstream?.name ?? '');
  const [kind, setKind] = useState(upstream?.kind ?? 'llm');
  const [dialect, setDialect] = useState(upstream?.dialect || 'openai');
  const [address, setAddress] = useState(upstream?.url ?? '');
  const [team, setTeam] = useState(upstream?.team ?? '');
  const [environment, setEnvironment] = useState(upstream?.environment ?? 'production');
  const [external, setExternal] = useState(upstream?.external ?? true);
  const [shared, setShared] = useState(upstream?.shared ?? false);
  const [priv, setPriv] = useState(upstream?.allow_private ?? false);
  const [routes, setRoutes] = useState(routesText(upstream));
  const had = upstream?.credential?.oauth;
  const [source, setSource] = useState(had ? (had.grant === 'client_credentials' ? 'oauth-client' : 'oauth-code') : (upstream?.credential?.source ?? ''));
  const oauth = source.startsWith('oauth-');
  const [clientID, setClientID] = useState(had?.client_id ?? '');
  const [scopes, setScopes] = useState((had?.scopes ?? []).join(' '));
  const [issuer, setIssuer] = useState(had?.issuer ?? '');
  const [ref, setRef] = useState(upstream?.credential?.ref ?? '');
  const [value, setValue] = useState('');
  const [hosts, setHosts] = useState((upstream?.ask_hosts ?? []).join(', '));
  const [peer, setPeer] = useState(upstream?.peer?.agent ?? '');
  const [effect, setEffect] = useState(upstream?.peer?.effect ?? 'write');
  const [binding, setBinding] = useState(upstream?.peer?.binding ?? '');
  const [card, setCard] = useState(upstream?.peer?.card_path ?? '');
  const agents = useRegistered().data ?? [];
  const chosen = team || teams[0] || '';
  const read = readRoutes(routes);
  const save = useMutation({
    mutationFn: () => {
      const keep = upstream ? { headers: upstream.headers, models: upstream.models, classes: upstream.classes, max_tokens: upstream.max_tokens, timeout_ms: upstream.timeout_ms, fallback: upstream.fallback, health_path: upstream.health_path, region: upstream.region } : {};
      const was = upstream?.credential;
      // A secret or key of the client that is not typed anew stays where it comes from.
      const oauthCredential = () => ({
        kind: 'oauth',
        ...(value ? { source: 'value', value } : had && was?.source ? { source: was.source, ref: was.ref } : { source: '' }),
        oauth: { ...had, grant: source === 'oauth-client' ? 'client_credentials' : 'authorization_code', client_id: clientID.trim() || undefined, issuer: issuer.trim() || undefined, scopes: scopes.split(/\s+/).filter(Boolean) },
      });
      const kindOf = (was && was.kind !== 'oauth' ? was.kind : undefined) ?? (kind === 'llm' && dialect !== 'openai' ? 'header' : 'bearer');
      const header = was?.header ?? (kind === 'llm' ? ({ anthropic: 'x-api-key', azure: 'api-key', gemini: 'x-goog-api-key' } as Record<string, string>)[dialect] : undefined);
      return api.put(`/upstreams/${encodeURIComponent(name.trim())}`, {
        ...keep, kind, dialect: kind === 'llm' ? dialect : undefined, url: address.trim(), team: chosen, environment: environment.trim(), external, shared, allow_private: priv,
        routes: kind === 'http' ? read.routes : undefined,
        ask_hosts: kind === 'mcp' ? hosts.split(/[,\s]+/).filter(Boolean) : undefined,
        peer: kind === 'a2a' ? { ...upstream?.peer, agent: peer || undefined, effect, binding: binding || undefined, card_path: card.trim() || undefined } : undefined,
        credential: oauth ? oauthCredential() : source ? { ...was, oauth: undefined, kind: kindOf, header: kindOf === 'header' ? header : undefined, source, ref: ref.trim() || undefined, value: value || undefined, set: undefined } : undefined,
        revision: upstream?.revision ?? 0,
      });
    },
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['upstreams'] }),
  });
  return (
    <FormDialog title={upstream ? `Change ${upstream.name}` : 'Name an upstream'} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={620} disabled={kind === 'http' && (read.bad !== undefined || read.routes.length === 0)}>
      <div className={css.two}>
        <TextInput label="Name" description="Part of the address at the door" pattern="[a-z0-9][a-z0-9\-]*" required withAsterisk={false} disabled={!!upstream} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <TextInput label="Address" description="https; where the door forwards to" placeholder={placeholders[kind]} required withAsterisk={false} value={address} onChange={(e) => setAddress(e.currentTarget.value)} />
        <Pick label="Kind" value={kind} options={kinds} onPick={setKind} />
        {kind === 'llm' ? (
          <Pick label="Wire format" value={dialect} options={dialects} onPick={setDialect} />
        ) : kind === 'a2a' ? (
          <Pick label="Agent that answers there" value={peer} options={[{ value: '', label: 'one that nobody registered' }, ...agents.map((a) => ({ value: a.name, label: a.name }))]} onPick={setPeer} />
        ) : kind === 'mcp' ? (
          <TextInput label="Hosts it may send people to" placeholder="none" value={hosts} onChange={(e) => setHosts(e.currentTarget.value)} />
        ) : (
          <span />
        )}
        {kind === 'a2a' && (
          <>
            <Pick label="A message to it may" value={effect} options={of(['read', 'read'], ['write', 'change something'], ['destructive', 'do what cannot be undone'])} onPick={setEffect} />
            <Pick label="Spoken to by" value={binding} options={bindings} onPick={setBinding} />
            <TextInput label="Path of its card" placeholder="/.well-known/agent-card.json" value={card} onChange={(e) => setCard(e.currentTarget.value)} />
            <span />
          </>
        )}
        {teams.length > 0 ? <Pick label="Team" value={chosen} options={teams.map((t) => ({ value: t, label: t }))} onPick={setTeam} /> : <TextInput label="Team" required withAsterisk={false} value={team} onChange={(e) => setTeam(e.currentTarget.value)} />}
        <TextInput label="Environment" required withAsterisk={false} value={environment} onChange={(e) => setEnvironment(e.currentTarget.value)} />
        <Pick label="Credential from" value={source} options={sources} onPick={setSource} />
        {oauth ? (
          <>
            <TextInput label="Authorization server" description="Its issuer" placeholder="the one that the upstream names" value={issuer} onChange={(e) => setIssuer(e.currentTarget.value)} />
            <TextInput label="Client id" description="If people registered Reeve there" placeholder="Reeve registers itself" value={clientID} onChange={(e) => setClientID(e.currentTarget.value)} />
            <PasswordInput label="Client secret" description={had && upstream?.credential?.source ? 'Empty keeps the one that is there' : 'Of that client id'} autoComplete="off" disabled={!clientID.trim()} value={value} onChange={(e) => setValue(e.currentTarget.value)} />
            <TextInput label="Scopes" placeholder="those that the upstream asks for" value={scopes} onChange={(e) => setScopes(e.currentTarget.value)} />
            <span />
          </>
        ) : source === 'value' ? (
          <PasswordInput label="Credential" description={upstream?.credential?.set ? 'Empty keeps the one that is there' : undefined} autoComplete="off" value={value} onChange={(e) => setValue(e.currentTarget.value)} />
        ) : source ? (
          <TextInput label={source === 'env' ? 'Variable' : source === 'file' ? 'Path' : 'Secret'} placeholder={source === 'env' ? 'OPENAI_API_KEY' : source === 'file' ? '/run/secrets/openai' : 'secret/data/openai#key'} required withAsterisk={false} value={ref} onChange={(e) => setRef(e.currentTarget.value)} />
        ) : (
          <span />
        )}
      </div>
      {kind === 'mcp' && <p className="muted">Its tools wait under Tools and models until a person accepts them. A server that runs as a program of this host is named in the configuration file alone.</p>}
      {kind === 'http' && <Textarea label="What may be called" description="A line each: method, path, effect (read, write, destructive), data classes" placeholder={'GET /v1/users/{id} read pii.email\nPOST /v1/refunds write'} autosize minRows={3} maxRows={10} error={read.bad && `no route: ${read.bad}`} value={routes} onChange={(e) => setRoutes(e.currentTarget.value)} />}
      <Checkbox label="External: data sent there leaves the house" checked={external} onChange={(e) => setExternal(e.currentTarget.checked)} />
      <Checkbox label="Shared: agents of other teams may call it, where a policy permits" checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} />
      <Checkbox label="It lives at a private address of this house" checked={priv} onChange={(e) => setPriv(e.currentTarget.checked)} />
      {upstream && <p className="muted">Another address drops a credential that was typed here and is not typed anew.</p>}
    </FormDialog>
  );
}
