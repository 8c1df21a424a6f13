import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, Problem } from '../api/client';
import { stream, type ServerEvent } from '../api/events';
import type { Cell, List, Query, QueryResult, Run } from '../api/types';
import type { CurrentView } from '../state/url';
import { quote, type SearchField } from './searchText';

const retry = (count: number, err: Error) => count < 2 && !(err instanceof Problem && err.status >= 400 && err.status < 500);

/** What the runs list is asked for. */
export interface RunsFilter {
  q?: string;
  sort?: string;
  environment?: string;
  team?: string;
  from: string;
  to?: string;
}

const PAGE = 200;

/** useFields reads what a search can compare, with the values known now. */
export function useFields() {
  return useQuery({
    queryKey: ['search', 'fields'],
    queryFn: async ({ signal }) => (await api.get<List<SearchField>>('/search/fields', undefined, signal)).items ?? [],
    staleTime: 60_000,
    retry,
  });
}

/** where is the search with environment and team of the page in it, for questions that take no other filter. */
export function where(view: Pick<CurrentView, 'env' | 'team'>, q: string): string {
  const head = [view.env && `environment:${quote(view.env)}`, view.team && `team:${quote(view.team)}`].filter(Boolean).join(' ');
  return [head, q && head && /\bor\b/i.test(q) ? `(${q})` : q].filter(Boolean).join(' ');
}

/** useAsk answers a question over runs or steps in the page's period. */
export function useAsk(query: Query | null) {
  return useQuery({
    queryKey: ['ask', query],
    queryFn: ({ signal }) => api.post<QueryResult>('/query', query, signal),
    enabled: query !== null,
    retry,
    placeholderData: (old) => old,
    staleTime: 10_000,
  });
}

/** cells reads a result by the names of its columns; its time is called time. */
export function cells(r: QueryResult | undefined): Record<string, Cell>[] {
  if (!r) return [];
  return (r.rows ?? []).map((row) => Object.fromEntries(r.columns.map((c, i) => [c.kind === 'time' ? 'time' : c.name, row[i] ?? null])));
}

/** What the list shows, and what has arrived since. */
export interface LiveRuns {
  rows: Run[];
  pending: boolean;
  error: Error | null;
  more: () => void;
  hasMore: boolean;
  /** runs that arrived since and are not shown yet */
  fresh: Run[];
  showFresh: () => void;
  refetch: () => void;
}

/**
 * useRuns reads the list and keeps it current without moving it: runs shown
 * change in place, new ones wait to be let in.
 */
export function useRuns(filter: RunsFilter, live: boolean): LiveRuns {
  const key = JSON.stringify(filter);
  const list = useInfiniteQuery({
    queryKey: ['runs-list', key],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => api.get<List<Run>>('/runs', { ...filter, limit: PAGE, cursor: pageParam }, signal),
    getNextPageParam: (last) => last.next || undefined,
    staleTime: Infinity,
    retry,
  });
  const [changed, setChanged] = useState<ReadonlyMap<string, Run>>(new Map());
  const [fresh, setFresh] = useState<Run[]>([]);
  useEffect(() => {
    setChanged(new Map());
    setFresh([]);
  }, [key]);

  const read = useMemo(() => (list.data?.pages ?? []).flatMap((p) => p.items ?? []), [list.data]);
  const shown = useRef({ ids: new Set<string>(), first: '' });
  shown.current.ids = useMemo(() => new Set(read.map((r) => r.id)), [read]);

  useEffect(() => {
    if (!live) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let touched = new Set<string>();
    let reset = false;
    let ended = false;
    let last = 0;
    let took = 0;
    const look = async () => {
      timer = undefined;
      const ids = touched;
      const all = reset;
      touched = new Set();
      reset = false;
      last = performance.now();
      try {
        // The first page says which of them belong here and what is new of them.
        const head = (await api.get<List<Run>>('/runs', { ...filter, limit: PAGE })).items ?? [];
        const inHead = new Set(head.map((r) => r.id));
        const rest = [...ids].filter((id) => !inHead.has(id) && shown.current.ids.has(id)).slice(0, 10);
        const others = await Promise.all(rest.map((id) => api.get<Run>(`/runs/${encodeURIComponent(id)}`).catch(() => null)));
        if (ended) return;
        setChanged((old) => {
          const next = new Map(old);
          for (const r of [...head, ...others]) if (r && shown.current.ids.has(r.id)) next.set(r.id, r);
          return next;
        });
        const arrived = head.filter((r) => !shown.current.ids.has(r.id));
        // A list sorted by anything but time has newcomers everywhere: they are news only by time.
        setFresh(!filter.sort || filter.sort === 'started' || filter.sort === 'updated' ? arrived : arrived.filter((r) => ids.has(r.id) || all));
      } catch {
        // The next event asks again; the shell says when the connection is lost.
      }
      took = performance.now() - last;
    };
    const hear = (e: ServerEvent) => {
      if (e.type === 'reset') reset = true;
      else if (e.type === 'run.updated' && typeof e.data.id === 'string') touched.add(e.data.id);
      else return;
      timer ??= setTimeout(() => void look(), Math.max(0, last + Math.max(1000, took * 5) - performance.now()));
    };
    const stop = stream.listen(hear);
    return () => {
      ended = true;
      stop();
      clearTimeout(timer);
    };
    // filter is named by key.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, live]);

  const rows = useMemo(() => {
    const seen = new Set<string>();
    const out: Run[] = [];
    for (const r of read) {
      if (seen.has(r.id)) continue;
      seen.add(r.id);
      out.push(changed.get(r.id) ?? r);
    }
    return out;
  }, [read, changed]);
  const { fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const showFresh = useCallback(() => {
    void refetch().then(() => {
      setFresh([]);
      setChanged(new Map());
    });
  }, [refetch]);
  return { rows, pending: list.isPending, error: list.error, more, hasMore: Boolean(hasNextPage), fresh, showFresh, refetch: () => void refetch() };
}
