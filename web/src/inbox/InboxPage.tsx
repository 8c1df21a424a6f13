import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useUnknownAgents } from '../agents/UnknownAgents';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Approval, List, Proposal, Tool, UnknownAgent } from '../api/types';
import { useApprovals } from '../approvals/data';
import type { Incident } from '../incidents/data';
import { count, Empty, PageBody, PageHeader, Panel, plural, ProblemNote, Tabs, useShortcuts } from '../shared';
import { useView } from '../state/url';
import { Answered } from './Answered';
import css from './inbox.module.css';
import { byDeadline, FindingRow, IncidentRow, useTrouble, type Finding, type Page } from './Trouble';
import { TrustRow, type Trust } from './Trust';
import { AgentRow, ApprovalRow, ProposalRow, ToolRow, type Hands } from './Rows';

/** Item is one thing that waits for this person. */
export type Item = { kind: 'approval'; id: string; a: Approval } | { kind: 'proposal'; id: string; p: Proposal } | { kind: 'tool'; id: string; t: Tool } | { kind: 'agent'; id: string; u: UnknownAgent } | { kind: 'incident'; id: string; i: Incident; page?: Page } | { kind: 'finding'; id: string; f: Finding } | { kind: 'trust'; id: string; p: Trust };

const few = 8;

/** InboxPage: what waits for this person, by deadline, each decided in place. */
export function InboxPage() {
  const view = useView();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { show = 'waits' } = useSearch({ strict: false }) as { show?: string };
  const mayApprovals = useMay('ListApprovals');
  const approvals = useApprovals();
  const proposals = useQuery({ queryKey: ['proposals'], queryFn: ({ signal }) => api.get<List<Proposal>>('/proposals', { open: true }, signal), refetchInterval: 15_000 });
  const tools = useQuery({ queryKey: ['inbox-tools'], queryFn: ({ signal }) => api.get<List<Tool>>('/tools', { state: 'held', limit: 200 }, signal), refetchInterval: 15_000, retry: false });
  const unknown = useUnknownAgents();
  const trust = useQuery({ queryKey: ['objective-proposals'], queryFn: ({ signal }) => api.get<List<Trust>>('/objective-proposals', { state: 'open' }, signal), refetchInterval: 30_000, retry: false });
  const trouble = useTrouble();
  const [allAgents, setAllAgents] = useState(false);
  const [at, setAt] = useState<string>();
  const [undo, setUndo] = useState<{ id: string; name: string; what: string }>();
  const hands = useRef<Hands | null>(null);

  const found = useMemo(() => (unknown.data?.items ?? []).filter((u) => (!view.team || u.team === view.team) && (!view.env || u.environment === view.env)), [unknown.data, view.team, view.env]);
  const items = useMemo<Item[]>(() => {
    const mine = (a: { team?: string; environment?: string }) => (!view.team || a.team === view.team) && (!view.env || a.environment === view.env);
    return [
      ...(approvals.data ?? []).filter(mine).map((a): Item => ({ kind: 'approval', id: a.id, a })),
      ...[...(proposals.data?.items ?? [])].sort((x, y) => Date.parse(x.expires_at) - Date.parse(y.expires_at)).map((p): Item => ({ kind: 'proposal', id: p.id, p })),
      ...byDeadline((trouble.incidents.data ?? []).filter(mine), trouble.pages.data ?? []).map((x): Item => ({ kind: 'incident', id: x.i.id, ...x })),
      ...(trust.data?.items ?? []).filter(mine).map((p): Item => ({ kind: 'trust', id: p.id, p })),
      ...(tools.data?.items ?? []).map((t): Item => ({ kind: 'tool', id: `${t.upstream}/${t.name}`, t })),
      ...(trouble.findings.data ?? []).filter(mine).slice(0, few).map((f): Item => ({ kind: 'finding', id: f.id, f })),
      ...(allAgents ? found : found.slice(0, few)).map((u): Item => ({ kind: 'agent', id: u.id, u })),
    ];
  }, [approvals.data, proposals.data, tools.data, trust.data, trouble.incidents.data, trouble.pages.data, trouble.findings.data, found, allAgents, view.team, view.env]);
  const index = Math.max(0, items.findIndex((i) => i.id === at));
  const active = items[index];
  useEffect(() => {
    // What was decided is gone: the next one takes its place.
    if (at && !items.some((i) => i.id === at)) setAt(undefined);
  }, [items, at]);

  const move = (to: number) => {
    const next = items[Math.max(0, Math.min(items.length - 1, to))];
    if (!next) return;
    setAt(next.id);
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

  const n = { approval: approvals.data?.length ?? 0, proposal: proposals.data?.items.length ?? 0, tool: tools.data?.items.length ?? 0, agent: found.length, incident: items.filter((x) => x.kind === 'incident').length, finding: items.filter((x) => x.kind === 'finding').length, trust: items.filter((x) => x.kind === 'trust').length };
  const known = unknown.isSuccess && proposals.isSuccess && (approvals.isSuccess || !mayApprovals);
  const total = n.incident + n.approval + n.proposal + n.trust + n.tool + n.finding + n.agent;
  const words = [n.incident > 0 && `${plural(n.incident, 'incident')} nobody has`, n.finding > 0 && `${plural(n.finding, 'finding')} nobody judged`, n.approval > 0 && plural(n.approval, 'held action'), n.proposal > 0 && `${plural(n.proposal, 'change')} for a second person`, n.trust > 0 && plural(n.trust, 'proposed change') + ' of autonomy', n.tool > 0 && plural(n.tool, 'changed tool'), n.agent > 0 && `${plural(n.agent, 'agent')} nobody registered`].filter(Boolean);
  const group = (kind: Item['kind'], title: string, note: string, actions?: React.ReactNode) => {
    const mine = items.filter((i) => i.kind === kind);
    if (mine.length === 0) return null;
    return (
      <Panel title={title} note={note} actions={actions}>
        <ul className={css.list}>
          {mine.map((i) => {
            const row = { active: i.id === active?.id, onActive: () => setAt(i.id), hands: i.id === active?.id ? hands : undefined };
            return i.kind === 'incident' ? (
              <IncidentRow key={i.id} i={i.i} page={i.page} {...row} />
            ) : i.kind === 'finding' ? (
              <FindingRow key={i.id} f={i.f} {...row} />
            ) : i.kind === 'approval' ? (
              <ApprovalRow key={i.id} a={i.a} {...row} />
            ) : i.kind === 'proposal' ? (
              <ProposalRow key={i.id} p={i.p} {...row} />
            ) : i.kind === 'trust' ? (
              <TrustRow key={i.id} p={i.p} {...row} />
            ) : i.kind === 'tool' ? (
              <ToolRow key={i.id} t={i.t} {...row} />
            ) : (
              <AgentRow key={i.id} u={i.u} onDecided={setUndo} {...row} />
            );
          })}
        </ul>
      </Panel>
    );
  };
  return (
    <>
      <PageHeader title="Inbox" question="What waits for me?" answer={known && (total === 0 ? 'Nothing waits for you.' : `${sentence(words as string[])}.${n.approval + n.proposal > 1 ? ' The nearest deadline first.' : ''}`)} />
      <PageBody width={1360}>
        <Tabs tabs={[{ id: 'waits', label: 'Waits', n: total }, { id: 'answered', label: 'How approvals are answered' }]} on={show} onPick={(id) => void navigate({ to: '.', search: ((old: object) => ({ ...old, show: id === 'waits' ? undefined : id })) as never, replace: true })} />
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
            {group('approval', 'Held actions', 'when nobody answers, they are denied')}
            {group('proposal', 'Needs a second person', plural(n.proposal, 'change'))}
            {group('incident', 'Incidents that nobody has', 'whose next call comes soonest first')}
            {group('trust', 'Proposed autonomy', 'what the budgets of objectives speak for')}
            {group('tool', 'Changed tools', 'held until a person accepts the difference')}
            {group('finding', 'Findings that nobody judged', 'useful and noise both teach their detectors')}
            {group(
              'agent',
              'Agents that nobody registered',
              plural(n.agent, 'agent'),
              <>
                {found.length > few && (
                  <Button size="compact-xs" onClick={() => setAllAgents(!allAgents)}>
                    {allAgents ? 'Show fewer' : `Show all ${count(found.length)}`}
                  </Button>
                )}
                {mayAdopt && found.length > 1 && (
                  <Button size="compact-xs" loading={adopt.isPending} onClick={() => adopt.mutate()} title="Each becomes a supervised pilot in observe: nothing is refused, all is recorded">
                    Adopt all in observe
                  </Button>
                )}
              </>,
            )}
            {known && total === 0 && (
              <Panel>
                <Empty title="Nothing waits for you.">Incidents that nobody has, findings that nobody judged, actions that a policy holds, changes that need two people, tools whose definition changed and agents that nobody registered come here, each with a button that decides it.</Empty>
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
