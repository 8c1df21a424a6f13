import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Canary, CanaryAnswer, Detector, Finding, KPIList, List, Response, ResponsePolicies, Rule, RuleWord } from '../api/types';
import type { Level } from '../shared';

export const severities: Record<string, { level: Level; letter: string; label: string }> = {
  critical: { level: 'bad', letter: 'C', label: 'critical' },
  warning: { level: 'warn', letter: 'W', label: 'warning' },
  info: { level: 'info', letter: 'I', label: 'info' },
};

export const responseStates: Record<string, { level: Level; letter: string; label: string }> = {
  in_force: { level: 'warn', letter: 'F', label: 'in force' },
  braked: { level: 'bad', letter: 'B', label: 'braked' },
  would: { level: 'info', letter: 'W', label: 'would have' },
  ended: { level: 'good', letter: 'E', label: 'ended' },
  reverted: { level: 'good', letter: 'R', label: 'reverted' },
  claimed: { level: 'unknown', letter: 'C', label: 'claimed: not acted on' },
  not_needed: { level: 'info', letter: 'N', label: 'not needed' },
  failed: { level: 'bad', letter: 'X', label: 'failed' },
};

/** words makes a word of the API readable: read_only. */
export const words = (s: string) => s.replaceAll('_', ' ');

export interface FindingFilter {
  agent?: string;
  detector?: string;
  severity?: string;
  state?: string;
  verdict?: string;
  team?: string;
  environment?: string;
}

/** useFindings lists findings, the newest first, a page at a time. */
export function useFindings(filter: FindingFilter) {
  return useInfiniteQuery({
    queryKey: ['findings', filter],
    queryFn: ({ signal, pageParam }) => api.get<List<Finding>>('/findings', { ...filter, limit: 200, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 15_000,
  });
}

export const useFinding = (id: string | undefined) =>
  useQuery({ queryKey: ['finding', id], queryFn: ({ signal }) => api.get<Finding>(`/findings/${encodeURIComponent(id!)}`, undefined, signal), enabled: !!id });

export const useDetectors = () => useQuery({ queryKey: ['detectors'], queryFn: ({ signal }) => api.get<List<Detector>>('/detectors', undefined, signal), refetchInterval: 30_000 });

export const useRules = () => useQuery({ queryKey: ['rules'], queryFn: ({ signal }) => api.get<List<Rule>>('/rules', undefined, signal), refetchInterval: 30_000 });

export const useCanaries = () => useQuery({ queryKey: ['canaries'], queryFn: ({ signal }) => api.get<List<Canary>>('/canaries', undefined, signal), refetchInterval: 30_000 });

export const useCanary = (name: string | undefined) =>
  useQuery({ queryKey: ['canary', name], queryFn: ({ signal }) => api.get<Canary>(`/canaries/${encodeURIComponent(name!)}`, undefined, signal), enabled: !!name, refetchInterval: 30_000 });

export const useRuleWords = (on: boolean) => useQuery({ queryKey: ['rule-words'], queryFn: ({ signal }) => api.get<List<RuleWord>>('/rule-words', undefined, signal), enabled: on, staleTime: Infinity });

export const useResponses = () => useQuery({ queryKey: ['responses'], queryFn: ({ signal }) => api.get<List<Response>>('/responses', { limit: 200 }, signal), refetchInterval: 15_000 });

export const useResponsePolicies = () => useQuery({ queryKey: ['response-policies'], queryFn: ({ signal }) => api.get<ResponsePolicies>('/response-policies', undefined, signal), refetchInterval: 30_000 });

/** unjudged are open findings of detectors that nobody said anything of: what the page is for. */
export const unjudged = (f: Finding) => !f.verdict && !f.closed_at;

/** order puts what nobody judged first, then the worst, then the newest. */
export function order(list: Finding[]): Finding[] {
  const rank = (f: Finding) => ['critical', 'warning', 'info'].indexOf(f.severity);
  return [...list].sort((a, b) => Number(unjudged(b)) - Number(unjudged(a)) || rank(a) - rank(b) || b.last_seen.localeCompare(a.last_seen));
}

/** useKPINames are the KPIs that a rule can be about. */
export function useKPINames(on: boolean) {
  const q = useQuery({ queryKey: ['kpi-names'], queryFn: ({ signal }) => api.get<KPIList>('/kpis', { definitions: true }, signal), enabled: on, staleTime: 60_000 });
  return (q.data?.items ?? []).map((k) => ({ value: k.id, label: k.title }));
}

/** Round is what a canary's prompts were answered at one time. */
export interface Round {
  at: string;
  answers: CanaryAnswer[];
}

/** rounds puts answers, the newest first, to the times at which all prompts were asked. */
export function rounds(prompts: string[], answers: CanaryAnswer[]): Round[] {
  const out: Round[] = [];
  let last = Infinity;
  for (const a of answers) {
    const i = prompts.indexOf(a.prompt);
    if (out.length === 0 || i >= last) out.push({ at: a.at, answers: [] });
    out[out.length - 1]!.answers.unshift(a);
    out[out.length - 1]!.at = a.at;
    last = i;
  }
  return out;
}

/** several writes what a round's answers have of something: each kind once, in their order. */
export const several = (list: (string | undefined)[]) => [...new Set(list.filter((v): v is string => !!v))];
