import { expect, test } from 'vitest';
import type { Change } from '../api/types';
import { gather, inGroup, matches } from './data';

const change = (over: Partial<Change>): Change => ({ id: 'c', kind: 'policy', title: 't', source: 'reeve', key: 'k', at: '2026-11-01T06:00:00Z', received_at: '2026-11-01T06:00:00Z', ...over }) as Change;

test('flags gather what lies close together, and leave out what is not in the period', () => {
  const from = Date.parse('2026-11-01T00:00:00Z');
  const to = Date.parse('2026-11-02T00:00:00Z');
  const at = (s: string) => change({ at: `2026-11-${s}Z` });
  const flags = gather([at('01T12:00:00'), at('01T12:05:00'), at('01T20:00:00'), at('02T00:00:01'), change({ at: 'never' })], from, to);
  expect(flags.map((f) => f.changes.length)).toEqual([2, 1]);
  expect(gather([at('02T00:00:00')], from, to)).toHaveLength(1);
});

test('every kind that is known stands in one tab at most', () => {
  for (const kind of ['deployment', 'release', 'push', 'prompt', 'model', 'policy', 'configuration', 'flag', 'agent', 'tool', 'upstream', 'budget', 'data']) {
    const tabs = ['delivered', 'made', 'tools', 'rules', 'flags'].filter((id) => inGroup({ kind }, id));
    expect(tabs).toHaveLength(1);
  }
  expect(inGroup({ kind: 'other' }, '')).toBe(true);
});

test('words are looked for in all of it', () => {
  expect(matches(change({ title: 'refunds to production', labels: { repository: 'shop/refunds' } }), 'REFUNDS shop')).toBe(true);
  expect(matches(change({}), 'x')).toBe(false);
});
