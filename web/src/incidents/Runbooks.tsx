import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import type { List } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { Badge, Panel, ProblemNote } from '../shared';
import { visible } from '../tools/data';
import type { IncidentDetail } from './data';
import css from './incidents.module.css';

type Runbook = components['schemas']['Runbook'];
type Run = components['schemas']['RunbookRun'];
type Trial = components['schemas']['RunbookTrial'];

const tones: Record<string, 'good' | 'warn' | 'bad' | undefined> = { done: 'good', waiting: 'warn', running: 'warn', failed: 'bad' };
const said = (state: string) => state.replaceAll('_', ' ');

/** Runbooks are what is done step by step: tried first, agreed to where it says so, and taken back in one go. Nothing shows where there are none. */
export function Runbooks({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  const client = useQueryClient();
  const [starting, setStarting] = useState(false);
  const [back, setBack] = useState<Run>();
  const books = useQuery({ queryKey: ['runbooks'], queryFn: async ({ signal }) => (await api.get<List<Runbook>>('/runbooks', undefined, signal)).items, staleTime: 60_000 });
  const runs = useQuery({ queryKey: ['runbook-runs', i.id], queryFn: async ({ signal }) => (await api.get<List<Run>>(`/incidents/${i.id}/runbook-runs`, undefined, signal)).items, refetchInterval: 10_000 });
  const again = () => {
    void client.invalidateQueries({ queryKey: ['runbook-runs'] });
    onDone();
  };
  const go = useMutation({ mutationFn: ({ id, verb }: { id: string; verb: string }) => api.post(`/runbook-runs/${id}/${verb}`, {}), onSettled: again });
  const fit = (books.data ?? []).filter((b) => b.kinds.length === 0 || b.kinds.includes(i.kind ?? ''));
  if (fit.length === 0 && (runs.data ?? []).length === 0) return null;
  return (
    <Panel title="Runbooks" actions={may && fit.length > 0 && <Button size="compact-xs" onClick={() => setStarting(true)}>Begin one</Button>}>
      <ProblemNote error={runs.error ?? go.error} />
      <ul className={css.rows}>
        {(runs.data ?? []).map((r) => (
          <li key={r.id}>
            <span className="grow">
              <Badge tone={tones[r.state]}>{said(r.state)}</Badge> <strong>{r.runbook}</strong> <span className="muted">{r.by}{r.approved_by && `, agreed by ${r.approved_by}`}</span>
              <ol>
                {r.steps.map((s, n) => (
                  <li key={n}>
                    {visible(s.text)} <span className="muted">{said(s.state)}{s.result && `: ${visible(s.result)}`}</span>
                  </li>
                ))}
              </ol>
            </span>
            {may && r.state === 'waiting' && <Button size="compact-xs" onClick={() => go.mutate({ id: r.id, verb: 'approve' })}>Agree</Button>}
            {may && r.state === 'running' && <Button size="compact-xs" loading={go.isPending} onClick={() => go.mutate({ id: r.id, verb: 'step' })}>Do the next step</Button>}
            {may && r.state !== 'waiting' && r.state !== 'rolled_back' && <Button size="compact-xs" onClick={() => setBack(r)}>Roll back</Button>}
          </li>
        ))}
      </ul>
      {starting && <StartDialog i={i} books={fit} onClose={() => setStarting(false)} onDone={again} />}
      {back && <BackDialog r={back} onClose={() => setBack(undefined)} onDone={again} />}
    </Panel>
  );
}

function StartDialog({ i, books, onClose, onDone }: { i: IncidentDetail; books: Runbook[]; onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState(books[0]?.name ?? '');
  const [reason, setReason] = useState('');
  const trial = useQuery({ queryKey: ['runbook-trial', i.id, name], queryFn: () => api.post<Trial>(`/incidents/${i.id}/runbook-trials`, { runbook: name }), retry: false });
  const start = useMutation({ mutationFn: () => api.post(`/incidents/${i.id}/runbook-runs`, { runbook: name, reason }), onSuccess: onClose, onSettled: onDone });
  const book = books.find((b) => b.name === name);
  return (
    <FormDialog title="Begin a runbook" submit={book?.approval ? 'Propose it' : 'Begin'} pending={start.isPending} error={start.error ?? trial.error} disabled={reason.trim() === ''} onSubmit={() => start.mutate()} onClose={onClose}>
      <Pick label="Runbook" value={name} options={books.map((b) => ({ value: b.name, label: b.name }))} onPick={setName} />
      {book?.approval && <p className="muted">A second person agrees before its first step.</p>}
      <ol>
        {(trial.data?.steps ?? []).map((s, n) => (
          <li key={n}>
            {visible(s.text)}
            {s.previews.map((p, k) => (
              <small key={k}> {visible(p.text)}</small>
            ))}
            {s.problem && <small> Cannot be done: {visible(s.problem)}</small>}
          </li>
        ))}
      </ol>
      <TextInput data-autofocus label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

function BackDialog({ r, onClose, onDone }: { r: Run; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const back = useMutation({ mutationFn: () => api.post(`/runbook-runs/${r.id}/roll-back`, { text: reason }), onSuccess: onClose, onSettled: onDone });
  return (
    <FormDialog title={`Roll back ${r.runbook}`} submit="Roll back" pending={back.isPending} error={back.error} disabled={reason.trim() === ''} onSubmit={() => back.mutate()} onClose={onClose}>
      <TextInput data-autofocus label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
