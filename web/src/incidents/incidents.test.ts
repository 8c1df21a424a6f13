import { describe, expect, it } from 'vitest';
import { evidenceLink } from './data';
import { since } from './IncidentPage';

describe('incidents', () => {
  it('leads from a sentence to its record', () => {
    expect(evidenceLink({ kind: 'finding', id: 'fnd_1' })).toEqual({ to: '/findings', search: { finding: 'fnd_1' } });
    expect(evidenceLink({ kind: 'audit', id: 'incident.acknowledge' }, '2026-11-28T10:00:00Z')).toEqual({ to: '/audit', search: { kind: 'incident.acknowledge', from: '2026-11-28T09:59:59.000Z', to: '2026-11-28T10:01:00.000Z' } });
    expect(evidenceLink({ kind: 'audit', id: 'incident.open' })).toEqual({ to: '/audit', search: { kind: 'incident.open' } });
    expect(evidenceLink({ kind: 'person', id: 'x' })).toBeUndefined();
  });
  it('compares an incident’s runs with those of the week before', () => {
    const i = { agents: ['a b', 'c'], opened_at: '2026-11-28T10:00:00Z', last_at: '2026-11-28T10:30:00Z', quiet_at: null, resolved_at: null };
    expect(since(i, Date.parse('2026-11-28T11:00:00Z'))).toEqual({ query: 'agent:"a b",c', from: '2026-11-21T10:00:00.000Z', to: '2026-11-28T11:00:01.000Z', selected_from: '2026-11-28T10:00:00Z' });
    expect(since({ ...i, quiet_at: '2026-11-28T10:40:00Z' }, 0).to).toBe('2026-11-28T10:40:01.000Z');
  });
});
