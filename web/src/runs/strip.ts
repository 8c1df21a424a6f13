// The strip of outcomes over time: counts by bucket, in the order they are stacked.

import type { Cell } from '../api/types';

/** The kinds of ends, in the order of the stack: those of the overview's chart. */
export const ENDS = ['verified', 'assumed', 'contained', 'deflected', 'escalated', 'abandoned', 'failed', 'unknown', 'running'] as const;
export type End = (typeof ENDS)[number];

// What an outcome is called here: confirmed or not is what matters of resolved ones.
const ends: Record<string, End> = { verified_resolved: 'verified', resolved: 'assumed', implied_resolved: 'assumed', contained: 'contained', deflected: 'deflected', escalated: 'escalated', abandoned: 'abandoned', failed: 'failed' };

/** A bucket of the strip. */
export interface Bar {
  at: number;
  total: number;
  n: Record<End, number>;
}

/**
 * bars puts counted rows (time, outcome, failed or status, n) into buckets, empty ones
 * included. What ended in error and reported no outcome counts as failed, as on the overview.
 */
export function bars(rows: readonly Record<string, Cell>[], from: number, to: number, size: number): Bar[] {
  const first = Math.floor(from / size) * size;
  const many = Math.max(1, Math.min(2000, Math.ceil((to - first) / size)));
  const out: Bar[] = Array.from({ length: many }, (_, i) => ({ at: first + i * size, total: 0, n: { verified: 0, assumed: 0, contained: 0, deflected: 0, escalated: 0, abandoned: 0, failed: 0, unknown: 0, running: 0 } }));
  for (const r of rows) {
    const at = timeOf(r.time ?? r.bucket ?? r.at ?? null);
    if (at === null) continue;
    const b = out[Math.floor((at - first) / size)];
    if (!b) continue;
    const n = Number(r.n ?? 0);
    const outcome = typeof r.outcome === 'string' ? r.outcome : '';
    const status = typeof r.status === 'string' ? r.status : '';
    const end = ends[outcome] ?? (status === 'running' || status === 'waiting' ? 'running' : r.failed === true || r.failed === 1 ? 'failed' : 'unknown');
    b.n[end] += n;
    b.total += n;
  }
  return out;
}

function timeOf(v: Cell): number | null {
  if (typeof v === 'number') return v > 1e15 ? v / 1e6 : v > 1e11 ? v : v * 1000;
  if (typeof v !== 'string') return null;
  const t = Date.parse(v);
  return Number.isNaN(t) ? null : t;
}
