import { describe, expect, it } from 'vitest';
import type { Different, DifferentItem } from '../api/types';
import { stretch, termOf, verdict } from './Difference';
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

const item = (name: string, value: string): DifferentItem => ({ name, value, selected: 5, rest: 1, share: 1, rest_share: 0.1, effect: 0.9, low: 0.5, high: 1, lift: 9, p: 0.001 });
const answer = (more: Partial<Different>): Different => ({ selected: 20, rest: 100, truncated: false, items: [], measures: [], unread: [], ...more });

describe('what is different', () => {
  it('finds the runs that have a value, where a search can', () => {
    expect(termOf(item('version', '7'))).toBe('version:7');
    expect(termOf(item('tool', 'look "up"'))).toBe('tool:"look \\"up\\""');
    expect(termOf(item('label:group', 'gold'))).toBe('label.group:gold');
    expect(termOf(item('label:a b', 'x'))).toBe('label."a b":x');
    for (const name of ['prompt', 'policy', 'source_version', 'hour']) expect(termOf(item(name, 'x'))).toBeUndefined();
  });
  it('says what came of it, and calls chance chance', () => {
    expect(verdict(answer({ rest: 0 }))).toMatch(/nothing to compare/);
    expect(verdict(answer({ items: [item('version', '7')] }))).toBe('1 attribute sets them apart beyond chance.');
    expect(verdict(answer({}))).toMatch(/Nothing sets them apart/);
    expect(verdict(answer({ selected: 2 }))).toMatch(/chance/);
    expect(verdict(answer({ measures: [{ name: 'cost', selected: 9, rest: 9, median: 1, rest_median: 2, p95: 1, rest_p95: 2, p: 0.001, clear: true }] }))).toMatch(/Measures differ/);
  });
  it('selects a stretch of time', () => {
    expect(stretch({ from: 0, to: 60_000 })).toEqual({ selected_from: '1970-01-01T00:00:00.000Z', selected_to: '1970-01-01T00:01:00.000Z' });
  });
});
