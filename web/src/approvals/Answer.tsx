import type { Approval } from '../api/types';
import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import '../theme/forms';
import { Keys, plural, ProblemNote } from '../shared';
import css from './approvals.module.css';
import type { useAnswer } from './data';

export type Mode = 'approve' | 'deny' | undefined;

/** Answer is the strip on which a person decides: what is about to be said, a reason, and Enter. */
export function Answer({ a, mode, setMode, answer, locked, onUnlock, onEdit, editing, edits, onTakeOver, compact }: {
  a: Approval;
  mode: Mode;
  setMode: (m: Mode) => void;
  answer: ReturnType<typeof useAnswer>;
  /** Approving is locked until the arguments were opened. */
  locked: boolean;
  /** Opens them. */
  onUnlock?: () => void;
  onEdit?: () => void;
  editing?: boolean;
  /** The edits to send; undefined while one of them is no value. */
  edits?: { path: string; value: unknown }[];
  onTakeOver?: () => void;
  compact?: boolean;
}) {
  const [reason, setReason] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (mode) input.current?.focus();
  }, [mode]);
  const edited = editing && edits !== undefined && edits.length > 0;
  const may = mode === 'deny' ? a.can.deny : edited ? a.can.edit : a.can.approve;
  const send = () => {
    if (mode === 'deny') answer.mutate({ verdict: 'deny', body: { reason: reason.trim() || undefined } });
    else if (edited) answer.mutate({ verdict: 'edit', body: { hash: a.arguments?.hash ?? '', edits, reason: reason.trim() || undefined } });
    else answer.mutate({ verdict: 'approve', body: { hash: a.arguments?.hash ?? '', reason: reason.trim() || undefined } });
    setMode(undefined);
    setReason('');
  };
  if (mode) {
    return (
      <form
        className={css.strip}
        data-mode={mode}
        aria-label={mode === 'deny' ? 'Deny' : 'Approve'}
        onSubmit={(e) => {
          e.preventDefault();
          if (may && !(mode === 'approve' && locked)) send();
        }}
        onKeyDown={(e) => {
          if (e.key === 'Escape') {
            e.preventDefault();
            setMode(undefined);
          }
        }}
      >
        <strong>{mode === 'deny' ? 'It will not happen, and the same again is denied for a day.' : edited ? `It happens with ${plural(edits!.length, 'changed value')}.` : 'It happens exactly as it stands here.'}</strong>
        <div className={css.stripRow}>
          <TextInput ref={input} className="grow" aria-label="Reason" placeholder="Why (may be left empty)" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <Button onClick={() => setMode(undefined)}>Back</Button>
          <Button type="submit" variant="filled" color={mode === 'deny' ? 'bad' : undefined} loading={answer.isPending}>
            {mode === 'deny' ? 'Deny' : edited ? 'Approve as changed' : 'Approve'}
          </Button>
        </div>
      </form>
    );
  }
  const stuck = editing && edits === undefined;
  return (
    <div className={css.answers} data-compact={compact || undefined}>
      <ProblemNote error={answer.error} />
      <div className={css.stripRow}>
        {locked && onUnlock && a.can.approve ? (
          <Button variant="filled" onClick={onUnlock} title="Approving is locked until the arguments were opened">
            Open the arguments <Key k="a" />
          </Button>
        ) : (
        <Button variant="filled" disabled={!(edited ? a.can.edit : a.can.approve) || locked || stuck} loading={answer.isPending && answer.variables.verdict !== 'deny'} onClick={() => setMode('approve')} title={locked ? 'Open the arguments first' : a.can.why}>
          {edited ? 'Approve as changed' : 'Approve'} <Key k="a" />
        </Button>
        )}
        <Button disabled={!a.can.deny} loading={answer.isPending && answer.variables.verdict === 'deny'} onClick={() => setMode('deny')}>
          Deny <Key k="d" />
        </Button>
        {onEdit && a.can.edit && (
          <Button aria-pressed={editing} onClick={onEdit}>
            {editing ? 'Leave as it was' : 'Edit'} <Key k="e" />
          </Button>
        )}
        {onTakeOver && a.can.take_over && (
          <Button onClick={onTakeOver}>
            Take over <Key k="t" />
          </Button>
        )}
      </div>
      {a.can.why && !(a.can.approve && a.can.deny) && <p className={css.why}>{a.can.why}</p>}
    </div>
  );
}

const Key = ({ k }: { k: string }) => (
  <span className={css.key} aria-hidden="true">
    <Keys keys={k} />
  </span>
);
