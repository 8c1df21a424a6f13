// The tree of a run's steps, held in flat arrays so that 50,000 of them are
// ready in tens of milliseconds. Input is what senders said: parents may be
// missing, form circles or be the step itself; ends may be missing or before
// the start. Every step gets exactly one place in the tree whatever it says.

import type { LightStep } from './data';

/** What was repaired about a step's place or time. */
export const REPAIR = {
  /** its parent was never seen: shown as a root */
  orphan: 1,
  /** its parents form a circle: the circle is cut here */
  cycle: 2,
  /** it ended before it started: shown as a point */
  negative: 4,
  /** it has no end yet: drawn up to the newest time seen */
  running: 8,
  /** it has no start: drawn at its parent's start, or at the run's */
  noStart: 16,
} as const;

/** The steps of a run as a tree. Times are milliseconds since the earliest start. */
export interface Tree {
  n: number;
  steps: readonly LightStep[];
  index: Map<string, number>;
  /** the earliest start, ms since 1970 (whole ms; the rest is in the times) */
  baseMs: number;
  start: Float64Array;
  end: Float64Array;
  /** the last end of a step and all below it */
  total: number;
  parent: Int32Array;
  depth: Int32Array;
  maxDepth: number;
  /** steps in reading order: parents before children, siblings by start */
  order: Int32Array;
  /** step -> its place in order */
  rank: Int32Array;
  /** step -> first place in order after its subtree */
  after: Int32Array;
  childCount: Int32Array;
  /** errors in the subtree, the step itself included */
  errors: Int32Array;
  repair: Uint8Array;
  roots: number[];
}

/** parseNs splits a decimal nanosecond string into whole ms and the rest as a fraction of a ms; null when it is no time. */
export function parseNs(s: string | undefined): { ms: number; frac: number } | null {
  if (!s || s === '0' || s === '-1') return null;
  if (s.length <= 6) {
    const ns = Number(s);
    return Number.isFinite(ns) ? { ms: 0, frac: ns / 1e6 } : null;
  }
  const ms = Number(s.slice(0, -6));
  const rest = Number(s.slice(-6));
  if (!Number.isFinite(ms) || !Number.isFinite(rest)) return null;
  return { ms, frac: rest / 1e6 };
}

/**
 * buildTree places every step. now is where running steps are drawn to, in ms
 * since 1970; without it they reach to the newest time seen in the run.
 */
export function buildTree(steps: readonly LightStep[], now?: number): Tree {
  const n = steps.length;
  const index = new Map<string, number>();
  const whole = new Float64Array(n);
  const frac = new Float64Array(n);
  const repair = new Uint8Array(n);
  let base = Infinity;
  for (let i = 0; i < n; i++) {
    const s = steps[i]!;
    index.set(s.id, i);
    const t = parseNs(s.start_ns);
    if (t === null) {
      repair[i]! |= REPAIR.noStart;
      continue;
    }
    whole[i] = t.ms;
    frac[i] = t.frac;
    if (t.ms < base) base = t.ms;
  }
  if (base === Infinity) base = now ?? 0;

  const parent = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    const p = steps[i]!.parent_id;
    if (!p) continue;
    const at = index.get(p);
    if (at === undefined) repair[i]! |= REPAIR.orphan;
    else if (at === i) repair[i]! |= REPAIR.cycle;
    else parent[i] = at;
  }
  cutCycles(parent, repair);

  const start = new Float64Array(n);
  const end = new Float64Array(n);
  let newest = 0;
  for (let i = 0; i < n; i++) {
    if (repair[i]! & REPAIR.noStart) continue;
    start[i] = whole[i]! - base + frac[i]!;
    const d = steps[i]!.duration_ms;
    if (d == null || !Number.isFinite(d)) {
      repair[i]! |= REPAIR.running;
      end[i] = start[i]!;
    } else if (d < 0) {
      repair[i]! |= REPAIR.negative;
      end[i] = start[i]!;
    } else {
      end[i] = start[i]! + d;
    }
    if (end[i]! > newest) newest = end[i]!;
  }
  if (now !== undefined && now - base > newest) {
    for (let i = 0; i < n; i++) if (repair[i]! & REPAIR.running && steps[i]!.status === 'running') newest = Math.max(newest, now - base);
  }

  // Children as linked lists over arrays, filled backwards from a sort by start
  // so that each list comes out in order without sorting every list.
  const byStart = new Int32Array(n);
  for (let i = 0; i < n; i++) byStart[i] = i;
  let sorted = true;
  for (let i = 1; i < n && sorted; i++) if (start[i]! < start[i - 1]!) sorted = false;
  if (!sorted) byStart.sort((a, b) => start[a]! - start[b]! || a - b);
  const first = new Int32Array(n).fill(-1);
  const next = new Int32Array(n).fill(-1);
  const childCount = new Int32Array(n);
  let firstRoot = -1;
  const nextRoot = next;
  for (let k = n - 1; k >= 0; k--) {
    const i = byStart[k]!;
    const p = parent[i]!;
    if (p < 0) {
      nextRoot[i] = firstRoot;
      firstRoot = i;
    } else {
      next[i] = first[p]!;
      first[p] = i;
      childCount[p]!++;
    }
  }

  const order = new Int32Array(n);
  const rank = new Int32Array(n);
  const after = new Int32Array(n);
  const depth = new Int32Array(n);
  const roots: number[] = [];
  let at = 0;
  let maxDepth = 0;
  let i = firstRoot;
  // Preorder without recursion: a chain of 50,000 parents must not end the page.
  while (i >= 0) {
    const p = parent[i]!;
    if (p < 0) roots.push(i);
    else {
      depth[i] = depth[p]! + 1;
      if (depth[i]! > maxDepth) maxDepth = depth[i]!;
    }
    if (repair[i]! & REPAIR.noStart) {
      start[i] = p < 0 ? 0 : start[p]!;
      const d = steps[i]!.duration_ms;
      end[i] = start[i]! + (d != null && d > 0 ? d : 0);
      if (end[i]! > newest) newest = end[i]!;
    }
    order[at] = i;
    rank[i] = at;
    at++;
    if (first[i]! >= 0) {
      i = first[i]!;
      continue;
    }
    let j = i;
    for (;;) {
      after[j] = at;
      if (next[j]! >= 0) {
        i = next[j]!;
        break;
      }
      j = parent[j]!;
      if (j < 0) {
        i = -1;
        break;
      }
    }
  }

  const errors = new Int32Array(n);
  for (let k = n - 1; k >= 0; k--) {
    const s = order[k]!;
    if (steps[s]!.status === 'error') errors[s]!++;
    const p = parent[s]!;
    if (p >= 0) errors[p]! += errors[s]!;
  }
  for (let k = 0; k < n; k++) if (repair[k]! & REPAIR.running && steps[k]!.status === 'running') end[k] = Math.max(newest, start[k]!);

  return { n, steps, index, baseMs: base, start, end, total: newest, parent, depth, maxDepth, order, rank, after, childCount, errors, repair, roots };
}

/** cutCycles makes a root of one step of every circle of parents, the one met first. */
function cutCycles(parent: Int32Array, repair: Uint8Array) {
  const n = parent.length;
  const seen = new Int32Array(n); // 0 never, else the number of the walk that saw it
  let walk = 0;
  for (let i = 0; i < n; i++) {
    if (seen[i]) continue;
    walk++;
    let j = i;
    let from = -1;
    while (j >= 0 && !seen[j]) {
      seen[j] = walk;
      from = j;
      j = parent[j]!;
    }
    if (j >= 0 && seen[j] === walk && from >= 0) {
      parent[from] = -1;
      repair[from]! |= REPAIR.cycle;
    }
  }
}

/** visibleRows lists steps in reading order without those below a collapsed one. */
export function visibleRows(t: Tree, collapsed: ReadonlySet<string>): Int32Array {
  if (collapsed.size === 0) return t.order;
  const out = new Int32Array(t.n);
  let k = 0;
  for (let r = 0; r < t.n;) {
    const i = t.order[r]!;
    out[k++] = i;
    r = collapsed.has(t.steps[i]!.id) ? t.after[i]! : r + 1;
  }
  return out.subarray(0, k);
}

/** matchRows lists the steps that match and the ancestors that lead to them. */
export function matchRows(t: Tree, match: Uint8Array): Int32Array {
  const keep = new Uint8Array(t.n);
  for (let k = t.n - 1; k >= 0; k--) {
    const i = t.order[k]!;
    if (match[i] || keep[i]) {
      keep[i] = 1;
      const p = t.parent[i]!;
      if (p >= 0) keep[p] = 1;
    }
  }
  const out = new Int32Array(t.n);
  let m = 0;
  for (let k = 0; k < t.n; k++) if (keep[t.order[k]!]) out[m++] = t.order[k]!;
  return out.subarray(0, m);
}

/** expandTo names the collapsed ancestors that hide a step. */
export function hiddenBy(t: Tree, i: number, collapsed: ReadonlySet<string>): string[] {
  const out: string[] = [];
  for (let p = t.parent[i]!; p >= 0; p = t.parent[p]!) if (collapsed.has(t.steps[p]!.id)) out.push(t.steps[p]!.id);
  return out;
}

/** match marks the steps whose name, kind, model, tool, agent, error or id contain the words (all of them, ignoring case). */
export function findSteps(t: Tree, text: string): Uint8Array {
  const out = new Uint8Array(t.n);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return out;
  for (let i = 0; i < t.n; i++) {
    const s = t.steps[i]!;
    const hay =
      `${s.name}\n${s.kind}\n${s.model ?? ''}\n${s.tool?.name ?? ''}\n${s.agent ?? ''}\n${s.status}\n${s.error?.type ?? ''}\n${s.error?.message ?? ''}\n${s.id}`.toLowerCase();
    out[i] = words.every((w) => hay.includes(w)) ? 1 : 0;
  }
  return out;
}

/** nextWith finds the next row, forwards or backwards from row `from`, that fulfils ok, going round at the end; -1 when none does. */
export function nextWith(rows: ArrayLike<number>, from: number, step: 1 | -1, ok: (i: number) => boolean): number {
  const n = rows.length;
  if (n === 0) return -1;
  let r = from;
  for (let k = 0; k < n; k++) {
    r = (r + step + n) % n;
    if (ok(rows[r]!)) return r;
  }
  return -1;
}
