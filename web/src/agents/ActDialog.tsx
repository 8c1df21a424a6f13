import { Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import type { Agent } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { holds, untilOf } from '../shared';

/** What a person does with an agent, for a reason that stands in the record. */
export type Act = { kind: 'promote'; to: string } | { kind: 'contain' } | { kind: 'release' } | { kind: 'retire' };

const levels = [
  { value: 'throttled', label: 'throttled: its rates are cut down' },
  { value: 'supervised', label: 'supervised: each write is held' },
  { value: 'read_only', label: 'read only: thinks and reads' },
  { value: 'quarantined', label: 'quarantined: nothing at all; live calls are cut' },
];

/** ActDialog asks for the reason and says what will happen. */
export function ActDialog({ agent, act, onClose }: { agent: Agent; act: Act; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [level, setLevel] = useState('read_only');
  const [minutes, setMinutes] = useState('');
  const [ungated, setUngated] = useState(false);
  const gated = act.kind === 'promote' && act.to === 'production';
  const path = `/agents/${encodeURIComponent(agent.name)}/${act.kind}`;
  const body = {
    reason: reason.trim(),
    ...(act.kind === 'promote' ? { to: act.to, ungated: (gated && ungated) || undefined } : {}),
    ...(act.kind === 'contain' ? { containment: level, until: untilOf(minutes) } : {}),
  };
  const send = useMutation({
    mutationFn: () => api.post<Agent>(path, body),
    onSuccess: onClose,
    onSettled: () => {
      for (const key of ['agents', 'agent', 'overview', 'proposals', 'gate']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const words = {
    promote: { title: `Take ${agent.name} to ${act.kind === 'promote' ? act.to : ''}`, submit: 'Promote', says: gated ? 'Its limits change with it. It needs security, and to pass the gate, which looks now.' : 'Its limits change with it.' },
    contain: { title: `Contain ${agent.name}`, submit: 'Contain', says: 'A limit for now. Releasing it needs security, and from quarantine a second person.' },
    release: { title: `Release ${agent.name}`, submit: 'Release', says: `It is ${agent.containment.replace('_', ' ')} now. Credentials that died stay dead.` },
    retire: { title: `Retire ${agent.name}`, submit: 'Retire for good', says: 'Its calls in flight are cut, its keys die, and its name is never used again. There is no way back.' },
  }[act.kind];
  return (
    <FormDialog title={words.title} submit={words.submit} pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} disabled={reason.trim() === ''}>
      <p>{words.says}</p>
      {act.kind === 'contain' && <Pick label="Level" value={level} options={levels} onPick={setLevel} />}
      {act.kind === 'contain' && <Pick label="Holds" value={minutes} options={holds('until somebody releases it', 60, 480, 1440)} onPick={setMinutes} />}
      {gated && <Checkbox label="Although it does not pass (kept in the record, with a second factor)" checked={ungated} onChange={(e) => setUngated(e.currentTarget.checked)} />}
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
