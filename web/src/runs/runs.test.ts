import { describe, expect, it } from 'vitest';
import { compareRuns, differenceInterval, quantile, rankZ, wilson, type ComparedRun } from './compare';
import { complete, quote, splitValues, terms, toggleValue, valuesOf, withTerm } from './searchText';

describe('search text', () => {
  it('cuts terms at the top level only', () => {
    expect(terms('agent:refunds  any(kind:tool status:error) "two words" -team:x cost>0.1').map((t) => [t.text, t.field, t.op])).toEqual([
      ['agent:refunds', 'agent', ':'],
      ['any(kind:tool status:error)', '', ''],
      ['"two words"', '', ''],
      ['-team:x', 'team', ':'],
      ['cost>0.1', 'cost', '>'],
    ]);
  });
  it('toggles values of a field in place', () => {
    let s = toggleValue('timeout', 'status', 'done');
    expect(s).toBe('timeout status:done');
    s = toggleValue(s, 'status', 'stale');
    expect(s).toBe('timeout status:done,stale');
    expect(valuesOf(s, 'status')).toEqual(['done', 'stale']);
    expect(toggleValue(toggleValue(s, 'status', 'done'), 'status', 'stale')).toBe('timeout');
  });
  it('quotes what would not read back', () => {
    expect(quote('a b')).toBe('"a b"');
    expect(splitValues('x,"a, \\"b\\""')).toEqual(['x', 'a, "b"']);
    expect(withTerm('', 'agent', ['it "is"'])).toBe('agent:"it \\"is\\""');
    expect(withTerm('', 'outcome', ['unknown'])).toBe('outcome:unknown');
  });
  const fields = [
    { name: 'agent', type: 'string', scope: 'run', values: ['refunds', 'research desk'] },
    { name: 'cost', type: 'number', scope: 'run' },
    { name: 'kind', type: 'string', scope: 'step', values: ['model', 'tool'] },
  ];
  it('completes fields, then values, then fields of a step inside any()', () => {
    expect(complete('ag', 2, fields).items[0]).toMatchObject({ insert: 'agent:' });
    expect(complete('agent:res', 9, fields).items[0]).toMatchObject({ insert: 'agent:"research desk"' });
    expect(complete('agent:refunds,', 14, fields).items.map((i) => i.label)).toContain('research desk');
    expect(complete('any(ki', 6, fields).items[0]).toMatchObject({ insert: 'kind:' });
    expect(complete('any(kind:to', 11, fields)).toMatchObject({ from: 4, items: [{ insert: 'kind:tool' }] });
    expect(complete('', 0, fields).items.some((i) => i.label === 'any(')).toBe(true);
    expect(complete('cos', 3, fields).items[0]!.insert).toBe('cost>');
  });
});

const run = (id: number, more: Partial<ComparedRun>): ComparedRun => ({
  id: `r${id}`,
  agent: 'a',
  status: 'done',
  step_count: 3,
  error_count: 0,
  model_calls: 1,
  tool_calls: 1,
  usage: {},
  cost: {},
  ...more,
});

describe('what is different', () => {
  it('puts what surely differs first and calls chance chance', () => {
    const sel = Array.from({ length: 20 }, (_, i) => run(i, { tools: ['lookup'], duration_ms: 900 + i, version: i % 2 ? '1' : '2' }));
    const rest = Array.from({ length: 200 }, (_, i) =>
      run(100 + i, { tools: i % 10 === 0 ? ['lookup'] : ['refund'], duration_ms: 100 + (i % 50), version: i % 2 ? '1' : '2' }),
    );
    const c = compareRuns(sel, rest);
    expect(c.differences[0]).toMatchObject({ field: 'tool', a: 20, clear: true });
    expect(c.differences.filter((d) => d.field === 'version').every((d) => !d.clear)).toBe(true);
    expect(c.numbers.find((n) => n.field === 'duration')).toMatchObject({ clear: true, nA: 20, nB: 200 });
    expect(c.numbers.find((n) => n.field === 'cost')).toMatchObject({ nA: 0, medianA: null, clear: false });
  });
  it('does not call two runs a pattern', () => {
    const c = compareRuns([run(1, { agent: 'x' }), run(2, { agent: 'x' })], [run(3, {}), run(4, {}), run(5, {})]);
    expect(c.differences.some((d) => d.clear)).toBe(false);
  });
  it('takes empty sides', () => {
    expect(compareRuns([], []).differences).toEqual([]);
    expect(quantile([], 0.5)).toBeNull();
    expect(wilson(0, 0)).toEqual([0, 1]);
    expect(rankZ([], [1])).toBe(0);
    expect(rankZ([1, 1], [1, 1])).toBe(0);
    const [lo, hi] = differenceInterval(0, 10, 10, 10);
    expect(lo).toBeLessThan(hi);
  });
});
