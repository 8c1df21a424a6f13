// An upstream is connected to its authorization server by a person: sent there
// with PKCE, back to the console, and the door has a token.
import { createHash } from 'node:crypto';
import http from 'node:http';

const unique = () => Math.random().toString(36).slice(2, 8);

/** guarded is a server of tools and its authorization server, which agrees at once. */
async function guarded(t) {
  const seen = { calls: 0, challenge: undefined };
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (c) => (body += c));
    req.on('end', () => {
      const at = new URL(req.url, base);
      const json = (status, v, headers = {}) => res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(v));
      const metadata = `${base}/.well-known/oauth-protected-resource/mcp`;
      if (at.pathname === '/.well-known/oauth-protected-resource/mcp') return json(200, { resource: `${base}/mcp`, authorization_servers: [base], scopes_supported: ['issues:read'] });
      if (at.pathname === '/.well-known/oauth-authorization-server') return json(200, { issuer: base, authorization_endpoint: `${base}/authorize`, token_endpoint: `${base}/token`, registration_endpoint: `${base}/register`, code_challenge_methods_supported: ['S256'], token_endpoint_auth_methods_supported: ['none'], authorization_response_iss_parameter_supported: true });
      if (at.pathname === '/register') return json(201, { client_id: 'reeve-1' });
      if (at.pathname === '/authorize') {
        seen.challenge = at.searchParams.get('code_challenge');
        const to = new URL(at.searchParams.get('redirect_uri'));
        to.searchParams.set('code', 'c1');
        to.searchParams.set('state', at.searchParams.get('state'));
        to.searchParams.set('iss', base);
        return res.writeHead(302, { location: to.href }).end();
      }
      if (at.pathname === '/token') {
        const form = new URLSearchParams(body);
        const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
        if (form.get('code') !== 'c1' || proof !== seen.challenge) return json(400, { error: 'invalid_grant' });
        return json(200, { access_token: 'token-1-of-the-test', token_type: 'Bearer', expires_in: 3600, refresh_token: 'refresh-1', scope: 'issues:read' });
      }
      if (req.headers.authorization !== 'Bearer token-1-of-the-test') return json(401, {}, { 'www-authenticate': `Bearer resource_metadata="${metadata}"` });
      seen.calls++;
      return json(400, { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'a test' } });
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const base = `http://127.0.0.1:${server.address().port}`;
  t.cleanup.push(() => new Promise((done) => (server.closeAllConnections(), server.close(done))));
  return { base, seen };
}

const tests = [];
for (const width of [1280, 390]) {
  tests.push({
    name: `keyboard: an upstream is connected to its authorization server, ${width} wide`,
    async run(t) {
      const name = `oauth-${unique()}`;
      const g = await guarded(t);
      await t.api(`/upstreams/${name}`, { kind: 'mcp', url: `${g.base}/mcp`, team: 'finance', environment: 'production', allow_private: true, credential: { kind: 'oauth', source: '', oauth: { grant: 'authorization_code' } } }, 'PUT');
      t.cleanup.push(() => t.api(`/upstreams/${name}`, undefined, 'DELETE').catch(() => {}));
      const page = await t.open('/settings/upstreams', { width });
      const row = page.getByRole('row', { name: new RegExp(name) });
      await row.getByText('not connected', { exact: true }).waitFor();
      await t.axe(page, 'upstream not connected');
      await row.getByRole('button', { name: 'Connect' }).focus();
      await page.keyboard.press('Enter');
      await page.getByText(`${name} is connected.`, { exact: true }).waitFor();
      t.ok(!page.url().includes('c1') && !page.url().includes('#'), `the code is not left in the address: ${page.url()}`);
      await t.axe(page, 'connected');
      await page.getByRole('button', { name: 'To the upstreams' }).focus();
      await page.keyboard.press('Enter');
      await row.getByText('connected', { exact: true }).waitFor();
      await row.getByText(`${new URL(g.base).host}, by `).waitFor();
      const u = await t.api(`/upstreams/${name}`);
      t.ok(u.connection.state === 'connected' && u.connection.scopes.join() === 'issues:read', JSON.stringify(u.connection));
      t.ok(!JSON.stringify(u).includes('token-1'), 'no token is told');
    },
  });
}

tests.push({
  name: 'an answer of an authorization server that nobody asked for is refused',
  async run(t) {
    const page = await t.open('/upstreams/connected#upstream=nobody&state=x&code=y');
    await page.getByText('Begin again.').waitFor();
    await page.getByText(/there is no upstream/).waitFor();
  },
});

export default tests;
