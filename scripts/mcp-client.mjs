// mcp-client.mjs URL: the command that the official conformance suite runs for
// its client scenarios. The client under test is the door: the suite's server
// becomes an upstream of a running Reeve, and a plain client makes calls through
// the door. What a person would do (accept the tools, agree at the authorization
// server) is done here over the API.
//
// REEVE_SERVER and REEVE_DOOR say where Reeve is (in dev mode); the suite says
// the scenario and the version in MCP_CONFORMANCE_*.
const [, , url] = process.argv;
const api = process.env.REEVE_SERVER, door = process.env.REEVE_DOOR;
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const version = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const modern = version >= '2026';
const name = `c-${process.pid}-${Date.now() % 100000}`;
const log = (...words) => console.error(...words);

async function call(method, path, body) {
  const r = await fetch(`${api}/api/v1${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  const text = await r.text();
  if (!r.ok) throw Object.assign(new Error(`${method} ${path}: ${r.status} ${text}`), { problem: JSON.parse(text) });
  return text ? JSON.parse(text) : undefined;
}

// credential is what an operator would set for the scenario.
async function credential() {
  if (!scenario.startsWith('auth/')) return null;
  const oauth = { grant: 'authorization_code' };
  if (scenario.startsWith('auth/client-credentials')) oauth.grant = 'client_credentials';
  if (context.client_id) oauth.client_id = context.client_id;
  if (context.private_key_pem) {
    oauth.client_auth = 'private_key_jwt';
    return { kind: 'oauth', source: 'value', value: context.private_key_pem, set: false, oauth };
  }
  if (context.client_secret) oauth.issuer = await issuer();
  if (context.client_secret) return { kind: 'oauth', source: 'value', value: context.client_secret, set: false, oauth };
  return { kind: 'oauth', source: '', set: false, oauth };
}

// issuer is the authorization server that the secret is for, as an operator knows.
async function issuer() {
  const at = new URL(url);
  for (const path of [at.pathname, '']) {
    const r = await fetch(`${at.origin}/.well-known/oauth-protected-resource${path}`);
    if (r.ok) return (await r.json()).authorization_servers[0];
  }
  return at.origin;
}

// connect does what a person does who connects an upstream.
async function connect() {
  const a = await call('POST', `/upstreams/${name}/connection`, {});
  if (!a.authorization_url) return;
  const back = await fetch(a.authorization_url, { redirect: 'manual' });
  const said = new URL(back.headers.get('location')).searchParams;
  await call('POST', `/upstreams/${name}/connection/finish`, { state: said.get('state'), at: new URL(back.headers.get('location')).pathname.split('/auth/upstream/callback/')[1], code: said.get('code') ?? undefined, iss: said.get('iss') ?? undefined });
}

// messages reads the JSON-RPC messages of an answer, as JSON or as events. at
// keeps where a stream broke off: its last event and when to come again.
async function* messages(r, at = {}) {
  if (!(r.headers.get('content-type') ?? '').includes('event-stream')) {
    const text = await r.text();
    if (text) yield JSON.parse(text);
    return;
  }
  let rest = '';
  for await (const piece of r.body.pipeThrough(new TextDecoderStream())) {
    rest += piece;
    for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
      const lines = rest.slice(0, end).split('\n');
      const data = lines.filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim()).join('\n');
      for (const l of lines) {
        if (l.startsWith('id:')) at.last = l.slice(3).trim();
        if (l.startsWith('retry:')) at.retry = Number(l.slice(6));
      }
      if (data) yield JSON.parse(data);
    }
  }
}

const meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientInfo': { name: 'reeve-conformance', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} }, sampling: {}, roots: {} } };
let session, ids = 0;
const encoded = (v) => (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(v) && !v.startsWith('=?base64?') ? v : `=?base64?${Buffer.from(v, 'utf8').toString('base64')}?=`);

// post sends a message through the door and gives its response; questions of the
// server are answered on the way.
async function post(msg, extra = {}) {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...extra };
  if (modern || session) headers['mcp-protocol-version'] = version;
  if (session) headers['mcp-session-id'] = session;
  if (modern && msg.id !== undefined) {
    headers['mcp-method'] = msg.method;
    const named = msg.params.name ?? msg.params.uri;
    if (named !== undefined) headers['mcp-name'] = encoded(named);
  }
  let r = await fetch(`${door}/mcp/${name}`, { method: 'POST', headers, body: JSON.stringify(msg) });
  session = r.headers.get('mcp-session-id') ?? session;
  for (let again = 0; ; again++) {
    const at = {};
    for await (const m of messages(r, at)) {
      if (m.method && m.id !== undefined) await post({ jsonrpc: '2.0', id: m.id, result: answer(m) });
      else if (m.id === msg.id && msg.id !== undefined || m.error) return m;
    }
    if (modern || !at.last || msg.id === undefined || again === 5) return undefined;
    // The server closed the stream before it answered: it goes on from its last event.
    await new Promise((ok) => setTimeout(ok, at.retry ?? 500));
    r = await fetch(`${door}/mcp/${name}`, { headers: { accept: 'text/event-stream', 'mcp-protocol-version': version, 'mcp-session-id': session, 'last-event-id': at.last } });
  }
}

// listen answers what the server asks beside calls, on the session's own stream.
async function listen(signal) {
  const r = await fetch(`${door}/mcp/${name}`, { signal, headers: { accept: 'text/event-stream', 'mcp-protocol-version': version, 'mcp-session-id': session } });
  if (!r.ok) return;
  for await (const m of messages(r)) {
    log('heard', JSON.stringify(m).slice(0, 200));
    if (m.method && m.id !== undefined) await post({ jsonrpc: '2.0', id: m.id, result: answer(m) });
  }
}

// answer is what a person or model at this client says.
function answer(m) {
  if (m.method === 'elicitation/create') {
    const content = {};
    for (const [key, p] of Object.entries(m.params.requestedSchema?.properties ?? {})) if (p.default !== undefined) content[key] = p.default;
    return { action: 'accept', content };
  }
  if (m.method === 'roots/list') return { roots: [] };
  return { role: 'assistant', content: { type: 'text', text: 'yes' }, model: 'none', stopReason: 'endTurn' };
}

class Refused extends Error {}

// ask makes a request; an upstream that has to be connected first is.
async function ask(method, params = {}, extra = {}) {
  for (let round = 0; ; round++) {
    const msg = { jsonrpc: '2.0', id: ++ids, method, params: modern ? { ...params, _meta: { ...meta, ...params._meta } } : params };
    const m = await post(msg, extra);
    const code = m?.error?.data?.code;
    log(method, params.name ?? '', JSON.stringify(m ?? null).slice(0, 400));
    if (round < 2 && (code === 'upstream.not_connected' || code === 'upstream.scope_missing' || code === 'upstream.issuer_changed' || code === 'upstream.token_refused')) {
      await connect();
      continue;
    }
    if (!m || m.error) throw new Refused(JSON.stringify(m?.error ?? 'no answer'));
    return m.result;
  }
}

// value is one that fits a schema.
function value(key, schema) {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'number': case 'integer': return key === 'a' ? 5 : 3;
    case 'boolean': return true;
    case 'array': return [];
    case 'object': return fill(schema);
    case 'null': return null;
  }
  return 'test';
}
const fill = (schema) => Object.fromEntries(Object.entries(schema?.properties ?? {}).map(([k, p]) => [k, value(k, p)]));

// accept is what a person does who looked at the tools.
async function accept() {
  for (let tries = 0; tries < 10; tries++) {
    const { items } = await call('GET', `/tools?upstream=${name}`);
    for (const t of items) {
      const acknowledge = t.state === 'accepted' ? [] : (t.findings ?? []).map((f) => f.code);
      await call('POST', `/tools/${name}/${encodeURIComponent(t.name)}/accept`, { hash: t.listed, effect: 'read', paths: {}, acknowledge, reason: 'the conformance server' });
    }
    if (items.length > 0) return;
    await new Promise((ok) => setTimeout(ok, 100));
  }
}

// agree is what a person does about calls that wait: the suite's server has its
// addresses in a tool's schema, and a destination that came from a server is held.
async function agree(signal) {
  while (!signal.aborted) {
    const { items } = await call('GET', '/approvals?state=pending');
    for (const a of items.filter((i) => i.resource.startsWith(name))) {
      const { arguments: shown } = await call('GET', `/approvals/${a.id}`);
      await call('POST', `/approvals/${a.id}/opened`);
      await call('POST', `/approvals/${a.id}/approve`, { hash: shown.hash, reason: 'the conformance server' });
    }
    await new Promise((ok) => setTimeout(ok, 300));
  }
}

// mirrored are the headers that a tool's schema asks for.
function mirrored(tool, args) {
  const out = {};
  for (const [key, p] of Object.entries(tool.inputSchema?.properties ?? {})) {
    if (p['x-mcp-header'] && args[key] !== undefined && args[key] !== null) out[`mcp-param-${p['x-mcp-header']}`] = encoded(String(args[key]));
  }
  return out;
}

// use calls a tool, and again for as long as it wants input.
async function use(tool, args) {
  let more = {};
  for (let round = 0; round < 10; round++) {
    const r = await ask('tools/call', { name: tool.name, arguments: args, ...more }, modern ? mirrored(tool, args) : {});
    if (r.resultType !== 'input_required') return r;
    more = { inputResponses: Object.fromEntries(Object.entries(r.inputRequests ?? {}).map(([key, q]) => [key, answer(q)])) };
    if (r.requestState !== undefined) more.requestState = r.requestState;
  }
}

const end = new AbortController();
agree(end.signal).catch((e) => log(String(e)));
try {
  await call('PUT', `/upstreams/${name}`, { kind: 'mcp', url, team: 'core', environment: 'production', shared: true, allow_private: true, credential: await credential() });
  if (modern) {
    await ask('server/discover');
  } else {
    await ask('initialize', { protocolVersion: version, capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {} }, clientInfo: { name: 'reeve-conformance', version: '1' } });
    await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    if (session && scenario !== 'sse-retry') listen(end.signal).catch(() => {});
  }
  await ask('tools/list'); // what nobody accepted yet is not shown
  await accept();
  const { tools } = await ask('tools/list');
  const calls = context.toolCalls ?? tools.map((t) => ({ name: t.name, arguments: t.name === 'json_schema_echo' ? { schema: tools[0].inputSchema } : fill(t.inputSchema) }));
  for (const c of calls) {
    try {
      await use(tools.find((t) => t.name === c.name) ?? { name: c.name }, c.arguments);
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
    }
  }
} catch (e) {
  log(String(e));
  process.exitCode = 1;
} finally {
  end.abort();
  await call('DELETE', `/upstreams/${name}`).catch(() => {});
}
