import { useQuery } from '@tanstack/react-query';
import { api, Problem } from '../api/client';
import type { components } from '../api/openapi';
import type { Level } from '../shared';

type Shapes = components['schemas'];
export type Why = Shapes['Why'];
export type IncidentWhy = Shapes['IncidentWhy'];
export type WhyNode = Shapes['WhyNode'];
export type WhyLink = Shapes['WhyLink'];
export type WhyCause = Shapes['WhyCause'];
export type WhyEvidence = Shapes['WhyEvidence'];
export type Suspect = Shapes['Suspect'];
export type Suspects = Shapes['Suspects'];

const retry = (count: number, err: Error) => count < 2 && !(err instanceof Problem && err.status >= 400 && err.status < 500);

/** useRunWhy asks why a run ended as it did: again every few seconds while it goes on, and at once when it has ended. */
export const useRunWhy = (id: string, live: boolean) =>
  useQuery<Why>({ placeholderData: (old, q) => (q?.queryKey[1] === id ? old : undefined), queryKey: ['run-why', id, live], queryFn: ({ signal }) => api.get<Why>(`/runs/${encodeURIComponent(id)}/why`, undefined, signal), refetchInterval: live ? 5000 : 30_000, retry });

/** useSuspects asks at which step a run may have gone wrong first, and what people said of it. */
export const useSuspects = (id: string, on: boolean) =>
  useQuery({ queryKey: ['run-suspects', id], queryFn: ({ signal }) => api.get<Suspects>(`/runs/${encodeURIComponent(id)}/suspects`, undefined, signal), enabled: on, retry });

/** useIncidentWhy asks why an incident came about. */
export const useIncidentWhy = (id: string) =>
  useQuery({ queryKey: ['incident-why', id], queryFn: ({ signal }) => api.get<IncidentWhy>(`/incidents/${encodeURIComponent(id)}/why`, undefined, signal), refetchInterval: 30_000, retry });

/** What a node's state means, as a mark. */
export const nodeStates: Record<string, { level: Level; letter: string; label: string }> = {
  guilty: { level: 'bad', letter: '!', label: 'speaks against it' },
  ruled_out: { level: 'good', letter: '✓', label: 'in order' },
  unknown: { level: 'unknown', letter: '?', label: 'unknown' },
  seen: { level: 'idle', letter: '·', label: 'took part' },
};

export const kinds = ['data', 'model', 'step', 'entitlement', 'rule'];

/** recordLink is the page of a record that a sentence rests on. */
export function recordLink(e: { kind: string; id: string }): { to: string; params?: Record<string, string>; search?: Record<string, string> } | undefined {
  switch (e.kind) {
    case 'run':
      return { to: '/runs/$id', params: { id: e.id } };
    case 'decision':
      return { to: '/decisions', search: { show: 'all', decision: e.id } };
    case 'source':
      return { to: '/sources', search: { source: e.id } };
    case 'finding':
      return { to: '/findings', search: { state: 'all', finding: e.id } };
    case 'change':
      return { to: '/changes', search: { change: e.id } };
    case 'policy':
      return { to: '/policies', search: { policy: e.id } };
    case 'agent':
      return { to: '/agents/$name', params: { name: e.id } };
  }
  return undefined;
}
