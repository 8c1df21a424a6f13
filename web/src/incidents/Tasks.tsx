import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { FormDialog, Pick } from '../settings/parts';
import { Badge, Panel, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import { kindWords, type IncidentDetail } from './data';
import css from './incidents.module.css';

const words: Record<string, string> = { action: 'after it', compensation: 'put right', step: 'step' };

/** Tasks are the playbook of the kind of incident, what is to be put right, and what is to be done so that it does not come again. */
export function Tasks({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  const [adding, setAdding] = useState(false);
  const tasks = i.tasks ?? [];
  const change = useMutation({ mutationFn: ({ id, ...body }: { id: string; approve?: boolean; done?: boolean }) => api.post(`/incident-tasks/${id}`, body), onSettled: onDone });
  const step = useMutation({
    mutationFn: async (text: string) => {
      const t = await api.post<{ id: string }>(`/incidents/${i.id}/tasks`, { kind: 'step', text });
      await api.post(`/incident-tasks/${t.id}`, { done: true });
    },
    onSettled: onDone,
  });
  const done = new Set(tasks.filter((t) => t.kind === 'step' && t.done_at).map((t) => t.text));
  return (
    <Panel title={i.kind ? `Playbook: ${kindWords[i.kind]}` : 'Playbook'} actions={may && <Button size="compact-xs" onClick={() => setAdding(true)}>Add to do</Button>}>
      <ProblemNote error={change.error ?? step.error} />
      <ul className={css.rows}>
        {(i.playbook ?? []).map((p) => (
          <li key={p}>
            <Checkbox size="xs" checked={done.has(p)} disabled={!may || done.has(p)} label={p} onChange={() => step.mutate(p)} />
          </li>
        ))}
        {tasks
          .filter((t) => t.kind !== 'step')
          .map((t) => (
            <li key={t.id}>
              <span className="grow">
                <Badge>{words[t.kind]}</Badge> {visible(t.text)} <span className="muted">{t.owner}{t.due_at && <>, due <Time at={t.due_at} as="day" /></>}{t.approved_by && `, agreed by ${t.approved_by}`}</span>
              </span>
              {t.done_at ? (
                <Badge tone="good">done</Badge>
              ) : may && t.kind === 'compensation' && !t.approved_by ? (
                <Button size="compact-xs" onClick={() => change.mutate({ id: t.id, approve: true })}>Agree</Button>
              ) : (
                may && <Button size="compact-xs" onClick={() => change.mutate({ id: t.id, done: true })}>Done</Button>
              )}
            </li>
          ))}
      </ul>
      {adding && <TaskDialog i={i} onClose={() => setAdding(false)} onDone={onDone} />}
    </Panel>
  );
}

function TaskDialog({ i, onClose, onDone }: { i: IncidentDetail; onClose: () => void; onDone: () => void }) {
  const week = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
  const [f, setF] = useState({ kind: 'action', text: '', owner: 'me', due: week });
  const add = useMutation({
    mutationFn: () => api.post(`/incidents/${i.id}/tasks`, { kind: f.kind, text: f.text, owner: f.owner || undefined, due_at: f.due ? `${f.due}T17:00:00Z` : undefined }),
    onSuccess: onClose,
    onSettled: onDone,
  });
  return (
    <FormDialog title="Add to do" submit="Add" pending={add.isPending} error={add.error} disabled={f.text.trim() === ''} onSubmit={() => add.mutate()} onClose={onClose}>
      <Pick label="What" value={f.kind} options={[{ value: 'action', label: 'so that it does not come again' }, { value: 'compensation', label: 'to put right; a second person agrees' }]} onPick={(kind) => setF({ ...f, kind })} />
      <TextInput data-autofocus label="To do" value={f.text} onChange={(e) => setF({ ...f, text: e.currentTarget.value })} />
      <TextInput label="Owner" description={'A name; "me" is you'} value={f.owner} onChange={(e) => setF({ ...f, owner: e.currentTarget.value })} />
      <TextInput type="date" label="Due" value={f.due} onChange={(e) => setF({ ...f, due: e.currentTarget.value })} />
    </FormDialog>
  );
}
