import dagre from '@dagrejs/dagre';
import type { WhyCause, WhyLink, WhyNode } from './data';

export const WIDTH = 168;
export const HEIGHT = 44;
const MOST_FINE = 14;

/** drawn is what of a graph is drawn: all that speaks, what lies on the way to it, and some of what is in order. */
export function drawn(nodes: readonly WhyNode[], causes: readonly WhyCause[]): WhyNode[] {
  const way = new Set(causes.flatMap((c) => c.path));
  let fine = 0;
  return nodes.filter((n) => n.kind === 'outcome' || n.state === 'guilty' || n.state === 'unknown' || way.has(n.id) || fine++ < MOST_FINE);
}

/** place lays the graph out from the outcome down to what it stands on. */
export function place(nodes: readonly WhyNode[], links: readonly WhyLink[]) {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: 'LR', nodesep: 12, ranksep: 46, marginx: 8, marginy: 8 });
  g.setDefaultEdgeLabel(() => ({}));
  const ids = new Set(nodes.map((n) => n.id));
  for (const n of nodes) g.setNode(n.id, { width: WIDTH, height: HEIGHT });
  const kept = links.filter((l) => ids.has(l.from) && ids.has(l.to));
  for (const l of kept) g.setEdge(l.from, l.to);
  dagre.layout(g);
  const at = new Map<string, { x: number; y: number }>();
  for (const n of nodes) {
    const p = g.node(n.id) as { x: number; y: number };
    at.set(n.id, { x: p.x - WIDTH / 2, y: p.y - HEIGHT / 2 });
  }
  const size = g.graph() as { width?: number; height?: number };
  return { at, links: kept, width: Math.ceil(size.width ?? 1), height: Math.ceil(size.height ?? 1) };
}
