import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode, type RefObject } from 'react';
import { RegisterDialog } from '../agents/RegisterDialog';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Approval, Proposal, Tool, UnknownAgent } from '../api/types';
import { Answer, type Mode } from '../approvals/Answer';
import { useAnswer } from '../approvals/data';
import { Clock, Consequence, Fields, OpenArguments, Quorum } from '../approvals/Parts';
import { Badge, Icon, Keys, pickView, plural, ProblemNote, Shown, Time } from '../shared';
import css from './inbox.module.css';

/** Hands are what the keys do to the row that is active. */
export interface Hands {
  a?: () => void;
  d?: () => void;
  e?: () => void;
  enter?: () => void;
}

// Longer arguments are opened on the page of their approval.
const mostInline = 600;

export interface RowProps {
  active: boolean;
  onActive: () => void;
  hands: RefObject<Hands | null> | undefined;
}

/** useHands gives the keys to the active row. */
export function useHands(row: RowProps, mine: Hands) {
  useEffect(() => {
    if (row.hands) row.hands.current = mine;
  });
}

export const Key = ({ k, on }: { k: string; on: boolean }) =>
  on ? (
    <span className={css.key} aria-hidden="true">
      <Keys keys={k} />
    </span>
  ) : null;

export function Row({ id, row, head, meta, actions, children, lead }: { id: string; row: RowProps; lead?: ReactNode; head: ReactNode; meta: ReactNode; actions: ReactNode; children?: ReactNode }) {
  return (
    <li className={css.row} data-item={id} data-active={row.active || undefined} aria-current={row.active || undefined} onClick={row.onActive} onFocus={row.onActive}>
      {lead}
      <div className={css.words}>
        <strong>{head}</strong>
        <div className="muted">{meta}</div>
      </div>
      <div className={css.acts}>{actions}</div>
      {children && <div className={css.more}>{children}</div>}
    </li>
  );
}

/** ApprovalRow is a held action: its arguments open in place, and then it can be approved. */
export function ApprovalRow({ a, ...row }: { a: Approval } & RowProps) {
  const navigate = useNavigate();
  const answer = useAnswer(a.id);
  const [openRow, setOpenRow] = useState(false);
  const [mode, setMode] = useState<Mode>();
  const path = { to: '/approvals/$id' as never, params: { id: a.id } as never, search: pickView as never };
  const open = () => {
    row.onActive();
    // What is too long for a list is seen on its own page.
    if (!a.arguments || a.arguments.bytes > mostInline || a.arguments.more > 0) return void navigate(path);
    if (!openRow) answer.mutate({ verdict: 'opened' });
    setOpenRow(true);
  };
  useHands(row, {
    a: () => (openRow ? a.can.approve && setMode('approve') : open()),
    d: () => a.can.deny && setMode('deny'),
    e: () => void navigate(path),
    enter: () => (openRow ? void navigate(path) : open()),
  });
  return (
    <Row
      id={a.id}
      row={row}
      lead={<Clock a={a} size={30} />}
      head={
        <Link {...path} className={css.title}>
          {a.words}
        </Link>
      }
      meta={
        <>
          {a.agent} of {a.team} in {a.environment}
          {a.user && `, for ${a.user}`}: {a.reasons?.[0]?.text ?? 'a policy holds it'}, <Time at={a.created_at} />
          {a.asked > 1 && `, asked ${plural(a.asked, 'time')}`}
        </>
      }
      actions={
        !openRow && !mode ? (
          <>
            <Button size="compact-sm" disabled={!a.can.deny} onClick={() => setMode('deny')}>
              Deny <Key k="d" on={row.active} />
            </Button>
            <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={open}>
              Open <Key k="enter" on={row.active} />
            </Button>
          </>
        ) : null
      }
    >
      {(openRow || mode) && (
        <div className={css.inline}>
          {openRow ? (
            <>
              <Consequence a={a} />
              {a.arguments && (a.arguments.fields.length > 0 ? <Fields fields={a.arguments.fields} origins={a.arguments.origins} /> : <Shown text={a.arguments.whole} />)}
              <Quorum a={a} />
            </>
          ) : (
            <OpenArguments size={a.arguments?.bytes ?? 0} onOpen={open} />
          )}
          <Answer a={a} mode={mode} setMode={setMode} answer={answer} locked={!openRow} compact />
          <Link {...path} className="link">
            The run so far, the like of it, edit and take over
          </Link>
        </div>
      )}
    </Row>
  );
}

/** ProposalRow is a change that needs two people: this is the second, or who asked. */
export function ProposalRow({ p, ...row }: { p: Proposal } & RowProps) {
  const client = useQueryClient();
  const settle = useMutation({
    mutationFn: (how: 'confirm' | 'decline' | 'withdraw') => api.post<Proposal>(`/proposals/${p.id}/${how}`),
    onSettled: () => {
      for (const key of ['proposals', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const [open, setOpen] = useState(false);
  useHands(row, { a: () => !p.mine && open && settle.mutate('confirm'), d: () => settle.mutate(p.mine ? 'withdraw' : 'decline'), enter: () => setOpen(!open) });
  return (
    <Row
      id={p.id}
      row={row}
      head={p.summary}
      meta={
        <>
          asked by {p.mine ? 'you' : p.by} <Time at={p.created_at} />, until <Time at={p.expires_at} />
          {p.reason && <>: {p.reason}</>}
        </>
      }
      actions={
        p.mine ? (
          <Button size="compact-sm" loading={settle.isPending} onClick={() => settle.mutate('withdraw')}>
            Withdraw <Key k="d" on={row.active} />
          </Button>
        ) : (
          <>
            <Button size="compact-sm" loading={settle.isPending} onClick={() => settle.mutate('decline')}>
              Decline <Key k="d" on={row.active} />
            </Button>
            <Button size="compact-sm" variant="filled" disabled={!open} title={open ? undefined : 'See what will be done first'} loading={settle.isPending} onClick={() => settle.mutate('confirm')}>
              Confirm <Key k="a" on={row.active} />
            </Button>
          </>
        )
      }
    >
      <ProblemNote error={settle.error} />
      <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>What will be done</summary>
        <pre className={css.raw}>{`${p.operation} ${p.path}\n${JSON.stringify(p.request, null, 2)}`}</pre>
      </details>
    </Row>
  );
}

/** ToolRow is a tool whose definition waits for a person. */
export function ToolRow({ t, ...row }: { t: Tool } & RowProps) {
  const navigate = useNavigate();
  const path = { to: '/tools' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), tool: `${t.upstream}/${t.name}` })) as never };
  useHands(row, { a: () => void navigate(path), enter: () => void navigate(path) });
  const serious = (t.findings ?? []).filter((f) => f.serious);
  return (
    <Row
      id={`${t.upstream}/${t.name}`}
      row={row}
      head={
        <>
          {t.name} of {t.upstream}
        </>
      }
      meta={
        <>
          {t.reason || (t.findings ?? []).map((f) => f.text).join('; ') || 'it waits for a person'}, <Time at={t.changed_at} /> {serious.length > 0 && <Badge tone="bad">{plural(serious.length, 'serious finding')}</Badge>}
        </>
      }
      actions={
        <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={() => void navigate(path)}>
          See the difference <Key k="enter" on={row.active} />
        </Button>
      }
    />
  );
}

/** AgentRow is an agent that was seen and that nobody registered: registered or blocked with one press, and undone with another. */
export function AgentRow({ u, onDecided, ...row }: { u: UnknownAgent; onDecided: (d: { id: string; name: string; what: string }) => void } & RowProps) {
  const client = useQueryClient();
  const may = useMay('RegisterUnknownAgent');
  const mayBlock = useMay('BlockUnknownAgent');
  const [more, setMore] = useState(false);
  const act = useMutation({
    mutationFn: ({ how, body }: { how: string; body: object }) => api.post(`/unknown-agents/${u.id}/${how}`, body),
    onSuccess: (_r, { how }) => onDecided({ id: u.id, name: u.name, what: { register: 'registered as a pilot in observe', block: 'blocked', merge: 'merged', dismiss: 'dismissed' }[how] ?? how }),
    onSettled: () => {
      for (const key of ['agents', 'unknown-agents', 'overview', 'stops']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  // Without a team or a name that is free it takes more than one press.
  const register = () => (u.team && u.name ? act.mutate({ how: 'register', body: {} }) : setMore(true));
  const block = () => act.mutate({ how: 'block', body: { reason: 'nobody answers for it' } });
  useHands(row, { a: () => may && register(), d: () => mayBlock && block(), e: () => may && setMore(true), enter: () => may && setMore(true) });
  return (
    <Row
      id={u.id}
      row={row}
      lead={<Icon name="agents" className={css.lead} />}
      head={u.name || 'no name given'}
      meta={
        <>
          {[u.team, u.environment].filter(Boolean).join(', ') || 'no team'}: {u.why}. Seen {plural(u.seen, 'time')} {u.where === 'both' ? 'at the door and in telemetry' : u.where === 'door' ? 'at the door' : 'in telemetry'}, first <Time at={u.first_seen} />
          {u.run_id && (
            <>
              ,{' '}
              <Link className="link" to={'/runs/$id' as never} params={{ id: u.run_id } as never}>
                first evidence
              </Link>
            </>
          )}
          <ProblemNote error={act.error} />
        </>
      }
      actions={
        <>
          {(u.candidates ?? []).slice(0, 2).map((c) => (
            <Button key={c} size="compact-sm" disabled={!may} onClick={() => act.mutate({ how: 'merge', body: { into: c, reason: 'the same agent' } })}>
              It is {c}
            </Button>
          ))}
          <Button size="compact-sm" disabled={!may} onClick={() => act.mutate({ how: 'dismiss', body: { reason: 'not an agent of ours' } })}>
            Dismiss
          </Button>
          {mayBlock && (
            <Button size="compact-sm" loading={act.isPending && act.variables.how === 'block'} onClick={block}>
              Block <Key k="d" on={row.active} />
            </Button>
          )}
          <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} disabled={!may} loading={act.isPending && act.variables.how === 'register'} onClick={register} title="A supervised pilot in observe, with you as its owner. More can be said with e">
            Register <Key k="a" on={row.active} />
          </Button>
        </>
      }
    >
      {more && <RegisterDialog found={u} onClose={() => setMore(false)} onDone={() => setMore(false)} />}
    </Row>
  );
}
