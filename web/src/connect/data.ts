import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Framework, List } from '../api/types';

/** useFrameworks is how agents join, filled in for this server; keys leaves a place for an intake key where none is needed. */
export function useFrameworks(agent?: string, environment?: string, keys?: boolean) {
  return useQuery({
    queryKey: ['frameworks', agent, environment, keys],
    queryFn: ({ signal }) => api.get<List<Framework>>('/connect', { host: location.hostname, agent, environment, keys }, signal),
    staleTime: 60_000,
    placeholderData: (old) => old,
    retry: false,
  });
}

/** inGroups keeps the table's order. */
export function inGroups(all: Framework[]): { name: string; items: Framework[] }[] {
  const out: { name: string; items: Framework[] }[] = [];
  for (const f of all) {
    const last = out.at(-1);
    if (last?.name === f.group) last.items.push(f);
    else out.push({ name: f.group, items: [f] });
  }
  return out;
}

/** found are the frameworks that a few letters stand for. */
export function found(all: Framework[], text: string): Framework[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((f) => {
    const have = `${f.id} ${f.title} ${f.about} ${f.group} ${(f.dialects ?? []).join(' ')}`.toLowerCase();
    return words.every((w) => have.includes(w));
  });
}

/** sendable: what can stand in a snippet, as the server has it. */
export const sendable = (name: string) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name);
