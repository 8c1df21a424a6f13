import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Poller, PollerTest } from '../api/types';
import { count, Empty, Icon, KeyedTable, Mark, PageHeader, Panel, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { FormDialog, Pick, Sure } from './parts';
import css from './settings.module.css';

const of = (...all: [string, string][]) => all.map(([value, label]) => ({ value, label }));
const kinds = of(['copilot_studio', 'Copilot Studio (Dataverse)'], ['bedrock_s3', 'Bedrock, logs in S3'], ['bedrock_cloudwatch', 'Bedrock, logs in CloudWatch']);
const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'idle' | 'info'; letter: string; label: string }> = {
  waiting: { level: 'good', letter: 'O', label: 'has everything' },
  reading: { level: 'info', letter: 'R', label: 'reading' },
  failing: { level: 'bad', letter: 'X', label: 'cannot read' },
  paused: { level: 'idle', letter: 'P', label: 'paused' },
};
const lag = (s: number) => (s < 90 ? `${Math.round(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`);

/** PollersPage: agents that nobody can instrument, seen by what their platform writes down. */
export function PollersPage() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['pollers'], queryFn: ({ signal }) => api.get<List<Poller>>('/pollers', undefined, signal), refetchInterval: 5000, retry: false });
  const may = useMay('PutPoller');
  const [edit, setEdit] = useState<Poller | 'new'>();
  const again = () => void client.invalidateQueries({ queryKey: ['pollers'] });
  const act = useMutation({ mutationFn: ({ name, verb }: { name: string; verb: 'pause' | 'resume' | 'poll' }) => api.post(`/pollers/${name}/${verb}`), onSettled: again });
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/pollers/${name}`), onSettled: again });
  const test = useMutation({ mutationFn: (name: string) => api.post<PollerTest>(`/pollers/${name}/test`) });
  useShortcuts('Pollers', may ? [{ keys: 'n', label: 'Add a poller', run: () => setEdit('new') }] : []);
  const items = q.data?.items ?? [];
  const failing = items.filter((d) => d.status.state === 'failing');
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setEdit('new')}>
      Add a poller
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Pollers"
        question="Which agents do we see by their platform's own records?"
        answer={q.data && `${plural(items.length, 'poller')}${failing.length > 0 ? `, ${failing.map((d) => d.name).join(', ')} not reading` : ''}. What a platform writes down becomes runs; what it leaves out stays unknown.`}
        actions={button}
      />
      <div className={css.wide}>
        <ProblemNote error={q.error ?? act.error ?? remove.error ?? test.error} retry={() => void q.refetch()} />
        {test.data && (
          <p role="status">
            {test.data.ok ? `${test.variables} answers in ${test.data.took_ms} ms with ${plural(test.data.records, 'record')} on the first page; nothing was kept.` : `${test.variables} cannot read: ${test.data.error}${test.data.hint ? `; ${test.data.hint}` : ''}.`}
          </p>
        )}
        <Panel>
          <KeyedTable
            label="Pollers"
            rows={items}
            rowKey={(d) => d.name}
            mark={(d) => (d.status.state === 'failing' ? 'bad' : d.status.rejected > 0 ? 'warn' : undefined)}
            empty={
              q.isSuccess && (
                <Empty title="Nothing is polled." actions={button}>
                  Agents of Copilot Studio and calls of Bedrock send nothing here: a poller reads the transcripts and logs that their platforms keep.
                </Empty>
              )
            }
            fields={[
              { head: 'Name', cell: (d) => <>{d.name}<span className={css.under} title={d.url}>{d.url}</span></> },
              { head: 'State', cell: (d) => <><Mark {...(states[d.status.state] ?? states.failing!)} words />{d.status.error && <span className={css.under} title={d.status.hint}>{d.status.error}</span>}</> },
              { head: 'Reads', cell: (d) => <>{kinds.find((k) => k.value === d.kind)?.label ?? d.kind}<span className={css.under}>for {d.team}{d.environment ? `, ${d.environment}` : ''}{d.agent ? `, agent ${d.agent}` : ''}</span></> },
              { head: 'Records', num: true, cell: (d) => <span title={d.status.last_rejected}>{count(d.status.records)}{d.status.rejected > 0 && <span className={css.under}>{count(d.status.rejected)} not readable</span>}</span> },
              { head: 'Behind', num: true, cell: (d) => (d.status.lag_seconds === null || d.status.lag_seconds === undefined ? <Unknown why="It has not read everything yet." /> : lag(d.status.lag_seconds)) },
              { head: 'Last poll', cell: (d) => (d.status.last_poll_at ? <Time at={d.status.last_poll_at} /> : <span className="muted">never</span>) },
              {
                head: 'Actions',
                end: true,
                cell: (d) =>
                  may && (
                    <>
                      <Button size="compact-xs" loading={test.isPending && test.variables === d.name} onClick={() => test.mutate(d.name)}>
                        Test
                      </Button>
                      {!d.paused && (
                        <Button size="compact-xs" onClick={() => act.mutate({ name: d.name, verb: 'poll' })}>
                          Poll now
                        </Button>
                      )}
                      <Button size="compact-xs" onClick={() => act.mutate({ name: d.name, verb: d.paused ? 'resume' : 'pause' })}>
                        {d.paused ? 'Resume' : 'Pause'}
                      </Button>
                      <Button size="compact-xs" onClick={() => setEdit(d)}>
                        Change
                      </Button>
                      <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === d.name} onDo={() => remove.mutate(d.name)} />
                    </>
                  ),
              },
            ]}
          />
        </Panel>
      </div>
      {edit && <PollerDialog of={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
    </>
  );
}

const examples: Record<string, string> = {
  copilot_studio: "The environment's: https://contoso.crm4.dynamics.com",
  bedrock_s3: "The bucket's: https://BUCKET.s3.us-east-1.amazonaws.com",
  bedrock_cloudwatch: "The service's: https://logs.us-east-1.amazonaws.com",
};

function PollerDialog({ of: old, onClose }: { of?: Poller; onClose: () => void }) {
  const client = useQueryClient();
  const [f, setF] = useState({
    name: old?.name ?? '', kind: old?.kind ?? 'copilot_studio', url: old?.url ?? '', team: old?.team ?? '', environment: old?.environment ?? '', agent: old?.agent ?? '',
    prefix: old?.prefix ?? '', log_group: old?.log_group ?? '', token_url: old?.token_url ?? '', filter: old?.filter ?? '', from: '',
    source: old?.credential?.source ?? 'env', ref: old?.credential?.ref ?? '', user: old?.credential?.user ?? '', region: old?.credential?.region ?? '', inside: old?.allow_private ?? false,
  });
  const set = (change: Partial<typeof f>) => setF({ ...f, ...change });
  const text = (key: 'name' | 'url' | 'team' | 'environment' | 'agent' | 'prefix' | 'log_group' | 'token_url' | 'filter' | 'ref' | 'user' | 'region') => ({ value: f[key].toString(), onChange: (e: React.ChangeEvent<HTMLInputElement>) => set({ [key]: e.currentTarget.value }) });
  const studio = f.kind === 'copilot_studio';
  const basic = studio && f.token_url.trim() !== '';
  const send = useMutation({
    mutationFn: () =>
      api.put(`/pollers/${f.name.trim()}`, {
        kind: f.kind, url: f.url.trim(), team: f.team.trim(), environment: f.environment.trim() || undefined, agent: f.agent.trim() || undefined, allow_private: f.inside,
        prefix: f.kind === 'bedrock_s3' ? f.prefix.trim() : undefined, log_group: f.kind === 'bedrock_cloudwatch' ? f.log_group.trim() : undefined,
        token_url: studio ? f.token_url.trim() || undefined : undefined, filter: studio ? f.filter.trim() || undefined : undefined,
        scope: old?.scope, every_seconds: old?.every_seconds, late_seconds: old?.late_seconds, paused: old?.paused, revision: old?.revision,
        from: old?.from ?? (f.from ? new Date(f.from).toISOString() : undefined),
        credential: studio
          ? basic ? { kind: 'basic', user: f.user.trim(), source: f.source, ref: f.ref.trim() } : { kind: 'bearer', source: f.source, ref: f.ref.trim() }
          : { kind: 'sigv4', region: f.region.trim() || undefined, user: f.user.trim() || undefined, source: f.source, ref: f.ref.trim() },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['pollers'] });
      onClose();
    },
  });
  const must = { required: true, withAsterisk: false };
  return (
    <FormDialog title={old ? `Change ${old.name}` : 'Add a poller'} submit={old ? 'Change' : 'Add'} pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} size={560}>
      <div className={css.two}>
        <TextInput label="Name" pattern="[a-z][a-z0-9\-]{0,39}" {...must} disabled={!!old} {...text('name')} data-autofocus={old ? undefined : true} />
        <Pick label="Reads" value={f.kind} options={kinds} onPick={(kind) => set({ kind })} />
      </div>
      <TextInput label="Address" description={examples[f.kind]} {...must} {...text('url')} />
      {studio && <TextInput label="Token address" description="https://login.microsoftonline.com/TENANT/oauth2/v2.0/token; empty sends the credential itself" {...text('token_url')} />}
      {f.kind === 'bedrock_s3' && <TextInput label="Prefix of the keys" description="Up to the region: AWSLogs/ACCOUNT/BedrockModelInvocationLogs/us-east-1/" {...must} {...text('prefix')} />}
      {f.kind === 'bedrock_cloudwatch' && <TextInput label="Log group" description="/aws/bedrock/modelinvocations" {...must} {...text('log_group')} />}
      <div className={css.two}>
        <Pick label="Credential" value={f.source} options={of(['env', "this server's environment"], ['file', 'a file of this server'], ['vault', 'Vault'])} onPick={(source) => set({ source })} />
        <TextInput label="Where it is" description="The variable, the path, or PATH#KEY" {...must} {...text('ref')} />
        {basic && <TextInput label="Client id" {...must} {...text('user')} />}
        {!studio && <TextInput label="Region" description="Empty: as the address says" {...text('region')} />}
        <TextInput label="Team" description="Whose the runs are" {...must} {...text('team')} />
        <TextInput label="Environment" {...text('environment')} />
        <TextInput label="Agent" description="Empty: as the records say" {...text('agent')} />
        {!old && <TextInput label="From" type="date" description="Empty: since yesterday" value={f.from} onChange={(e) => set({ from: e.currentTarget.value })} />}
      </div>
      <Checkbox label="It is inside the house (private addresses, plain http)" checked={f.inside} onChange={(e) => set({ inside: e.currentTarget.checked })} />
      <p className="muted">A credential is used: this asks for a second factor.</p>
    </FormDialog>
  );
}
