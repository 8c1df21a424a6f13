import { TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { FormDialog, Pick } from '../settings/parts';
import { kindWords, type IncidentDetail } from './data';

/** Edit changes what people say of an incident: only what was changed is sent. */
export function Edit({ i, onClose, onDone }: { i: IncidentDetail; onClose: () => void; onDone: () => void }) {
  const was = { title: i.title, severity: i.severity, kind: i.kind ?? '', owner: i.owner ?? '', lead: i.lead ?? '', communications: i.communications ?? '' };
  const [f, setF] = useState(was);
  const changed = Object.fromEntries(Object.entries(f).filter(([k, v]) => v !== was[k as keyof typeof was]));
  const save = useMutation({
    mutationFn: () => api.patch(`/incidents/${i.id}`, changed),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  const text = (key: 'title' | 'owner' | 'lead' | 'communications', label: string, more: object = {}) => <TextInput label={label} value={f[key]} onChange={(e) => setF({ ...f, [key]: e.currentTarget.value })} {...more} />;
  return (
    <FormDialog title="Change the incident" submit="Change" pending={save.isPending} error={save.error} disabled={Object.keys(changed).length === 0} onSubmit={() => save.mutate()} onClose={onClose}>
      {text('title', 'What is wrong')}
      <Pick label="Severity" value={f.severity} options={['critical', 'warning', 'info'].map((v) => ({ value: v, label: v }))} onPick={(severity) => setF({ ...f, severity })} />
      <Pick label="Kind" value={f.kind} options={[{ value: '', label: 'not known' }, ...Object.entries(kindWords).map(([value, label]) => ({ value, label }))]} onPick={(kind) => setF({ ...f, kind })} />
      {text('owner', 'Owner', { description: 'A name; "me" is you', 'data-autofocus': true })}
      {text('lead', 'Lead', { description: 'Who decides' })}
      {text('communications', 'Communications', { description: 'Who tells others' })}
    </FormDialog>
  );
}
