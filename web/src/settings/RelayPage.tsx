import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, RelayDestination, RelayTest } from '../api/types';
import { Badge, count, Empty, Icon, KeyedTable, Mark, PageHeader, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { FormDialog, Pick, Sure } from './parts';
import css from './settings.module.css';

const of = (...all: [string, string][]) => all.map(([value, label]) => ({ value, label }));
const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'idle' | 'info'; letter: string; label: string }> = {
  idle: { level: 'good', letter: 'O', label: 'has everything' },
  sending: { level: 'info', letter: 'S', label: 'sending' },
  failing: { level: 'bad', letter: 'X', label: 'takes nothing' },
  paused: { level: 'idle', letter: 'P', label: 'paused' },
};
const list = (text: string) => text.split(',').map((t) => t.trim()).filter(Boolean);
const lag = (s: number) => (s < 90 ? `${Math.round(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`);

/** RelayPage: where telemetry is forwarded to, and how that goes. */
export function RelayPage() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['relay'], queryFn: ({ signal }) => api.get<List<RelayDestination>>('/relay', undefined, signal), refetchInterval: 5000, retry: false });
  const may = useMay('PutRelay');
  const [edit, setEdit] = useState<RelayDestination | 'new'>();
  const again = () => void client.invalidateQueries({ queryKey: ['relay'] });
  const act = useMutation({ mutationFn: ({ name, verb }: { name: string; verb: 'pause' | 'resume' }) => api.post(`/relay/${name}/${verb}`), onSettled: again });
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/relay/${name}`), onSettled: again });
  const test = useMutation({ mutationFn: (name: string) => api.post<RelayTest>(`/relay/${name}/test`) });
  useShortcuts('Relay', may ? [{ keys: 'n', label: 'Add a destination', run: () => setEdit('new') }] : []);
  const items = q.data?.items ?? [];
  const failing = items.filter((d) => d.status.state === 'failing');
  const lost = items.reduce((n, d) => n + d.status.lost, 0);
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setEdit('new')}>
      Add a destination
    </Button>
  );
  return (
    <>
      <PageHeader title="Relay" question="Where does telemetry go on to?" answer={q.data && `${plural(items.length, 'destination')}${failing.length > 0 ? `, ${failing.map((d) => d.name).join(', ')} taking nothing` : ''}${lost > 0 ? `; ${plural(lost, 'batch', 'batches')} lost to a full queue` : ''}. What senders send is forwarded as it came, at least once.`} actions={button} />
      <div className={css.wide}>
        <ProblemNote error={q.error ?? act.error ?? remove.error ?? test.error} retry={() => void q.refetch()} />
        {test.data && (
          <p role="status">
            {test.data.ok ? `${test.variables} took a span in ${test.data.took_ms} ms; there it is trace ${test.data.trace_id}.` : `${test.variables} did not take a span: ${test.data.error}`}
          </p>
        )}
        <Panel>
          <KeyedTable
            label="Relay destinations"
            rows={items}
            rowKey={(d) => d.name}
            mark={(d) => (d.status.state === 'failing' ? 'bad' : d.status.lost > 0 || d.status.rejected > 0 ? 'warn' : undefined)}
            empty={
              q.isSuccess && (
                <Empty title="Nothing is forwarded." actions={button}>
                  Reeve can stand in front of what you already have: name an OTLP back end, and what arrives here goes on to it, filtered and redacted.
                </Empty>
              )
            }
            fields={[
              { head: 'Name', cell: (d) => <>{d.name} {d.configured && <Badge title="By the configuration file: changed there only">configured</Badge>}<span className={css.under} title={d.url}>{d.url}</span></> },
              { head: 'State', cell: (d) => <><Mark {...(states[d.status.state] ?? states.failing!)} words />{d.status.error && <span className={css.under} title={d.status.error}>{d.status.error}</span>}</> },
              { head: 'What', cell: (d) => <>{d.signals.join(', ')}<span className={css.under}>{[...(d.agents ?? []), ...(d.teams ?? []), ...(d.environments ?? []), ...(d.dialects ?? [])].join(', ') || 'of everybody'}{(d.redact ?? []).length > 0 && `, without ${d.redact!.join(', ')}`}</span></> },
              { head: 'Sent', num: true, cell: (d) => <>{count(d.status.sent)}{d.status.last_sent_at && <span className={css.under}><Time at={d.status.last_sent_at} /></span>}</> },
              { head: 'Rejected, lost', num: true, cell: (d) => <span title={d.status.last_rejected}>{count(d.status.rejected)}, {count(d.status.lost)}</span> },
              { head: 'Behind', num: true, cell: (d) => (d.status.waiting === 0 ? <span className="muted">0</span> : <>{count(d.status.waiting)}<span className={css.under}>{lag(d.status.lag_seconds)}</span></>) },
              {
                head: 'Actions',
                end: true,
                cell: (d) =>
                  may && (
                    <>
                      <Button size="compact-xs" loading={test.isPending && test.variables === d.name} onClick={() => test.mutate(d.name)}>
                        Test
                      </Button>
                      {!d.configured && (
                        <>
                          <Button size="compact-xs" onClick={() => act.mutate({ name: d.name, verb: d.paused ? 'resume' : 'pause' })}>
                            {d.paused ? 'Resume' : 'Pause'}
                          </Button>
                          <Button size="compact-xs" onClick={() => setEdit(d)}>
                            Change
                          </Button>
                          <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === d.name} onDo={() => remove.mutate(d.name)} />
                        </>
                      )}
                    </>
                  ),
              },
            ]}
          />
        </Panel>
      </div>
      {edit && <RelayDialog of={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
    </>
  );
}

function RelayDialog({ of: old, onClose }: { of?: RelayDestination; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(old?.name ?? '');
  const [address, setAddress] = useState(old?.url ?? '');
  const [protocol, setProtocol] = useState(old?.protocol ?? 'http/protobuf');
  const [signals, setSignals] = useState<string[]>(old?.signals ?? ['traces', 'logs', 'metrics']);
  const [source, setSource] = useState(old?.credential?.source ?? '');
  const [ref, setRef] = useState(old?.credential?.ref ?? '');
  const [header, setHeader] = useState(old?.credential?.kind === 'header' ? old.credential.header! : '');
  const [agents, setAgents] = useState((old?.agents ?? []).join(', '));
  const [environments, setEnvironments] = useState((old?.environments ?? []).join(', '));
  const [redact, setRedact] = useState((old?.redact ?? []).join(', '));
  const [inside, setInside] = useState(old?.allow_private ?? false);
  const send = useMutation({
    mutationFn: () =>
      api.put(`/relay/${name.trim()}`, {
        url: address.trim(), protocol, signals, agents: list(agents), environments: list(environments), redact: list(redact), allow_private: inside,
        teams: old?.teams, dialects: old?.dialects, headers: old?.headers, compression: old?.compression, timeout_ms: old?.timeout_ms, paused: old?.paused, revision: old?.revision,
        credential: source ? (header ? { kind: 'header', header: header.trim(), source, ref: ref.trim() } : { kind: 'bearer', source, ref: ref.trim() }) : undefined,
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['relay'] });
      onClose();
    },
  });
  return (
    <FormDialog title={old ? `Change ${old.name}` : 'Add a destination'} submit={old ? 'Change' : 'Add'} pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} size={560} disabled={signals.length === 0}>
      <TextInput label="Name" pattern="[a-z][a-z0-9\-]{0,39}" required withAsterisk={false} disabled={!!old} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus={old ? undefined : true} />
      <TextInput label="Address" description={protocol === 'grpc' ? 'Host and port: https://otlp.example.com:4317' : 'Above /v1/traces: https://otlp.example.com'} required withAsterisk={false} value={address} onChange={(e) => setAddress(e.currentTarget.value)} />
      <div className={css.two}>
        <Pick label="Protocol" value={protocol} options={of(['http/protobuf', 'HTTP'], ['grpc', 'gRPC'])} onPick={setProtocol} />
        <Pick label="Credential" value={source} options={of(['', 'none'], ['env', "this server's environment"], ['file', 'a file of this server'], ['vault', 'Vault'])} onPick={setSource} />
        {source && <TextInput label="Where it is" description="The variable, the path, or PATH#KEY" required withAsterisk={false} value={ref} onChange={(e) => setRef(e.currentTarget.value)} />}
        {source && <TextInput label="Header" description="Empty sends it as Bearer" value={header} onChange={(e) => setHeader(e.currentTarget.value)} />}
        <TextInput label="Agents" description="With commas between; empty is all" value={agents} onChange={(e) => setAgents(e.currentTarget.value)} />
        <TextInput label="Environments" description="With commas between; empty is all" value={environments} onChange={(e) => setEnvironments(e.currentTarget.value)} />
      </div>
      <TextInput label="Cut out" description="Classes of content beside what content rules say: pii, secret" value={redact} onChange={(e) => setRedact(e.currentTarget.value)} />
      <div className={css.two}>
        {['traces', 'logs', 'metrics'].map((s) => (
          <Checkbox key={s} label={s} checked={signals.includes(s)} onChange={(e) => setSignals(e.currentTarget.checked ? [...signals, s] : signals.filter((x) => x !== s))} />
        ))}
        <Checkbox label="It is inside the house (private addresses, plain http)" checked={inside} onChange={(e) => setInside(e.currentTarget.checked)} />
      </div>
      <p className="muted">It gets what arrives from now on. Content leaves the house: this asks for a second factor.</p>
    </FormDialog>
  );
}
