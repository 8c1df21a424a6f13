import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { FormDialog, Sure } from '../settings/parts';
import { Badge, count, Mark, Panel, plural, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import { evidenceLink, severities, type IncidentDetail } from './data';
import css from './incidents.module.css';

/** Signals are an incident's findings and alerts, each with why it is here; people merge, take out and take back. */
export function Signals({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  const [out, setOut] = useState<string[]>([]);
  const [merging, setMerging] = useState(false);
  const split = useMutation({ mutationFn: () => api.post(`/incidents/${i.id}/split`, { fingerprints: out }), onSuccess: () => setOut([]), onSettled: onDone });
  const right = useMutation({ mutationFn: (fingerprint: string) => api.post(`/incidents/${i.id}/judge`, { fingerprint, right: true }), onSettled: onDone });
  const undo = useMutation({ mutationFn: (move: string) => api.post(`/incident-moves/${move}/undo`, {}), onSettled: onDone });
  const members = i.members ?? [];
  const live = ['open', 'acknowledged', 'mitigated'].includes(i.state);
  const acts = may && live;
  return (
    <div className={css.halves}>
      <Panel
        title="Signals"
        note={members.length < i.signals ? `the first ${count(members.length)} of ${count(i.signals)}` : 'why each is here'}
        actions={
          acts && (
            <>
              <Button size="compact-xs" disabled={out.length === 0 || out.length === members.length} loading={split.isPending} onClick={() => split.mutate()}>
                {out.length > 0 ? `Take ${count(out.length)} out` : 'Take out'}
              </Button>
              <Button size="compact-xs" onClick={() => setMerging(true)}>Merge into another</Button>
            </>
          )
        }
      >
        <ProblemNote error={split.error ?? right.error} />
        <ul className={css.signals}>
          {members.map((m) => {
            const link = evidenceLink({ kind: m.kind, id: m.id });
            return (
              <li key={m.fingerprint}>
                <span className={css.line}>
                  {acts && members.length > 1 && <Checkbox size="xs" aria-label={`Choose ${m.title}`} checked={out.includes(m.fingerprint)} onChange={(e) => setOut(e.currentTarget.checked ? [...out, m.fingerprint] : out.filter((f) => f !== m.fingerprint))} />}
                  <Mark {...(severities[m.severity] ?? severities.info!)} />
                  {link ? <Link to={link.to as never} search={(link.search ?? {}) as never}>{visible(m.title)}</Link> : visible(m.title)}
                  <Badge>{m.kind}</Badge>
                  {!m.firing && <Badge tone="good">over</Badge>}
                  {m.claimed && <Badge tone="warn" title="No credential proves the agent's name">claimed</Badge>}
                  <span className="muted">{m.agent}{m.count > 1 && ` ${count(m.count)} times`}</span>
                  <span className={css.end}><Time at={m.first_at} /></span>
                </span>
                <ul className={css.why}>
                  {(m.reasons ?? []).map((r, n) => (
                    <li key={n}>
                      {r.weight !== 0 && <b>{r.weight.toFixed(2)}</b>} {visible(r.text)}
                    </li>
                  ))}
                  {m.by && <li>put here by {m.by}</li>}
                </ul>
                {acts && !m.by && members.length > 1 && <Button size="compact-xs" variant="subtle" loading={right.isPending && right.variables === m.fingerprint} onClick={() => right.mutate(m.fingerprint)}>It belongs here</Button>}
              </li>
            );
          })}
        </ul>
      </Panel>
      <Panel title="Merges and splits" note="each can be taken back">
        <ProblemNote error={undo.error} />
        {(i.moves ?? []).length === 0 && <p className={css.none}>None so far.</p>}
        <ul className={css.rows}>
          {(i.moves ?? []).map((m) => (
            <li key={m.id}>
              <span className="grow">
                {m.kind === 'merge' ? (m.target === i.id ? 'Took in' : 'Became part with') : m.source === i.id ? 'Gave out' : 'Split off with'} {plural(m.signals, 'signal')}, {m.person || 'Reeve'} <Time at={m.at} />
                {m.undone_at && <span className="muted">; taken back by {m.undone_by}</span>}
                <ul className={css.why}>{m.reason ? <li>{visible(m.reason)}</li> : (m.reasons ?? []).slice(0, 3).map((r, n) => <li key={n}>{visible(r.text)}</li>)}</ul>
              </span>
              {acts && !m.undone_at && <Sure label="Take back" sure="Take it back" pending={undo.isPending} onDo={() => undo.mutate(m.id)} />}
            </li>
          ))}
        </ul>
      </Panel>
      {merging && <MergeDialog i={i} onClose={() => setMerging(false)} onDone={onDone} />}
    </div>
  );
}

function MergeDialog({ i, onClose, onDone }: { i: IncidentDetail; onClose: () => void; onDone: () => void }) {
  const [into, setInto] = useState('');
  const [reason, setReason] = useState('');
  const merge = useMutation({
    mutationFn: () => api.post(`/incidents/${i.id}/merge`, { into: into.trim(), reason }),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  return (
    <FormDialog title={`Merge incident ${i.number} into another`} submit="Merge" pending={merge.isPending} error={merge.error} disabled={into.trim() === ''} onSubmit={() => merge.mutate()} onClose={onClose}>
      <TextInput data-autofocus label="Number of the other incident" value={into} onChange={(e) => setInto(e.currentTarget.value)} />
      <TextInput label="Why they are one" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
