import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useFollow } from '../api/queries';
import type { List } from '../api/types';
import type { Level } from '../shared';

type Shapes = components['schemas'];
export type Incident = Shapes['Incident'];
export type IncidentDetail = Shapes['IncidentDetail'];
export type IncidentSignal = Shapes['IncidentSignal'];
export type IncidentEntry = Shapes['IncidentEntry'];
export type IncidentOffer = Shapes['IncidentOffer'];
export type IncidentPreview = Shapes['IncidentPreview'];
export type IncidentTask = Shapes['IncidentTask'];
export type IncidentRecord = Shapes['IncidentRecord'];
export type IncidentReview = Shapes['IncidentReview'];
export type IncidentWeights = Shapes['IncidentWeights'];
export type Silence = Shapes['Silence'];

export const states: Record<string, { level: Level; letter: string; label: string }> = {
  open: { level: 'bad', letter: 'O', label: 'open' },
  acknowledged: { level: 'warn', letter: 'A', label: 'acknowledged' },
  mitigated: { level: 'info', letter: 'M', label: 'mitigated' },
  resolved: { level: 'good', letter: 'R', label: 'resolved' },
  reviewed: { level: 'good', letter: 'V', label: 'reviewed' },
  merged: { level: 'idle', letter: 'J', label: 'merged' },
};

export const severities: Record<string, { level: Level; letter: string; label: string }> = {
  critical: { level: 'bad', letter: 'C', label: 'critical' },
  warning: { level: 'warn', letter: 'W', label: 'warning' },
  info: { level: 'info', letter: 'I', label: 'info' },
};

export const kindWords: Record<string, string> = { wrong_answer: 'wrong answer', wrong_action: 'wrong action', outage: 'outage' };

export function useIncidents(state: string) {
  const every = useFollow();
  return useQuery({ queryKey: ['incidents', state], queryFn: async ({ signal }) => (await api.get<List<Incident>>('/incidents', { state, limit: 200 }, signal)).items, refetchInterval: every });
}

export function useIncident(id: string) {
  const every = useFollow();
  return useQuery({ queryKey: ['incident', id], queryFn: ({ signal }) => api.get<IncidentDetail>(`/incidents/${encodeURIComponent(id)}`, undefined, signal), refetchInterval: every });
}

/** evidenceLink is the page where a record is seen. */
export function evidenceLink(e: { kind: string; id: string } | null | undefined, at?: string): { to: string; search?: Record<string, string> } | undefined {
  switch (e?.kind) {
    case 'run':
      return { to: `/runs/${e.id}` };
    case 'agent':
      return { to: `/agents/${e.id}` };
    case 'decision':
      return { to: '/decisions', search: { decision: e.id } };
    case 'finding':
      return { to: '/findings', search: { finding: e.id } };
    case 'audit': {
      // the record of who did it: of this kind, written within the minute
      const t = at ? Date.parse(at) : NaN;
      return { to: '/audit', search: { kind: e.id, ...(Number.isFinite(t) ? { from: new Date(t - 1000).toISOString(), to: new Date(t + 60_000).toISOString() } : {}) } };
    }
    case 'change':
      return { to: '/changes', search: { change: e.id } };
    case 'alert':
      return { to: '/alerts', search: { alert: e.id } };
    default:
      return undefined;
  }
}

/** worst first, as the server lists them; who is touched in words. */
export const touches = (i: Pick<Incident, 'people' | 'runs'>) => (i.people === null || i.people === undefined ? undefined : i.people);
