// Runs of 10,000 and 50,000 steps: when they can be read, how many DOM nodes
// they take, how smoothly they scroll. The figures are printed. Nodes are held
// to the limit; times are the machine's too, so a test fails only where they are
// out by a multiple that no busy machine explains.
import { big, unique } from '../otlp.mjs';

const limits = [
  { steps: 10_000, readable: 1000 },
  { steps: 50_000, readable: 2000 },
];
const nodeLimit = 2500;
const fpsLimit = 45;
const slack = 5;

const sent = new Map();
function runOf(t, steps) {
  if (!sent.has(steps))
    sent.set(
      steps,
      (async () => {
        const trace = big(steps, { agent: unique('data-analyst') });
        await t.send.spans(trace.agent, trace.spans);
        const { id } = await t.arrived(trace);
        return id;
      })(),
    );
  return sent.get(steps);
}

async function measure(t, page, id, steps) {
  await page.goto(`${t.base}/runs/${id}?from=-30d`, { waitUntil: 'commit' });
  await page.waitForFunction(() => window.readableAt, null, { timeout: 60_000 });
  const readable = Math.round(await page.evaluate(() => window.readableAt));
  t.equal(Number(await page.getByTestId('waterfall').getAttribute('aria-rowcount')), steps, 'rows');
  const answer = await page.evaluate(() => {
    const e = performance.getEntriesByType('resource').find((r) => /\/steps\?/.test(r.name));
    return { ms: Math.round(e?.duration ?? 0), kb: Math.round((e?.transferSize ?? 0) / 1000) };
  });
  return { readable, answer };
}

const scroll = (page) =>
  page.evaluate(
    () =>
      new Promise((done) => {
        const el = document.querySelector('[data-testid="waterfall"]');
        const frames = [];
        let nodes = 0;
        let last = performance.now();
        const end = last + 3000;
        const tick = (now) => {
          frames.push(now - last);
          last = now;
          // Fast reading, then leaps: a wheel and a dragged thumb.
          el.scrollTop += frames.length % 40 === 0 ? 20_000 : 60;
          if (el.scrollTop + el.clientHeight >= el.scrollHeight - 10) el.scrollTop = 0;
          if (frames.length % 20 === 0) nodes = Math.max(nodes, document.querySelectorAll('*').length);
          if (now < end) requestAnimationFrame(tick);
          else {
            frames.shift();
            done({ fps: Math.round((frames.length / frames.reduce((a, b) => a + b, 0)) * 1000), worst: Math.round(Math.max(...frames)), nodes });
          }
        };
        requestAnimationFrame(tick);
      }),
  );

export default limits.map(({ steps, readable: limit }) => ({
  name: `large: a run of ${steps} steps is readable, small in the DOM and scrolls`,
  limit: 180_000,
  async run(t) {
    const id = await runOf(t, steps);
    // Code is cached, as it is for somebody who works here.
    const page = await t.open(`/runs/${id}?from=-30d`);
    await page.waitForSelector('[data-testid="waterfall"] [role="row"]', { timeout: 60_000 });
    await page.addInitScript(() => {
      // Readable: rows with their names and bars have been painted.
      const look = () => {
        if (document.querySelector('[data-testid="waterfall"] [role="row"]')) requestAnimationFrame(() => requestAnimationFrame(() => (window.readableAt ??= performance.now())));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    const tries = [];
    for (let i = 0; i < 3; i++) tries.push(await measure(t, page, id, steps));
    const { readable, answer } = [...tries].sort((a, b) => a.readable - b.readable)[1];
    await t.settled(page);
    const still = await page.evaluate(() => document.querySelectorAll('*').length);
    const { fps, worst, nodes: moving } = await scroll(page);
    const nodes = Math.max(still, moving);
    console.log(
      `     ${steps} steps: readable in ${readable} ms (of 3: ${tries.map((x) => x.readable).join(', ')}; aim ${limit}), ${nodes} DOM nodes (limit ${nodeLimit}), ${fps} frames/s (aim ${fpsLimit}), worst frame ${worst} ms; steps answered in ${answer.ms} ms, ${answer.kb} kB`,
    );
    t.ok(nodes < nodeLimit, `${nodes} DOM nodes, more than ${nodeLimit}`);
    t.ok(readable <= limit * slack, `readable in ${readable} ms, more than ${slack} times ${limit}`);
    t.ok(fps >= fpsLimit / slack, `${fps} frames/s, less than a ${slack}th of ${fpsLimit}`);
  },
}));
