import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Blast, MapAnswer, MapNode } from '../api/types';
import type { Level } from '../shared/Marks';
import { useView } from '../state/url';

/** marks is a node's worst trouble, or its state, as a letter, shape and words. */
export const troubles: Record<string, { letter: string; label: string }> = {
  stopped: { letter: 'S', label: 'stopped' },
  incident: { letter: 'I', label: 'incident' },
  errors: { letter: 'E', label: 'errors' },
  finding: { letter: 'F', label: 'finding' },
  held: { letter: 'H', label: 'held' },
  stale: { letter: 'A', label: 'stale' },
  down: { letter: 'D', label: 'down' },
};

/** markOf is how a node is marked: its worst trouble, or that none is known. */
export function markOf(n: Pick<MapNode, 'state' | 'trouble'>): { level: Level; letter: string; label: string } {
  const worst = n.trouble[0];
  if (!worst) return { level: 'good', letter: '✓', label: 'no trouble is known' };
  const t = troubles[worst.kind] ?? { letter: '!', label: worst.kind };
  return { level: worst.level as Level, letter: t.letter, label: t.label };
}

export const kindWords: Record<string, string> = { agent: 'Agent', tool: 'Tool', model: 'Model', source: 'Source', server: 'Server', provider: 'Provider' };

/** useMap asks who depends on what in the period of the page. */
export function useMap() {
  const view = useView();
  return useQuery({
    queryKey: ['map', view.filter],
    queryFn: ({ signal }) => api.get<MapAnswer>('/map', view.filter, signal),
    refetchInterval: view.live ? 15_000 : false,
    placeholderData: keepPreviousData,
  });
}

/** useBlast asks what a node would take down. */
export function useBlast(node: string | undefined) {
  const view = useView();
  return useQuery({
    queryKey: ['map', 'blast', node, view.filter],
    queryFn: ({ signal }) => api.get<Blast>('/map/blast', { node, ...view.filter }, signal),
    enabled: !!node,
    refetchInterval: view.live ? 15_000 : false,
    retry: false,
  });
}

/** matches reports a node whose name, team or trouble hold every word. */
export function matches(n: MapNode, words: string): boolean {
  const text = [n.name, n.kind, n.within, n.team, n.environment, ...n.trouble.map((t) => `${t.kind} ${t.text}`)].join('\n').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => text.includes(w));
}
