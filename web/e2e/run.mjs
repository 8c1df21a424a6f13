// Browser tests against a running Reeve: node e2e/run.mjs http://127.0.0.1:7300
//
// The server is started by whoever calls this. It may be in development mode
// (nobody signs in), have an account (REEVE_NAME, REEVE_PASSWORD), be fresh
// (REEVE_ADMIN_TOKEN: the first account is made through the page), or offer
// sign-ins as notices (REEVE_NOTICE is the label of the button to press).
//
// Every file under e2e/tests exports an array of {name, run(t)}; "only" as the
// second argument picks tests whose name contains it. Prints one line a test
// and, last, "N passed, N failed". Exit 1 when one failed. A test that fails is
// run a second time, at most two of a run, and that is told.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { sender } from './otlp.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const base = (process.argv[2] ?? process.env.BASE ?? '').replace(/\/$/, '');
const only = process.argv[3] ?? '';
if (!/^https?:\/\//.test(base)) {
  console.error('usage: node e2e/run.mjs http://127.0.0.1:7300 [part of a test name]');
  process.exit(2);
}
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && existsSync(p));
if (!executablePath) {
  console.error('e2e: no Chromium found; set CHROMIUM to its path');
  process.exit(2);
}
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const out = process.env.E2E_OUT ?? join(here, 'out');
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});

let session; // {storage, secret} once signed in

/** api calls the server as the person who is signed in. */
async function api(path, body, method = body ? 'POST' : 'GET') {
  const cookie = session.storage.cookies.map((c) => `${c.name}=${c.value}`).join('; ');
  const res = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { Accept: 'application/json', ...(body ? { 'Content-Type': 'application/json' } : {}), ...(session.secret ? { Cookie: cookie, 'X-Reeve-Session-Secret': session.secret } : {}) },
    body: body && JSON.stringify(body),
  });
  if (!res.ok) throw new Error(`${path}: ${res.status} ${await res.text()}`);
  return res.status === 204 ? undefined : res.json();
}

/** arrived waits until the run of a trace can be read with at least so many steps. */
async function arrived(trace, steps = trace.spans.length) {
  const end = Date.now() + 60_000;
  for (;;) {
    const run = (await api(`/runs?trace_id=${trace.id}&from=-30d`)).items[0];
    if (run && run.step_count >= steps) return run;
    if (Date.now() > end) throw new Error(`of ${steps} steps of ${trace.agent} ${run?.step_count ?? 0} arrived within a minute`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function signIn() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  steady(page);
  await page.goto(base + '/');
  await page.waitForFunction(() => document.querySelector('nav[aria-label="Pages"]') || document.querySelector('form'), undefined, { timeout: 15_000 });
  if (new URL(page.url()).pathname === '/sign-in') {
    const { REEVE_ADMIN_TOKEN: token, REEVE_NAME: name = 'first', REEVE_PASSWORD: password = 'a long enough password', REEVE_NOTICE: notice } = process.env;
    if (notice) await page.getByRole('button', { name: notice }).click();
    else {
      if (await page.getByLabel('Admin token').count()) {
        if (!token) throw new Error('the server has no account yet: set REEVE_ADMIN_TOKEN');
        await page.getByLabel('Admin token').fill(token);
      }
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByRole('textbox', { name: 'Password' }).fill(password);
      await page.keyboard.press('Enter');
    }
    await page.waitForSelector('nav[aria-label="Pages"]', { timeout: 15_000 });
  }
  const secret = await page.evaluate(() => sessionStorage.getItem('reeve.secret'));
  session = { storage: await context.storageState(), secret };
  await context.close();
}

/** open gives a signed-in page that fails the test on script errors and policy violations. */
async function open(t, path, { width = 1280, height = 800, scheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, storageState: session.storage, reducedMotion: 'reduce' });
  t.cleanup.push(() => context.close());
  await context.addInitScript((secret) => {
    if (secret && !sessionStorage.getItem('reeve.secret')) sessionStorage.setItem('reeve.secret', secret);
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy violation: ${e.violatedDirective} ${e.blockedURI}`));
  }, session.secret);
  const page = await context.newPage();
  t.page = page;
  page.on('pageerror', (e) => t.errors.push(`script error: ${e.message}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) t.errors.push(`console: ${m.text()}`);
  });
  await page.goto(base + path);
  await page.waitForSelector('h1', { state: 'attached', timeout: 15_000 });
  await settled(page);
  return page;
}

/**
 * steady lets a fill begin only when no timer is about to move the focus: it
 * focuses first and types in a step of its own, and a dialog that gives its
 * first field the focus between the two would get the text.
 */
function steady(page) {
  const locators = Object.getPrototypeOf(page.locator('body'));
  const { fill } = locators;
  locators.fill = async function (value, options) {
    await this.waitFor(options);
    await this.page().evaluate(() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 0)), 0)));
    return fill.call(this, value, options);
  };
}

/** settled waits until nothing is being read any more (the event stream stays open). */
async function settled(page, quietMs = 250, timeoutMs = 8000) {
  await page.evaluate(
    ([quiet, limit]) =>
      new Promise((done) => {
        const end = performance.now() + limit;
        let last = performance.now();
        const watch = new PerformanceObserver(() => (last = performance.now()));
        watch.observe({ type: 'resource', buffered: false });
        const changed = new MutationObserver(() => (last = performance.now()));
        changed.observe(document.body, { childList: true, subtree: true });
        const tick = () => {
          if (performance.now() - last > quiet || performance.now() > end) {
            watch.disconnect();
            changed.disconnect();
            done();
          } else requestAnimationFrame(tick);
        };
        tick();
      }),
    [quietMs, timeoutMs],
  );
}

/** axe fails the test when axe finds a violation. */
async function axe(page, what, options = {}) {
  await page.evaluate(axeSource);
  const found = await page.evaluate((o) => globalThis.axe.run(document, { resultTypes: ['violations'], ...o }).then((r) => r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} (${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''})`).join(' | ')}`)), options);
  if (found.length > 0) throw new Error(`axe, ${what}:\n    ${found.join('\n    ')}`);
}

/**
 * axeBoth looks at a page in both schemes. The other one changes colours alone and
 * the page follows it where it stands, so only what depends on colours is looked at again.
 */
async function axeBoth(page, what) {
  const wrong = [];
  await axe(page, `${what}, light`).catch((e) => wrong.push(e.message));
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
  await settled(page, 100, 2000);
  await axe(page, `${what}, dark`, { runOnly: ['color-contrast', 'link-in-text-block'] }).catch((e) => wrong.push(e.message));
  await page.emulateMedia({ colorScheme: 'light' });
  if (wrong.length > 0) throw new Error(wrong.join('\n    '));
}

function equal(got, want, what) {
  if (got !== want) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}
function ok(v, what) {
  if (!v) throw new Error(what);
}

await signIn();
// Where people sign in, senders need a key too.
const intakeKey = session.secret ? (await api('/intake-keys', { name: `browser tests ${Date.now()}`, team: 'e2e', environment: 'production' })).secret : undefined;
const send = sender(base, intakeKey);
let passed = 0;
let failed = 0;
let repeated = 0;
// People are tested against a server that asks who one is (E2E_TESTS=people).
const folder = join(here, process.env.E2E_TESTS ?? 'tests');
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.mjs')) continue;
  const { default: tests } = await import(pathToFileURL(join(folder, file)).href);
  for (const test of tests) {
    if (only && !test.name.includes(only)) continue;
    let error = await attempt(test);
    // A busy machine may starve a browser. Once is forgiven and said, more often is a defect.
    if (error && repeated < 2) {
      repeated++;
      console.log(`REPEATED ${test.name}\n    ${error.message}`);
      error = await attempt(test);
    }
    if (error) failed++;
    else passed++;
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed${repeated ? `, ${repeated} repeated` : ''}`);
process.exit(failed > 0 ? 1 : 0);

/** attempt runs a test once and returns what went wrong. */
async function attempt(test) {
  const t = { base, out, errors: [], cleanup: [], browser, session, api, send, arrived, open: (path, o) => open(t, path, o), axe, axeBoth, settled, equal, ok };
  const started = Date.now();
  let error;
  let timer;
  try {
    const limit = test.limit ?? 90_000;
    await Promise.race([test.run(t), new Promise((_, no) => (timer = setTimeout(() => no(new Error(`took longer than ${limit / 1000} s`)), limit)))]);
    if (t.errors.length > 0) throw new Error(t.errors.slice(0, 3).join('\n    '));
  } catch (e) {
    error = e;
  }
  clearTimeout(timer);
  if (error && t.page) await t.page.screenshot({ path: join(out, `failed-${passed + failed}.png`) }).catch(() => {});
  for (const c of t.cleanup) await c().catch(() => {});
  console.log(`${error ? 'FAIL' : 'ok  '} ${test.name} (${Date.now() - started} ms)${error ? `\n    ${error.message}` : ''}`);
  return error;
}
