// What the browser tests send: runs as OTLP/JSON, in the words of the GenAI
// conventions, so that the pages are tried on what an agent really causes.
import { randomBytes } from 'node:crypto';

const str = (key, v) => ({ key, value: { stringValue: v } });
const int = (key, v) => ({ key, value: { intValue: String(v) } });
const hex = (n) => randomBytes(n).toString('hex');
const nanos = (ms) => String(BigInt(Math.round(ms * 1000)) * 1000n);

/** unique ends a name so that a second pass over the same server finds only its own. */
export const unique = (name) => `${name}-${hex(4)}`;

/** Trace builds the spans of one run. Times are milliseconds after its start. */
export class Trace {
  constructor({ agent, start = Date.now(), session, user }) {
    Object.assign(this, { agent, start, session, user, id: hex(16), root: hex(8) });
  }

  span(name, kind, from, to, { parent = this.root, id = hex(8), error, attributes = [] } = {}) {
    return {
      traceId: this.id,
      spanId: id,
      parentSpanId: parent,
      name,
      startTimeUnixNano: nanos(this.start + from),
      endTimeUnixNano: nanos(this.start + to),
      status: error ? { code: 2, message: error.message } : {},
      attributes: [str('gen_ai.operation.name', kind), ...(error ? [str('error.type', error.type)] : []), ...(this.session ? [str('gen_ai.conversation.id', this.session)] : []), ...(this.user ? [str('user.id', this.user)] : []), ...attributes],
    };
  }

  /** end is the root: with it the run is over. */
  end(took, { error } = {}) {
    return this.span(`invoke_agent ${this.agent}`, 'invoke_agent', 0, took, { parent: '', id: this.root, error, attributes: [str('gen_ai.agent.name', this.agent)] });
  }

  worker(name, from, to, id) {
    return this.span(`invoke_agent ${name}`, 'invoke_agent', from, to, { id, attributes: [str('gen_ai.agent.name', name)] });
  }

  model(from, to, { input, output, tokens = [812, 64], parent, model = 'gpt-4o-mini', finish = 'stop' } = {}) {
    return this.span(`chat ${model}`, 'chat', from, to, {
      parent,
      attributes: [
        str('gen_ai.provider.name', 'openai'),
        str('gen_ai.agent.name', this.agent),
        str('gen_ai.request.model', model),
        int('gen_ai.usage.input_tokens', tokens[0]),
        int('gen_ai.usage.output_tokens', tokens[1]),
        ...(input ? [str('gen_ai.input.messages', JSON.stringify(input))] : []),
        ...(output ? [str('gen_ai.output.messages', JSON.stringify([{ ...output, finish_reason: finish }]))] : []),
      ],
    });
  }

  tool(name, from, to, { args, result, error, parent } = {}) {
    return this.span(`execute_tool ${name}`, 'execute_tool', from, to, {
      parent,
      error,
      attributes: [str('gen_ai.tool.name', name), str('gen_ai.agent.name', this.agent), ...(args ? [str('gen_ai.tool.call.arguments', JSON.stringify(args))] : []), ...(result ? [str('gen_ai.tool.call.result', JSON.stringify(result))] : [])],
    });
  }
}

const said = (role, content) => ({ role, parts: [{ type: 'text', content }] });

/**
 * refund is a small conversation: the model asks for a tool, gets the whole
 * history sent again, and answers. A bad one fails in its tool. What it says
 * holds markup and a character that turns text around: both must stay text.
 */
export function refund(o) {
  const t = new Trace(o);
  const asked = said('user', 'Where is order 41007? I want my money back.');
  const call = { role: 'assistant', parts: [{ type: 'tool_call', id: 'call_1', name: 'lookup_order', arguments: { order_id: 41007 } }] };
  const error = o.bad ? { type: 'upstream_timeout', message: 'orders: no answer within 5 s' } : undefined;
  const took = o.bad ? 14_200 : 6_410;
  const spans = [
    t.model(30, 1240, { input: [asked], output: call, finish: 'tool_calls' }),
    t.tool('lookup_order', 1400, o.bad ? 6402 : 1720, { args: { order_id: 41007 }, result: o.bad ? undefined : { state: 'lost' }, error }),
  ];
  if (!o.bad) {
    const answer = { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_1', response: { state: 'lost' } }] };
    spans.push(t.model(1750, 3240, { input: [asked, call, answer], output: said('assistant', 'Paid back 12.00 EUR <img src=x onerror=alert(1)> to \u202Egpj.exe'), tokens: [940, 51] }));
    spans.push(t.tool('issue_refund', 3300, 3710, { args: { order_id: 41007 }, result: { paid: true } }));
  }
  spans.push(t.end(took, { error }));
  t.spans = spans;
  return t;
}

/** big is a run of n steps: nested agents, model calls with their tools, some errors, an hour of nothing. */
export function big(n, o) {
  const t = new Trace({ start: Date.now() - 5_400_000, ...o });
  const spans = [];
  // Figures that repeat: the same run each time.
  let seed = n;
  const rand = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  let at = 2;
  let parent;
  for (let turn = 0; spans.length < n - 1; turn++) {
    if (turn % 12 === 0) {
      parent = hex(8);
      spans.push(t.worker(`worker-${(turn / 12) % 5}`, at, at + 500, parent));
    }
    const d = 8 + rand() * 90;
    if (spans.length < n - 1) spans.push(t.model(at, at + d, { parent, tokens: [400 + turn * 7, 40] }));
    at += d + 1;
    for (let k = 0; k < 3 && spans.length < n - 1; k++) {
      const e = 2 + rand() * 20;
      const error = rand() < 0.01 ? { type: 'timeout', message: 'the warehouse did not answer in time' } : undefined;
      spans.push(t.tool(`query_${k}`, at, at + e, { parent, error }));
      at += e + 0.5;
    }
    if (turn === 40) at += 3_600_000;
  }
  spans.push(t.end(at));
  t.spans = spans;
  return t;
}

/** sender posts to a server's intake; key is an intake key where one is needed. */
export function sender(base, key) {
  async function post(path, body) {
    for (let tries = 0; ; tries++) {
      const res = await fetch(base + path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...(key ? { Authorization: `Bearer ${key}` } : {}) }, body: JSON.stringify(body) });
      if (res.ok) return;
      // A full server says when to come back, and an agent does.
      if (tries > 20 || (res.status !== 429 && res.status !== 503)) throw new Error(`intake said ${res.status}: ${await res.text()}`);
      await new Promise((done) => setTimeout(done, 500));
    }
  }
  const resource = (service) => ({ attributes: [str('service.name', service)] });
  return {
    async spans(service, spans) {
      for (let i = 0; i < spans.length; i += 2000) await post('/v1/traces', { resourceSpans: [{ resource: resource(service), scopeSpans: [{ scope: { name: 'e2e' }, spans: spans.slice(i, i + 2000) }] }] });
    },
    /** lineage posts one OpenLineage event. */
    lineage: (event) => post('/api/v1/lineage', event),
    /** alerts posts to Alertmanager's API v2. */
    alerts: (all) => post('/api/v2/alerts', all),
    /** hook posts to a source with its own token, and gives the status. */
    async hook(path, token, body) {
      const res = await fetch(base + path, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
      await res.arrayBuffer();
      return res.status;
    },
    /** loose posts a log record that names no run. */
    async loose(agent, text, at = Date.now()) {
      await post('/v1/logs', { resourceLogs: [{ resource: resource(agent), scopeLogs: [{ scope: { name: 'e2e' }, logRecords: [{ timeUnixNano: nanos(at), severityNumber: 13, severityText: 'WARN', body: { stringValue: text } }] }] }] });
    },
    async log(trace, span, text) {
      await post('/v1/logs', { resourceLogs: [{ resource: resource(trace.agent), scopeLogs: [{ scope: { name: 'e2e' }, logRecords: [{ timeUnixNano: nanos(Date.now()), severityNumber: 9, severityText: 'INFO', body: { stringValue: text }, traceId: trace.id, spanId: span.spanId }] }] }] });
    },
  };
}
