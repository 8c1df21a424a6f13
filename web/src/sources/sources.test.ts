import { expect, it } from 'vitest';
import { reach } from '../api/addresses';
import type { Source } from '../api/types';
import { matches, sheetOf, shortAge, worst } from './data';

const source = (name: string, state: string, made?: string, more: Partial<Source> = {}): Source => ({
  name, kind: 'dataset', trusted: false, registered: true, state, reason: '', version: made ? { version: '1', at: made, items: null } : null, versions: 1, documents: 0, out_of_use: null, failing_checks: 0, checks: 0, updated_at: '2026-01-01T00:00:00Z', ...more,
});

it('puts the worst source first', () => {
  const rows = [source('d', 'fresh'), source('c', 'unknown'), source('b', 'warn'), source('a2', 'stale', '2026-01-02T00:00:00Z'), source('a1', 'stale', '2026-01-01T00:00:00Z'), source('f', 'fresh', undefined, { failing_checks: 1 })];
  expect(rows.sort(worst).map((s) => s.name)).toEqual(['a1', 'a2', 'b', 'c', 'f', 'd']);
});

it('finds a source by any of its names, team or owner', () => {
  const s = source('db.public.refund_policy', 'fresh', undefined, { aliases: ['refunds'], team: 'support', owner: 'mira' });
  for (const q of ['', 'REFUND', 'refunds support', 'mira']) expect(matches(s, q), q).toBe(true);
  expect(matches(s, 'refund nobody')).toBe(false);
});

it('writes ages as people type them', () => {
  expect(['24h0m0s', '1h30m0s', '20m0s', '45s', '10h0m0s', undefined].map(shortAge)).toEqual(['24h', '1h30m', '20m', '45s', '10h', '']);
});

it('takes the address of a listener from the server', () => {
  expect(reach('http://:40123', 'reeve.example.com')).toBe('http://reeve.example.com:40123');
  expect(reach('https://localhost:7443/', '[::1]')).toBe('https://[::1]:7443');
  expect(reach('http://127.0.0.1:7301', 'localhost')).toBe('http://127.0.0.1:7301');
  expect(reach('https://door.example.com', 'reeve.example.com')).toBe('https://door.example.com');
  expect(reach(undefined, 'x')).toBeUndefined();
});

it('reads a sheet of questions with their truth', () => {
  expect(sheetOf('How long? => 14 days\n\n  Is a => b? => yes ')).toEqual([{ question: 'How long?', truth: '14 days' }, { question: 'Is a => b?', truth: 'yes' }]);
  expect(() => sheetOf('How long? => 14 days\nWhat?')).toThrow('line 2 has no =>');
  expect(() => sheetOf('=> 14 days')).toThrow('line 1');
});
