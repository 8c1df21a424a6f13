import { TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { FormDialog, Pick } from '../settings/parts';
import { peopleOf, schedulePath, type Schedule, type ScheduleDetail } from './data';

/** OverrideDialog puts somebody on call for a time, before every rotation. */
export function OverrideDialog({ schedules, start, onClose, onDone }: { schedules: Schedule[]; start: string; onClose: () => void; onDone: (schedule: string) => void }) {
  const client = useQueryClient();
  const id = useId();
  const [f, setF] = useState({ schedule: start, person: 'me', from: '', hours: '4', reason: '' });
  const begin = f.from ? Date.parse(f.from) : Date.now();
  const hours = Number(f.hours);
  const good = f.schedule !== '' && f.person.trim() !== '' && hours > 0 && Number.isFinite(begin + hours * 3_600_000);
  const save = useMutation({
    mutationFn: () =>
      api.post<ScheduleDetail>(`${schedulePath(f.schedule)}/overrides`, {
        person: f.person.trim(),
        from: f.from ? new Date(begin).toISOString() : undefined,
        to: new Date(begin + hours * 3_600_000).toISOString(),
        reason: f.reason.trim() || undefined,
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['oncall'] });
      onDone(f.schedule);
    },
  });
  const text = (key: 'person' | 'from' | 'hours' | 'reason', label: string, more: object = {}) => <TextInput label={label} value={f[key]} onChange={(e) => setF({ ...f, [key]: e.currentTarget.value })} {...more} />;
  return (
    <FormDialog title="Override" submit="Put on call" pending={save.isPending} error={save.error} disabled={!good} onSubmit={() => save.mutate()} onClose={onClose}>
      <Pick label="Schedule" value={f.schedule} options={schedules.map((s) => ({ value: s.name, label: s.team && s.team !== s.name ? `${s.name} (${s.team})` : s.name }))} onPick={(schedule) => setF({ ...f, schedule })} />
      {text('person', 'Who', { description: 'A name; "me" is you', list: id, autoComplete: 'off' })}
      <datalist id={id}>{['me', ...peopleOf(schedules)].map((p) => <option key={p} value={p} />)}</datalist>
      {text('hours', 'For how many hours', { inputMode: 'decimal', 'data-autofocus': true, error: f.hours !== '' && !(hours > 0) ? 'A number of hours, such as 4 or 0.5.' : undefined })}
      {text('from', 'From', { type: 'datetime-local', description: 'In your own time; empty: from now' })}
      {text('reason', 'Why', { maxLength: 200 })}
    </FormDialog>
  );
}
