// People sign in here with a provider of others' make (oidc-provider, unmodified):
// authorization code with PKCE, groups to teams and roles, and what must be
// refused. ISSUER is where the provider is to be, BASE the console; Reeve's
// configuration names the provider corp. Run it where oidc-provider is installed.
import http from 'node:http';
import Provider from 'oidc-provider';
import { exportJWK, generateKeyPair } from 'jose';

const { BASE, ISSUER } = process.env;
let failed = 0;
const check = (name, ok, extra = '') => { console.log(`${ok ? 'ok' : 'FAIL'} ${name}`, ok ? '' : extra); if (!ok) failed++; };

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const groups = { jane: ['sre', 'incident-commanders'], mallory: [] };
const provider = new Provider(ISSUER, {
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'k1', use: 'sig', alg: 'RS256' }] },
  clients: [{ client_id: 'reeve', client_secret: 'reeve-secret-1', grant_types: ['authorization_code'], redirect_uris: [`${BASE}/auth/oidc/corp/callback`], response_types: ['code'] }],
  features: { devInteractions: { enabled: true } },
  findAccount: (_c, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${sub}@example.com`, preferred_username: sub, groups: groups[sub] ?? [] }) }),
  claims: { openid: ['sub'], email: ['email'], profile: ['preferred_username'], groups: ['groups'] },
  conformIdTokenClaims: false,
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true },
  cookies: { keys: ['a test'] },
});
const server = http.createServer(provider.callback());
await new Promise((up) => server.listen(new URL(ISSUER).port, '127.0.0.1', up));

// browser keeps cookies by host and port, as far as this needs.
function browser() {
  const jars = new Map();
  const go = async (url, form) => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? jars.set(origin, new Map()).get(origin);
    const r = await fetch(url, { redirect: 'manual', method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form), headers: { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') } });
    for (const c of r.headers.getSetCookie()) {
      const [pair] = c.split(';');
      const i = pair.indexOf('=');
      jar.set(pair.slice(0, i), pair.slice(i + 1));
    }
    return r;
  };
  return { go, cookies: (url) => [...(jars.get(new URL(url).origin) ?? [])].map(([k, v]) => `${k}=${v}`).join('; ') };
}

// leads follows a browser from Reeve to the provider and to the way back, which it does not take.
async function leads(b, login) {
  let at = new URL(`${BASE}/auth/oidc/corp/start?back=/runs`);
  for (let i = 0; i < 15; i++) {
    let r = await b.go(at);
    if (r.status === 200) {
      const html = await r.text();
      const prompt = /name="prompt" value="(\w+)"/.exec(html)[1];
      r = await b.go(new URL(/action="([^"]+)"/.exec(html)[1], at), prompt === 'login' ? { prompt, login, password: 'x' } : { prompt });
    }
    const to = r.headers.get('location');
    if (!to) throw new Error(`${at}: ${r.status} ${await r.text()}`);
    at = new URL(to, at);
    if (at.pathname === '/auth/oidc/corp/callback') return at;
  }
  throw new Error(`it went on and on: ${at}`);
}

// lands takes the way back and gives what the page is told in the fragment.
async function lands(b, at) {
  const r = await b.go(at);
  return new URLSearchParams(new URL(r.headers.get('location') ?? '/', BASE).hash.slice(1));
}

const api = async (b, path, body, secret) => {
  const r = await fetch(BASE + '/api/v1' + path, {
    method: body ? 'POST' : 'GET', body: body && JSON.stringify(body), headers: { 'content-type': 'application/json', cookie: b.cookies(BASE), ...(secret && { 'x-reeve-session-secret': secret }) },
  });
  return { status: r.status, body: await r.json().catch(() => null) };
};

const jane = browser();
const back = await leads(jane, 'jane');
check('PKCE, state and nonce are sent', back.searchParams.get('state') && back.searchParams.get('code'), String(back));
const other = browser();
check('another browser cannot take the way back', (await lands(other, back)).get('error') === 'oidc.state');
const again = await leads(jane, 'jane');
const told = await lands(jane, again);
check('the way back opens a session', told.get('handover') && told.get('back') === '/runs', String(told));
check('a way back is taken once', (await lands(jane, again)).get('error') === 'oidc.state');
check('a cookie alone is no session', (await api(jane, '/me')).status === 401);
const session = await api(jane, '/sign-ins/redeem', { code: told.get('handover') });
check('the page fetches the secret', session.status === 200 && session.body.secret, JSON.stringify(session));
check('and once', (await api(jane, '/sign-ins/redeem', { code: told.get('handover') })).status !== 200);
const me = await api(jane, '/me', undefined, session.body.secret);
const roles = JSON.stringify(me.body);
check('groups are teams and roles', me.status === 200 && roles.includes('"responder"') && roles.includes('platform') && !roles.includes('"admin"'), roles);
check('by the name the provider gives', session.body.person.name === 'jane', JSON.stringify(session.body.person));

groups.jane = [];
const later = browser();
const second = await api(later, '/sign-ins/redeem', { code: (await lands(later, await leads(later, 'jane'))).get('handover') });
const now = await api(later, '/me', undefined, second.body.secret);
check('the same account, without the roles that the provider took away', second.body.person.id === session.body.person.id && !JSON.stringify(now.body).includes('"responder"'), JSON.stringify(now.body));
const mallory = browser();
const third = await api(mallory, '/sign-ins/redeem', { code: (await lands(mallory, await leads(mallory, 'mallory'))).get('handover') });
check('another person is another account, who may nothing', third.body.person.id !== session.body.person.id && (await api(mallory, '/upstreams', undefined, third.body.secret)).body?.items?.length !== 1);
const refusedAt = new URL(await leads(mallory, 'mallory'));
refusedAt.search = new URLSearchParams({ state: refusedAt.searchParams.get('state'), error: 'access_denied' });
check("the provider's refusal is one", (await lands(mallory, refusedAt)).get('error') === 'oidc.refused');

server.close();
server.closeAllConnections();
console.log(failed ? `${failed} failed` : 'all passed');
process.exit(failed ? 1 : 0);
