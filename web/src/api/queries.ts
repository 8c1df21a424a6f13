// Questions that several pages ask. A query whose meta.live is true is read
// again when runs change, one whose meta.on is 'decisions' when decisions were
// recorded (api/events.ts).

import { keepPreviousData, QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import { api, Problem } from './client';
import { useStreamState } from './events';
import type { Health, List, Me, Notice, Query, QueryResult } from './types';

export function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        // A "no" is an answer; only silence is asked again.
        retry: (failures, err) => failures < 2 && (!(err instanceof Problem) || err.status === 0 || err.status >= 502),
        retryDelay: (n) => 400 * 2 ** n,
      },
    },
  });
}

export const meQuery = queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => api.get<Me>('/me', undefined, signal), staleTime: 60_000 });
export const healthQuery = queryOptions({ queryKey: ['health'], queryFn: ({ signal }) => api.get<Health>('/health', undefined, signal), refetchInterval: 10_000 });
export const noticesQuery = queryOptions({ queryKey: ['notices'], queryFn: ({ signal }) => api.get<List<Notice>>('/notices', undefined, signal), refetchInterval: 60_000 });

/** aggregate asks POST /query. */
export function aggregate(q: Query) {
  return queryOptions<QueryResult>({ queryKey: ['query', q], queryFn: ({ signal }) => api.post<QueryResult>('/query', q, signal), meta: { live: true, on: q.from }, placeholderData: keepPreviousData });
}

/** useFollow is how often to ask when the stream of events cannot tell: never while it is live. */
export function useFollow(everyMs = 5000): number | false {
  return useStreamState() === 'live' ? false : everyMs;
}

export function useMe(): Me | undefined {
  return useQuery(meQuery).data;
}

/** useMay says whether the roles of this person allow an operation somewhere. */
export function useMay(operation: string): boolean {
  const me = useMe();
  return me?.operations?.includes(operation) ?? false;
}
