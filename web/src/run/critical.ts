// The critical path: the steps that, had they been faster, would have ended the
// run sooner. Walk back from the end; at each moment the path is in the child
// that finished last before it, else in the step itself.

import type { Tree } from './tree';

/** CriticalPath marks the steps on the path and how much of it is their own time. */
export interface CriticalPath {
  /** ms of the path that each step itself, not its children, accounts for */
  own: Float64Array;
  /** steps that have own time on the path, longest first */
  steps: number[];
  /** the whole path's length in ms */
  length: number;
}

/** criticalPath finds the path of a run; steps still running reach to the newest time seen. */
export function criticalPath(t: Tree): CriticalPath {
  const own = new Float64Array(t.n);
  // Children by descending end, as one array cut by offsets.
  const offset = new Int32Array(t.n + 2);
  for (let i = 0; i < t.n; i++) offset[t.parent[i]! + 2]!++;
  for (let i = 1; i < t.n + 2; i++) offset[i]! += offset[i - 1]!;
  const kids = new Int32Array(t.n);
  const fill = offset.slice();
  for (let k = 0; k < t.n; k++) {
    const i = t.order[k]!;
    kids[fill[t.parent[i]! + 1]!++] = i;
  }
  const childrenOf = (p: number): Int32Array => {
    const list = kids.subarray(offset[p + 1]!, offset[p + 2]!);
    return list.length > 1 ? list.sort((a, b) => t.end[b]! - t.end[a]! || t.start[b]! - t.start[a]!) : list;
  };

  const stack: number[] = [];
  const until: number[] = [];
  const visit = (p: number, from: number, limit: number) => {
    let cursor = limit;
    for (const c of childrenOf(p)) {
      if (cursor <= from) break;
      const s = Math.max(t.start[c]!, from);
      if (s >= cursor) continue;
      const e = Math.min(t.end[c]!, cursor);
      if (e <= from) continue;
      if (e <= s) continue; // a point adds nothing to a length
      if (p >= 0) own[p]! += cursor - e;
      stack.push(c);
      until.push(e);
      cursor = s;
    }
    if (p >= 0) own[p]! += Math.max(0, cursor - from);
  };
  visit(-1, 0, t.total);
  while (stack.length > 0) {
    const i = stack.pop()!;
    const limit = until.pop()!;
    visit(i, t.start[i]!, limit);
  }

  const steps: number[] = [];
  let length = 0;
  for (let i = 0; i < t.n; i++) {
    if (own[i]! > 0) {
      steps.push(i);
      length += own[i]!;
    }
  }
  steps.sort((a, b) => own[b]! - own[a]!);
  return { own, steps, length };
}
