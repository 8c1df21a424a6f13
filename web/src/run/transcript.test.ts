import { describe, expect, it } from 'vitest';
import type { Message } from './data';
import { step } from './fixture';
import { buildGraph, repeats, START } from './graph';
import { expandRanges, formatPlaces, parseRanges } from './ordinals';
import { buildTranscript, historyChange } from './transcript';
import { buildTree } from './tree';
import { cause, formatMoney, verdict, type VerdictRun } from './verdict';
import { pieces, plain } from './visible';

const text = (ordinal: number, role: string, words: string, field = 'input'): Message => ({
  ordinal,
  field,
  role,
  parts: [{ type: 'text', text: words }],
});
const book = (list: Message[]) => new Map(list.map((m) => [m.ordinal, m]));

describe('ordinals', () => {
  it('reads ranges and leaves out nonsense', () => {
    expect(expandRanges(parseRanges('0-2,5,x,9-7'))).toEqual([0, 1, 2, 5]);
    expect(formatPlaces([0, 1, 2, 6])).toBe('1–3, 7');
    expect(expandRanges(parseRanges('0-999999999'), 10).length).toBe(10);
  });
});

describe('transcript', () => {
  const steps = [
    step('r', null, 'agent', 0, 100, { agent: 'refunds', message_refs: { input: '1', output: '6' } }),
    step('m1', 'r', 'model', 1, 10, { message_refs: { system: '0', input: '1', output: '2' } }),
    step('t1', 'r', 'tool', 12, 5, { tool: { name: 'lookup_order', call_id: 'c1' }, message_refs: { arguments: '3', result: '4' } }),
    step('m2', 'r', 'model', 20, 10, { message_refs: { system: '0', input: '1-2,5', output: '6' } }),
  ];
  const messages = book([
    text(0, 'system', 'You refund.'),
    text(1, 'user', 'Where is my order?'),
    { ordinal: 2, field: 'output', role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'lookup_order', arguments: '{"id":7}' }] },
    { ordinal: 3, field: 'arguments', parts: [{ type: 'data', data: '{"id":7}' }] },
    { ordinal: 4, field: 'result', parts: [{ type: 'data', data: '{"state":"lost"}' }] },
    { ordinal: 5, field: 'input', role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', text: '{"state":"lost"}' }] },
    text(6, 'assistant', 'It is lost.', 'output'),
  ]);
  it('shows each thing once and folds what is resent', () => {
    const rows = buildTranscript(buildTree(steps), messages);
    const said = rows.flatMap((r) => (r.type === 'message' ? [r.ordinal] : []));
    expect(said).toEqual([0, 1, 2, 6]);
    const resent = rows.filter((r) => r.type === 'resent');
    expect(resent.map((r) => (r.type === 'resent' ? [formatPlaces(r.places), r.of] : []))).toEqual([
      ['1–4', 4],
    ]);
    expect(rows.find((r) => r.type === 'tool')).toMatchObject({ args: [3], result: [4], asked: true });
  });
  it('shows words that a user says twice, twice', () => {
    const t = buildTree([
      step('m1', null, 'model', 0, 1, { message_refs: { input: '0', output: '1' } }),
      step('m2', null, 'model', 5, 1, { message_refs: { input: '0-1,0', output: '2' } }),
    ]);
    const rows = buildTranscript(t, book([text(0, 'user', 'go on'), text(1, 'assistant', 'one', 'output'), text(2, 'assistant', 'two', 'output')]));
    expect(rows.flatMap((r) => (r.type === 'message' ? [r.ordinal] : []))).toEqual([0, 1, 0, 2]);
  });
  it('names what a call no longer sends', () => {
    expect(historyChange('0-9', '0,5-11')).toEqual({ kept: 6, added: [10, 11], dropped: [1, 2, 3, 4], rewritten: true });
  });
  it('says that nothing was recorded instead of drawing nothing', () => {
    const rows = buildTranscript(buildTree([step('m', null, 'model', 0, 1)]), new Map());
    expect(rows.at(-1)).toMatchObject({ type: 'silent', what: 'both' });
  });
});

describe('graph', () => {
  const t = buildTree([
    step('r', null, 'agent', 0, 100, { agent: 'a' }),
    step('m1', 'r', 'model', 1, 5, { model: 'gpt' }),
    step('w', 'r', 'task', 7, 5, { name: 'tools' }),
    step('t1', 'w', 'tool', 8, 2, { tool: { name: 'find' }, status: 'error', message_refs: { arguments: '3' } }),
    step('m2', 'r', 'model', 20, 5, { model: 'gpt' }),
    step('t2', 'r', 'tool', 30, 2, { tool: { name: 'find' }, message_refs: { arguments: '3' } }),
    step('b', 'r', 'agent', 40, 10, { agent: 'b' }),
    step('m3', 'b', 'model', 41, 5, { model: 'gpt' }),
  ]);
  it('draws who called what, through wrappers', () => {
    const g = buildGraph(t, 'calls');
    expect(g.edges.map((e) => `${e.from}>${e.to} ${e.count} ${e.errors}`).sort()).toEqual([
      'agent:a>agent:b 1 0',
      'agent:a>model:gpt 2 0',
      'agent:a>tool:find 2 1',
      'agent:b>model:gpt 1 0',
    ]);
  });
  it('draws what followed what, with rounds', () => {
    const g = buildGraph(t, 'order');
    const back = g.edges.find((e) => e.from === 'tool:find' && e.to === 'model:gpt')!;
    expect(back.loops).toBe(1);
    expect(g.nodes.some((n) => n.id === START)).toBe(true);
  });
  it('finds the same call made again', () => {
    expect(repeats(t)[0]).toMatchObject({ name: 'find', count: 2, sameArguments: true });
  });
  it('takes a call that its caller and the door both report for one', () => {
    const twice = buildTree([
      step('r', null, 'agent', 0, 100, { agent: 'a' }),
      step('t', 'r', 'tool', 8, 12, { tool: { name: 'find' }, message_refs: { arguments: '3' } }),
      step('h', 't', 'task', 9, 10, { name: 'POST' }),
      step('d', 'h', 'tool', 10, 8, { tool: { name: 'find' }, message_refs: { arguments: '3' } }),
      step('o', 't', 'tool', 18, 2, { tool: { name: 'check' }, message_refs: { arguments: '3' } }),
    ]);
    expect(repeats(twice)).toEqual([]);
    const tools = buildTranscript(twice, new Map()).filter((x) => x.type === 'tool');
    expect(tools.map((x) => [x.repeat, x.inner])).toEqual([[1, false], [1, true], [1, false]]);
  });
});

describe('verdict', () => {
  const run: VerdictRun = {
    status: 'done',
    failed: true,
    started_at: '2026-11-22T08:00:00Z',
    duration_ms: 14_200,
    step_count: 3,
    error_count: 2,
    model_calls: 2,
    tool_calls: 1,
    usage: { input_total: 1200, input_cache_read: 600, output_total: 80 },
    cost: { amount: 0.0031, currency: 'USD', basis: 'book' },
    coverage: { model_calls: 2, unknown_usage_calls: 1, unknown_cost_calls: 1, root_seen: true },
  };
  const t = buildTree([
    step('r', null, 'agent', 0, 100, { status: 'error' }),
    step('a', 'r', 'tool', 10, 5, { status: 'error', error: { type: 'early' } }),
    step('b', 'r', 'tool', 50, 20, {
      status: 'error',
      tool: { name: 'lookup_order' },
      error: { type: 'timeout', message: 'no answer in 5 s\nstack' },
    }),
  ]);
  const say = (v: ReturnType<typeof verdict>) => v.headline.map((b) => b.text).join('');
  it('names the step that failed last and says why', () => {
    expect(t.steps[cause(t)]!.id).toBe('b');
    expect(say(verdict(run, t, 0))).toBe(
      'Failed after 14.2 s: tool lookup_order ended with timeout: no answer in 5 s. No outcome was reported: it counts as failed.',
    );
  });
  it("prefers the root's own error and names a tool that was called over and over", () => {
    const calls = Array.from({ length: 40 }, (_, i) => step(`s${i}`, 'r', 'tool', i + 1, 1, { tool: { name: 'search_articles' } }));
    const loop = buildTree([
      step('r', null, 'agent', 0, 100, { name: 'research', status: 'error', error: { type: 'turn_limit', message: 'gave up after 80 turns' } }),
      ...calls,
      step('x', 'r', 'tool', 60, 2, { status: 'error', tool: { name: 'search_articles' }, error: { type: 'timeout' } }),
    ]);
    expect(say(verdict({ ...run, error_type: 'turn_limit' }, loop, 0))).toBe(
      'Failed after 14.2 s: agent research ended with turn_limit: gave up after 80 turns. Before that, tool search_articles ended with timeout. 41 calls of search_articles. No outcome was reported: it counts as failed.',
    );
  });
  it('says what is unknown and that a cost is a lower bound', () => {
    const facts = verdict(run, t, 0).facts.map((f) => f.map((b) => b.text).join(''));
    expect(facts).toContain('at least $0.0031 by the price book');
    expect(facts).toContain('1,200 tokens in (50 % from cache), 80 out');
    expect(facts.at(-1)).toBe('Unknown: tokens of 1 of 2 model calls; cost of 1 of 2');
  });
  it('does not call unknown tokens zero', () => {
    const facts = verdict({ ...run, usage: {}, cost: { basis: 'unknown' } }, t, 0).facts.map((f) => f.map((b) => b.text).join(''));
    expect(facts).toContain('tokens unknown');
    expect(facts).toContain('cost unknown');
    expect(formatMoney(null)).toBe('unknown');
  });
});

describe('text from outside', () => {
  it('shows what hides or reorders', () => {
    expect(plain('pay\u202Eexe\u200B\u001b[2J')).toBe('pay‹U+202E›exe‹U+200B›‹U+001B›[2J');
    expect(pieces('a\u{E0041}b')).toHaveLength(3);
  });
  it('leaves emoji and line ends alone', () => {
    expect(plain('👩\u200d👩\u200d👧 ✈️ a\r\nb\tc')).toBe('👩\u200d👩\u200d👧 ✈️ a\r\nb\tc');
    expect(plain('a\u200db')).toBe('a‹U+200D›b');
  });
});
