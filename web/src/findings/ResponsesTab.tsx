import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Response, ResponsePolicy } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, Empty, Icon, KeyedTable, Mark, Panel, plural, ProblemNote, Time } from '../shared';
import { shortAge } from '../sources/data';
import { responseStates, useResponsePolicies, useResponses, words } from './data';
import { useAgain } from './FindingPanel';
import css from './findings.module.css';

/** ResponsesTab: what follows from findings without a person: the policies, and what they did or would have done. */
export function ResponsesTab() {
  const policies = useResponsePolicies();
  const acts = useResponses();
  const navigate = useNavigate();
  const may = useMay('PutResponsePolicy');
  const mayAct = useMay('RevertResponse');
  const [editing, setEditing] = useState<ResponsePolicy | 'new'>();
  const [on, setOn] = useState<{ x: Response; act: 'revert' | 'apply' }>();
  const open = (finding: string) => void navigate({ to: '.', search: ((old: object) => ({ ...old, show: undefined, state: 'all', finding })) as never });
  return (
    <div className={css.stack}>
      <Panel
        title="Response policies"
        note={policies.data && `at most ${plural(policies.data.per_hour, 'agent')} an hour without a person`}
        actions={may && <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setEditing('new')}>Add a policy</Button>}
      >
        <ProblemNote error={policies.error} />
        <KeyedTable
          label="Response policies"
          rows={policies.data?.items ?? []}
          rowKey={(p) => p.name}
          empty={policies.isSuccess && <Empty small title="Nothing follows from a finding without a person." />}
          fields={[
            { head: 'Policy', width: '180px', title: (p) => p.text, cell: (p) => <strong>{p.name}</strong> },
            { head: 'Mode', cell: (p) => (p.mode === 'enforce' ? <Mark level="good" letter="E" label="enforces" words /> : <Mark level="info" letter="O" label="observes" words />) },
            { head: 'Because of', width: '200px', title: (p) => (p.detectors ?? []).join(', '), cell: (p) => (p.detectors ?? []).map(words).join(', ') || 'any detector' },
            { head: 'From', cell: (p) => p.severity || 'any severity' },
            { head: 'Then', width: '190px', title: (p) => `${words(p.contain)} ${p.for ?? ''}`, cell: (p) => <>{words(p.contain)} <span className="muted">{p.for ? `for ${shortAge(p.for)}` : 'until ended'}</span></> },
            { head: 'Team', cell: (p) => p.team || <span className="muted">all</span> },
            { head: 'Did', num: true, cell: (p) => count(p.acts) },
            { head: 'Would have', num: true, cell: (p) => count(p.would) },
            { head: 'Do', cell: (p) => may && <span className={css.acts} style={{ margin: 0 }}><Button size="compact-xs" aria-label={`Change ${p.name}`} onClick={() => setEditing(p)}>Change</Button></span> },
          ]}
        />
      </Panel>
      <Panel title="What was done, or would have been" note={acts.data && count(acts.data.items.length)}>
        <ProblemNote error={acts.error} />
        <KeyedTable
          label="Responses"
          rows={acts.data?.items ?? []}
          rowKey={(x) => x.id}
          mark={(x) => (x.state === 'in_force' ? 'warn' : x.state === 'braked' ? 'bad' : undefined)}
          empty={acts.isSuccess && <Empty small title="Nothing followed from a finding yet." />}
          fields={[
            { head: 'When', cell: (x) => <Time at={x.at} /> },
            { head: 'State', cell: (x) => <Mark {...(responseStates[x.state] ?? responseStates.would!)} words /> },
            { head: 'Agent', width: '140px', title: (x) => x.agent, cell: (x) => <Link to={'/agents/$name' as never} params={{ name: x.agent } as never}>{x.agent}</Link> },
            { head: 'Containment', cell: (x) => words(x.contain) },
            { head: 'Because of', cell: (x) => <Button size="compact-xs" variant="subtle" onClick={() => open(x.finding)}>{words(x.detector)}</Button> },
            { head: 'Until', cell: (x) => (x.until && x.state === 'in_force' ? <Time at={x.until} as="clock" /> : '') },
            { head: 'Why', width: '260px', title: (x) => x.why || x.reason, cell: (x) => <span className="soft">{x.why || x.reason}</span> },
            { head: 'Do', cell: (x) => mayAct && (x.state === 'in_force' ? <Button size="compact-xs" onClick={() => setOn({ x, act: 'revert' })}>Revert</Button> : (x.state === 'braked' || x.state === 'would') && <Button size="compact-xs" onClick={() => setOn({ x, act: 'apply' })}>Do it</Button>) },
          ]}
        />
      </Panel>
      {editing && <PolicyDialog policy={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />}
      {on && <ActDialog {...on} onClose={() => setOn(undefined)} />}
    </div>
  );
}

function ActDialog({ x, act, onClose }: { x: Response; act: 'revert' | 'apply'; onClose: () => void }) {
  const again = useAgain();
  const [reason, setReason] = useState('');
  const go = useMutation({ mutationFn: () => api.post(`/responses/${encodeURIComponent(x.id)}/${act}`, { reason }), onSuccess: onClose, onSettled: again });
  return (
    <FormDialog title={act === 'revert' ? `Revert: ${x.agent} is no longer ${words(x.contain)}` : `Contain ${x.agent}: ${words(x.contain)}`} submit={act === 'revert' ? 'Revert' : 'Do it'} pending={go.isPending} error={go.error} disabled={!reason.trim()} onSubmit={() => go.mutate()} onClose={onClose}>
      <p>{act === 'revert' ? 'What a person had set before comes back.' : x.why}</p>
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

function PolicyDialog({ policy, onClose }: { policy?: ResponsePolicy; onClose: () => void }) {
  const again = useAgain();
  const [name, setName] = useState(policy?.name ?? '');
  const [text, setText] = useState(policy?.text ?? '');
  const [detectors, setDetectors] = useState((policy?.detectors ?? []).join(', '));
  const [severity, setSeverity] = useState(policy?.severity ?? 'warning');
  const [contain, setContain] = useState(policy?.contain ?? 'throttled');
  const [life, setLife] = useState(policy ? policy.for ?? '' : '1h');
  const [mode, setMode] = useState(policy?.mode ?? 'observe');
  const [reason, setReason] = useState('');
  const drop = useMutation({ mutationFn: () => api.delete(`/response-policies/${encodeURIComponent(name)}?reason=${encodeURIComponent('deleted in the console')}`), onSuccess: onClose, onSettled: again });
  const save = useMutation({
    mutationFn: () =>
      api.put(`/response-policies/${encodeURIComponent(name.trim())}`, {
        text, detectors: detectors.split(/[,\s]+/).filter(Boolean), severity: severity || undefined, team: policy?.team, environment: policy?.environment, agents: policy?.agents, contain, for: life.trim() || undefined, mode, revision: policy?.revision ?? 0, reason,
      }),
    onSuccess: onClose,
    onSettled: again,
  });
  return (
    <FormDialog title={policy ? `Change ${policy.name}` : 'Add a response policy'} submit="Keep" pending={save.isPending} error={save.error ?? drop.error} disabled={!name.trim()} onSubmit={() => save.mutate()} onClose={onClose} size={600}>
      <p className="muted">It acts only for agents that had proved who they are. In observe it records what it would have done.</p>
      <div className={css.two}>
        {!policy && <TextInput label="Name" description="a-z, 0-9 and hyphens" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />}
        <Pick label="Mode" value={mode} options={[{ value: 'observe', label: 'observe: say what it would do' }, { value: 'enforce', label: 'enforce: do it' }]} onPick={setMode} />
        <TextInput label="Because of" description="Detectors, with commas; empty: any" value={detectors} onChange={(e) => setDetectors(e.currentTarget.value)} />
        <Pick label="From severity" value={severity} options={[{ value: '', label: 'any' }, ...['info', 'warning', 'critical'].map((v) => ({ value: v, label: v }))]} onPick={setSeverity} />
        <Pick label="Then" value={contain} options={['throttled', 'supervised', 'read_only', 'quarantined'].map((v) => ({ value: v, label: words(v) }))} onPick={setContain} />
        <TextInput label="For" description="1h; empty: until a person ends it" value={life} onChange={(e) => setLife(e.currentTarget.value)} />
        <TextInput label="In words" value={text} onChange={(e) => setText(e.currentTarget.value)} />
        <TextInput label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      </div>
      {policy && <Sure label="Delete the policy" sure="Delete it; what it did stays" pending={drop.isPending} onDo={() => drop.mutate()} />}
      {policy && <Badge tone={policy.would > 0 ? 'warn' : undefined}>{`in 30 days it did ${count(policy.acts)} and would have done ${count(policy.would)}`}</Badge>}
    </FormDialog>
  );
}
