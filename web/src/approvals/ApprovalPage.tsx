import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { Approval, List } from '../api/types';
import type { LightStep } from '../run/data';
import { Kind } from '../run/Kind';
import { FormDialog } from '../settings/parts';
import { Badge, bytes, duration, Mark, PageHeader, Panel, pickView, plural, ProblemNote, Shown, Time, useShortcuts } from '../shared';
import { Answer, type Mode } from './Answer';
import css from './approvals.module.css';
import { editOf, open, states, useAnswer, useApproval } from './data';
import { Clock, Consequence, Fields, OpenArguments, OriginLegend, Quorum, Similar } from './Parts';

// What is longer than this is folded, and has to be opened before it is agreed to.
const foldAt = 1500;

/** ApprovalPage: may this happen? All that a person needs to say yes or no, on one page that works on a telephone. */
export function ApprovalPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const q = useApproval(id);
  const a = q.data;
  return (
    <div className={css.page}>
      <PageHeader
        title={a?.words ?? 'Approval'}
        answer={
          a && (
            <>
              <Mark {...(states[a.state] ?? states.unknown!)} words /> <span className="muted">May this happen?</span> <Who a={a} />
            </>
          )
        }
        actions={a && open(a) && a.state !== 'executing' && <Clock a={a} />}
      />
      <ProblemNote error={q.error} retry={() => void q.refetch()} />
      {a && <Body key={a.id} a={a} />}
    </div>
  );
}

function Who({ a }: { a: Approval }) {
  return (
    <>
      <Link className="link" to={'/agents/$name' as never} params={{ name: a.agent } as never} search={pickView as never}>
        {a.agent}
      </Link>{' '}
      of {a.team} in {a.environment}
      {a.owner && `, whose owner is ${a.owner}`}
      {a.user && `, for ${a.user}`}
      {(a.chain ?? []).length > 0 && `, acting for ${a.chain.join(' for ')}`}. Asked <Time at={a.created_at} />
      {a.asked > 1 && `, ${plural(a.asked, 'time')}`}
      {a.state === 'pending' && '; when nobody answers, it is denied'}.
    </>
  );
}

function Body({ a }: { a: Approval }) {
  const answer = useAnswer(a.id);
  const long = (a.arguments?.bytes ?? 0) > foldAt || a.can.unopened;
  const [opened, setOpened] = useState(!long);
  const [mode, setMode] = useState<Mode>();
  const [editing, setEditing] = useState(false);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [taking, setTaking] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const told = useRef(false);
  const waits = a.state === 'pending';
  // That it was opened is noted once, when the arguments are really shown.
  useEffect(() => {
    if (!opened || told.current || !waits || !a.arguments) return;
    told.current = true;
    answer.mutate({ verdict: 'opened' });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [opened, waits, a.arguments]);

  const edits = useMemo(() => {
    const out: { path: string; value: unknown }[] = [];
    for (const f of a.arguments?.fields ?? []) {
      const t = typed[f.path];
      if (t === undefined) continue;
      const value = editOf(f.kind, t);
      if (value === undefined) return undefined;
      out.push({ path: f.path, value });
    }
    return out;
  }, [typed, a.arguments]);
  const unfold = () => {
    setOpened(true);
    requestAnimationFrame(() => {
      box.current?.focus({ preventScroll: true });
      box.current?.scrollIntoView({ block: 'nearest' });
    });
  };
  const edit = () => {
    setTyped({});
    setEditing(!editing);
    setOpened(true);
  };
  // At once, not in a timer: whoever has begun to type elsewhere keeps their place.
  useLayoutEffect(() => {
    if (editing) box.current?.querySelector<HTMLElement>('[data-first]')?.focus();
  }, [editing]);
  useShortcuts(
    'Approval',
    waits
      ? [
          { keys: 'a', label: 'Approve', run: () => (!opened ? unfold() : a.can.approve && setMode('approve')) },
          { keys: 'd', label: 'Deny', run: () => a.can.deny && setMode('deny') },
          { keys: 'e', label: 'Edit the arguments', run: () => a.can.edit && edit() },
          { keys: 't', label: 'Take over', run: () => a.can.take_over && setTaking(true) },
          { keys: 'o', label: 'Open the arguments', run: unfold },
        ]
      : [],
  );
  const shown = a.arguments;
  return (
    <>
      <div className={css.columns}>
        <div className={css.column}>
          <Panel title={open(a) ? 'What will happen' : a.state === 'done' ? 'What happened' : 'What was asked for'} padded>
            <Consequence a={a} />
            {a.agent_words && (
              <figure className={css.quote}>
                <blockquote>
                  <Shown text={a.agent_words} mono={false} />
                </blockquote>
                <figcaption>so says the agent; nobody checked it</figcaption>
              </figure>
            )}
          </Panel>
          <Panel title="Arguments" note={shown && `${plural(shown.fields.length + shown.more, 'value')}, ${bytes(shown.bytes)}`} padded>
            <div ref={box} tabIndex={-1} className={css.arguments} role="region" aria-label="The arguments">
              {!shown ? (
                <p className="muted">Seeing them needs the role reader, or being asked to agree.</p>
              ) : !opened ? (
                <OpenArguments size={shown.bytes} onOpen={unfold} />
              ) : (
                <>
                  {shown.fields.some((f) => (f.origin ?? []).length > 0) && (
                    <p className={css.legend}>
                      Where each value comes from: <OriginLegend />
                    </p>
                  )}
                  {shown.edited && (
                    <p>
                      <Badge tone="accent">changed by a person</Badge> What was asked for is struck out.
                    </p>
                  )}
                  {shown.fields.length > 0 ? <Fields fields={shown.fields} origins={shown.origins} edits={editing ? typed : undefined} onEdit={editing ? (path, text) => setTyped((old) => { const next = { ...old }; if (text === undefined) delete next[path]; else next[path] = text; return next; }) : undefined} /> : shown.whole && <Shown text={shown.whole} />}
                  {editing && edits === undefined && <p className={css.why} role="alert">One of the values is not of the kind that it was. A number needs at most 15 digits.</p>}
                  {shown.more > 0 && <p className="muted">and {plural(shown.more, 'more value')} in the whole text</p>}
                  {shown.fields.length > 0 && shown.whole && (
                    <details className={css.raw}>
                      <summary>Raw, as it will be sent ({bytes(shown.whole.bytes)})</summary>
                      <Shown text={shown.whole} />
                    </details>
                  )}
                  <p className={css.hash}>
                    bound to <code title={shown.hash}>{shown.hash.slice(0, 24)}</code>: with other arguments it is refused
                  </p>
                </>
              )}
            </div>
          </Panel>
          {a.run_id && <SoFar run={a.run_id} />}
        </div>
        <div className={css.column}>
          {waits && (
            <div className={css.desk}>
              <Panel title="Your answer" padded>
                <Answer a={a} mode={mode} setMode={setMode} answer={answer} locked={!opened} onUnlock={unfold} onEdit={edit} editing={editing} edits={edits} onTakeOver={() => setTaking(true)} />
              </Panel>
            </div>
          )}
          {!waits && (
            <Panel title="How it was answered" padded>
              <p>
                <Mark {...(states[a.state] ?? states.unknown!)} words /> {a.decided_at && <Time at={a.decided_at} as="day" />} {a.reason && `: ${a.reason}`}
              </p>
              {a.code && <code>{a.code}</code>}
              {a.used_by && (
                <p>
                  <Link className="link" to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', decision: a.used_by })) as never}>
                    the decision under which it was forwarded
                  </Link>
                </p>
              )}
            </Panel>
          )}
          {a.takeover && (
            <Panel title="The run is in a person's hands" padded>
              <p>
                {a.takeover.person} has it since <Time at={a.takeover.at} />; its further calls are held until <Time at={a.takeover.until} as="clock" />.
              </p>
              {a.can.give_back && (
                <Button loading={answer.isPending} onClick={() => answer.mutate({ verdict: 'give-back' })}>
                  Give it back
                </Button>
              )}
            </Panel>
          )}
          <Panel title="Who must agree" padded>
            <Quorum a={a} />
          </Panel>
          <Panel title="Why it waits" padded>
            <ul className={css.reasons}>
              {(a.reasons ?? []).map((r) => (
                <li key={r.code + r.text}>
                  {r.text} <code>{r.code}</code>
                </li>
              ))}
            </ul>
            {(a.statements ?? []).map((s) => (
              <div key={s.policy + s.statement}>
                <Link className="link" to={'/policies' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), policy: s.policy })) as never}>
                  {s.policy}
                </Link>{' '}
                / {s.statement}
              </div>
            ))}
            <Link className="link" to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', decision: a.decision_id })) as never}>
              the decision that holds it
            </Link>
          </Panel>
          <Panel title="The like of it" padded>
            <Similar all={a.similar ?? []} />
          </Panel>
        </div>
      </div>
      {taking && <TakeOver a={a} answer={answer} onClose={() => setTaking(false)} />}
    </>
  );
}

/** TakeOver: the person does it, or gives the result that the agent gets. */
function TakeOver({ a, answer, onClose }: { a: Approval; answer: ReturnType<typeof useAnswer>; onClose: () => void }) {
  const [text, setText] = useState('');
  const [goOn, setGoOn] = useState(false);
  const [reason, setReason] = useState('');
  return (
    <FormDialog title="Take over" submit="Take over" pending={answer.isPending} error={answer.error} onClose={onClose} size={560} onSubmit={() => answer.mutate({ verdict: 'takeover', body: { answer: text.trim() ? { body: text } : undefined, let_go_on: goOn || undefined, reason: reason.trim() || undefined } }, { onSuccess: onClose })}>
      <p>You do it yourself instead of {a.agent}. What you write here is the result that it gets; without it, its call is refused.</p>
      <Textarea label="Result" description="What the agent is told: text, or JSON as its tool answers" autosize minRows={3} maxRows={10} data-autofocus value={text} onChange={(e) => setText(e.currentTarget.value)} />
      <Checkbox label="Let the run go on by itself afterwards" description="Else its further calls are held until you give it back" checked={goOn} onChange={(e) => setGoOn(e.currentTarget.checked)} />
      <TextInput label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

/** SoFar is what the run has done until now, the newest last. */
function SoFar({ run }: { run: string }) {
  const q = useQuery({ queryKey: ['run', run, 'so-far'], queryFn: ({ signal }) => api.get<List<LightStep>>(`/runs/${encodeURIComponent(run)}/steps`, { limit: 200 }, signal), retry: 1, meta: { live: true } });
  const all = q.data?.items ?? [];
  const shown = all.slice(-14);
  return (
    <Panel
      title="The run so far"
      note={q.isSuccess ? plural(all.length, 'step') : undefined}
      actions={
        <Link className="link" to={'/runs/$id' as never} params={{ id: run } as never} search={pickView as never}>
          Open the run
        </Link>
      }
    >
      {q.isError || (q.isSuccess && all.length === 0) ? (
        <p className="muted" style={{ padding: '8px 12px' }}>
          Nothing of it was recorded yet.
        </p>
      ) : (
        <ol className={css.steps}>
          {all.length > shown.length && <li className="muted">{plural(all.length - shown.length, 'step')} before</li>}
          {shown.map((s) => (
            <li key={s.id} data-error={s.status === 'error' || undefined}>
              <Kind kind={s.kind} />
              <span className="grow truncate">{s.name || s.kind}</span>
              {s.status === 'error' && <Badge tone="bad">{s.error?.type || 'error'}</Badge>}
              <span className="muted num">{s.status === 'running' ? 'running' : duration(s.duration_ms)}</span>
              <Time at={Number(BigInt(s.start_ns) / 1_000_000n)} as="seconds" />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
