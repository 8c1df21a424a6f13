import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import type { List } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { ProblemNote } from '../shared';
import { schedulePath, type EscalationPolicy, type Rotation, type ScheduleDetail } from './data';

type Shapes = components['schemas'];

const words = (text: string) => text.split(/[\s,]+/).filter(Boolean);
const local = (at: string) => {
  const d = new Date(at);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

function useSaved(onDone: () => void) {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: ['oncall'] });
    onDone();
  };
}

/** ScheduleDialog makes a schedule or changes its zone, team and first rotation; further rotations stay as they are. */
export function ScheduleDialog({ schedule, onClose, onDone }: { schedule?: ScheduleDetail; onClose: () => void; onDone: (name: string) => void }) {
  const r = schedule?.rotations[0];
  const [f, setF] = useState({
    name: schedule?.name ?? '',
    team: schedule?.team ?? '',
    zone: schedule?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    people: r?.people.join(', ') ?? 'me',
    start: local(r?.start ?? new Date().toISOString()),
    every: r?.every ?? 'week',
    days: r?.days?.join(', ') ?? '',
    hours: r?.hours ?? '',
  });
  const saved = useSaved(() => onDone(f.name));
  const save = useMutation({
    mutationFn: () => {
      const first: Rotation = { people: words(f.people), start: new Date(f.start).toISOString(), every: f.every.trim(), days: words(f.days), hours: f.hours.trim() || undefined };
      return api.put<ScheduleDetail>(schedulePath(f.name.trim()), { team: f.team.trim() || undefined, zone: f.zone.trim(), rotations: [first, ...(schedule?.rotations.slice(1) ?? [])], revision: schedule?.revision });
    },
    onSuccess: saved,
  });
  const text = (key: keyof typeof f, label: string, more: object = {}) => <TextInput label={label} value={f[key]} onChange={(e) => setF({ ...f, [key]: e.currentTarget.value })} {...more} />;
  return (
    <FormDialog title={schedule ? `Change ${schedule.name}` : 'A schedule'} submit="Save" pending={save.isPending} error={save.error} disabled={f.name.trim() === '' || words(f.people).length === 0 || f.start === ''} onSubmit={() => save.mutate()} onClose={onClose}>
      {!schedule && text('name', 'Name', { required: true, 'data-autofocus': true, description: 'Such as support' })}
      {text('people', 'Who, in turn', { required: true, description: 'Names with commas; "me" is you', ...(schedule ? { 'data-autofocus': true } : {}) })}
      {text('every', 'Hands over every', { description: 'day, week, or hours such as 12h' })}
      {text('start', 'From', { type: 'datetime-local', description: 'In your own time' })}
      {text('zone', 'Time zone', { description: 'Such as Europe/Berlin' })}
      {text('days', 'Only on', { description: 'Such as mon, tue; empty: every day' })}
      {text('hours', 'Only within', { description: 'Such as 09:00-17:00; empty: around the clock' })}
      {text('team', 'Team', { description: 'Empty: the house' })}
      {(schedule?.rotations.length ?? 0) > 1 && <p className="muted" style={{ margin: 0 }}>The other {schedule!.rotations.length - 1} rotations stay as they are.</p>}
    </FormDialog>
  );
}

/** levelText writes a level as one edits it; levelOf reads it. */
export const levelText = (l: Shapes['EscalationLevel']) =>
  [...(l.schedules ?? []).map((s) => `schedule ${s}`), ...(l.people ?? []).map((p) => `person ${p}`), ...(l.channels ?? []).map((c) => `channel ${c}`)].join(', ') + ` after ${l.after}`;

export function levelOf(line: string): Shapes['EscalationLevel'] | undefined {
  const [who = '', after, ...more] = line.split(/\s+after\s+/);
  if (!after || more.length > 0) return undefined;
  const out: Shapes['EscalationLevel'] = { after: after.trim() };
  for (const one of who.split(',')) {
    const [kind, name, ...rest] = one.trim().split(/\s+/);
    const key = ({ schedule: 'schedules', person: 'people', channel: 'channels' } as const)[kind as 'schedule'];
    if (!key || !name || rest.length > 0) return undefined;
    out[key] = [...(out[key] ?? []), name];
  }
  return out;
}

/** PolicyDialog says who is called, and who next. */
export function PolicyDialog({ policy, start, onClose, onDone }: { policy?: EscalationPolicy; start?: string; onClose: () => void; onDone: () => void }) {
  const [f, setF] = useState({
    name: policy?.name ?? start ?? '',
    team: policy?.team ?? '',
    for: policy?.for ?? '',
    repeat: String(policy?.repeat ?? 0),
    levels: (policy?.levels ?? [{ schedules: [start ?? 'support'], after: '5m' }]).map(levelText).join('\n'),
  });
  const saved = useSaved(onDone);
  const lines = f.levels.split('\n').map((l) => l.trim()).filter(Boolean);
  const bad = lines.find((l) => !levelOf(l));
  const path = `/escalation-policies/${encodeURIComponent(f.name.trim())}`;
  const save = useMutation({
    mutationFn: () => api.put<EscalationPolicy>(path, { team: f.team.trim() || undefined, for: f.for || undefined, repeat: Number(f.repeat) || 0, levels: lines.map((l) => levelOf(l)!), revision: policy?.revision }),
    onSuccess: saved,
  });
  const remove = useMutation({ mutationFn: () => api.delete(path), onSuccess: saved });
  const set = (key: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [key]: e.currentTarget.value });
  return (
    <FormDialog title={policy ? `Who is called: ${policy.name}` : 'Who is called'} submit="Save" pending={save.isPending} error={save.error ?? remove.error} disabled={f.name.trim() === '' || lines.length === 0 || Boolean(bad)} onSubmit={() => save.mutate()} onClose={onClose}>
      {!policy && <TextInput required label="Name" value={f.name} onChange={set('name')} />}
      <Textarea
        data-autofocus
        required
        label="Levels"
        rows={5}
        description="One a line: who is called together, then how long they have. Such as: schedule support, channel pagerduty after 5m"
        value={f.levels}
        onChange={set('levels')}
        error={bad ? `“${bad}” is no level: schedule, person or channel NAME, then after TIME.` : undefined}
      />
      <TextInput label="Again from the first" description="How often, when all were called" inputMode="numeric" value={f.repeat} onChange={set('repeat')} />
      <Pick label="For" value={f.for} options={[{ value: '', label: 'incidents and approvals' }, { value: 'incidents', label: 'incidents' }, { value: 'approvals', label: 'approvals' }]} onPick={(v) => setF({ ...f, for: v })} />
      <TextInput label="Team" description="Empty: teams that have none" value={f.team} onChange={set('team')} />
      {policy && <Button variant="subtle" loading={remove.isPending} onClick={() => remove.mutate()}>Remove this policy</Button>}
    </FormDialog>
  );
}

/** ContactsDialog says how one is reached. */
export function ContactsDialog({ onClose }: { onClose: () => void }) {
  const now = useQuery({ queryKey: ['oncall', 'contacts'], queryFn: ({ signal }) => api.get<Shapes['Contacts']>('/contacts/me', undefined, signal) });
  const channels = useQuery({ queryKey: ['channels'], queryFn: async ({ signal }) => (await api.get<List<Shapes['Channel']>>('/channels', undefined, signal)).items });
  const [edited, setEdited] = useState<Shapes['Contact'][]>();
  const rows = edited ?? now.data?.items ?? [];
  const saved = useSaved(onClose);
  const save = useMutation({ mutationFn: () => api.put('/contacts/me', { items: rows.filter((c) => c.channel) }), onSuccess: saved });
  const options = [{ value: '', label: 'none' }, ...(channels.data ?? []).map((c) => ({ value: c.name, label: `${c.name} (${c.kind})` }))];
  const put = (n: number, c: Partial<Shapes['Contact']>) => setEdited(rows.map((r, k) => (k === n ? { ...r, ...c } : r)));
  return (
    <FormDialog title="How you are reached" submit="Save" pending={save.isPending} error={save.error} disabled={!now.data} onSubmit={() => save.mutate()} onClose={onClose}>
      <ProblemNote error={now.error ?? channels.error} />
      {rows.length === 0 && <p className="muted" style={{ margin: 0 }}>A page reaches you nowhere yet.</p>}
      {rows.map((c, n) => (
        <div key={n} style={{ display: 'grid', gap: 'var(--gap)', gridTemplateColumns: '1fr 1fr', alignItems: 'end' }}>
          <Pick label={`Channel ${n + 1}`} value={c.channel} options={options} onPick={(channel) => put(n, { channel })} />
          <TextInput label={`Address ${n + 1}`} value={c.address ?? ''} onChange={(e) => put(n, { address: e.currentTarget.value || undefined })} />
        </div>
      ))}
      <Button variant="subtle" disabled={rows.length >= 5} onClick={() => setEdited([...rows, { channel: options[1]?.value ?? '' }])}>Add one</Button>
    </FormDialog>
  );
}
