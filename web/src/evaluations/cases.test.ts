import { describe, expect, it } from 'vitest';
import type { DatasetItem, Experiment, ExperimentResult } from '../api/types';
import { baselines, beside, casesOf, casesText, moves, question, sideOf, verdictOf } from './cases';

const result = (item: string, more: Partial<ExperimentResult> = {}): ExperimentResult => ({ item, repeat: 0, run: 'tst_1', passed: true, valid: true, calls: 1, refused: [], checks: [], took_ms: 5, at: '2026-11-28T09:00:00Z', ...more });

describe('cases of an experiment', () => {
  it('puts the tries of a case together, and shows the one that did not pass', () => {
    const [a, b, c] = casesOf([result('a'), result('b'), result('c', { valid: false, passed: false }), result('a', { repeat: 1, passed: false, why: 'contains says fail' })]);
    expect([a?.verdict, a?.passed, a?.tries.length, a?.shows.why]).toEqual(['failed', 1, 2, 'contains says fail']);
    expect([b?.verdict, b?.shows.item]).toEqual(['passed', 'b']);
    expect(c?.verdict).toBe('none');
  });
  it('keeps the two of a pair apart', () => {
    expect(casesOf([result('r', { group: 'a' }), result('r', { group: 'b' })]).map((c) => c.group)).toEqual(['a', 'b']);
  });
  it('has none of an experiment that was not begun', () => expect(casesOf(undefined)).toEqual([]));
});

describe('beside a baseline', () => {
  it('tells what got worse, better, stayed, and what nobody can compare', () => {
    const before = casesOf([result('w'), result('b', { passed: false }), result('s'), result('n', { valid: false })]);
    const now = casesOf([result('w', { passed: false }), result('b'), result('s'), result('n'), result('new')]);
    expect(Object.fromEntries(beside(now, before))).toEqual({ w: 'worse', b: 'better', s: 'same', n: 'new', new: 'new' });
  });
  it('says a change with its interval', () => {
    expect(moves({ value: -0.25, low: -0.8, high: 0.472 })).toBe('-25.0 points (-80.0 to +47.2)');
    expect(moves({ value: null, low: null, high: null })).toBeUndefined();
  });
  it('offers what ran on the same cases alone', () => {
    const x = (id: string, more: Partial<Experiment> = {}) => ({ id, kind: 'golden', dataset: 'd', ran: 1, state: 'done', ...more }) as Experiment;
    const bias = (id: string, a: string) => x(id, { kind: 'bias', dataset: undefined, bias: { attribute: 'name', prompts: ['{{x}}?'], a: [a], b: ['B'], favours: ['yes'] } });
    const all = [x('self'), x('same'), x('other', { dataset: 'e' }), x('running', { state: 'running' }), x('nothing', { ran: 0 }), x('kind', { kind: 'audit' }), bias('p', 'A'), bias('q', 'C')];
    expect(baselines(x('self'), all).map((o) => o.id)).toEqual(['same']);
    expect(baselines(bias('me', 'A'), all).map((o) => o.id)).toEqual(['p']);
    expect(baselines(x('p', { kind: 'proof' }), all)).toEqual([]);
  });
});

describe('in words', () => {
  const items = new Map([['i1', { input: [{ role: 'system', content: 's' }, { role: 'user', content: 'When?' }], withdrawn: false } as DatasetItem], ['i2', { input: [], withdrawn: true } as unknown as DatasetItem]]);
  const bias = { kind: 'bias', bias: { attribute: 'name', prompts: ['{{x}} asks.', '{{x}} and {{x}}'], a: ['Emily'], b: ['Lakisha'], favours: [] } };
  it('finds what a case asks', () => {
    expect(question({ kind: 'golden' } as Experiment, 'i1', items)).toBe('When?');
    expect(question({ kind: 'golden' } as Experiment, 'i2', items)).toBe('withdrawn with its person');
    expect(question({ kind: 'golden' } as Experiment, 'gone', items)).toBeUndefined();
    expect(question(bias as unknown as Experiment, '2.1b', new Map())).toBe('Lakisha and Lakisha');
    expect(question(bias as unknown as Experiment, '9.1a', new Map())).toBeUndefined();
  });
  it('speaks as the kind does', () => {
    expect(verdictOf('bias', { verdict: 'failed' })).toBe('not');
    expect(verdictOf('golden', { verdict: 'none' })).toBe('no test');
    expect([sideOf('proof', 'b'), sideOf('drill', 'a'), sideOf('golden', undefined)]).toEqual(['replayed', 'as ever', undefined]);
    expect(casesText({ kind: 'golden', dataset: 'd', dataset_version: 3 } as Experiment)).toBe('d, version 3');
    expect(casesText({ kind: 'audit' } as Experiment)).toBe('audit of a source');
  });
});
