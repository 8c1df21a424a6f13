import { Button, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { aggregate, useFollow } from '../api/queries';
import type { Cell, Decision, List } from '../api/types';
import { SaveAsRule } from '../findings/SaveAsRule';
import { Beside, type Column, count, Empty, KeyTable, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Time, useShortcuts, useWide } from '../shared';
import { useView } from '../state/url';
import css from './decisions.module.css';
import { DecisionPanel } from './DecisionPanel';
import { DecisionResult, Verdict } from './Verdict';

const columns: Column<Decision>[] = [
  { id: 'verdict', head: 'Verdict', width: 'minmax(150px, 1fr)', cell: (d) => <Verdict d={d} /> },
  { id: 'agent', head: 'Agent', width: 'minmax(130px, 1fr)', cell: (d) => <Link to={'/agents/$name' as never} params={{ name: d.agent } as never} search={pickView as never}>{d.agent}</Link> },
  { id: 'resource', head: 'Proposed', width: 'minmax(200px, 2fr)', cell: (d) => <span title={`${d.action} ${d.resource}`}>{d.resource}</span> },
  { id: 'effect', head: 'Effect', width: '90px', cell: (d) => d.effect || <span className="muted">unknown</span> },
  { id: 'reason', head: 'Reason', width: 'minmax(170px, 1.6fr)', cell: (d) => (d.reasons?.[0] ? <span title={d.reasons.map((r) => r.text).join('; ')}>{d.reasons[0].text}</span> : <span className="muted">permitted by {d.policies?.[0]?.statement ?? 'policy'}</span>) },
  { id: 'result', head: 'Ended', width: '110px', cell: (d) => <DecisionResult result={d.result} /> },
  { id: 'at', head: 'When', width: '102px', align: 'right', cell: (d) => <Time at={d.at} /> },
];

// Beside an opened decision what it says itself is left out.
const narrow = columns.filter((c) => !['effect', 'result', 'reason'].includes(c.id));

const filters: { id: string; label: string; params: Record<string, string>; where: string }[] = [
  { id: 'refused', label: 'Not allowed', params: { q: 'verdict:deny,hold' }, where: 'verdict:deny,hold' },
  { id: 'would', label: 'Would be refused', params: { q: 'enforced:false would:deny,hold' }, where: 'enforced:false would:deny,hold' },
  { id: 'trouble', label: 'Ended badly', params: { q: 'result:error,cut,timeout,unknown' }, where: 'result:error,cut,timeout,unknown' },
  { id: 'flight', label: 'In flight', params: { result: 'pending' }, where: 'result:pending' },
  { id: 'all', label: 'All', params: {}, where: '' },
];

/** countOf reads the one figure of an answer. */
const one = (rows: Cell[][] | undefined) => Number(rows?.[0]?.at(-1) ?? 0);

/** DecisionsPage: what was refused, held, or would have been; not-allowed first. */
export function DecisionsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { show = 'refused', q = '', decision } = useSearch({ strict: false }) as { show?: string; q?: string; decision?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const [text, setText] = useState(q);
  const wide = useWide(1500);
  const filter = filters.find((f) => f.id === show) ?? filters[0]!;
  const params = { ...filter.params, from: view.from, to: view.live ? undefined : view.to, team: view.team || undefined };
  const joined = [filter.params.q, view.env && `environment:${JSON.stringify(view.env)}`, q].filter(Boolean).join(' ');
  const follow = useFollow();
  const list = useInfiniteQuery({
    queryKey: ['decisions', params, joined],
    queryFn: ({ signal, pageParam }) => api.get<List<Decision>>('/decisions', { ...params, q: joined || undefined, limit: 200, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
    meta: { on: 'decisions' },
    // A call in flight ends without a notice of its own: look again while one is shown.
    refetchInterval: (s) => (!view.live ? false : s.state.data?.pages[0]?.items.some((d) => d.result === 'pending') ? 2000 : follow),
  });
  const base = { from: 'decisions' as const, start: view.from, end: view.live ? undefined : view.to };
  const scope = [view.env && `environment:${JSON.stringify(view.env)}`, view.team && `team:${JSON.stringify(view.team)}`].filter(Boolean).join(' ');
  const total = useQuery(aggregate({ ...base, where: scope || undefined }));
  const refused = useQuery(aggregate({ ...base, where: [scope, 'verdict:deny,hold'].filter(Boolean).join(' ') }));
  const would = useQuery(aggregate({ ...base, where: [scope, 'enforced:false would:deny,hold'].filter(Boolean).join(' ') }));
  const rows = list.data?.pages.flatMap((p) => p.items) ?? [];
  useShortcuts('Decisions', filters.map((f, i) => ({ keys: String(i + 1), label: `Show: ${f.label}`, run: () => set({ show: f.id }) })));
  const all = one(total.data?.rows as Cell[][] | undefined);
  return (
    <>
      <PageHeader
        title="Decisions"
        question="What was refused, held, or would have been?"
        answer={
          total.isSuccess &&
          (all === 0 ? (
            'Nothing was proposed at the door in this period.'
          ) : (
            <>
              {plural(all, 'action')} proposed, {count(one(refused.data?.rows as Cell[][] | undefined))} not allowed, {count(one(would.data?.rows as Cell[][] | undefined))} let through in observe that enforcing would have refused.
            </>
          ))
        }
      />
      <PageBody fill>
        <div className={css.bar}>
          <div role="group" aria-label="Show" style={{ display: 'contents' }}>
            {filters.map((f) => (
              <Button key={f.id} size="compact-sm" variant={filter.id === f.id ? 'filled' : 'default'} aria-pressed={filter.id === f.id} onClick={() => set({ show: f.id })}>
                {f.label}
              </Button>
            ))}
          </div>
          <span className="grow" />
          {filter.id !== 'flight' && <SaveAsRule table="decisions" search={[filter.where, view.env && `environment:${JSON.stringify(view.env)}`, q].filter(Boolean).join(' ')} figure="count" when="value > 10.0" window="1h" team={view.team || undefined} />}
          <form
            onSubmit={(e) => {
              e.preventDefault();
              set({ q: text.trim() || undefined });
            }}
          >
            <TextInput size="xs" aria-label="Search decisions" placeholder="agent:refund tool:orders.refund" value={text} onChange={(e) => setText(e.currentTarget.value)} />
          </form>
        </div>
        <ProblemNote error={list.error ?? total.error} retry={() => void list.refetch()} />
        <Beside
          label="The decision"
          side={
            decision && (
              <DecisionPanel id={decision} onClose={() => set({ decision: undefined })} />
            )
          }
        >
          <Panel>
            <KeyTable
              label="Decisions"
              columns={decision && !wide ? narrow : columns}
              rows={rows}
              rowKey={(d) => d.id}
              active={decision}
              onActive={(d) => decision && set({ decision: d.id })}
              onOpen={(d) => set({ decision: d.id })}
              onEnd={() => void (list.hasNextPage && !list.isFetchingNextPage && list.fetchNextPage())}
              height="calc(100dvh - 200px)"
              autoFocus
              empty={
                list.isSuccess && (
                  <Empty title={all === 0 ? 'No agent has called through the door in this period.' : 'No decision is like that in this period.'}>
                    {all === 0 ? 'Register an agent, make a key for it, name an upstream under Settings, and point its client at the door: the first call stands here before it is forwarded.' : 'Choose another filter or a longer period.'}
                  </Empty>
                )
              }
            />
          </Panel>
        </Beside>
      </PageBody>
    </>
  );
}
