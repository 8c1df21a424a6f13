// A strict relying party (openid-client, unmodified) against Reeve's token
// endpoint: discovery, client credentials by private_key_jwt, DPoP, token
// exchange for an agent and for a user, introspection, revocation. BASE is the
// API, a server in dev mode; ISSUER is the door. Run it where openid-client is
// installed.
import * as oc from 'openid-client';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const { BASE, ISSUER } = process.env;
const TE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const resource = 'https://reeve.example/api';
let failed = 0;
const check = (name, ok, extra = '') => { console.log(`${ok ? 'ok' : 'FAIL'} ${name}`, extra); if (!ok) failed++; };
const payload = (t) => JSON.parse(Buffer.from(t.split('.')[1], 'base64url'));
const api = async (method, path, body) => {
  const r = await fetch(BASE + '/api/v1' + path, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`);
  return r.status === 204 ? null : r.json();
};
const refused = async (name, code, f) => {
  const e = await f().then(() => null, (e) => e);
  check(name, e?.error === code, e ? `${e.error}: ${e.error_description ?? e.message}` : 'was served');
};

// Two agents with keys of their own, registered as JWKs.
const keys = {};
for (const name of ['planner', 'refund-agent']) {
  await api('POST', '/agents', { name, team: 'core', purpose: 'tests the token endpoint' });
  const pair = await generateKeyPair('ES256');
  keys[name] = { key: pair.privateKey, kid: 'k1' };
  await api('POST', `/agents/${name}/jwks`, { jwks: { ...(await exportJWK(pair.publicKey)), kid: 'k1', use: 'sig', alg: 'ES256' } });
  await api('PUT', `/agents/${name}/oauth`, { scopes: ['tools:call', 'runs:read'], audiences: [resource] });
}
// An outside identity provider whose users the agent may act for.
const idp = await generateKeyPair('RS256');
await api('PUT', '/issuers/corp', {
  preset: 'oidc', issuer: 'https://idp.example', audiences: [ISSUER], jwks: { keys: [{ ...(await exportJWK(idp.publicKey)), kid: 'i1', use: 'sig', alg: 'RS256' }] },
  rules: [{ claims: { azp: 'refund-client' }, agent: 'refund-agent' }],
});

const client = (name, opts = {}) => oc.discovery(new URL(ISSUER), name, undefined, oc.PrivateKeyJwt(keys[name]), { execute: [oc.allowInsecureRequests], ...opts });
const agent = await client('refund-agent');
check('discovery (OpenID Connect)', agent.serverMetadata().issuer === ISSUER && !!agent.serverMetadata().token_endpoint);
const planner = await client('planner', { algorithm: 'oauth2' });
check('discovery (RFC 8414)', planner.serverMetadata().issuer === ISSUER);

const cc = await oc.clientCredentialsGrant(agent, { scope: 'tools:call', resource });
check('client credentials', payload(cc.access_token).aud === resource && payload(cc.access_token).sub === 'refund-agent' && cc.scope === 'tools:call', JSON.stringify(payload(cc.access_token)));
await refused('a scope that it has not', 'invalid_scope', () => oc.clientCredentialsGrant(agent, { scope: 'admin' }));
await refused('an audience that it has not', 'invalid_target', () => oc.clientCredentialsGrant(agent, { resource: 'https://other.example' }));

const DPoP = oc.getDPoPHandle(agent, await oc.randomDPoPKeyPair('ES256'));
const bound = await oc.clientCredentialsGrant(agent, {}, { DPoP });
check('client credentials with DPoP', bound.token_type === 'dpop' && !!payload(bound.access_token).cnf?.jkt);
// At the door the proof is asked for: an upstream that is not there is the
// proof that the credential was taken.
const door = async (token, opts) => {
  const e = await oc.fetchProtectedResource(agent, token, new URL(ISSUER + '/http/nowhere/x'), 'GET', undefined, undefined, opts).then((r) => ({ status: r.status }), (e) => ({ status: e.status ?? e.cause?.status ?? 0 }));
  return e.status;
};
check('the door takes it with a proof', (await door(bound.access_token, { DPoP })) === 404);
const stolen = await fetch(ISSUER + '/http/nowhere/x', { headers: { authorization: 'Bearer ' + bound.access_token } });
check('and not without', stolen.status === 401);

// For an agent: what the planner gave away, narrowed.
const given = await oc.clientCredentialsGrant(planner, { scope: 'tools:call', delegate_to: 'refund-agent' });
const chained = await oc.genericGrantRequest(agent, TE, { subject_token: given.access_token, subject_token_type: ACCESS, scope: 'tools:call' });
check('token exchange for an agent', payload(chained.access_token).sub === 'planner' && payload(chained.access_token).act?.sub === 'refund-agent', JSON.stringify(payload(chained.access_token)));
await refused('more scope than was given', 'invalid_scope', () => oc.genericGrantRequest(agent, TE, { subject_token: given.access_token, subject_token_type: ACCESS, scope: 'tools:call runs:read' }));
await refused('by another agent', 'invalid_grant', () => oc.genericGrantRequest(planner, TE, { subject_token: given.access_token, subject_token_type: ACCESS }));

// For a user.
const user = (claims) => new SignJWT({ sub: 'jane', azp: 'refund-client', ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'i1' }).setIssuer('https://idp.example').setAudience(ISSUER).setIssuedAt().setExpirationTime('5m').sign(idp.privateKey);
const te = await oc.genericGrantRequest(agent, TE, { subject_token: await user(), subject_token_type: JWT, scope: 'tools:call', audience: resource });
check('token exchange for a user', payload(te.access_token).sub === 'jane' && payload(te.access_token).act?.sub === 'refund-agent', JSON.stringify(payload(te.access_token)));
await refused('a token given to another client', 'invalid_grant', async () => oc.genericGrantRequest(agent, TE, { subject_token: await user({ azp: 'other' }), subject_token_type: JWT }));

const active = async (t) => (await oc.tokenIntrospection(agent, t)).active;
check('introspection', (await active(chained.access_token)) === true);
await oc.tokenRevocation(planner, given.access_token);
check('revocation takes along what was exchanged', (await active(chained.access_token)) === false);
const cut = await fetch(ISSUER + '/http/nowhere/x', { headers: { authorization: 'Bearer ' + chained.access_token } });
check('also at the door', cut.status === 401);
process.exit(failed ? 1 : 0);
