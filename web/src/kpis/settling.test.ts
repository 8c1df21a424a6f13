import { describe, expect, it } from 'vitest';
import type { OutcomeRuleTrial } from '../api/types';
import { aboutOf, saysOf, triedOf } from './settling';

const trial = (t: Partial<OutcomeRuleTrial>): OutcomeRuleTrial => ({ from: '', to: '', whole: true, found: 4, decides: 1, changes: 1, stronger: 1, waits: 2, late: 0, runs: [], ...t });
const text = (t: OutcomeRuleTrial, outcome = 'resolved', limit = false) => {
  const said = triedOf(t, outcome, limit);
  return [said.lead, ...said.rest].join(' ');
};

describe('a rule about outcomes', () => {
  it('says what it says in words', () => {
    expect(saysOf({ outcome: 'resolved' })).toBe('they ended resolved');
    expect(saysOf({ deadline: '72h0m0s', stuck: '4h30m0s' })).toBe('late after 72h; stuck after 4h30m without news');
  });
  it('tells of a trial what counts, what stands and what waits', () => {
    expect(text(trial({}))).toBe('It finds 4 runs of the last 30 days. 1 would be decided by it, 1 otherwise than now. Of 1 run something stronger says how it ended. 2 runs are not settled yet: its word would count then.');
    expect(text(trial({ decides: 0, changes: 0, stronger: 0, waits: 0 }))).toContain('None would be decided by it.');
  });
  it('tells of a deadline alone who is late, and nothing of outcomes', () => {
    expect(text(trial({ late: 1 }), '', true)).toBe('It finds 4 runs of the last 30 days. 1 run is late by it now.');
  });
  it('says when there were more runs than it looked at, and when there was none', () => {
    expect(text(trial({ whole: false, found: 300 }))).toContain('more than 300 runs of the last 30 days; the newest were looked at.');
    expect(text(trial({ found: 0 }))).toBe('It finds no run of the last 30 days.');
  });
});

describe('evidence that waits', () => {
  it('names its run as it was named', () => {
    expect(aboutOf({ key: '4711' })).toBe('join_key=4711');
    expect(aboutOf({ key: 'order_id=7' })).toBe('order_id=7');
    expect(aboutOf({ session: 's-17' })).toBe('session s-17');
    expect(aboutOf({ run_id: 'run_1' })).toBe('run_1');
  });
});
