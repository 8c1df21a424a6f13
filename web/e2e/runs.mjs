// Browser tests of the activity pages against a stand-in API: list, filter,
// open, zoom, live update, keyboard, both schemes, 1280 and 390 wide, axe.
//
//   node e2e/runs.mjs            WEB_DIST names another build than web/dist

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { fixture, step } from './runs-fixture.mjs';

const dist = process.env.WEB_DIST ?? fileURLToPath(new URL('../dist', import.meta.url));
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const server = fixture({ dist });
const base = await server.start();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const only = process.argv[2];
const results = [];

/** test runs one case in a page of its own and fails it when the page threw. */
async function test(name, body, { width = 1280, height = 800, scheme = 'light' } = {}) {
  if (only && !name.includes(only)) return;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  await context.addInitScript((s) => localStorage.setItem('reeve.scheme', s), scheme);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const thrown = [];
  page.on('pageerror', (e) => thrown.push(e.message));
  try {
    await body(page);
    assert.deepEqual(thrown, [], 'the page threw');
    results.push([name, 'ok']);
    console.log(`ok    ${name}`);
  } catch (err) {
    results.push([name, 'failed']);
    console.log(`FAIL  ${name}\n      ${String(err.stack ?? err).split('\n').slice(0, 6).join('\n      ')}`);
    await page.screenshot({ path: `${process.env.TMPDIR ?? '/tmp'}/runs-e2e-${results.length}.png` }).catch(() => {});
  }
  await context.close();
}

async function axe(page, what) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, { resultTypes: ['violations'] });
    return r.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} — ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''}`).join(' | ')}`);
  });
  assert.deepEqual(found, [], `axe on ${what}`);
}

const runsReady = (page) => page.waitForSelector('[role="grid"] [role="row"] a');
const runReady = (page) => page.waitForSelector('[data-testid="waterfall"] [role="row"]');
const param = (page, k) => new URL(page.url()).searchParams.get(k);
const until = (page, fn, arg) => page.waitForFunction(fn, arg);

await test('list shows runs, their outcomes over time and what is unknown', async (page) => {
  await page.goto(`${base}/runs`);
  await runsReady(page);
  assert.ok((await page.locator('[role="grid"] [role="row"]').count()) > 10);
  await page.getByText('outcome unknown', { exact: false }).first().waitFor();
  assert.ok((await page.locator('[data-unknown]').count()) > 0, 'unknown outcomes are marked');
  assert.ok((await page.locator('*').count()) < 2500, 'few nodes');
});

await test('search narrows the list, completes fields and values, and lives in the URL', async (page) => {
  await page.goto(`${base}/runs`);
  await runsReady(page);
  await page.keyboard.press('/');
  await page.keyboard.type('ag');
  await page.getByRole('option', { name: /agent/ }).first().waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('option', { name: /refund-agent/ }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await until(page, () => new URL(location.href).searchParams.get('q') === 'agent:refund-agent');
  await until(page, () => [...document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex]')].every((r) => r.textContent.includes('refund-agent')));
  const shared = page.url();
  await page.goto(shared);
  await runsReady(page);
  assert.equal(await page.getByLabel('Search runs').inputValue(), 'agent:refund-agent');
});

await test('a search that makes no sense says why', async (page) => {
  await page.goto(`${base}/runs?q=nonsense%3Ax`);
  await page.getByText('no field is called nonsense').waitFor();
});

await test('facets are the search as chips', async (page) => {
  await page.goto(`${base}/runs`);
  await runsReady(page);
  await page.getByRole('button', { name: /^Outcome/ }).click();
  await page.getByLabel('failed', { exact: true }).check();
  await until(page, () => new URL(location.href).searchParams.get('q') === 'outcome:failed');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Any outcome' }).click();
  await until(page, () => !new URL(location.href).searchParams.has('q'));
});

await test('sort and columns live in the URL', async (page) => {
  await page.goto(`${base}/runs`);
  await runsReady(page);
  await page.getByRole('button', { name: 'duration' }).click();
  await until(page, () => new URL(location.href).searchParams.get('sort') === 'duration');
  await page.getByRole('button', { name: /Columns/ }).click();
  await page.getByLabel('Session', { exact: true }).check();
  await until(page, () => (new URL(location.href).searchParams.get('cols') ?? '').includes('session'));
  await page.getByRole('columnheader', { name: 'session' }).waitFor();
});

await test('keyboard alone: move, select, compare, open', async (page) => {
  await page.goto(`${base}/runs`);
  await runsReady(page);
  for (const k of ['j', 'j', 'x', 'j', 'x', 'j', 'x']) await page.keyboard.press(k);
  await page.getByText('3 runs selected').waitFor();
  await page.keyboard.press('d');
  const panel = page.getByTestId('difference');
  await panel.getByText(/against \d/).waitFor();
  assert.match(await panel.innerText(), /The selected runs \(3\) against \d+ other runs/);
  await page.keyboard.press('Escape');
  await page.locator('[role="grid"]').focus();
  await page.keyboard.press('Enter');
  await runReady(page);
  assert.match(page.url(), /\/runs\/run_/);
});

await test('what is different finds what all selected share', async (page) => {
  await page.goto(`${base}/runs?q=failed%3Atrue`);
  await runsReady(page);
  await page.locator('[role="grid"]').focus();
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('j');
    await page.keyboard.press('x');
  }
  await page.keyboard.press('d');
  await page.getByTestId('difference').getByText(/against/).waitFor();
});

await test('new runs are announced, changed ones change in place, nothing jumps', async (page) => {
  await page.goto(`${base}/runs`);
  await runsReady(page);
  while (server.listeners() === 0) await page.waitForTimeout(20);
  const old = server.runs[1];
  const before = await page.locator('[role="grid"] [role="row"][aria-rowindex="3"]').innerText();
  assert.match(before, /waiting/);
  old.status = 'done';
  const fresh = { ...server.runs[2], id: 'run_fresh00000000000000000000', name: 'just began', status: 'running', outcome: null, started_at: new Date().toISOString(), updated_at: new Date().toISOString(), ended_at: null, duration_ms: null };
  server.detail.set(fresh.id, server.detail.get(server.runs[2].id));
  server.runs.unshift(fresh);
  server.tell('run.updated', { id: old.id, status: 'done', agent: old.agent });
  server.tell('run.updated', { id: fresh.id, status: 'running', agent: fresh.agent });
  const button = page.getByTestId('fresh');
  await button.waitFor();
  assert.match(await button.innerText(), /1 new run/);
  await until(page, () => /done/.test(document.querySelector('[role="grid"] [role="row"][aria-rowindex="3"]').textContent));
  assert.equal(await page.getByText('just began').count(), 0);
  await button.click();
  await page.getByText('just began').waitFor();
  server.runs.shift();
  old.status = 'waiting';
});

await test('a run says in words why it ended so, and its figures open', async (page) => {
  const bad = server.runs[15];
  await page.goto(`${base}/runs/${bad.id}`);
  await runReady(page);
  const words = await page.getByTestId('verdict').innerText();
  assert.match(words, /Failed after 14\.2 s: tool lookup_order ended with upstream_timeout: orders: no answer within 5 s\./);
  await page.getByTestId('verdict').getByRole('button', { name: 'tool lookup_order' }).first().click();
  await page.getByTestId('step-panel').getByText('upstream_timeout').first().waitFor();
  assert.match(param(page, 'step'), /^stp_/);
});

await test('transcript says each thing once, folds what was resent, and shows hostile text for what it is', async (page) => {
  await page.goto(`${base}/runs/${server.runs[3].id}`);
  await page.getByTestId('transcript').getByText('as before').first().waitFor();
  await page.getByText('U+202E').first().waitFor();
  assert.equal(await page.locator('img').count(), 0, 'markup in a message stays text');
  assert.equal(await page.getByTestId('transcript').getByText('Where is order', { exact: false }).count(), 1);
});

await test('zoom, fold, collapse and critical path by keys', async (page) => {
  await page.goto(`${base}/runs/run_big2000`);
  await runReady(page);
  const bar = () => page.evaluate(() => document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="3"] [data-time] span').getBoundingClientRect().width);
  await page.locator('[data-testid="waterfall"]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const small = await bar();
  await page.keyboard.press('z');
  await until(page, (w) => document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="3"] [data-time] span').getBoundingClientRect().width > w * 5, small);
  await page.getByRole('button', { name: 'Fit' }).click();
  await until(page, (w) => Math.abs(document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="3"] [data-time] span').getBoundingClientRect().width - w) < 2, small);
  const rows = Number(await page.getAttribute('[data-testid="waterfall"]', 'aria-rowcount'));
  await page.locator('[data-testid="waterfall"]').focus();
  await page.keyboard.press('ArrowLeft');
  await until(page, () => document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="2"]').getAttribute('aria-selected') === 'true');
  await page.keyboard.press('ArrowLeft');
  await until(page, (n) => Number(document.querySelector('[data-testid="waterfall"]').getAttribute('aria-rowcount')) < n, rows);
  await page.keyboard.press('w');
  await until(page, () => new URL(location.href).searchParams.get('gaps') === 'open');
  await page.keyboard.press('c');
  await until(page, () => new URL(location.href).searchParams.get('path') === 'off');
  await page.keyboard.press('e');
  await until(page, () => document.querySelector('[data-testid="waterfall"] [role="row"][aria-selected="true"]')?.textContent.includes('timeout'));
});

await test('wheel and minimap zoom', async (page) => {
  await page.goto(`${base}/runs/run_big2000`);
  await runReady(page);
  const ticks = () => page.evaluate(() => document.querySelector('[data-testid="waterfall"]').previousElementSibling.textContent);
  const whole = await ticks();
  const box = await page.locator('[data-testid="waterfall"]').boundingBox();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 100);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -400);
  await page.keyboard.up('Control');
  await until(page, (t) => document.querySelector('[data-testid="waterfall"]').previousElementSibling.textContent !== t, whole);
  await page.keyboard.press('0');
  const map = await page.locator('canvas').first().boundingBox();
  await page.mouse.move(map.x + 200, map.y + 20);
  await page.mouse.down();
  await page.mouse.move(map.x + 300, map.y + 20, { steps: 5 });
  await page.mouse.up();
  await until(page, (t) => document.querySelector('[data-testid="waterfall"]').previousElementSibling.textContent !== t, whole);
});

await test('find within a run and show only what matches', async (page) => {
  await page.goto(`${base}/runs/run_big2000`);
  await runReady(page);
  await page.keyboard.press('f');
  await page.keyboard.type('timeout');
  await page.getByText(/\d+ found/).waitFor();
  await page.getByRole('button', { name: 'only these' }).click();
  await until(page, () => Number(document.querySelector('[data-testid="waterfall"]').getAttribute('aria-rowcount')) < 200);
});

await test('a running run grows without reload, and follows its newest step', async (page) => {
  const id = 'run_growing000000000000000000';
  const start = Date.now() - 3000;
  const steps = [step(id, 'gr', null, 'agent', start, null, { name: 'live agent', agent: 'refund-agent' })];
  server.detail.set(id, { steps, messages: [], total: 0 });
  const run = { ...server.runs[2], id, name: 'a live one', status: 'running', outcome: null, failed: false, error_count: 0, started_at: new Date(start).toISOString(), updated_at: new Date().toISOString(), ended_at: null, duration_ms: null, step_count: 1 };
  server.runs.push(run);
  await page.goto(`${base}/runs/${id}`);
  await runReady(page);
  assert.match(await page.getByTestId('verdict').innerText(), /^Running for/);
  while (server.listeners() === 0) await page.waitForTimeout(20);
  await page.getByRole('button', { name: 'Follow' }).click();
  for (let i = 0; i < 40; i++) steps.push(step(id, `g${i}`, 'gr', i % 2 ? 'tool' : 'model', start + 500 + i * 20, 15, { name: `grown ${i}`, model: i % 2 ? undefined : `grown ${i}`, tool: i % 2 ? { name: `grown ${i}` } : undefined }));
  run.step_count = 41;
  run.revision++;
  server.tell('run.updated', { id, status: 'running' });
  await page.getByTestId('waterfall').getByText('grown 39', { exact: true }).waitFor();
  run.status = 'done';
  run.duration_ms = 5000;
  server.tell('run.updated', { id, status: 'done' });
  await until(page, () => /Ended without error/.test(document.querySelector('[data-testid="verdict"]').textContent));
  server.runs.pop();
});

await test('graph shows who called what, and what came next', async (page) => {
  await page.goto(`${base}/runs/${server.runs[5].id}`);
  await runReady(page);
  await page.keyboard.press('v');
  await page.locator('.react-flow__node').first().waitFor();
  assert.ok((await page.locator('.react-flow__node').count()) >= 4);
  assert.ok((await page.locator('.react-flow__edge').count()) >= 3);
  await page.getByRole('button', { name: 'What came next' }).click();
  await until(page, () => new URL(location.href).searchParams.get('edges') === 'order');
});

await test('a run that is not there says so', async (page) => {
  await page.goto(`${base}/runs/run_nowhere`);
  await page.getByText('This run is not here').waitFor();
});

await test('sessions, a session as one conversation, steps, logs', async (page) => {
  await page.goto(`${base}/sessions`);
  await page.getByRole('link', { name: 'ticket-1', exact: true }).click();
  await page.getByTestId('session').getByText('Where is my order', { exact: false }).first().waitFor();
  await page.goto(`${base}/steps`);
  await page.getByText('lookup_order').first().waitFor();
  await page.locator('[role="grid"]').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await until(page, () => /any\(kind:tool,mcp tool:lookup_order\)/.test(new URL(location.href).searchParams.get('q') ?? ''));
  await page.goto(`${base}/logs`);
  await page.getByTestId('logs').getByText('accepted', { exact: false }).first().waitFor();
});

await test('help lists what the page can do', async (page) => {
  await page.goto(`${base}/runs/${server.runs[5].id}`);
  await runReady(page);
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Next error').waitFor();
});

for (const scheme of ['light', 'dark']) {
  for (const [name, path, ready] of [
    ['runs', '/runs', runsReady],
    ['run', `/runs/${server.runs[15].id}`, runReady],
    ['step', `/runs/${server.runs[15].id}?panel=step&step=stp_${server.runs[15].id}_m2`, (p) => p.getByTestId('step-panel').getByText('Tokens and cost').waitFor()],
    ['run logs', `/runs/${server.runs[15].id}?panel=logs`, (p) => p.getByTestId('run-logs').waitFor()],
    ['graph', `/runs/${server.runs[15].id}?lane=graph`, (p) => p.locator('.react-flow__edge').first().waitFor()],
    ['sessions', '/sessions', runsReady],
    ['session', '/sessions/ticket-2', (p) => p.getByTestId('session').waitFor()],
    ['steps', '/steps', (p) => p.getByText('lookup_order').first().waitFor()],
    ['logs', '/logs', (p) => p.getByTestId('logs').waitFor()],
  ])
    await test(
      `axe: ${name}, ${scheme}`,
      async (page) => {
        await page.goto(base + path);
        await ready(page);
        await page.waitForTimeout(300);
        await axe(page, `${name} ${scheme}`);
      },
      { scheme },
    );
}

await test(
  '390 wide: list and run are usable',
  async (page) => {
    await page.goto(`${base}/runs`);
    await runsReady(page);
    await page.locator('[role="grid"]').focus();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await runReady(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), 'the page does not scroll sideways');
    await axe(page, 'run at 390');
  },
  { width: 390, height: 844 },
);

await browser.close();
await server.stop();
const bad = results.filter(([, r]) => r !== 'ok');
console.log(`${results.length - bad.length} of ${results.length} passed`);
process.exit(bad.length ? 1 : 0);
