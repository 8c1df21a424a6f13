import { describe, expect, it } from 'vitest';
import { peaks } from '../audit/Proof';
import { changes } from '../audit/Records';
import { difference } from '../agents/History';
import type { AgentVersion, Origin } from '../api/types';
import { wordDiff } from '../shared';
import { readRules } from '../settings/IdentityPage';
import { visible } from '../tools/data';
import { editOf, left, originOf, originsAt, stretches } from './data';

describe('words that changed', () => {
  it('keeps what stayed and marks what went and came', () => {
    expect(wordDiff('send 5 EUR to alice', 'send 50 EUR to bob')).toEqual([
      { change: 'same', text: 'send ' },
      { change: 'removed', text: '5' },
      { change: 'added', text: '50' },
      { change: 'same', text: ' EUR to ' },
      { change: 'removed', text: 'alice' },
      { change: 'added', text: 'bob' },
    ]);
  });
  it('puts both texts together again, whatever they are', () => {
    const texts = ['', 'a', 'a b c', 'b c d', 'x'.repeat(50), 'é 日本 👩‍💻!', 'a  b\n\nc', 'c b a'];
    for (const a of texts)
      for (const b of texts) {
        const d = wordDiff(a, b);
        expect(d.filter((w) => w.change !== 'added').map((w) => w.text).join('')).toBe(a);
        expect(d.filter((w) => w.change !== 'removed').map((w) => w.text).join('')).toBe(b);
      }
  });
  it('gives up on exactness before it takes long', () => {
    const a = Array.from({ length: 6000 }, (_, i) => `a${i}`).join(' ');
    const b = Array.from({ length: 6000 }, (_, i) => `b${i}`).join(' ');
    const began = performance.now();
    expect(wordDiff(a, b).map((w) => w.change)).toContain('added');
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('an edited value', () => {
  it('keeps its kind, and is refused when it is none', () => {
    expect(editOf('text', '5')).toBe('5');
    expect(editOf('number', '12.50')).toBe(12.5);
    for (const bad of ['', '1,5', '0x10', '1e', 'NaN', '12345678901234567890']) expect(editOf('number', bad)).toBeUndefined();
    expect(editOf('flag', 'true')).toBe(true);
    expect(editOf('flag', 'yes')).toBeUndefined();
    expect(editOf('null', 'null')).toBeNull();
  });
});

it('says where a value comes from in words', () => {
  expect(originOf('user').words).toBe('said by the user');
  expect(originOf('tool:mail/read_inbox')).toEqual({ kind: 'tool', words: 'from mail/read_inbox' });
});

it('counts down to the safe default', () => {
  expect(left(245_000)).toBe('4:05');
  expect(left(-1)).toBe('0:00');
  expect(left(2 * 3600e3 + 5 * 60e3)).toBe('2 h 05 min');
});

it('spells out what a server hides in a description', () => {
  expect(visible('a\u200bb\u202ec\u{e0041}')).toBe('a‹U+200B›b‹U+202E›c‹U+E0041›');
  expect(visible('plain\ttext\n')).toBe('plain\ttext\n');
});

it('draws a log as the perfect trees that it consists of', () => {
  expect(peaks(0)).toEqual([]);
  expect(peaks(1)).toEqual([1]);
  expect(peaks(277)).toEqual([256, 16, 4, 1]);
  for (const n of [2, 3, 1000, 1_000_003]) expect(peaks(n).reduce((a, b) => a + b, 0)).toBe(n);
});

it('lists the fields of a record that differ', () => {
  expect(changes({ before: { a: 1, b: 'x', c: null }, after: { a: 2, b: 'x', d: ['y'] } } as never)).toEqual([
    { field: 'a', before: '1', after: '2' },
    { field: 'd', before: undefined, after: '["y"]' },
  ]);
});

it('reads whose a token is, and refuses a line that says nothing', () => {
  expect(readRules('refund sub=a:b aud=x\n\n other repo=o/r*')).toEqual({ rules: [{ agent: 'refund', claims: { sub: 'a:b', aud: 'x' } }, { agent: 'other', claims: { repo: 'o/r*' } }] });
  for (const bad of ['refund', 'refund sub', 'sub=a', 'refund sub=']) expect(readRules(bad).bad).toBe(bad);
});

it('says of two versions what stayed, came and went, and what is not known', () => {
  const v = (parts: object, made_of: object) => ({ parts, made_of }) as unknown as AgentVersion;
  const d = difference(v({ model: 'a', tools: 't1' }, { model: ['m'], tools: ['x', 'y'] }), v({ model: 'a', tools: 't2', code: 'c' }, { model: ['m'], tools: ['y', 'z'], code: ['1'] }));
  const of = (part: string) => d.find((x) => x.part === part)!;
  expect(of('model').state).toBe('same');
  expect(of('tools')).toMatchObject({ state: 'other', gone: ['x'], came: ['z'], kept: ['y'] });
  expect(of('code').state).toBe('unknown');
});

describe('where values come from', () => {
  const origin = (o: Partial<Origin>) => ({ path: '/to', from: 0, to: 0, kind: 'email', entity: '', source: 'tool', first: false, injected: false, ...o }) as Origin;
  it('finds those of a path, and of the right element of an array', () => {
    const all = [origin({}), origin({ path: '/cc/*', index: 1 }), origin({ path: '/a/*/b/*' })];
    expect(originsAt(all, '/to')).toHaveLength(1);
    expect(originsAt(all, '/cc/1')).toHaveLength(1);
    expect(originsAt(all, '/cc/0')).toHaveLength(0);
    expect(originsAt(all, '/a/0/b/0')).toHaveLength(0);
  });
  it('cuts a text by bytes, and puts it together again', () => {
    const text = 'an März: x@example.com, danke';
    const from = new TextEncoder().encode('an März: ').length;
    const cut = stretches(text, [origin({ from, to: from + 'x@example.com'.length }), origin({ from: 500, to: 600 })]);
    expect(cut.map((c) => c.text).join('')).toBe(text);
    expect(cut.find((c) => c.origin)?.text).toBe('x@example.com');
  });
});
