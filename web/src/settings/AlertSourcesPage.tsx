import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AlertMapping, AlertSource, AlertSourceWithSecret } from '../api/types';
import { kindOf, kinds, useAlertSources } from '../alerts/data';
import { sampleMapping, TryOut } from '../alerts/TryOut';
import { Badge, count, Empty, Icon, KeyedTable, PageBody, PageHeader, Panel, plural, ProblemNote, Snippet, Time, useShortcuts } from '../shared';
import { useTeams } from '../shell/TopBar';
import { FormDialog, Once, Pick, Sure } from './parts';
import css from './settings.module.css';

const pathOf = (name: string) => `/alert-sources/${encodeURIComponent(name)}`;

/** AlertSourcesPage: who tells us of alerts and changes, and what what they send becomes. */
export function AlertSourcesPage() {
  const client = useQueryClient();
  const sources = useAlertSources();
  const may = useMay('PutAlertSource');
  const [adding, setAdding] = useState<{ kind: string; mapping?: AlertMapping }>();
  const [fresh, setFresh] = useState<AlertSourceWithSecret>();
  const [kind, setKind] = useState('json');
  const [mapping, setMapping] = useState<AlertMapping>(sampleMapping);
  const [editing, setEditing] = useState<AlertSource>();
  useShortcuts('Alert sources', may ? [{ keys: 'n', label: 'Register a source', run: () => setAdding({ kind: 'grafana' }) }] : []);
  const again = () => void client.invalidateQueries({ queryKey: ['alert-sources'] });
  const rotate = useMutation({ mutationFn: (name: string) => api.post<AlertSourceWithSecret>(`${pathOf(name)}/rotate`, {}), onSuccess: setFresh, onSettled: again });
  const remove = useMutation({ mutationFn: (name: string) => api.delete(pathOf(name)), onSettled: again });
  const keep = useMutation({
    mutationFn: (s: AlertSource) => api.put<AlertSourceWithSecret>(pathOf(s.name), { kind: s.kind, description: s.description, team: s.team, environment: s.environment, auth: s.auth, url_token: s.url_token, resolve_after: s.resolve_after, mapping, revision: s.revision }),
    onSuccess: () => setEditing(undefined),
    onSettled: again,
  });
  const items = sources.data ?? [];
  const forged = items.reduce((n, s) => n + s.forged, 0);
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding({ kind: 'grafana' })}>
      Register a source
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Alert sources"
        question="Who tells us of alerts and changes?"
        answer={sources.isSuccess && (items.length === 0 ? 'Nobody is registered. Prometheus and amtool need no more than an intake key.' : <>{plural(items.length, 'source')}; {plural(items.reduce((n, s) => n + s.deliveries, 0), 'delivery', 'deliveries')} taken, {forged === 0 ? 'none was forged' : <strong>{count(forged)} forged or without proof</strong>}.</>)}
        actions={button}
      />
      <PageBody width={1180}>
        {fresh?.secret && (
          <Once what={fresh.auth === 'token' ? 'token' : 'secret'} secret={fresh.secret}>
            <Configuration source={fresh} secret={fresh.secret} />
          </Once>
        )}
        {fresh && !fresh.secret && <Configuration source={fresh} secret="" />}
        <ProblemNote error={sources.error ?? rotate.error ?? remove.error ?? keep.error} retry={() => void sources.refetch()} />
        <Panel>
          <KeyedTable
            label="Alert sources"
            rows={items}
            rowKey={(s) => s.name}
            mark={(s) => (s.forged > 0 ? 'warn' : undefined)}
            empty={sources.isSuccess && <Empty title="Nobody is registered." actions={button}>Each sender gets an address and a secret of its own, so that one can be rotated or removed alone. Below you can try what one sends first.</Empty>}
            fields={[
              { head: 'Name', cell: (s) => s.name },
              { head: 'Speaks', cell: (s) => kindOf(s.kind).title },
              { head: 'Of', cell: (s) => s.purpose },
              { head: 'Team', cell: (s) => s.team || <span className="muted">the house</span> },
              { head: 'Proof', cell: (s) => (s.registered ? <>{s.auth}{s.secrets.length > 1 && <> <Badge tone="info" title="The older one is taken for a while">2 secrets</Badge></>}</> : <span className="muted">an intake key</span>) },
              { head: 'Taken', num: true, cell: (s) => count(s.deliveries) },
              { head: 'Refused', num: true, cell: (s) => (s.refused > 0 ? <span title={s.last_error}>{count(s.refused)}</span> : count(0)) },
              { head: 'Forged', num: true, cell: (s) => (s.forged > 0 ? <Badge tone="bad" title={s.last_error}>{String(count(s.forged))}</Badge> : count(0)) },
              { head: 'Last', cell: (s) => (s.last_at ? <Time at={s.last_at} /> : <span className="muted">never</span>) },
              {
                head: 'Actions', end: true,
                cell: (s) =>
                  may && (
                    <span style={{ display: 'inline-flex', gap: 4 }}>
                      {s.kind === 'json' && s.registered && <Button size="compact-xs" onClick={() => { setEditing(s); setKind('json'); setMapping(s.mapping ?? {}); }}>Mapping</Button>}
                      {s.registered && !kindOf(s.kind).theirs && <Sure label="Rotate" sure="Make a new secret" pending={rotate.isPending && rotate.variables === s.name} onDo={() => rotate.mutate(s.name)} />}
                      <Sure label="Remove" sure="Refuse it from now on" pending={remove.isPending && remove.variables === s.name} onDo={() => remove.mutate(s.name)} />
                    </span>
                  ),
              },
            ]}
          />
        </Panel>
        <TryOut
          kind={kind}
          mapping={mapping}
          onKind={setKind}
          onMapping={setMapping}
          keep={editing ? `Keep it for ${editing.name}` : 'Register a source like this'}
          onKeep={may ? () => (editing ? keep.mutate(editing) : setAdding({ kind, mapping: kindOf(kind).mapping ? mapping : undefined })) : undefined}
        />
      </PageBody>
      {adding && <AddDialog start={adding} onClose={() => setAdding(undefined)} onDone={(s) => { setFresh(s); setAdding(undefined); again(); }} />}
    </>
  );
}

function Configuration({ source, secret }: { source: AlertSource; secret: string }) {
  const config = kindOf(source.kind).config;
  const url = location.origin + source.path;
  return (
    <>
      <Snippet label="address" text={url} />
      {config && <Snippet label="configuration" text={config(url, secret || 'SECRET')} />}
    </>
  );
}

function AddDialog({ start, onClose, onDone }: { start: { kind: string; mapping?: AlertMapping }; onClose: () => void; onDone: (s: AlertSourceWithSecret) => void }) {
  const teams = useTeams();
  const [name, setName] = useState('');
  const [kind, setKind] = useState(start.kind);
  const [team, setTeam] = useState(teams[0] ?? '');
  const [environment, setEnvironment] = useState('');
  const [auth, setAuth] = useState('');
  const [secret, setSecret] = useState('');
  const [after, setAfter] = useState('');
  const [branches, setBranches] = useState('');
  const [url, setURL] = useState(false);
  const of = kindOf(kind);
  const proof = of.auth.includes(auth as never) ? auth : of.auth[0]!;
  const save = useMutation({
    mutationFn: () =>
      api.put<AlertSourceWithSecret>(pathOf(name.trim()), {
        kind, team: team || undefined, environment: environment.trim() || undefined, auth: proof, secret: secret.trim() || undefined, resolve_after: after.trim() || undefined,
        url_token: (url && proof === 'token') || undefined, mapping: of.mapping ? start.mapping : undefined, branches: of.branches && branches.trim() ? branches.split(/[,\s]+/).filter(Boolean) : undefined,
      }),
    onSuccess: onDone,
  });
  return (
    <FormDialog title="Register a source" submit="Register" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={560}>
      <div className={css.two}>
        <TextInput label="Name" description="Stands in its address" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <Pick label="It speaks" value={kind} options={kinds.map((k) => ({ value: k.name, label: `${k.title} (${k.purpose})` }))} onPick={setKind} />
        <Pick label="Team" value={team} options={[{ value: '', label: 'the house' }, ...teams.map((t) => ({ value: t, label: t }))]} onPick={setTeam} />
        <TextInput label="Environment" description="Empty: as it says" value={environment} onChange={(e) => setEnvironment(e.currentTarget.value)} />
        {of.auth.length > 1 && <Pick label="It proves itself by a" value={proof} options={of.auth.map((a) => ({ value: a, label: a }))} onPick={setAuth} />}
        {of.theirs && <PasswordInput label="Secret" description={`The one that ${of.title} shows`} required withAsterisk={false} autoComplete="off" value={secret} onChange={(e) => setSecret(e.currentTarget.value)} />}
        {of.purpose === 'alerts' && <TextInput label="Without word, over after" description="Like 4h; empty: never" value={after} onChange={(e) => setAfter(e.currentTarget.value)} />}
        {of.branches && <TextInput label="Branches" description="main, release/*; empty: the default one" value={branches} onChange={(e) => setBranches(e.currentTarget.value)} />}
      </div>
      {proof === 'token' && <Checkbox label="Take its token in the URL too, for senders that can set no header: logs and proxies keep URLs" checked={url} onChange={(e) => setURL(e.currentTarget.checked)} />}
      {of.mapping && !start.mapping && <p className="muted">Without a mapping its JSON is read by the names that most senders use: title, status, severity, labels.</p>}
    </FormDialog>
  );
}
