// Opens runs of 10,000 and 50,000 steps and measures when they can be read,
// how many DOM nodes they take and how smoothly they scroll.
//
//   node e2e/bigrun.mjs                      against a stand-in API (e2e/runs-fixture.mjs)
//   REEVE_URL=http://127.0.0.1:7300 node e2e/bigrun.mjs   against a server: the runs are sent to it as OTLP/JSON first
//
// Fails when a limit is missed. "Readable" is when rows with names and bars are
// painted, counted from the navigation.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { chromium } from 'playwright-core';
import { bigSteps, fixture } from './runs-fixture.mjs';

const LIMITS = { 10000: 1000, 50000: 2000 };
const NODES = 2500;
const FPS = 45;

const dist = process.env.WEB_DIST ?? fileURLToPath(new URL('../dist', import.meta.url));
const server = process.env.REEVE_URL;
const local = server ? null : fixture({ dist, count: 50 });
const base = server ?? (await local.start());
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
let failed = false;

for (const n of Object.keys(LIMITS).map(Number)) {
  const id = server ? await send(server, n) : `run_big${n}`;
  const tries = [];
  for (let k = 0; k < 3; k++) tries.push(await measure(id, n));
  tries.sort((a, b) => a.readable - b.readable);
  const m = tries[1];
  const bad = m.readable > LIMITS[n] || m.nodes > NODES || m.fps < FPS;
  failed ||= bad;
  console.log(`${bad ? 'MISSED' : 'ok'}: ${n} steps readable in ${m.readable} ms (of 3: ${tries.map((t) => t.readable).join(', ')}; limit ${LIMITS[n]}), ${m.nodes} DOM nodes (limit ${NODES}), scrolling ${m.fps} frames/s, worst frame ${m.worst} ms (limit ${FPS} frames/s), steps answer ${m.answer} ms ${m.kb} kB`);
}
await browser.close();
await local?.stop();
process.exit(failed ? 1 : 0);

async function measure(id, n) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  // Code is cached, as it is for somebody who works here. (The event stream never lets the network idle.)
  await page.goto(`${base}/runs`);
  await page.waitForSelector('[role="grid"] a');
  await page.goto(`${base}/runs/${id}?from=-30d`);
  await page.waitForSelector('[data-testid="waterfall"] [role="row"]');
  await page.addInitScript(() => {
    const look = () => {
      const row = document.querySelector('[data-testid="waterfall"] [role="row"]');
      if (row) requestAnimationFrame(() => requestAnimationFrame(() => (window.__readable ??= performance.now())));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(`${base}/runs/${id}?from=-30d`, { waitUntil: 'commit' });
  await page.waitForFunction(() => window.__readable, null, { timeout: 30_000 });
  const readable = Math.round(await page.evaluate(() => window.__readable));
  const rows = Number(await page.getAttribute('[data-testid="waterfall"]', 'aria-rowcount'));
  if (rows !== n && rows !== n + 0) throw new Error(`${rows} rows, want ${n}`);
  await page.waitForTimeout(1200);
  const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
  const scroll = await page.evaluate(async () => {
    const el = document.querySelector('[data-testid="waterfall"]');
    const frames = [];
    let last = performance.now();
    const end = last + 3000;
    return new Promise((done) => {
      const tick = (t) => {
        frames.push(t - last);
        last = t;
        // Fast reading, then leaps: a wheel and a dragged thumb.
        el.scrollTop += frames.length % 40 === 0 ? 20_000 : 60;
        if (el.scrollTop + el.clientHeight >= el.scrollHeight - 10) el.scrollTop = 0;
        if (t < end) requestAnimationFrame(tick);
        else {
          frames.shift();
          done({ fps: Math.round((frames.length / frames.reduce((a, b) => a + b, 0)) * 1000), worst: Math.round(Math.max(...frames)) });
        }
      };
      requestAnimationFrame(tick);
    });
  });
  const answer = await page.evaluate(() => {
    const e = performance.getEntriesByType('resource').find((r) => /\/steps\?/.test(r.name));
    return { answer: Math.round(e?.duration ?? 0), kb: Math.round((e?.transferSize ?? 0) / 1000) };
  });
  await context.close();
  return { readable, nodes, ...scroll, ...answer };
}

/** send posts a run of n steps as OTLP/JSON and waits until all of them can be read. */
async function send(url, n) {
  const trace = createHash('sha256').update(`bigrun ${n} ${Date.now()}`).digest('hex').slice(0, 32);
  const { steps } = bigSteps('x', n, Date.now() - 5_400_000);
  const span = (id) => createHash('sha256').update(trace + id).digest('hex').slice(0, 16);
  const str = (key, v) => ({ key, value: { stringValue: v } });
  const int = (key, v) => ({ key, value: { intValue: String(v) } });
  const spans = steps.map((s) => ({
    traceId: trace,
    spanId: span(s.id),
    parentSpanId: s.parent_id ? span(s.parent_id) : '',
    name: s.name,
    startTimeUnixNano: s.start_ns,
    endTimeUnixNano: String(BigInt(s.start_ns) + BigInt(Math.round(s.duration_ms * 1e6))),
    status: s.status === 'error' ? { code: 2, message: s.error.message } : {},
    attributes: [
      str('gen_ai.operation.name', { agent: 'invoke_agent', model: 'chat', tool: 'execute_tool' }[s.kind]),
      ...(s.kind === 'agent' ? [str('gen_ai.agent.name', s.agent)] : []),
      ...(s.kind === 'tool' ? [str('gen_ai.tool.name', s.tool.name)] : []),
      ...(s.kind === 'model' ? [str('gen_ai.provider.name', 'openai'), str('gen_ai.request.model', s.model), int('gen_ai.usage.input_tokens', s.usage.input_total), int('gen_ai.usage.output_tokens', s.usage.output_total)] : []),
      ...(s.error ? [str('error.type', s.error.type)] : []),
    ],
  }));
  for (let i = 0; i < spans.length; i += 2000) {
    const body = { resourceSpans: [{ resource: { attributes: [str('service.name', 'data-analyst')] }, scopeSpans: [{ scope: { name: 'bigrun' }, spans: spans.slice(i, i + 2000) }] }] };
    for (;;) {
      const res = await fetch(`${url}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
      if (res.ok) break;
      if (res.status !== 429 && res.status !== 503) throw new Error(`intake said ${res.status}: ${await res.text()}`);
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
  const deadline = Date.now() + 60_000;
  for (;;) {
    const page = await (await fetch(`${url}/api/v1/runs?trace_id=${trace}&from=-30d`)).json();
    const run = page.items?.[0];
    if (run && run.step_count >= n) return run.id;
    if (Date.now() > deadline) throw new Error(`the run of ${n} steps did not arrive whole: ${run?.step_count ?? 0}`);
    await new Promise((done) => setTimeout(done, 300));
  }
}
