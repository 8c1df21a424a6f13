// Time on the screen: idle stretches are folded to a narrow marked break, so
// that a run which waited a night for a person is still readable. A scale maps
// run time (ms since the run's start) to screen time (ms of what is drawn) and
// back; zooming happens in screen time.

import { duration } from '../shared/format';
import type { Tree } from './tree';

/** A stretch in which no leaf step was active. */
export interface Gap {
  from: number;
  to: number;
}

/** idleGaps finds stretches without any leaf step that are worth folding. */
export function idleGaps(t: Tree): Gap[] {
  const leaves: number[] = [];
  for (let k = 0; k < t.n; k++) if (t.childCount[k] === 0) leaves.push(k);
  if (leaves.length === 0) return [];
  leaves.sort((a, b) => t.start[a]! - t.start[b]!);
  const gaps: Gap[] = [];
  let busy = 0;
  let reach = 0;
  for (const i of leaves) {
    const s = t.start[i]!;
    const e = t.end[i]!;
    if (s > reach) gaps.push({ from: reach, to: s });
    busy += Math.max(0, e - Math.max(s, reach));
    if (e > reach) reach = e;
  }
  if (t.total > reach) gaps.push({ from: reach, to: t.total });
  // A gap is folded when it is long beside the work: else folding would hide
  // the very slowness that somebody came to see.
  const least = Math.max(1000, busy * 0.5);
  return gaps.filter((g) => g.to - g.from >= least);
}

/** Segment is a stretch of the scale; a folded one has less screen time than run time. */
export interface Segment {
  t0: number;
  t1: number;
  u0: number;
  u1: number;
  folded: boolean;
}

/** Scale maps run time to screen time and back. */
export class Scale {
  readonly segments: Segment[];
  /** all of the screen time */
  readonly span: number;

  constructor(total: number, gaps: readonly Gap[]) {
    const end = Math.max(total, 0.001);
    const folded = gaps.filter((g) => g.to > g.from && g.from >= 0 && g.from < end);
    let hidden = 0;
    for (const g of folded) hidden += Math.min(g.to, end) - g.from;
    const shown = Math.max(end - hidden, end * 1e-6);
    // All breaks together take at most a fifth of the width.
    const width = folded.length === 0 ? 0 : Math.min(shown * 0.03, (shown * 0.2) / folded.length);
    const segs: Segment[] = [];
    let at = 0;
    let u = 0;
    for (const g of folded) {
      if (g.from > at) {
        segs.push({ t0: at, t1: g.from, u0: u, u1: u + g.from - at, folded: false });
        u += g.from - at;
      }
      const to = Math.min(g.to, end);
      segs.push({ t0: g.from, t1: to, u0: u, u1: u + width, folded: true });
      u += width;
      at = to;
    }
    if (at < end) {
      segs.push({ t0: at, t1: end, u0: u, u1: u + end - at, folded: false });
      u += end - at;
    }
    this.segments = segs;
    this.span = u;
  }

  /** u is the screen time of a run time. */
  u(t: number): number {
    const s = this.find(t, true);
    if (t <= s.t0) return s.u0;
    if (t >= s.t1) return s.u1;
    return s.u0 + ((t - s.t0) / (s.t1 - s.t0)) * (s.u1 - s.u0);
  }

  /** t is the run time of a screen time. */
  t(u: number): number {
    const s = this.find(u, false);
    if (u <= s.u0) return s.t0;
    if (u >= s.u1) return s.t1;
    return s.t0 + ((u - s.u0) / (s.u1 - s.u0)) * (s.t1 - s.t0);
  }

  private find(x: number, byT: boolean): Segment {
    const a = this.segments;
    let lo = 0;
    let hi = a.length - 1;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (x > (byT ? a[mid]!.t1 : a[mid]!.u1)) lo = mid + 1;
      else hi = mid;
    }
    return a[lo]!;
  }
}

/** View is the part of the screen time that is shown. */
export interface View {
  from: number;
  to: number;
}

/** clampView keeps a view inside the scale, at least `least` of screen time wide. */
export function clampView(v: View, span: number, least = span / 200_000): View {
  const width = Math.min(span, Math.max(v.to - v.from, least, 1e-4));
  let from = v.from;
  if (from < 0) from = 0;
  if (from + width > span) from = span - width;
  return { from, to: from + width };
}

/** zoomView scales the view by a factor (<1 is closer) keeping the point at `at` (0..1 of the width) still. */
export function zoomView(v: View, factor: number, at: number, span: number): View {
  const width = v.to - v.from;
  const point = v.from + width * at;
  const w = width * factor;
  return clampView({ from: point - w * at, to: point + w * (1 - at) }, span);
}

/** panView moves the view by a part of its width. */
export function panView(v: View, by: number, span: number): View {
  const d = (v.to - v.from) * by;
  return clampView({ from: v.from + d, to: v.to + d }, span);
}

/** Tick is a mark of the time axis. */
export interface Tick {
  u: number;
  t: number;
  label: string;
}

/** foldLabels are the folded stretches in the view, by their start, whose length is written: one beside another would be unreadable. */
export function foldLabels(scale: Scale, v: View, count: number): Set<number> {
  const room = ((v.to - v.from) / Math.max(1, count)) * 0.6;
  const out = new Set<number>();
  let last = -Infinity;
  for (const s of scale.segments) {
    if (!s.folded || s.u1 < v.from || s.u0 > v.to) continue;
    const mid = (s.u0 + s.u1) / 2;
    if (mid - last < room) continue;
    out.add(s.t0);
    last = mid;
  }
  return out;
}

/** ticks chooses about `count` round marks inside the view, none inside a folded stretch or under what is written over one. */
export function ticks(scale: Scale, v: View, count: number): Tick[] {
  const step = niceStep((v.to - v.from) / Math.max(1, count));
  const out: Tick[] = [];
  const slot = (v.to - v.from) / Math.max(1, count);
  const gap = slot * 0.75;
  const written = foldLabels(scale, v, count);
  const folds = scale.segments.filter((s) => written.has(s.t0) && s.folded).map((s) => (s.u0 + s.u1) / 2);
  // A mark's words begin at it; those of a fold are centred on it.
  const under = (u: number) => folds.some((mid) => mid > u - slot * 0.3 && mid < u + slot * 0.85);
  let last = -Infinity;
  for (const s of scale.segments) {
    if (s.folded || s.u1 < v.from || s.u0 > v.to) continue;
    const t0 = s.t0 + Math.max(0, v.from - s.u0);
    const t1 = s.t1 - Math.max(0, s.u1 - v.to);
    for (let t = Math.ceil(t0 / step - 1e-9) * step; t <= t1 + 1e-9; t += step) {
      const u = s.u0 + (t - s.t0);
      if (u - last < gap || under(u)) continue;
      out.push({ u, t, label: formatOffset(t, step) });
      last = u;
      if (out.length > 64) return out;
    }
  }
  return out;
}

const NICE = [1, 2, 5, 10];

/** niceStep rounds up to 1, 2, 5 times a power of ten below a second, then to what clocks use. */
export function niceStep(ms: number): number {
  if (!(ms > 0)) return 1;
  if (ms > 1000) {
    for (const s of [2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5, 9e5, 1.8e6, 3.6e6, 7.2e6, 1.08e7, 2.16e7, 4.32e7, 8.64e7])
      if (ms <= s) return s;
    return Math.ceil(ms / 8.64e7) * 8.64e7;
  }
  const p = 10 ** Math.floor(Math.log10(ms));
  for (const k of NICE) if (ms <= k * p * (1 + 1e-9)) return k * p;
  return 10 * p;
}

/** formatOffset writes a time since the run's start no finer than the step between marks. */
export function formatOffset(t: number, step: number): string {
  if (t === 0) return '0';
  if (step < 1) return `${trim(t, Math.min(6, Math.ceil(-Math.log10(step))))} ms`;
  if (t < 1000 && step < 1000) return `${trim(t, 0)} ms`;
  if (t < 60_000) return `${trim(t / 1000, step < 1000 ? 3 : 0)} s`;
  if (t < 3_600_000) {
    const m = Math.floor(t / 60_000);
    const s = (t - m * 60_000) / 1000;
    return s < 1e-6 ? `${m} min` : `${m}:${pad(s, step < 1000 ? 3 : 0)}`;
  }
  const h = Math.floor(t / 3_600_000);
  const m = Math.round((t - h * 3_600_000) / 60_000);
  return `${h} h${m ? ` ${m} min` : ''}`;
}

function trim(x: number, digits: number): string {
  const s = x.toFixed(digits);
  return digits ? s.replace(/\.?0+$/, '') : s;
}

function pad(s: number, digits: number): string {
  const text = trim(s, digits);
  return s < 10 ? `0${text}` : text;
}

/** formatDuration writes a length of time, or that it is unknown. */
export function formatDuration(ms: number | null | undefined): string {
  return duration(ms) ?? 'unknown';
}
