import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useMay } from '../api/queries';
import type { List } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { Badge, duration, Empty, money, Panel, percent, plural, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import type { IncidentDetail } from './data';
import css from './incidents.module.css';

type Lesson = components['schemas']['Lesson'];
type LessonDetail = components['schemas']['LessonDetail'];

/** Lessons are what agents are told of this incident before they work, who read it and what came of it. */
export function Lessons({ i }: { i: IncidentDetail }) {
  const client = useQueryClient();
  const may = useMay('CreateLesson');
  const [adding, setAdding] = useState(false);
  const key = ['lessons', i.id];
  const q = useQuery({ queryKey: key, queryFn: async ({ signal }) => (await api.get<List<Lesson>>('/lessons', { incident: i.id }, signal)).items, refetchInterval: 15_000 });
  const again = () => {
    for (const k of ['lessons', 'lesson', 'incident']) void client.invalidateQueries({ queryKey: [k] });
  };
  const list = q.data ?? [];
  return (
    <Panel title="Lessons for agents" note={list.length > 0 && plural(list.length, 'lesson')} actions={may && <Button size="compact-xs" onClick={() => setAdding(true)}>Add a lesson</Button>}>
      <ProblemNote error={q.error} retry={() => void q.refetch()} />
      {q.isSuccess && list.length === 0 && <Empty small title="Agents were told nothing of this incident.">A lesson is a few words that agents fetch at the door before they work, until a date.</Empty>}
      <ul className={css.rows}>
        {list.map((l) => (
          <Row key={l.id} l={l} may={may} onDone={again} />
        ))}
      </ul>
      {adding && <LessonDialog i={i} onClose={() => setAdding(false)} onDone={again} />}
    </Panel>
  );
}

/** asMeasured writes a lesson's measure: a share, money, a 95th percentile, or a mean of a run. */
function asMeasured(measure: string, v: number) {
  if (measure === 'failures') return percent(v) ?? '';
  if (measure === 'cost') return money(v) ?? '';
  if (measure === 'duration') return duration(v) ?? '';
  return v.toPrecision(3);
}

const tones: Record<string, 'good' | 'warn' | undefined> = { active: 'good', expired: 'warn' };

function Row({ l, may, onDone }: { l: Lesson; may: boolean; onDone: () => void }) {
  const [revoking, setRevoking] = useState(false);
  const q = useQuery({ queryKey: ['lesson', l.id], queryFn: ({ signal }) => api.get<LessonDetail>(`/lessons/${l.id}`, undefined, signal), refetchInterval: 15_000 });
  const readers = new Set((q.data?.reads ?? []).map((r) => r.agent));
  const e = q.data?.effect;
  const value = (v: number | null | undefined) => (v === null || v === undefined ? 'unknown' : asMeasured(e!.measure, v));
  return (
    <li>
      <span className="grow">
        <Badge tone={tones[l.state]}>{l.state}</Badge> <strong>{visible(l.title)}</strong>
        <br />
        <small>{visible(l.text)}</small>
        <br />
        <small className="muted">
          {l.owner}, for {l.agents.length > 0 ? l.agents.join(', ') : l.team || 'all teams'}, until <Time at={l.expires_at} as="day" />.{' '}
          {readers.size === 0 ? 'No agent read it yet.' : `Read by ${[...readers].join(', ')}.`}
          {e && ` ${e.measure}: ${value(e.before)} before (${plural(e.runs_before, 'run')}), ${value(e.after)} after (${plural(e.runs_after, 'run')}).`}
          {l.why && ` Revoked by ${l.revoked_by}: ${l.why}`}
        </small>
      </span>
      {may && l.state === 'active' && (
        <Button size="compact-xs" aria-label={`Revoke ${l.title}`} onClick={() => setRevoking(true)}>
          Revoke
        </Button>
      )}
      {revoking && <RevokeDialog l={l} onClose={() => setRevoking(false)} onDone={onDone} />}
    </li>
  );
}

function RevokeDialog({ l, onClose, onDone }: { l: Lesson; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const revoke = useMutation({ mutationFn: () => api.post(`/lessons/${l.id}/revoke`, { reason }), onSuccess: onClose, onSettled: onDone });
  return (
    <FormDialog title={`Revoke ${l.title}`} submit="Revoke" pending={revoke.isPending} error={revoke.error} disabled={reason.trim() === ''} onSubmit={() => revoke.mutate()} onClose={onClose}>
      <TextInput data-autofocus label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

const measures = ['', 'failures', 'errors', 'cost', 'duration', 'steps'];

function LessonDialog({ i, onClose, onDone }: { i: IncidentDetail; onClose: () => void; onDone: () => void }) {
  const quarter = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  const [f, setF] = useState({ title: '', text: '', owner: 'me', until: quarter, measure: '', agents: (i.agents ?? []).length <= 5 ? (i.agents ?? []).join(', ') : '' });
  const add = useMutation({
    mutationFn: () =>
      api.post('/lessons', {
        title: f.title, text: f.text, owner: f.owner, measure: f.measure || undefined, team: i.team || undefined, incident: i.id,
        agents: f.agents.split(',').map((a) => a.trim()).filter(Boolean), expires_at: `${f.until}T00:00:00Z`,
      }),
    onSuccess: onClose,
    onSettled: onDone,
  });
  return (
    <FormDialog title="A lesson for agents" submit="Add" pending={add.isPending} error={add.error} disabled={f.title.trim() === '' || f.text.trim() === ''} onSubmit={() => add.mutate()} onClose={onClose}>
      <TextInput data-autofocus label="Title" maxLength={200} value={f.title} onChange={(e) => setF({ ...f, title: e.currentTarget.value })} />
      <Textarea label="What to keep in mind" description="As the agent is told it" rows={4} maxLength={8000} value={f.text} onChange={(e) => setF({ ...f, text: e.currentTarget.value })} />
      <TextInput label="Agents" description={`With commas; none is all of ${i.team ? `team ${i.team}` : 'all teams'}`} value={f.agents} onChange={(e) => setF({ ...f, agents: e.currentTarget.value })} />
      <TextInput label="Owner" description={'A name; "me" is you'} value={f.owner} onChange={(e) => setF({ ...f, owner: e.currentTarget.value })} />
      <TextInput type="date" label="Holds until" value={f.until} onChange={(e) => setF({ ...f, until: e.currentTarget.value })} />
      <Pick label="Is about" value={f.measure} options={measures.map((m) => ({ value: m, label: m || 'no measure' }))} onPick={(measure) => setF({ ...f, measure })} />
    </FormDialog>
  );
}
