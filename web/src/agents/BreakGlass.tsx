import { TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { Agent } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { minutesText } from '../shared';

/** BreakGlass lets one agent go unenforced in an emergency, for at most an hour. */
export function BreakGlass({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const client = useQueryClient();
  const [minutes, setMinutes] = useState('15');
  const [reason, setReason] = useState('');
  const send = useMutation({
    mutationFn: () => api.post<Agent>(`/agents/${encodeURIComponent(agent.name)}/break-glass`, { minutes: Number(minutes), reason: reason.trim() }),
    onSuccess: onClose,
    onSettled: () => {
      for (const key of ['agent', 'agents', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  return (
    <FormDialog title={`Break the glass for ${agent.name}`} submit="Let it go unenforced" pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} disabled={reason.trim() === ''}>
      <p>
        Policy refuses {agent.name} nothing until then; the verdicts that it would have got are recorded, and everybody concerned is told. <strong>Stops, quarantine and guardrails of the floor still hold.</strong>
      </p>
      <Pick label="For" value={minutes} options={['5', '15', '30', '60'].map((v) => ({ value: v, label: minutesText(Number(v)) }))} onPick={setMinutes} />
      <TextInput label="Reason" description="Stands in the record and in the notice" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
