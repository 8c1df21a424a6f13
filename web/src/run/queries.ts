import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { api, Problem } from '../api/client';
import { stream } from '../api/events';
import type { List, Log, Message, MetricPoint, Run, Step } from '../api/types';

// Steps, messages and logs have keys of their own, apart from ['run', id]: the
// shell refreshes that one with every event, which is too often for 50,000 steps.
const stepsKey = (id: string) => ['run-steps', id];
const messagesKey = (id: string) => ['run-messages', id];
const logsKey = (id: string) => ['run-logs', id];

/** A page asks for this many steps; the API gives up to 50,000 in one. */
const STEPS_A_PAGE = 50_000;
/** More than this is not read into a browser. */
const STEPS_MOST = 200_000;

const retry = (count: number, err: Error) => count < 2 && !(err instanceof Problem && err.status >= 400 && err.status < 500);

/** useRun reads a run's row. */
export function useRun(id: string) {
  return useQuery({ queryKey: ['run', id], queryFn: ({ signal }) => api.get<Run>(`/runs/${encodeURIComponent(id)}`, undefined, signal), retry });
}

/** useSteps reads all steps of a run, without content. */
export function useSteps(id: string) {
  return useQuery({
    queryKey: stepsKey(id),
    queryFn: ({ signal }) => everything<Step>(`/runs/${encodeURIComponent(id)}/steps`, { limit: STEPS_A_PAGE }, STEPS_MOST, signal),
    retry,
    structuralSharing: false,
    staleTime: Infinity,
  });
}

/** useMessages reads what was said in a run. */
export function useMessages(id: string) {
  return useQuery({
    queryKey: messagesKey(id),
    queryFn: ({ signal }) => everything<Message>(`/runs/${encodeURIComponent(id)}/messages`, { limit: 10_000 }, 20_000, signal),
    retry,
    structuralSharing: false,
    staleTime: Infinity,
  });
}

/** useStep reads one step with everything that is known of it. */
export function useStep(run: string, step: string | undefined, revision: number | undefined) {
  return useQuery({
    queryKey: ['run-step', run, step, revision],
    queryFn: ({ signal }) => api.get<Step>(`/runs/${encodeURIComponent(run)}/steps/${encodeURIComponent(step!)}`, undefined, signal),
    enabled: step !== undefined,
    retry,
    placeholderData: (old, q) => (q?.queryKey[2] === step ? keepPreviousData(old) : undefined),
  });
}

/** useLogs reads a run's log records, and those of its agent around it that name no run, oldest first. */
export function useLogs(id: string) {
  return useQuery({
    queryKey: logsKey(id),
    queryFn: async ({ signal }) => {
      const path = `/runs/${encodeURIComponent(id)}/logs`;
      const [own, around] = await Promise.all([
        everything<Log>(path, { limit: 1_000 }, 5_000, signal),
        everything<Log>(path, { limit: 1_000, around: 'true' }, 1_000, signal),
      ]);
      return [...own, ...around].sort((a, b) => (a.at < b.at ? -1 : 1));
    },
    retry,
  });
}

/** useMetrics reads the metric points of a run's agent while it ran. */
export function useMetrics(id: string) {
  return useQuery({
    queryKey: ['run-metrics', id],
    queryFn: ({ signal }) => everything<MetricPoint>(`/runs/${encodeURIComponent(id)}/metrics`, { limit: 5_000 }, 5_000, signal),
    retry,
  });
}

async function everything<T>(path: string, params: Record<string, string | number>, most: number, signal: AbortSignal): Promise<T[]> {
  const out: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.get<List<T>>(path, { ...params, cursor }, signal);
    if (!cursor && !page.next) return page.items ?? [];
    for (const x of page.items ?? []) out.push(x);
    cursor = page.next || undefined;
  } while (cursor && out.length < most);
  return out;
}

/** useLiveRun reads a run's parts again while it changes, no faster than they can be read. */
export function useLiveRun(id: string, stepCount: number) {
  const client = useQueryClient();
  const size = useRef(stepCount);
  size.current = stepCount;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    let took = 100;
    let ended = false;
    const read = async () => {
      timer = undefined;
      last = performance.now();
      await Promise.all([
        client.invalidateQueries({ queryKey: stepsKey(id) }),
        client.invalidateQueries({ queryKey: messagesKey(id) }),
        client.invalidateQueries({ queryKey: logsKey(id) }),
      ]);
      took = performance.now() - last;
    };
    const stop = stream.listen((e) => {
      if (ended || (e.type !== 'reset' && !(e.type === 'run.updated' && e.data.id === id))) return;
      // Big runs are read less often: at most a fifth of the time goes into it.
      const wait = Math.max(300, took * 4, size.current / 20);
      timer ??= setTimeout(read, Math.max(0, last + wait - performance.now()));
    });
    return () => {
      ended = true;
      stop();
      clearTimeout(timer);
    };
  }, [client, id]);
}
