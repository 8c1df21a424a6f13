import { expect, it } from 'vitest';
import type { QueryResult } from '../api/types';
import { readCost, unknownShare } from './data';

const answer = (rows: unknown[][], first = 'model') => ({ columns: [{ name: first, kind: first === 'time' ? 'time' : 'dimension' }, { name: 'calls', kind: 'measure' }, { name: 'cost', kind: 'measure' }, { name: 'tokens', kind: 'measure' }], rows }) as unknown as QueryResult;

it('puts the dearest first, and what has no price as unknown', () => {
  const rows = readCost(answer([['cheap', 2, 0.1, 10], ['mine', 3, 0, 5], ['dear', 4, 2, null]]), answer([['mine', 3, null, 5], ['dear', 1, null, null]]), 'model');
  expect(rows.map((r) => [r.name, r.cost, r.unpriced])).toEqual([['dear', 2, 1], ['cheap', 0.1, 0], ['mine', null, 3]]);
  expect(unknownShare(rows)).toBeCloseTo(4 / 9);
  expect(unknownShare([])).toBe(0);
});

it('puts days in their order, the newest first', () => {
  const rows = readCost(answer([['2026-11-01T00:00:00Z', 1, 1, 1], ['2026-11-02T00:00:00Z', 1, 0.5, 1]], 'time'), undefined, 'day');
  expect(rows.map((r) => r.name)).toEqual(['2026-11-02', '2026-11-01']);
});
