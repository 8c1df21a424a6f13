// What was observed, as a graph: who called what ("calls"), or what followed
// what under one agent ("order"), with how often, how it failed and how often
// it went round.

import type { Tree } from './tree';

/** A participant of the run. */
export interface GraphNode {
  id: string;
  kind: string;
  name: string;
  count: number;
  errors: number;
  /** sum of durations in ms, running steps up to now */
  ms: number;
  /** null when no part is known */
  cost: number | null;
  steps: number[];
}

/** An observed edge. loops counts how often it led back to where its caller had been. */
export interface GraphEdge {
  id: string;
  from: string;
  to: string;
  count: number;
  errors: number;
  loops: number;
  steps: number[];
}

/** The graph of a run. */
export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/** Calls: who called what. Order: what came after what. */
export type GraphMode = 'calls' | 'order';

/** START is the id of the node a run begins at in mode "order", and of who calls what has no agent above it. */
export const START = 'run:';

const ACTORS = new Set(['agent', 'tool', 'mcp', 'a2a', 'handoff']);
const PLAIN = new Set(['other', 'workflow', 'task', 'prompt', 'http', 'event', 'plan']);

function nodeKey(t: Tree, i: number): { id: string; kind: string; name: string } | null {
  const s = t.steps[i]!;
  switch (s.kind) {
    case 'agent':
      return named('agent', s.agent || s.name);
    case 'model':
    case 'embedding':
      return named(s.kind, s.model || s.name);
    case 'tool':
    case 'mcp':
    case 'a2a':
      return named(s.kind, s.tool?.name || s.name);
    default:
      return PLAIN.has(s.kind) ? null : named(s.kind, s.name);
  }
}

function named(kind: string, name: string) {
  return { id: `${kind}:${name}`, kind, name };
}

/** buildGraph draws the graph of a run. */
export function buildGraph(t: Tree, mode: GraphMode): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  const node = (id: string, kind: string, name: string): GraphNode => {
    let n = nodes.get(id);
    if (!n) nodes.set(id, (n = { id, kind, name, count: 0, errors: 0, ms: 0, cost: null, steps: [] }));
    return n;
  };
  const edge = (from: string, to: string, i: number, error: boolean, loop: boolean) => {
    const id = `${from}\u0000${to}`;
    let e = edges.get(id);
    if (!e) edges.set(id, (e = { id, from, to, count: 0, errors: 0, loops: 0, steps: [] }));
    e.count++;
    if (error) e.errors++;
    if (loop) e.loops++;
    e.steps.push(i);
  };

  // actor[i]: the step whose node calls what lies below i; -1 is the run itself.
  const actor = new Int32Array(t.n);
  const drawn: ({ id: string; kind: string; name: string } | null)[] = new Array(t.n).fill(null);
  const sequences = new Map<number, number[]>();
  for (let k = 0; k < t.n; k++) {
    const i = t.order[k]!;
    const s = t.steps[i]!;
    const p = t.parent[i]!;
    const caller = p < 0 ? -1 : drawn[p] && ACTORS.has(t.steps[p]!.kind) ? p : actor[p]!;
    actor[i] = caller;
    let key = nodeKey(t, i);
    // A wrapper around the same participant (an SDK's span in a framework's) is one call.
    if (key && caller >= 0 && drawn[caller]!.id === key.id && p === caller) key = null;
    if (key && p >= 0 && drawn[p] && drawn[p]!.id === key.id) key = null;
    drawn[i] = key ?? null;
    if (!key) {
      // Below a wrapper the caller stays who it was.
      if (drawn[i] === null && p >= 0 && nodeKey(t, i)) actor[i] = caller;
      continue;
    }
    const n = node(key.id, key.kind, key.name);
    n.count++;
    n.ms += t.end[i]! - t.start[i]!;
    n.steps.push(i);
    const error = s.status === 'error';
    if (error) n.errors++;
    const c = s.cost?.amount;
    if (c != null) n.cost = (n.cost ?? 0) + c;
    if (mode === 'calls') {
      const from = caller < 0 ? START : drawn[caller]!.id;
      if (caller >= 0 || key.kind !== 'agent') {
        if (caller < 0) node(START, 'run', 'run');
        edge(from, key.id, i, error, from === key.id);
      }
    } else {
      const list = sequences.get(caller);
      if (list) list.push(i);
      else sequences.set(caller, [i]);
    }
  }

  if (mode === 'order') {
    for (const [caller, list] of sequences) {
      list.sort((a, b) => t.start[a]! - t.start[b]! || t.rank[a]! - t.rank[b]!);
      let from = caller < 0 ? START : drawn[caller]!.id;
      const been = new Set<string>([from]);
      if (caller < 0) node(START, 'run', 'start');
      for (const i of list) {
        const to = drawn[i]!.id;
        edge(from, to, i, t.steps[i]!.status === 'error', been.has(to));
        been.add(to);
        from = to;
      }
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

const CALLS = new Set(['tool', 'mcp', 'a2a']);

/**
 * sameCall is the call above that a step is another report of: the SDK's span of a tool
 * has the door's step of that call in it. It was made once. -1 when it is a call of its own.
 */
export function sameCall(t: Tree, i: number): number {
  const s = t.steps[i]!;
  const args = s.message_refs?.arguments ?? s.message_refs?.input;
  for (let p = t.parent[i]!; p >= 0; p = t.parent[p]!) {
    const above = t.steps[p]!;
    if (!CALLS.has(above.kind)) continue;
    const given = above.message_refs?.arguments ?? above.message_refs?.input;
    return (above.tool?.name || above.name) === (s.tool?.name || s.name) && (args === undefined || given === undefined || args === given) ? p : -1;
  }
  return -1;
}

/** A call made more than once with the same arguments. */
export interface Repeat {
  name: string;
  kind: string;
  count: number;
  /** false when arguments were not recorded, so that only names could be compared in a row */
  sameArguments: boolean;
  steps: number[];
}

/** repeats finds tools called again and again: with the same arguments, or three times and more in a row where arguments are unknown. */
export function repeats(t: Tree): Repeat[] {
  const byCall = new Map<string, Repeat>();
  const out: Repeat[] = [];
  let row: Repeat | null = null;
  const endRow = () => {
    if (row && row.count >= 3) out.push(row);
    row = null;
  };
  for (let k = 0; k < t.n; k++) {
    const i = t.order[k]!;
    const s = t.steps[i]!;
    if (!CALLS.has(s.kind) || sameCall(t, i) >= 0) continue;
    const name = s.tool?.name || s.name;
    const args = s.message_refs?.arguments ?? s.message_refs?.input;
    if (args === undefined) {
      if (row && row.name === name) {
        row.count++;
        row.steps.push(i);
      } else {
        endRow();
        row = { name, kind: s.kind, count: 1, sameArguments: false, steps: [i] };
      }
      continue;
    }
    endRow();
    const key = `${name}\u0000${args}`;
    const r = byCall.get(key);
    if (r) {
      r.count++;
      r.steps.push(i);
    } else byCall.set(key, { name, kind: s.kind, count: 1, sameArguments: true, steps: [i] });
  }
  endRow();
  for (const r of byCall.values()) if (r.count > 1) out.push(r);
  return out.sort((a, b) => b.count - a.count);
}
