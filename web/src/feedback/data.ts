import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Evaluation, Feedback, FeedbackSummary, List, Share } from '../api/types';
import { useView } from '../state/url';

/** useFeedback lists what was said in the period. */
export function useFeedback(agent?: string, verdict?: string, q?: string) {
  const view = useView();
  return useQuery({
    queryKey: ['feedback', 'list', view.env, view.team, view.filter.from, view.filter.to, agent, verdict, q],
    queryFn: ({ signal }) => api.get<List<Feedback>>('/feedback', { environment: view.env, team: view.team, from: view.from, to: view.live ? undefined : view.to, agent, verdict, q, limit: 500 }, signal),
    retry: false,
    placeholderData: (old) => old,
  });
}

export function useSummary(agent?: string) {
  const view = useView();
  return useQuery({
    queryKey: ['feedback', 'summary', view.env, view.team, view.filter.from, view.filter.to, agent],
    queryFn: ({ signal }) => api.get<FeedbackSummary>('/feedback-summary', { environment: view.env, team: view.team, from: view.from, to: view.live ? undefined : view.to, agent }, signal),
    retry: false,
  });
}

/** what a feedback says, in a word or two. */
export function said(f: Pick<Feedback, 'kind' | 'value' | 'label' | 'max' | 'removed' | 'erased'>): string {
  if (f.removed) return 'taken back';
  if (f.value === null || f.value === undefined) return f.label || (f.kind === 'comment' ? 'words' : f.kind);
  if (f.kind === 'thumb') return f.value === 1 ? 'up' : 'down';
  if (f.kind === 'done') return f.value === 1 ? 'done' : 'not done';
  return `${f.value} of ${f.max || 1}`;
}

export const percent = (x: number | null | undefined) => (x === null || x === undefined ? 'unknown' : `${Math.round(100 * x)} %`);

/** share is a proportion with what it rests on. */
export function share(s: Share): string {
  return s.value === null || s.value === undefined ? 'unknown' : `${percent(s.value)} (${Math.round(100 * (s.low ?? 0))} to ${Math.round(100 * (s.high ?? 1))}, n ${s.n})`;
}

export const tone = (verdict: string) => ({ positive: 'good', negative: 'bad', neutral: undefined, pass: 'good', fail: 'bad', unsure: 'warn' } as const)[verdict as 'pass'];

export const verdictWord = (x: Pick<Evaluation, 'verdict'>) => x.verdict || 'nothing to judge';
