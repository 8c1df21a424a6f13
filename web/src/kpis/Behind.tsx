import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import '../theme/forms';
import { api } from '../api/client';
import type { KPIRecord, List } from '../api/types';
import { Badge, Empty, KeyedTable, Panel, pickView, plural, ProblemNote, Time, Unknown } from '../shared';
import { visible } from '../tools/data';

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;
const named: Record<string, string> = { feedback: 'What they said', session: 'The session', evaluation: 'The evaluation', case: 'The case' };

/** where is the page of a record itself. */
export function where(x: Pick<KPIRecord, 'kind' | 'id' | 'dataset'>): { to: string; params?: Record<string, string>; search: Record<string, unknown> } {
  switch (x.kind) {
    case 'feedback':
      return { to: '/feedback', search: { feedback: x.id } };
    case 'session':
      return { to: '/sessions/$id', params: { id: x.id }, search: {} };
    case 'case':
      return { to: '/evaluations', search: { part: 'datasets', dataset: x.dataset, item: x.id } };
  }
  return { to: '/evaluations', search: { show: 'all', picked: x.id } };
}

/** Behind lists the records of a figure that no search finds: feedback, sessions, evaluations, cases. */
export function Behind({ id, scope, by, group, hits, onClose }: { id: string; scope: Record<string, string | undefined>; by?: string | undefined; group?: string | undefined; hits: boolean; onClose: () => void }) {
  const list = useInfiniteQuery({
    queryKey: ['kpi', id, 'records', scope, by, group, hits],
    queryFn: ({ signal, pageParam }) => api.get<List<KPIRecord>>(`/kpis/${id}/records`, { ...scope, by, group: group || undefined, hits: hits || undefined, limit: 50, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    retry: false,
  });
  const rows = list.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <Panel title="The records behind it" note={[hits && 'those that count', by && `of ${by} ${visible(group ?? '') || 'none'}`].filter(Boolean).join(', ')} actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={list.error} retry={() => void list.refetch()} />
      <KeyedTable
        label="The records behind it"
        rows={rows}
        rowKey={(x) => `${x.kind} ${x.team} ${x.environment} ${x.id}`}
        empty={list.isSuccess && <Empty small title="No record of this period is behind it.">Choose a longer period.</Empty>}
        fields={[
          { head: 'When', cell: (x) => <Time at={x.at} /> },
          {
            head: 'Record',
            cell: (x) => {
              const to = where(x);
              return (
                <Link className="link" to={to.to as never} params={to.params as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), ...to.search })) as never}>
                  {named[x.kind] ?? x.kind}
                </Link>
              );
            },
          },
          { head: 'Says', cell: (x) => <Badge>{visible(x.says)}</Badge> },
          { head: 'Value', num: true, cell: (x) => (typeof x.value === 'number' ? x.value.toFixed(2) : <Unknown why="It has no number." />) },
          { head: 'Agent', cell: (x) => visible(x.agent) || <Unknown why="It names no agent." /> },
          { head: 'Run', cell: (x) => (x.run ? <Link className="link" to={'/runs/$id' as never} params={{ id: x.run } as never} search={keep}>Its run</Link> : '') },
        ]}
      />
      {list.hasNextPage && (
        <p>
          {plural(rows.length, 'record')} shown. <Button size="compact-xs" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show more</Button>
        </p>
      )}
    </Panel>
  );
}
