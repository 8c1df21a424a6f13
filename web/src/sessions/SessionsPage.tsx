import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { api, Problem } from '../api/client';
import type { List, Session } from '../api/types';
import { Said } from '../run/Text';
import { usePageParams } from '../run/urlState';
import { ActivityTabs } from '../runs/ActivityTabs';
import { useFields } from '../runs/queries';
import css from '../runs/runs.module.css';
import { SearchBox } from '../runs/SearchBox';
import { count, duration, plural } from '../shared/format';
import { useShortcuts } from '../shared/keys';
import { type Column, KeyTable } from '../shared/KeyTable';
import { Empty, PageHeader, ProblemNote } from '../shared/Layout';
import { RunStatus } from '../shared/Marks';
import { Cost, pickView, Time, Tokens, usageTotal } from '../shared/Values';
import { useView } from '../state/url';

/** SessionsPage lists sessions: runs that belong together for the one they were done for. */
export function SessionsPage() {
  const view = useView();
  const [params, setParams] = usePageParams();
  const navigate = useNavigate();
  const fields = useFields();
  const q = params.q ?? '';
  const filter = { q: q || undefined, ...view.filter };
  const list = useInfiniteQuery({
    queryKey: ['sessions', filter],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => api.get<List<Session>>('/sessions', { ...filter, limit: 200, cursor: pageParam }, signal),
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: view.live ? 10_000 : false,
  });
  const rows = useMemo(() => (list.data?.pages ?? []).flatMap((p) => p.items ?? []), [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const [active, setActive] = useState<string>();
  const open = (s: Session) => void navigate({ to: '/sessions/$id' as never, params: { id: s.id } as never, search: pickView as never });
  useShortcuts('Sessions', [{ keys: '/', label: 'Search', run: () => document.getElementById('sessions-search')?.focus() }]);
  const columns: Column<Session>[] = [
    { id: 'status', head: 'last run', width: '96px', cell: (s) => <RunStatus status={s.last_status} words /> },
    {
      id: 'id',
      head: 'session',
      width: 'minmax(180px, 1.6fr)',
      cell: (s) => (
        <Link to={'/sessions/$id' as never} params={{ id: s.id } as never} search={pickView as never} className={css.runlink}>
          <Said text={s.id} />
        </Link>
      ),
    },
    { id: 'agents', head: 'agents', width: 'minmax(140px, 1.2fr)', cell: (s) => <Said text={(s.agents ?? []).join(', ')} /> },
    { id: 'user', head: 'user', width: 'minmax(90px, 0.8fr)', cell: (s) => (s.user ? <Said text={s.user} /> : <span className="muted">not said</span>) },
    { id: 'runs', head: 'runs', width: '70px', align: 'right', cell: (s) => count(s.runs) },
    { id: 'errors', head: 'failed', width: '70px', align: 'right', cell: (s) => (s.error_runs > 0 ? <span className={css.bad}>{count(s.error_runs)}</span> : <span className="muted">0</span>) },
    { id: 'span', head: 'lasted', width: '96px', align: 'right', cell: (s) => duration(Date.parse(s.updated_at) - Date.parse(s.started_at)) },
    { id: 'tokens', head: 'tokens', width: '84px', align: 'right', cell: (s) => <Tokens n={usageTotal(s.usage)} /> },
    { id: 'cost', head: 'cost', width: '104px', align: 'right', cell: (s) => <Cost cost={s.cost} /> },
    { id: 'updated', head: 'last active', width: '110px', align: 'right', cell: (s) => <Time at={s.updated_at} /> },
  ];
  const searchError = list.error instanceof Problem && (list.error.status === 400 || list.error.status === 422) ? list.error.message : undefined;
  return (
    <div className={css.page}>
      <PageHeader title="Sessions" question="What belongs together for the one it was done for?" answer={list.isSuccess && rows.length > 0 ? `${plural(rows.length, 'session')}${hasNextPage ? ' and more' : ''}, the last active first.` : undefined} actions={<ActivityTabs />} />
      <div className={css.controls}>
        <SearchBox id="sessions-search" value={q} onChange={(next) => setParams({ q: next || undefined }, 'push')} fields={fields.data ?? []} label="Search sessions by their runs" placeholder="Search by their runs: agent:refunds user:u-17 failed:true   ( / )" error={searchError} />
      </div>
      <div className={css.body}>
        {list.error && !searchError ? (
          <ProblemNote error={list.error} retry={() => void list.refetch()} />
        ) : (
          <KeyTable
            label="Sessions"
            columns={columns}
            rows={rows}
            rowKey={(s) => s.id}
            onOpen={open}
            onEnd={more}
            active={active}
            onActive={(s) => setActive(s.id)}
            autoFocus
            empty={list.isPending ? <p className={css.reading}>Reading sessions…</p> : searchError ? null : <Empty title={q ? 'No session matches' : 'No sessions in this period'}>{q ? 'No run of any session fulfils the search.' : 'A session needs its runs to name one: gen_ai.conversation.id or session.id on their spans. Runs without one are under Runs.'}</Empty>}
          />
        )}
      </div>
    </div>
  );
}
