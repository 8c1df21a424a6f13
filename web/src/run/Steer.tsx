import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { RunNote, Steering } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { holds, pickView, plural, ProblemNote, Time, useShortcuts } from '../shared';
import css from './steer.module.css';

const of = (run: string) => `/runs/${encodeURIComponent(run)}`;

/** useSteering reads and changes what people do about a run while it goes on. */
function useSteering(run: string, wanted: boolean) {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['steering', run], queryFn: ({ signal }) => api.get<Steering>(`${of(run)}/steering`, undefined, signal), enabled: wanted, retry: false });
  const act = useMutation({
    mutationFn: ({ path, body, method }: { path: string; body?: unknown; method?: 'delete' }) => (method === 'delete' ? api.delete<Steering>(`${of(run)}/${path}`) : api.post<Steering>(`${of(run)}/${path}`, body ?? {})),
    onSuccess: (s) => {
      client.setQueryData(['steering', run], s);
      void client.invalidateQueries({ queryKey: ['overview'] });
    },
  });
  return { steering: q.data, act };
}

/** Steer lets a person take a hand in a live run: look at each of its calls first, or tell its model something. */
export function Steer({ run, live }: { run: string; live: boolean }) {
  const may = useMay('HoldRun');
  const reads = useMay('GetSteering');
  const { steering, act } = useSteering(run, reads);
  const [doing, setDoing] = useState<'hold' | 'tell'>();
  const held = steering?.hold;
  const able = live && may;
  const release = () => act.mutate({ path: 'release' });
  useShortcuts(
    'Live run',
    able
      ? [
          { keys: 'shift+h', label: 'Look at each call of it first', run: () => !held && setDoing('hold') },
          { keys: 'm', label: 'Tell its model something', run: () => setDoing('tell') },
        ]
      : [],
  );
  const notes = steering?.notes ?? [];
  if (!able && !held && notes.length === 0) return null;
  return (
    <section className={css.steer} aria-label="Taking a hand in it">
      {held ? (
        <p role="status">
          <strong>{held.by} looks at each call of this run first</strong> since <Time at={held.at} />
          {held.reason && `: ${held.reason}`}. It waits in the{' '}
          <Link className="link" to={'/inbox' as never} search={pickView as never}>
            Inbox
          </Link>{' '}
          until <Time at={held.until} as="day" />. {able && <Sure label="Let it go on" sure="Let it go on now" pending={act.isPending} onDo={release} />}
        </p>
      ) : (
        able && (
          <span className={css.steeracts}>
            <Button size="compact-xs" onClick={() => setDoing('hold')} title="Each further call of it waits for a person (Shift H)">
              Hold its calls
            </Button>
            <Button size="compact-xs" onClick={() => setDoing('tell')} title="Its model reads it with its next call (M)">
              Tell it something
            </Button>
          </span>
        )
      )}
      {held && able && (
        <Button size="compact-xs" onClick={() => setDoing('tell')} title="Its model reads it with its next call (M)">
          Tell it something
        </Button>
      )}
      {notes.length > 0 && (
        <ul className={css.notes}>
          {notes.map((n) => (
            <Told key={n.id} n={n} end={able && !n.ended_at ? () => act.mutate({ path: `notes/${encodeURIComponent(n.id)}`, method: 'delete' }) : undefined} />
          ))}
        </ul>
      )}
      {!doing && <ProblemNote error={act.error} />}
      {doing === 'hold' && <HoldDialog act={act} onClose={() => setDoing(undefined)} />}
      {doing === 'tell' && <TellDialog act={act} onClose={() => setDoing(undefined)} />}
    </section>
  );
}

/** Told is what a person said, and whether the model has read it. */
function Told({ n, end }: { n: RunNote; end?: () => void }) {
  return (
    <li>
      <span>
        <q>{n.text}</q> <span className="muted">{n.by},</span>{' '}
        {n.told > 0 ? (
          <>
            {n.every && n.told > 1 ? `told ${plural(n.told, 'time')}, first ` : 'told '}
            {n.told_at && <Time at={n.told_at} />}{' '}
            <Link className="link" to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', decision: n.decision_id })) as never}>
              with this call
            </Link>
          </>
        ) : n.ended_at ? (
          <span className="muted">withdrawn</span>
        ) : (
          <span className="muted">waits for its next call of a model{n.every && ', and each after it'}</span>
        )}
      </span>{' '}
      {end && <Sure label="Withdraw" sure="Withdraw it now" onDo={end} />}
    </li>
  );
}

type Act = ReturnType<typeof useSteering>['act'];

function HoldDialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState('60');
  return (
    <FormDialog title="Hold its calls" submit="Hold" pending={act.isPending} error={act.error} onClose={onClose} onSubmit={() => act.mutate({ path: 'hold', body: { reason: reason.trim() || undefined, seconds: minutes ? Number(minutes) * 60 : undefined } }, { onSuccess: onClose })}>
      <p>Each further call of this run through the door waits in the Inbox until a person agrees. Calls in flight go on.</p>
      <TextInput label="Reason" description="Stands in the record" data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      <Pick label="For" value={minutes} options={holds('a day', 15, 60, 480)} onPick={setMinutes} />
    </FormDialog>
  );
}

function TellDialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const [text, setText] = useState('');
  const [every, setEvery] = useState(false);
  return (
    <FormDialog title="Tell it something" submit="Tell it" pending={act.isPending} error={act.error} disabled={text.trim() === ''} onClose={onClose} size={560} onSubmit={() => act.mutate({ path: 'notes', body: { text: text.trim(), every: every || undefined } }, { onSuccess: onClose })}>
      <Textarea
        label="What"
        description="Its model reads it, under your name, with its next call through the door"
        autosize
        minRows={2}
        maxRows={8}
        data-autofocus
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) e.currentTarget.form?.requestSubmit();
        }}
      />
      <Checkbox label="With each further call" description="Agents do not keep it in their history: tell it each time where it has to last" checked={every} onChange={(e) => setEvery(e.currentTarget.checked)} />
    </FormDialog>
  );
}
