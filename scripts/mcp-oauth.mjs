// The official MCP client, unmodified, finds its way to a token: the door refuses
// its first credential, the client reads where tokens come from (RFC 9728, RFC
// 8414), proves its key (private_key_jwt) and goes on. BASE is the API of a
// server in dev mode, DOOR its door, with an upstream "everything". Run it where
// the client is installed.
import { generateKeyPairSync } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';

const { BASE, DOOR } = process.env;
let failed = 0;
const check = (name, ok, extra = '') => { console.log(`${ok ? 'ok' : 'FAIL'} ${name}`, extra); if (!ok) failed++; };
const payload = (t) => JSON.parse(Buffer.from(t.split('.')[1], 'base64url'));
const api = async (method, path, body) => {
  const r = await fetch(`${BASE}/api/v1${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`);
  return r.status === 204 ? null : r.json();
};

const name = 'tool-caller';
await api('POST', '/agents', { name, team: 'core', purpose: 'calls tools' });
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
await api('POST', `/agents/${name}/jwks`, { jwks: { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' } });
await api('PUT', `/agents/${name}/oauth`, { scopes: ['tools:call', 'models:call'] });

const provider = (scope) => {
  const p = new PrivateKeyJwtProvider({ clientId: name, privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), algorithm: 'ES256', expectedIssuer: DOOR, scope });
  p.saveTokens({ access_token: 'not.a.token', token_type: 'Bearer' }); // in dev mode nothing at all would be an agent too
  return p;
};
const log = [];
const recorded = async (input, init) => {
  const r = await fetch(input, init);
  log.push({ url: String(input), status: r.status, challenge: r.headers.get('www-authenticate') });
  return r;
};
const connect = async (path, scope) => {
  const authProvider = provider(scope);
  const client = new Client({ name: 'tool-caller', version: '1' }, {});
  await client.connect(new StreamableHTTPClientTransport(new URL(DOOR + path), { authProvider, fetch: recorded }));
  return { client, authProvider };
};

const one = await connect('/mcp/everything');
check('the refusal leads to the metadata', log[0].status === 401 && log[0].challenge.includes(`resource_metadata="${DOOR}/.well-known/oauth-protected-resource/mcp/everything"`), log[0].challenge);
const token = one.authProvider.tokens().access_token;
check('the token is for this server of tools alone', payload(token).aud === `${DOOR}/mcp/everything` && payload(token).sub === name, payload(token).aud);
const { tools } = await one.client.listTools();
check('it calls a tool', tools.some((t) => t.name === 'echo') && (await one.client.callTool({ name: 'echo', arguments: { message: 'refund 1042' } })).content[0].text.includes('refund 1042'));
const elsewhere = await fetch(`${DOOR}/mcp/other`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
check('elsewhere the token is worth nothing', elsewhere.status === 401, String(elsewhere.status));
await one.client.close();

const all = await connect('/mcp');
check('one entry for all servers', payload(all.authProvider.tokens().access_token).aud === `${DOOR}/mcp` && (await all.client.callTool({ name: 'everything__echo', arguments: { message: 'hello' } })).content[0].text.includes('hello'));
await all.client.close();

// By client credentials this client asks for the scopes that it was made with,
// whatever a challenge says: the test reads the challenge for it.
log.length = 0;
const narrow = await connect('/mcp/everything', 'models:call');
const refused = await narrow.client.callTool({ name: 'echo', arguments: { message: 'no' } }).then(() => null, (e) => e);
const asked = log.find((l) => l.status === 403)?.challenge ?? '';
const scope = /scope="([^"]*)"/.exec(asked)?.[1];
check('a token with too few scopes is told all that it takes', refused !== null && /error="insufficient_scope"/.test(asked) && scope === 'models:call tools:call', asked);
await narrow.client.close().catch(() => {});
const wide = await connect('/mcp/everything', scope);
check('with those it goes on', (await wide.client.callTool({ name: 'echo', arguments: { message: 'step up' } })).content[0].text.includes('step up'));
await wide.client.close();
process.exit(failed > 0 ? 1 : 0);
