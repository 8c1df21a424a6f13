import type { MapEdge, MapNode } from '../api/types';

// The map is laid out here and not by a library: columns say how far somebody
// is from the ground (agents by delegation, then what they call, then what that
// stands on), and the same answer is always drawn the same way.

export const WIDTH = 172;
export const HEIGHT = 38;
const GAP_X = 84;
const GAP_Y = 10;
const PAD = 14;

/** So many boxes are readable; beyond that groups are one box each. */
export const readable = 60;

/** Box is a node, or a group of nodes that is drawn as one. */
export interface Box {
  id: string;
  kind: string;
  name: string;
  /** The nodes in it; one for a node. */
  nodes: MapNode[];
  group?: string;
}

export interface Link {
  from: string;
  to: string;
  count: number | null;
  errors: number | null;
  p95: number | null;
  state: string;
  edges: number;
}

const rank: Record<string, number> = { good: 0, unknown: 0, warn: 1, bad: 2 };

/** worse is the worse of two states; what nobody measured is no worse than good. */
export const worse = (a: string, b: string): string => ((rank[b] ?? 0) > (rank[a] ?? 0) ? b : a);

/** groupOf names the group of a node: agents by team, the rest by what they belong to. */
export function groupOf(n: MapNode): string {
  if (n.kind === 'agent') return `agent group ${n.team || 'no team'}`;
  return `${n.kind} group ${n.kind === 'tool' || n.kind === 'model' ? n.within || 'elsewhere' : ''}`.trimEnd();
}

const groupName = (group: string, n: number): string => {
  const [kind, , ...rest] = group.split(' ');
  const many = `${n} ${kind}s`;
  if (kind === 'agent') return `${rest.join(' ')}: ${many}`;
  return rest.length > 0 ? `${rest.join(' ')}: ${many}` : many;
};

/** boxes are the nodes, with groups of two and more as one box when there are too many; open names groups that are drawn whole. */
export function boxes(nodes: readonly MapNode[], open: ReadonlySet<string>): Box[] {
  const single = (n: MapNode): Box => ({ id: n.id, kind: n.kind, name: n.name, nodes: [n] });
  if (nodes.length <= readable) return nodes.map(single);
  const groups = new Map<string, MapNode[]>();
  for (const n of nodes) {
    const g = groupOf(n);
    groups.set(g, [...(groups.get(g) ?? []), n]);
  }
  const out: Box[] = [];
  for (const [g, list] of groups) {
    // Few servers, providers or sources say more than their number does.
    const few = list[0]!.kind === 'agent' || list[0]!.kind === 'tool' || list[0]!.kind === 'model' ? 2 : 13;
    if (list.length < few || open.has(g)) out.push(...list.map(single));
    else out.push({ id: g, kind: list[0]!.kind, name: groupName(g, list.length), nodes: list, group: g });
  }
  return out;
}

/** links joins edges between the same two boxes; unknown and a number is the number. */
export function links(list: readonly Box[], edges: readonly MapEdge[]): Link[] {
  const boxOf = new Map<string, string>();
  for (const b of list) for (const n of b.nodes) boxOf.set(n.id, b.id);
  const out = new Map<string, Link>();
  for (const e of edges) {
    const from = boxOf.get(e.from);
    const to = boxOf.get(e.to);
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from}\t${to}`;
    const l = out.get(key) ?? { from, to, count: null, errors: null, p95: null, state: 'unknown', edges: 0 };
    l.edges++;
    if (e.count !== null) l.count = (l.count ?? 0) + e.count;
    if (e.errors !== null) l.errors = (l.errors ?? 0) + e.errors;
    if (e.p95_ms !== null) l.p95 = Math.max(l.p95 ?? 0, e.p95_ms);
    l.state = l.edges === 1 ? e.state : worse(l.state, e.state);
    out.set(key, l);
  }
  return [...out.values()];
}

/** columnsOf gives each box its column: agents by how many hands work passes through before them, then what they call, then what that stands on. */
export function columnsOf(list: readonly Box[], all: readonly Link[]): Map<string, number> {
  const agents = new Set(list.filter((b) => b.kind === 'agent').map((b) => b.id));
  const into = new Map<string, string[]>();
  for (const l of all) if (agents.has(l.from) && agents.has(l.to)) into.set(l.to, [...(into.get(l.to) ?? []), l.from]);
  const depth = new Map<string, number>();
  const deep = (id: string, way: Set<string>): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    if (way.has(id)) return 0; // a circle: whoever was reached first stands left
    way.add(id);
    const d = Math.min(3, Math.max(-1, ...(into.get(id) ?? []).map((f) => deep(f, way))) + 1);
    way.delete(id);
    depth.set(id, d);
    return d;
  };
  const ordered = [...agents].sort();
  const most = Math.max(0, ...ordered.map((id) => deep(id, new Set())));
  const out = new Map<string, number>();
  for (const b of list) {
    if (b.kind === 'agent') out.set(b.id, depth.get(b.id) ?? 0);
    else out.set(b.id, most + (b.kind === 'server' || b.kind === 'provider' ? 2 : 1));
  }
  return out;
}

export interface Placed {
  at: Map<string, { x: number; y: number; column: number; row: number }>;
  columns: string[][];
  width: number;
  height: number;
}

const kindOrder = ['agent', 'tool', 'model', 'source', 'server', 'provider'];

/** place lays boxes into columns, each box near the middle of what it is joined to. */
export function place(list: readonly Box[], all: readonly Link[]): Placed {
  const column = columnsOf(list, all);
  const by = new Map(list.map((b) => [b.id, b]));
  const columns: string[][] = [];
  const first = [...list].sort((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
  for (const b of first) (columns[column.get(b.id)!] ??= []).push(b.id);
  const used = columns.filter((c) => c !== undefined);
  const near = new Map<string, string[]>();
  for (const l of all) {
    near.set(l.from, [...(near.get(l.from) ?? []), l.to]);
    near.set(l.to, [...(near.get(l.to) ?? []), l.from]);
  }
  const at = new Map<string, number>(); // the place in its column, 0 to 1
  const seat = () => used.forEach((c) => c.forEach((id, i) => at.set(id, (i + 0.5) / c.length)));
  seat();
  // A few sweeps from left to right and back bring neighbours near each other.
  for (let sweep = 0; sweep < 6; sweep++) {
    const order = sweep % 2 ? [...used].reverse() : used;
    for (const c of order) {
      const want = new Map(c.map((id) => {
        const n = near.get(id) ?? [];
        return [id, n.length === 0 ? at.get(id)! : n.reduce((s, x) => s + at.get(x)!, 0) / n.length] as const;
      }));
      // Kinds stay together: a column reads from top to bottom as tools, models, sources.
      c.sort((a, b) => kindOrder.indexOf(by.get(a)!.kind) - kindOrder.indexOf(by.get(b)!.kind) || want.get(a)! - want.get(b)! || by.get(a)!.name.localeCompare(by.get(b)!.name) || (a < b ? -1 : 1));
      c.forEach((id, i) => at.set(id, (i + 0.5) / c.length));
    }
  }
  const tallest = Math.max(1, ...used.map((c) => c.length));
  const height = PAD * 2 + tallest * (HEIGHT + GAP_Y) - GAP_Y;
  const out: Placed = { at: new Map(), columns: used, width: PAD * 2 + used.length * (WIDTH + GAP_X) - GAP_X, height };
  used.forEach((c, k) => {
    const tall = c.length * (HEIGHT + GAP_Y) - GAP_Y;
    const top = PAD + Math.max(0, (height - PAD * 2 - tall) / 2);
    c.forEach((id, row) => out.at.set(id, { x: PAD + k * (WIDTH + GAP_X), y: Math.round(top + row * (HEIGHT + GAP_Y)), column: k, row }));
  });
  return out;
}

/** step is where an arrow key leads from a box: along an edge to the side where there is one, else to the nearest box of the next column. */
export function step(p: Placed, all: readonly Link[], id: string, key: 'left' | 'right' | 'up' | 'down'): string {
  const here = p.at.get(id);
  if (!here) return p.columns[0]?.[0] ?? id;
  if (key === 'up' || key === 'down') return p.columns[here.column]?.[here.row + (key === 'up' ? -1 : 1)] ?? id;
  const side = key === 'right' ? 1 : -1;
  const joined = all.filter((l) => l.from === id || l.to === id).map((l) => (l.from === id ? l.to : l.from));
  const right = (o: string) => (p.at.get(o)!.column - here.column) * side > 0;
  const next = joined.filter(right);
  const pool = next.length > 0 ? next : (p.columns[here.column + side] ?? []);
  const far = (o: string) => Math.abs(p.at.get(o)!.column - here.column) * 10_000 + Math.abs(p.at.get(o)!.y - here.y);
  return [...pool].sort((a, b) => far(a) - far(b) || (a < b ? -1 : 1))[0] ?? id;
}
