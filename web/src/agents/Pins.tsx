import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { FormDialog } from '../settings/parts';
import { Time } from '../shared';
import { visible } from '../tools/data';
import type { Agent } from '../api/types';

type Pin = NonNullable<Agent['pins']>[number];

/** Pins are what an agent is held to, each with who did it and the way out. */
export function Pins({ agent }: { agent: Agent }) {
  const may = useMay('UnpinAgent') && agent.lifecycle !== 'retired';
  const [out, setOut] = useState<Pin>();
  return (
    <>
      {(agent.pins ?? []).map((p) => (
        <div key={`${p.kind} ${p.from ?? ''}`}>
          {p.kind} <strong>{visible(p.value)}</strong>
          {p.from && <> in place of {visible(p.from)}</>}
          {p.until && (
            <>
              {' '}
              until <Time at={p.until} as="clock" />
            </>
          )}
          <span className="muted">
            {' '}
            by {p.by}: {visible(p.reason)}
          </span>{' '}
          {may && (
            <Button size="compact-xs" onClick={() => setOut(p)}>
              Take the pin out
            </Button>
          )}
        </div>
      ))}
      {out && <Unpin name={agent.name} pin={out} onClose={() => setOut(undefined)} />}
    </>
  );
}

function Unpin({ name, pin, onClose }: { name: string; pin: Pin; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const act = useMutation({
    mutationFn: () => api.post(`/agents/${name}/unpin`, { kind: pin.kind, from: pin.from, reason }),
    onSuccess: () => {
      for (const key of ['agent', 'agents']) void client.invalidateQueries({ queryKey: [key] });
      onClose();
    },
  });
  return (
    <FormDialog title="Take the pin out" submit="Take it out" pending={act.isPending} error={act.error} disabled={reason.trim() === ''} onSubmit={() => act.mutate()} onClose={onClose}>
      <p style={{ margin: 0 }}>{pin.kind === 'version' ? 'Any version of it may act again.' : `It gets ${pin.from} again when it asks for that.`}</p>
      <TextInput data-autofocus required label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
