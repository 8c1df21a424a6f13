// What tests need at the door: an API that counts what reaches it, a server of
// tools whose definitions can be changed, and an agent with a key.
import http from 'node:http';

const listen = async (handler) => {
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (c) => (body += c));
    req.on('end', () => handler(req, res, body));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))) };
};

/** door is the address at which agents call. */
export const door = async (t) => (await t.api('/ca')).issuer;

/** bank names an upstream of ours whose one route changes something, and remembers what reached it. */
export async function bank(t, name) {
  const got = [];
  const server = await listen((req, res, body) => {
    got.push(JSON.parse(body || '{}'));
    res.setHeader('content-type', 'application/json');
    res.end('{"ok":true}');
  });
  t.cleanup.push(server.close);
  await t.api(`/upstreams/${name}`, { kind: 'http', url: server.url, team: 'finance', environment: 'production', allow_private: true, external: true, routes: [{ method: 'POST', path: '/v1/transfers', effect: 'write' }] }, 'PUT');
  return got;
}

/** agent registers a supervised agent and gives its key. */
export async function agent(t, name) {
  await t.api('/agents', { name, team: 'finance', environment: 'production', purpose: 'pays suppliers that a person listed', mode: 'autonomous', autonomy: 'supervised', owner: 'owner' });
  return (await t.api(`/agents/${name}/keys`, { label: 'browser tests', expires_in: '1d' })).key;
}

/** call makes a call at the door, which a person has to answer. */
export async function call(t, key, upstream, body) {
  const res = await fetch(`${await door(t)}/http/${upstream}/v1/transfers`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: res.status, text: await res.text() };
}

/** tools is a server of tools, by streamable HTTP, whose list can be changed. */
export async function tools(t, name, list) {
  const held = { list };
  const answers = {
    initialize: (p) => ({ protocolVersion: p?.protocolVersion ?? '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: { name, version: '1' } }),
    'tools/list': () => ({ tools: held.list }),
    ping: () => ({}),
  };
  const server = await listen((req, res, body) => {
    if (req.method !== 'POST') return res.writeHead(405).end();
    const m = JSON.parse(body);
    if (m.id === undefined) return res.writeHead(202).end();
    const answer = answers[m.method];
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ jsonrpc: '2.0', id: m.id, ...(answer ? { result: answer(m.params) } : { error: { code: -32601, message: 'no such method' } }) }));
  });
  t.cleanup.push(server.close);
  await t.api(`/upstreams/${name}`, { kind: 'mcp', url: `${server.url}/mcp`, team: 'finance', environment: 'production', allow_private: true }, 'PUT');
  return held;
}

/** list asks the door for an upstream's tools, as an agent's client does. */
export async function list(t, key, upstream) {
  const address = `${await door(t)}/mcp/${upstream}`;
  const send = async (session, m) => {
    const res = await fetch(address, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...(session ? { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' } : {}) }, body: JSON.stringify({ jsonrpc: '2.0', ...m }) });
    const text = await res.text();
    return { session: res.headers.get('mcp-session-id'), status: res.status, text };
  };
  const hello = await send(undefined, { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'browser tests', version: '1' } } });
  if (hello.status !== 200) throw new Error(`initialize: ${hello.status} ${hello.text}`);
  await send(hello.session, { method: 'notifications/initialized' });
  return send(hello.session, { id: 2, method: 'tools/list', params: {} });
}

/** model names an upstream of ours that speaks as OpenAI does, and remembers the conversations that reached it. */
export async function model(t, name) {
  const got = [];
  const server = await listen((req, res, body) => {
    got.push(JSON.parse(body || '{}').messages ?? []);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ id: `chatcmpl-${got.length}`, object: 'chat.completion', model: 'gpt-4o-mini', choices: [{ index: 0, message: { role: 'assistant', content: 'done' }, finish_reason: 'stop' }], usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 } }));
  });
  t.cleanup.push(server.close);
  await t.api(`/upstreams/${name}`, { kind: 'llm', dialect: 'openai', url: server.url, team: 'finance', environment: 'production', allow_private: true }, 'PUT');
  return got;
}

/** think makes a call of a model at the door, as part of a run. */
export async function think(t, key, upstream, run) {
  const res = await fetch(`${await door(t)}/llm/${upstream}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-reeve-run': run }, body: JSON.stringify({ model: 'gpt-4o-mini', max_tokens: 9, messages: [{ role: 'user', content: 'go on' }] }) });
  return { status: res.status, text: await res.text() };
}

/**
 * invoked registers an agent that can be tested: a server of ours takes its questions, asks a
 * model at the door with the test's token, and answers as said.answer says, after said.wait.
 */
export async function invoked(t, name, said, { target = true } = {}) {
  await agent(t, name);
  await model(t, `${name}-model`);
  const at = await door(t);
  const server = await listen(async (req, res, body) => {
    const { message, token } = JSON.parse(body || '{}');
    if (said.silent !== true) await fetch(`${at}/llm/${name}-model/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'gpt-4o-mini', max_tokens: 9, messages: [{ role: 'user', content: message }] }) }).catch(() => undefined);
    await said.wait?.();
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ reply: said.answer(message) }));
  });
  t.cleanup.push(server.close);
  if (target) await t.api(`/agents/${name}/invoke`, { kind: 'http', url: server.url, allow_private: true, body: '{"message": "{{input}}", "token": "{{token}}"}', answer: '/reply' }, 'PUT');
  return server.url;
}
