import { describe, expect, it } from 'vitest';
import { peopleOf, rotationWords, stretches, type Schedule } from './data';

const hour = 3_600_000;
const t0 = Date.parse('2026-03-01T00:00:00Z');
const at = (h: number) => new Date(t0 + h * hour).toISOString();

describe('stretches', () => {
  it('cuts at both ends and leaves out what is outside', () => {
    const shifts = [
      { person: 'ada', from: at(-5), to: at(2) },
      { person: '', from: at(2), to: at(5) },
      { person: 'bob', from: at(5), to: at(50) },
      { person: 'eve', from: at(50), to: at(60) },
    ];
    const got = stretches(shifts, t0, t0 + 10 * hour);
    expect(got.map((s) => [s.shift.person, Math.round(s.left), Math.round(s.width)])).toEqual([['ada', 0, 20], ['', 20, 30], ['bob', 50, 50]]);
  });
  it('is empty for no time at all', () => expect(stretches([{ person: 'ada', from: at(0), to: at(1) }], t0, t0)).toEqual([]));
});

describe('words', () => {
  it('says a rotation', () => {
    expect(rotationWords({ people: ['ada'], start: at(0), every: 'week' })).toBe('by the week');
    expect(rotationWords({ people: ['ada'], start: at(0), every: '12h', days: ['sat', 'sun'], hours: '09:00-17:00' })).toBe('every 12h on sat, sun within 09:00-17:00');
  });
  it('names everybody once', () => {
    const s = { rotations: [{ people: ['bob', 'ada'] }, { people: ['ada'] }] } as unknown as Schedule;
    expect(peopleOf([s, s])).toEqual(['ada', 'bob']);
  });
});
