import { Button, TextInput } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Run, RunOutcome } from '../api/types';
import { Pick as PickOne } from '../settings/parts';
import { Outcome, pickView, ProblemNote, Time } from '../shared';
import css from './ended.module.css';
import { Said } from './Text';

const kinds: Record<string, string> = { person: 'a person', event: 'an event', feedback: 'the user', rule: 'a rule', judge: 'a judge (a model)' };
const choices = ['resolved', 'contained', 'deflected', 'escalated', 'abandoned', 'failed'];

/** Ended says how a run ended for its user, why it counts so, and lets a person decide. */
export function Ended({ run }: { run: Pick<Run, 'id' | 'outcome' | 'status' | 'failed' | 'mode'> }) {
  const client = useQueryClient();
  const over = run.status === 'done' || run.status === 'stale';
  const may = useMay('DecideOutcome');
  const [open, setOpen] = useState(false);
  const [outcome, setOutcome] = useState('');
  const [reason, setReason] = useState('');
  const key = ['run-outcome', run.id];
  const q = useQuery({ queryKey: [...key, run.outcome, run.status], queryFn: ({ signal }) => api.get<RunOutcome>(`/runs/${encodeURIComponent(run.id)}/outcome`, undefined, signal), enabled: over, retry: false, refetchInterval: 5000, placeholderData: keepPreviousData });
  const decide = useMutation({
    mutationFn: () => api.post<RunOutcome>(`/runs/${encodeURIComponent(run.id)}/outcome`, { outcome, reason }),
    onSuccess: () => {
      setOpen(false);
      setReason('');
      void client.invalidateQueries({ queryKey: key });
    },
  });
  const o = q.data;
  if (!over || !o || run.mode === 'test') return null;
  const shown = o.decided || o.outcome;
  return (
    <details className={css.ended} aria-label="How it ended for its user">
      <summary>
        <Outcome outcome={shown} failed={run.failed && !o.decided} />
        <span className={css.why}>
          <Said text={o.why} />
        </span>
      </summary>
      <div className={css.body}>
        {o.settles_at && (
          <p className="muted">
            Settled <Time at={o.settles_at} />, {o.window} after its last news, if nobody speaks of it before.
          </p>
        )}
        {o.evidence.length > 0 ? (
          <ul>
            {o.evidence.map((e) => (
              <li key={e.id || e.source}>
                <Outcome outcome={e.outcome} /> by {kinds[e.kind] ?? e.kind}: {e.kind === 'rule' ? <Settled rule={e.source} /> : <Said text={e.source} />} {e.text && <Said text={e.text} />} <Time at={e.at} /> {e.counts && <strong>counts</strong>}
              </li>
            ))}
          </ul>
        ) : (
          <p className="muted">Nobody else spoke of it.</p>
        )}
        <p>
          <Settled />
        </p>
        <ProblemNote error={decide.error} />
        {may &&
          (open ? (
            <form
              className={css.form}
              onSubmit={(e) => {
                e.preventDefault();
                decide.mutate();
              }}
            >
              <PickOne label="It ended" options={[...(outcome ? [] : [{ value: '', label: 'choose' }]), ...choices.map((c) => ({ value: c, label: c }))]} value={outcome} onPick={setOutcome} />
              <TextInput label="Reason" description="It is recorded" required withAsterisk={false} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
              <Button type="submit" loading={decide.isPending} disabled={!outcome || !reason}>
                Decide
              </Button>
            </form>
          ) : (
            <Button size="compact-xs" variant="default" onClick={() => setOpen(true)}>
              Decide how it ended
            </Button>
          ))}
      </div>
    </details>
  );
}

/** Settled leads to what outcomes are decided by: to a rule, or to all of them and to evidence that waits. */
function Settled({ rule }: { rule?: string }) {
  return (
    <Link className="link" to={'/outcomes' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'settling', rule })) as never}>
      {rule ? <Said text={rule} /> : 'Rules, settling windows and evidence that waits'}
    </Link>
  );
}
