import { expect, test } from 'vitest';
import type { Finding } from '../api/types';
import { order, responseStates, severities, words } from './data';

const finding = (id: string, severity: string, last: string, more: Partial<Finding> = {}) => ({ id, severity, last_seen: last, verdict: null, closed_at: null, ...more }) as Finding;

test('what nobody judged comes first, then the worst, then the newest', () => {
  const list = [
    finding('judged', 'critical', '2026-01-05T00:00:00Z', { verdict: { verdict: 'noise', by: 'ann', at: '2026-01-05T00:00:00Z' } }),
    finding('info', 'info', '2026-01-04T00:00:00Z'),
    finding('old', 'warning', '2026-01-01T00:00:00Z'),
    finding('new', 'warning', '2026-01-02T00:00:00Z'),
    finding('worst', 'critical', '2026-01-01T00:00:00Z'),
    finding('closed', 'critical', '2026-01-06T00:00:00Z', { closed_at: '2026-01-06T01:00:00Z' }),
  ];
  expect(order(list).map((f) => f.id)).toEqual(['worst', 'new', 'old', 'info', 'closed', 'judged']);
  expect(list[0]!.id).toBe('judged');
});

test('each state has a letter of its own', () => {
  for (const of of [severities, responseStates]) expect(new Set(Object.values(of).map((s) => s.letter)).size).toBe(Object.keys(of).length);
  expect(words('read_only')).toBe('read only');
});
