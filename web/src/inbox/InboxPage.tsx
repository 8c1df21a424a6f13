import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useUnknownAgents } from '../agents/UnknownAgents';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Approval, List, Proposal, Response, Tool, UnknownAgent } from '../api/types';
import { useApprovals } from '../approvals/data';
import type { Incident } from '../incidents/data';
import { count, Empty, PageBody, PageHeader, Panel, ProblemNote, Tabs, useShortcuts } from '../shared';
import { useView } from '../state/url';
import { BrakedRow, RunbookRow, TaskRow, until, useAfter, type Task, type Waiting } from './After';
import { Answered } from './Answered';
import css from './inbox.module.css';
import { byDeadline, FindingRow, IncidentRow, useTrouble, type Finding, type Page } from './Trouble';
import { TrustRow, type Trust } from './Trust';
import { AgentRow, ApprovalRow, ProposalRow, ToolRow, type Hands } from './Rows';

/** Item is one thing that waits for this person; until is when somebody has to have decided, undefined where nothing says so. */
export type Item = { id: string; until?: number } & (
  | { kind: 'approval'; a: Approval }
  | { kind: 'proposal'; p: Proposal }
  | { kind: 'incident'; i: Incident; page?: Page }
  | { kind: 'compensation' | 'action'; t: Task }
  | { kind: 'runbook'; r: Waiting }
  | { kind: 'braked'; x: Response }
  | { kind: 'trust'; p: Trust }
  | { kind: 'tool'; t: Tool }
  | { kind: 'finding'; f: Finding }
  | { kind: 'agent'; u: UnknownAgent }
);

/** kinds are what can wait, the most pressing first where two have no deadline. */
export const kinds: { id: Item['kind']; label: string; one: string; more?: string }[] = [
  { id: 'approval', label: 'Held actions', one: 'held action' },
  { id: 'proposal', label: 'Second person', one: 'change for a second person', more: 'changes for a second person' },
  { id: 'incident', label: 'Incidents', one: 'incident nobody has', more: 'incidents nobody has' },
  { id: 'braked', label: 'Held back', one: 'containment that the brake left', more: 'containments that the brake left' },
  { id: 'runbook', label: 'Runbooks', one: 'runbook to agree to', more: 'runbooks to agree to' },
  { id: 'compensation', label: 'To put right', one: 'thing to put right', more: 'things to put right' },
  { id: 'action', label: 'My actions', one: 'action of a review', more: 'actions of reviews' },
  { id: 'trust', label: 'Autonomy', one: 'proposed change of autonomy', more: 'proposed changes of autonomy' },
  { id: 'tool', label: 'Tools', one: 'changed tool' },
  { id: 'finding', label: 'Findings', one: 'finding nobody judged', more: 'findings nobody judged' },
  { id: 'agent', label: 'Agents', one: 'agent nobody registered', more: 'agents nobody registered' },
];

/** soonest orders by deadline; what has none comes after, by kind and in the order it came. */
export function soonest(items: Item[]): Item[] {
  const rank = new Map(kinds.map((k, i) => [k.id, i]));
  return items.map((i, n) => ({ i, n })).sort((x, y) => (x.i.until ?? never) - (y.i.until ?? never) || (x.i.until === undefined && y.i.until === undefined ? rank.get(x.i.kind)! - rank.get(y.i.kind)! : 0) || x.n - y.n).map((x) => x.i);
}

const at = (t: string | null | undefined) => (t ? Date.parse(t) : undefined);

const never = Number.MAX_SAFE_INTEGER;

const few = 8;

/** InboxPage: what waits for this person, by deadline, each decided in place. */
export function InboxPage() {
  const view = useView();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { show = 'waits', kind: only = '' } = useSearch({ strict: false }) as { show?: string; kind?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const mayApprovals = useMay('ListApprovals');
  const approvals = useApprovals();
  const proposals = useQuery({ queryKey: ['proposals'], queryFn: ({ signal }) => api.get<List<Proposal>>('/proposals', { open: true }, signal), refetchInterval: 15_000 });
  const tools = useQuery({ queryKey: ['inbox-tools'], queryFn: ({ signal }) => api.get<List<Tool>>('/tools', { state: 'held', limit: 200 }, signal), refetchInterval: 15_000, retry: false });
  const unknown = useUnknownAgents();
  const trust = useQuery({ queryKey: ['objective-proposals'], queryFn: ({ signal }) => api.get<List<Trust>>('/objective-proposals', { state: 'open' }, signal), refetchInterval: 30_000, retry: false });
  const trouble = useTrouble();
  const [allAgents, setAllAgents] = useState(false);
  const after = useAfter();
  const [on, setOn] = useState<string>();
  const [undo, setUndo] = useState<{ id: string; name: string; what: string }>();
  const hands = useRef<Hands | null>(null);

  const found = useMemo(() => (unknown.data?.items ?? []).filter((u) => (!view.team || u.team === view.team) && (!view.env || u.environment === view.env)), [unknown.data, view.team, view.env]);
  const all = useMemo<Item[]>(() => {
    const mine = (a: { team?: string; environment?: string }) => (!view.team || a.team === view.team) && (!view.env || a.environment === view.env);
    return soonest([
      ...(approvals.data ?? []).filter(mine).map((a): Item => ({ kind: 'approval', id: a.id, until: at(a.expires_at), a })),
      ...(proposals.data?.items ?? []).map((p): Item => ({ kind: 'proposal', id: p.id, until: at(p.expires_at), p })),
      ...byDeadline((trouble.incidents.data ?? []).filter(mine), trouble.pages.data ?? []).map((x): Item => ({ kind: 'incident', id: x.i.id, until: at(x.page?.next_at), ...x })),
      ...(after.braked.data ?? []).filter(mine).map((x): Item => ({ kind: 'braked', id: x.id, until: until(x), x })),
      ...(after.runbooks.data ?? []).map((r): Item => ({ kind: 'runbook', id: r.id, r })),
      ...(after.compensations.data ?? []).map((t): Item => ({ kind: 'compensation', id: t.id, until: at(t.due_at), t })),
      ...(after.actions.data ?? []).map((t): Item => ({ kind: 'action', id: t.id, until: at(t.due_at), t })),
      ...(trust.data?.items ?? []).filter(mine).map((p): Item => ({ kind: 'trust', id: p.id, p })),
      ...(tools.data?.items ?? []).map((t): Item => ({ kind: 'tool', id: `${t.upstream}/${t.name}`, t })),
      ...(trouble.findings.data ?? []).filter(mine).slice(0, few).map((f): Item => ({ kind: 'finding', id: f.id, f })),
      ...(allAgents ? found : found.slice(0, few)).map((u): Item => ({ kind: 'agent', id: u.id, u })),
    ]);
  }, [approvals.data, proposals.data, tools.data, trust.data, trouble.incidents.data, trouble.pages.data, trouble.findings.data, after.braked.data, after.runbooks.data, after.compensations.data, after.actions.data, found, allAgents, view.team, view.env]);
  const items = useMemo(() => (only ? all.filter((i) => i.kind === only) : all), [all, only]);
  const index = Math.max(0, items.findIndex((i) => i.id === on));
  const active = items[index];
  useEffect(() => {
    // What was decided is gone: the next one takes its place.
    if (on && !items.some((i) => i.id === on)) setOn(undefined);
  }, [items, on]);

  const move = (to: number) => {
    const next = items[Math.max(0, Math.min(items.length - 1, to))];
    if (!next) return;
    setOn(next.id);
    requestAnimationFrame(() => document.querySelector(`[data-item="${CSS.escape(next.id)}"]`)?.scrollIntoView({ block: 'nearest' }));
  };
  useShortcuts('Inbox', [
    { keys: 'j', label: 'Next', run: () => move(index + 1) },
    { keys: 'k', label: 'The one before', run: () => move(index - 1) },
    { keys: 'down', label: 'Next', run: () => move(index + 1) },
    { keys: 'up', label: 'The one before', run: () => move(index - 1) },
    { keys: 'a', label: 'Approve, confirm, register', run: () => hands.current?.a?.() },
    { keys: 'd', label: 'Deny, decline, block', run: () => hands.current?.d?.() },
    { keys: 'e', label: 'Edit', run: () => hands.current?.e?.() },
    { keys: 'enter', label: 'Open', run: () => hands.current?.enter?.() },
    { keys: 'u', label: 'Undo what was decided last about an agent', run: () => undo && back.mutate(undo.id) },
  ]);

  const back = useMutation({
    mutationFn: (id: string) => api.post(`/unknown-agents/${id}/undo`, { reason: 'undone' }),
    onSuccess: () => setUndo(undefined),
    onSettled: () => {
      for (const key of ['agents', 'unknown-agents', 'overview', 'stops']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const mayAdopt = useMay('AdoptAgents');
  const adopt = useMutation({ mutationFn: () => api.post('/agents/adopt', { all: true, reason: 'adopted together' }), onSettled: () => void client.invalidateQueries({ queryKey: ['unknown-agents'] }) });

  const n = (kind: Item['kind']) => (kind === 'agent' ? found.length : all.filter((i) => i.kind === kind).length);
  const known = unknown.isSuccess && proposals.isSuccess && (approvals.isSuccess || !mayApprovals);
  const there = kinds.filter((k) => n(k.id) > 0 || k.id === only);
  const total = kinds.reduce((sum, k) => sum + n(k.id), 0);
  const words = there.filter((k) => n(k.id) > 0).map((k) => `${count(n(k.id))} ${n(k.id) === 1 ? k.one : (k.more ?? `${k.one}s`)}`);
  const row = (i: Item) => {
    const mine = { active: i.id === active?.id, onActive: () => setOn(i.id), hands: i.id === active?.id ? hands : undefined };
    switch (i.kind) {
      case 'incident':
        return <IncidentRow key={i.id} i={i.i} page={i.page} {...mine} />;
      case 'finding':
        return <FindingRow key={i.id} f={i.f} {...mine} />;
      case 'approval':
        return <ApprovalRow key={i.id} a={i.a} {...mine} />;
      case 'proposal':
        return <ProposalRow key={i.id} p={i.p} {...mine} />;
      case 'trust':
        return <TrustRow key={i.id} p={i.p} {...mine} />;
      case 'tool':
        return <ToolRow key={i.id} t={i.t} {...mine} />;
      case 'action':
      case 'compensation':
        return <TaskRow key={i.id} t={i.t} {...mine} />;
      case 'runbook':
        return <RunbookRow key={i.id} r={i.r} {...mine} />;
      case 'braked':
        return <BrakedRow key={i.id} x={i.x} {...mine} />;
      default:
        return <AgentRow key={i.id} u={i.u} onDecided={setUndo} {...mine} />;
    }
  };
  return (
    <>
      <PageHeader title="Inbox" question="What waits for me?" answer={known && (total === 0 ? 'Nothing waits for you.' : `${sentence(words)}.${all.filter((i) => i.until !== undefined).length > 1 ? ' The nearest deadline first.' : ''}`)} />
      <PageBody width={1360}>
        <Tabs tabs={[{ id: 'waits', label: 'Waits', n: total }, { id: 'answered', label: 'How approvals are answered' }]} on={show} onPick={(id) => set({ show: id === 'waits' ? undefined : id })} />
        <ProblemNote error={proposals.error ?? unknown.error ?? back.error ?? adopt.error} retry={() => void unknown.refetch()} />
        {show === 'answered' ? (
          <Answered />
        ) : (
          <>
            {undo && (
              <div className={css.undo} role="status">
                <span className="grow">
                  {undo.name || 'It'} was {undo.what}.
                </span>
                <Button size="compact-sm" loading={back.isPending} onClick={() => back.mutate(undo.id)}>
                  Undo
                </Button>
              </div>
            )}
            {there.length > 1 && <Tabs label="Only" tabs={[{ id: '', label: 'All' }, ...there.map((k) => ({ id: k.id, label: k.label, n: n(k.id) }))]} on={only} onPick={(id) => set({ kind: id || undefined })} />}
            {items.length > 0 && (
              <Panel
                title={kinds.find((k) => k.id === only)?.label ?? 'By deadline'}
                note={only === 'approval' ? 'when nobody answers, they are denied' : only === '' ? 'what has no deadline comes after' : undefined}
                actions={
                  (!only || only === 'agent') && (
                    <>
                      {found.length > few && (
                        <Button size="compact-xs" onClick={() => setAllAgents(!allAgents)}>
                          {allAgents ? 'Show fewer agents' : `Show all ${count(found.length)} agents`}
                        </Button>
                      )}
                      {mayAdopt && found.length > 1 && (
                        <Button size="compact-xs" loading={adopt.isPending} onClick={() => adopt.mutate()} title="Each becomes a supervised pilot in observe: nothing is refused, all is recorded">
                          Adopt all in observe
                        </Button>
                      )}
                    </>
                  )
                }
              >
                <ul className={css.list}>{items.map(row)}</ul>
              </Panel>
            )}
            {known && only !== '' && items.length === 0 && total > 0 && (
              <Panel>
                <Empty small title="Nothing of this kind waits for you." />
              </Panel>
            )}
            {known && total === 0 && (
              <Panel>
                <Empty title="Nothing waits for you.">Incidents that nobody has, findings that nobody judged, actions that a policy holds, changes that need two people, tools whose definition changed, containments that the brake left, runbooks and corrections that need your agreement, actions that you own and agents that nobody registered come here, each with a button that decides it.</Empty>
              </Panel>
            )}
          </>
        )}
      </PageBody>
    </>
  );
}

/** sentence joins parts as a sentence does: "a, b and c". */
export function sentence(parts: string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;
}
