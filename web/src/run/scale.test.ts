import { describe, expect, it } from 'vitest';
import { bigRun, step } from './fixture';
import { criticalPath } from './critical';
import { clampView, foldLabels, formatDuration, formatOffset, idleGaps, niceStep, panView, Scale, ticks, zoomView } from './scale';
import { buildTree } from './tree';

describe('idle stretches', () => {
  const t = buildTree([
    step('r', null, 'agent', 0, 3_600_000),
    step('a', 'r', 'model', 0, 1000),
    step('b', 'r', 'tool', 3_599_000, 1000),
    step('c', 'r', 'tool', 1200, 300),
  ]);
  it('finds what is long beside the work, and not what is short', () => {
    expect(idleGaps(t)).toEqual([{ from: 1500, to: 3_599_000 }]);
  });
  it('folds it to a narrow break that maps both ways', () => {
    const s = new Scale(t.total, idleGaps(t));
    expect(s.span).toBeLessThan(3000);
    for (const x of [0, 700, 1500, 3_599_000, 3_599_500, 3_600_000]) expect(s.t(s.u(x))).toBeCloseTo(x, 3);
    expect(s.u(3_599_000) - s.u(1500)).toBeLessThan(600);
    expect(s.u(2_000_000)).toBeGreaterThan(s.u(1500));
  });
  it('does not fold a run without gaps', () => {
    const one = buildTree([step('a', null, 'model', 0, 1000)]);
    expect(new Scale(one.total, idleGaps(one)).segments.length).toBe(1);
  });
  it('takes a run of no length', () => {
    const s = new Scale(0, []);
    expect(Number.isFinite(s.u(0))).toBe(true);
    expect(ticks(s, { from: 0, to: s.span }, 8).length).toBeGreaterThan(0);
  });
});

describe('marks beside folded stretches', () => {
  it('keep clear of each other and of what is written over a fold', () => {
    const scale = new Scale(10_000_000, [
      { from: 1000, to: 3_000_000 },
      { from: 3_001_000, to: 6_000_000 },
      { from: 6_000_200, to: 9_990_000 },
    ]);
    const view = { from: 0, to: scale.span };
    const slot = scale.span / 6;
    const marks = ticks(scale, view, 6);
    expect(marks.length).toBeGreaterThan(1);
    for (let i = 1; i < marks.length; i++) expect(marks[i]!.u - marks[i - 1]!.u).toBeGreaterThanOrEqual(slot * 0.75);
    const written = foldLabels(scale, view, 6);
    expect(written.size).toBeGreaterThan(0);
    for (const s of scale.segments) {
      if (!written.has(s.t0) || !s.folded) continue;
      const mid = (s.u0 + s.u1) / 2;
      for (const m of marks) expect(mid > m.u - slot * 0.3 && mid < m.u + slot * 0.85).toBe(false);
    }
  });
});

describe('zoom', () => {
  it('keeps the point under the pointer still', () => {
    const v = zoomView({ from: 0, to: 100 }, 0.5, 0.25, 100);
    expect(v).toEqual({ from: 12.5, to: 62.5 });
  });
  it('never leaves the run', () => {
    expect(zoomView({ from: 10, to: 20 }, 100, 0.5, 100)).toEqual({ from: 0, to: 100 });
    expect(panView({ from: 80, to: 100 }, 1, 100)).toEqual({ from: 80, to: 100 });
    expect(clampView({ from: 5, to: 5 }, 100).to).toBeGreaterThan(5);
  });
});

describe('words for time', () => {
  it('says that it is unknown', () => expect(formatDuration(null)).toBe('unknown'));
  it('labels marks no finer than their step', () => {
    expect(formatOffset(1500, 500)).toBe('1.5 s');
    expect(formatOffset(65_000, 5000)).toBe('1:05');
    expect(formatOffset(120_000, 60_000)).toBe('2 min');
    expect(niceStep(37)).toBe(50);
    expect(niceStep(40_000)).toBe(60_000);
  });
});

describe('criticalPath', () => {
  it('follows what finished last and adds up to the run', () => {
    const t = buildTree([
      step('r', null, 'agent', 0, 100),
      step('a', 'r', 'model', 0, 40),
      step('b', 'r', 'tool', 10, 80),
      step('c', 'b', 'tool', 20, 60),
    ]);
    const p = criticalPath(t);
    const own = (id: string) => p.own[t.index.get(id)!];
    expect(own('r')).toBe(10);
    expect(own('b')).toBe(20);
    expect(own('c')).toBe(60);
    // a is on the path only before b began, and nothing of b depends on it after
    expect(own('a')).toBe(10);
    expect(p.length).toBe(100);
  });
  it('takes children that outlive their parent, and 50,000 steps', () => {
    const t = buildTree([step('r', null, 'agent', 0, 50), step('late', 'r', 'tool', 40, 60)]);
    expect(criticalPath(t).length).toBeGreaterThan(0);
    const big = buildTree(bigRun(50_000));
    const at = performance.now();
    criticalPath(big);
    expect(performance.now() - at).toBeLessThan(3000);
  });
});
