import { describe, expect, it } from 'vitest';
import { bigRun, step } from './fixture';
import { buildTree, findSteps, hiddenBy, matchRows, nextWith, parseNs, REPAIR, visibleRows } from './tree';

const ids = (t: ReturnType<typeof buildTree>, rows: ArrayLike<number>) => Array.from(rows, (i) => t.steps[i]!.id);

describe('buildTree', () => {
  it('puts parents before children and siblings by start, whatever the order of arrival', () => {
    const t = buildTree([
      step('c2', 'root', 'tool', 30, 5),
      step('g', 'c1', 'model', 12, 1),
      step('root', null, 'agent', 0, 50),
      step('c1', 'root', 'model', 10, 5),
    ]);
    expect(ids(t, t.order)).toEqual(['root', 'c1', 'g', 'c2']);
    expect(Array.from(t.order, (i) => t.depth[i])).toEqual([0, 1, 2, 1]);
    expect(t.after[t.index.get('c1')!]).toBe(3);
    expect(t.total).toBe(50);
  });

  it('keeps a step whose parent was never seen, as a marked root', () => {
    const t = buildTree([step('a', 'gone', 'tool', 5, 1), step('b', null, 'agent', 0, 9)]);
    expect(t.roots.length).toBe(2);
    expect(t.repair[0]! & REPAIR.orphan).toBeTruthy();
  });

  it('cuts circles of parents once, and a step that is its own parent', () => {
    const t = buildTree([
      step('a', 'c', 'tool', 0, 1),
      step('b', 'a', 'tool', 1, 1),
      step('c', 'b', 'tool', 2, 1),
      step('s', 's', 'tool', 3, 1),
      step('d', 'b', 'tool', 4, 1),
    ]);
    expect(t.order.length).toBe(5);
    expect(new Set(ids(t, t.order)).size).toBe(5);
    expect(Array.from(t.repair).filter((r) => r & REPAIR.cycle).length).toBe(2);
  });

  it('draws a negative duration as a point and a missing start at its parent', () => {
    const t = buildTree([step('r', null, 'agent', 100, 50), step('n', 'r', 'tool', 120, -7), { ...step('z', 'r', 'tool', 0, 3), start_ns: '0' }]);
    expect(t.end[1]).toBe(t.start[1]);
    expect(t.repair[1]! & REPAIR.negative).toBeTruthy();
    expect(t.start[2]).toBe(t.start[0]);
    expect(t.repair[2]! & REPAIR.noStart).toBeTruthy();
  });

  it('draws running steps up to the newest time seen, or up to now', () => {
    const steps = [step('r', null, 'agent', 0, null), step('m', 'r', 'model', 10, 30)];
    expect(buildTree(steps).end[0]).toBe(40);
    expect(buildTree(steps, 1_790_000_000_000 + 500).end[0]).toBe(500);
  });

  it('counts errors up the tree', () => {
    const t = buildTree([step('r', null, 'agent', 0, 9), step('a', 'r', 'agent', 1, 5), step('x', 'a', 'tool', 2, 1, { status: 'error' })]);
    expect(Array.from(t.errors)).toEqual([1, 1, 1]);
  });

  it('is ready for 50,000 steps in a moment', () => {
    const steps = bigRun(50_000);
    const at = performance.now();
    const t = buildTree(steps);
    const took = performance.now() - at;
    expect(t.order.length).toBe(50_000);
    expect(took).toBeLessThan(3000) // 60 ms on an idle core; the machine may be busy;
  });

  it('survives a chain of 50,000 parents', () => {
    const steps = Array.from({ length: 50_000 }, (_, i) => step(`s${i}`, i ? `s${i - 1}` : null, 'tool', i, 50_000 - i));
    const t = buildTree(steps);
    expect(t.maxDepth).toBe(49_999);
  });

  it('takes an empty run', () => {
    const t = buildTree([]);
    expect(t.n).toBe(0);
    expect(t.total).toBe(0);
  });
});

describe('rows', () => {
  const t = buildTree([
    step('r', null, 'agent', 0, 9),
    step('a', 'r', 'agent', 1, 5, { name: 'planner' }),
    step('x', 'a', 'tool', 2, 1, { name: 'lookup_order' }),
    step('y', 'r', 'tool', 7, 1),
  ]);
  it('hides what lies below a collapsed step', () => {
    expect(ids(t, visibleRows(t, new Set(['a'])))).toEqual(['r', 'a', 'y']);
    expect(hiddenBy(t, 2, new Set(['a']))).toEqual(['a']);
  });
  it('shows matches with the way to them', () => {
    expect(ids(t, matchRows(t, findSteps(t, 'LOOKUP tool')))).toEqual(['r', 'a', 'x']);
  });
  it('goes round when jumping', () => {
    const rows = visibleRows(t, new Set());
    const tool = (i: number) => t.steps[i]!.kind === 'tool';
    expect(nextWith(rows, 3, 1, tool)).toBe(2);
    expect(nextWith(rows, 2, -1, tool)).toBe(3);
    expect(nextWith(rows, 0, 1, () => false)).toBe(-1);
  });
});

it('reads nanoseconds without losing microseconds', () => {
  expect(parseNs('1790000000123456789')).toEqual({ ms: 1790000000123, frac: 0.456789 });
  expect(parseNs('nonsense')).toBeNull();
  expect(parseNs('0')).toBeNull();
});
