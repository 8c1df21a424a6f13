import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Change, List } from '../api/types';
import { useView } from '../state/url';

/** groups of kinds, for the tabs: what is delivered, what agents are made of, what the rules are. */
export const groups: { id: string; label: string; kinds: string[] }[] = [
  { id: 'delivered', label: 'Delivered', kinds: ['deployment', 'release', 'push'] },
  { id: 'made', label: 'Prompts and models', kinds: ['prompt', 'model', 'agent', 'data'] },
  { id: 'tools', label: 'Tools', kinds: ['tool', 'upstream'] },
  { id: 'rules', label: 'Rules', kinds: ['policy', 'budget', 'configuration'] },
  { id: 'flags', label: 'Flags', kinds: ['flag'] },
];

/** inGroup reports a change of a tab; what stands in no other is under "other". */
export function inGroup(c: Pick<Change, 'kind'>, id: string): boolean {
  return !id || (groups.find((g) => g.id === id)?.kinds.includes(c.kind) ?? false);
}

/** useChanges lists the changes of the period, those of an agent with what is about no agent. */
export function useChanges(agent?: string) {
  const view = useView();
  return useQuery({
    queryKey: ['changes', view.env, view.team, view.filter.from, view.filter.to, agent],
    queryFn: ({ signal }) => api.get<List<Change>>('/changes', { environment: view.env, team: agent ? undefined : view.team, from: view.from, to: view.live ? undefined : view.to, agent, limit: 1000 }, signal),
    staleTime: 15_000,
    retry: false,
  });
}

/** matches reports a change that holds every word. */
export function matches(c: Change, words: string): boolean {
  const text = [c.title, c.text, c.kind, c.agent, c.team, c.environment, c.version, c.by, c.source, ...Object.values(c.labels ?? {})].join('\n').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => text.includes(w));
}

export interface Flag {
  at: number;
  changes: Change[];
}

/** gather puts changes that lie closer than a flag is wide under one flag. */
export function gather(all: readonly Change[], from: number, to: number, slots = 80): Flag[] {
  const out = new Map<number, Flag>();
  for (const c of all) {
    const at = Date.parse(c.at);
    if (!(at >= from && at <= to)) continue;
    const slot = Math.min(slots - 1, Math.floor(((at - from) / Math.max(1, to - from)) * slots));
    const f = out.get(slot);
    if (f) f.changes.push(c);
    else out.set(slot, { at, changes: [c] });
  }
  return [...out.values()].sort((a, b) => a.at - b.at);
}

/** sentence says a change in a line. */
export function sentence(c: Change): string {
  return `${c.title}${c.status ? `, ${c.status}` : ''}${c.by ? `, ${c.by}` : ''}${c.text ? ` (${c.text.split('\n')[0]!.slice(0, 120)})` : ''}`;
}
