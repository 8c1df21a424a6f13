import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { List, Source } from '../api/types';
import type { Level } from '../shared/Marks';

/** states of a source in words, with the shape that they are drawn in. */
export const states: Record<string, { level: Level; letter: string; label: string }> = {
  stale: { level: 'bad', letter: 'S', label: 'stale' },
  warn: { level: 'warn', letter: 'W', label: 'nearly stale' },
  unknown: { level: 'unknown', letter: '?', label: 'unknown' },
  fresh: { level: 'good', letter: 'F', label: 'fresh' },
};

const order = Object.keys(states);
const rank = (state: string) => (order.includes(state) ? order.indexOf(state) : order.indexOf('unknown'));

/** worst puts what is too old first, then what fails its checks, then what was made longest ago. */
export function worst(a: Source, b: Source): number {
  const made = (s: Source) => (s.version ? Date.parse(s.version.at) : Infinity);
  return rank(a.state) - rank(b.state) || b.failing_checks - a.failing_checks || (made(a) === made(b) ? 0 : made(a) - made(b)) || a.name.localeCompare(b.name);
}

/** matches reports a source whose names, team, owner or description hold every word. */
export function matches(s: Source, words: string): boolean {
  const text = [s.name, s.dataset, s.description, s.team, s.owner, s.kind, ...(s.aliases ?? [])].join('\n').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => text.includes(w));
}

/** shortAge writes a Go duration as people type it: "24h0m0s" is "24h". */
export const shortAge = (d: string | undefined): string => (d ?? '').replace(/([hm])0s$/, '$1').replace(/h0m$/, 'h');

/** sheetOf reads lines of "question => truth"; a line without it says what is wrong. */
export function sheetOf(text: string): { question: string; truth: string }[] {
  return text.split('\n').map((l) => l.trim()).filter(Boolean).map((l, i) => {
    const at = l.lastIndexOf('=>');
    if (at < 1) throw new Error(`line ${i + 1} has no => between question and truth`);
    return { question: l.slice(0, at).trim(), truth: l.slice(at + 2).trim() };
  });
}

/** useSources lists what agents read. Its events tell at once; ages go on without any. */
export function useSources() {
  return useQuery({ queryKey: ['sources'], queryFn: async ({ signal }) => (await api.get<List<Source>>('/sources', undefined, signal)).items.sort(worst), refetchInterval: 30_000 });
}
