import { describe, expect, it } from 'vitest';
import { answerOf, askOf, type Delivery } from './channels';

const tried = (...tries: Partial<Delivery['tries'][number]>[]) => ({ tries }) as unknown as Delivery;

describe('answerOf', () => {
  it('is the last word', () => expect(answerOf(tried({ status: 503, outcome: 'again', text: 'later' }, { status: 200, outcome: 'sent', text: 'ok' }))).toBe('200 ok'));
  it('tells silence from nothing asked', () => {
    expect(answerOf(tried())).toBeUndefined();
    expect(answerOf(tried({ outcome: 'unknown' }))).toBe('no answer');
    expect(answerOf(tried({ outcome: 'sent' }))).toBe('taken, without a word');
  });
});

describe('askOf', () => {
  it('asks each kind for what it needs, and one not known for a secret', () => {
    expect(askOf('webhook').url?.optional).toBeUndefined();
    expect(askOf('pagerduty').url?.optional).toBe(true);
    expect(askOf('teams').url).toBeUndefined();
    expect(askOf('pigeon').token.label).toBe('Secret');
  });
});
