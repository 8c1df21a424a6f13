import { describe, expect, it } from 'vitest';
import type { Evaluator } from '../api/types';
import { bodyOf, changeOf, formOf, looksAt, wrong } from './evaluator';

const evaluator = (more: Partial<Evaluator>): Evaluator => ({ name: 'grounded', kind: 'groundedness', agents: [], share: 1, off: false, revision: 4, updated_at: '2026-11-28T09:00:00Z', ...more });

describe('evaluators as they are set', () => {
  it('sends what the kind has, and nothing that was typed of another', () => {
    const f = { ...formOf(), name: 'short', kind: 'rule', when: ' size(answer) < 9 ', schema: 'no json', agents: 'a, ,b' };
    expect(bodyOf(f)).toEqual({ kind: 'rule', team: undefined, environment: undefined, agents: ['a', 'b'], when: 'size(answer) < 9', schema: undefined, rules: undefined, judge: undefined });
    expect(bodyOf({ ...f, kind: 'schema', schema: '{"type":"object"}' })).toMatchObject({ when: undefined, schema: { type: 'object' } });
  });
  it('keeps what it was when one thing changes', () => {
    const judge = { agent: 'j', upstream: 'openai', model: 'm', prompt: 'Good?', daily: 7 };
    expect(changeOf(evaluator({ kind: 'judge', judge, team: 'core', share: 0.123456, agents: ['x'] }), { off: true })).toEqual({
      kind: 'judge', team: 'core', environment: undefined, agents: ['x'], when: undefined, schema: undefined, rules: undefined, judge: { ...judge, after: undefined }, share: 0.123456, off: true, revision: 4,
    });
    expect(changeOf(evaluator({ kind: 'voice', rules: { 'A.yml': 'x', 'B.yml': 'y' } }), {})).toMatchObject({ rules: { 'A.yml': 'x', 'B.yml': 'y' }, off: false });
  });
  it('shows a share in percent, and reads it back', () => expect([formOf(evaluator({ share: 0.05 })).share, formOf(evaluator({ share: 0.333 })).share, formOf().share]).toEqual(['5', '33.3', '100']));
  it('says what is wrong', () => {
    const f = { ...formOf(), name: 'a' };
    expect(wrong(f)).toBeUndefined();
    expect(wrong({ ...f, name: 'Not a name' })).toMatch(/name/);
    for (const share of ['0', '101', '', 'x']) expect(wrong({ ...f, share })).toMatch(/share/);
    expect(wrong({ ...f, kind: 'rule' })).toMatch(/condition/);
    expect(wrong({ ...f, kind: 'schema', schema: '{' })).toMatch(/no JSON/);
    expect(wrong({ ...f, kind: 'voice', rules: [] })).toMatch(/rule files/);
    expect(wrong({ ...f, kind: 'voice', rules: [{ name: 'a', text: 'x' }, { name: 'a ', text: 'y' }] })).toMatch(/same name/);
    expect(wrong({ ...f, kind: 'judge' })).toMatch(/A judge names/);
    expect(wrong({ ...f, kind: 'judge', agent: 'j', upstream: 'u', model: 'm', prompt: 'p', daily: '1.5' })).toMatch(/whole number/);
  });
  it('says whose runs it looks at', () => expect([looksAt(evaluator({})), looksAt(evaluator({ agents: ['a', 'b'], team: 'core', environment: 'test' }))]).toEqual(['all agents', 'a, b of core in test']));
});
