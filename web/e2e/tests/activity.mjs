// The activity pages on what an agent sends: list, filter, open, zoom, live
// update, transcript, sessions, keyboard, and axe in both schemes.
import { big, refund, Trace, unique } from '../otlp.mjs';

const widths = [1280, 390];
const param = (page, k) => new URL(page.url()).searchParams.get(k);
const rows = (page) => page.locator('[role="grid"] [role="row"][aria-rowindex]');
const waterfall = (page) => page.getByTestId('waterfall');
const listed = (page) => page.waitForSelector('[role="grid"] [role="row"][aria-rowindex] a');
const drawn = (page) => page.waitForSelector('[data-testid="waterfall"] [role="row"]');
const live = (page) => page.getByRole('button', { name: 'Live', exact: true }).waitFor({ timeout: 15_000 });
const only = (agent) => `q=${encodeURIComponent(`agent:${agent}`)}`;

// What most tests read is sent once: one agent, ten runs of three sessions, one
// in three failing, and a run of 2,000 steps.
let seeded;
function seed(t) {
  seeded ??= (async () => {
    const agent = unique('refund-agent');
    const runs = [];
    for (let i = 0; i < 10; i++) runs.push(refund({ agent, start: Date.now() - 120_000 - i * 5000, session: `${agent}-s${i % 3}`, user: `user-${i % 3}`, bad: i % 3 === 0 }));
    await t.send.spans(agent, runs.flatMap((r) => r.spans));
    for (const r of runs) await t.send.log(r, r.spans[1], `looked up order 41007 for ${agent}`);
    const large = big(2000, { agent: unique('data-analyst') });
    await t.send.spans(large.agent, large.spans);
    const read = [];
    for (const r of runs) read.push(await t.arrived(r));
    return { agent, runs, failed: read[0].id, good: read[1].id, large: (await t.arrived(large)).id, session: `${agent}-s1` };
  })();
  return seeded;
}

const tests = [
  {
    name: 'runs: the list shows what was sent, and what is unknown as unknown',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs?${only(s.agent)}`);
      await listed(page);
      await page.waitForFunction(() => document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex]').length === 10);
      // Said once a run is over: a running one has no outcome yet.
      await rows(page).locator('[data-unknown]').first().waitFor({ timeout: 30_000 });
      t.ok((await page.locator('*').count()) < 2500, 'few nodes');
    },
  },
  {
    name: 'runs: search completes fields and values, narrows the list and lives in the URL',
    async run(t) {
      const s = await seed(t);
      const page = await t.open('/runs');
      await listed(page);
      await page.keyboard.press('/');
      await page.keyboard.type('ag');
      await page.getByRole('option', { name: /agent/ }).first().waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.type(s.agent.slice(0, -2));
      await page.getByRole('option', { name: s.agent }).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForFunction((a) => new URL(location.href).searchParams.get('q') === `agent:${a}`, s.agent);
      await page.waitForFunction((a) => {
        const r = [...document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex]')];
        return r.length === 10 && r.every((x) => x.textContent.includes(a));
      }, s.agent);
      await page.reload();
      await listed(page);
      t.equal(await page.getByLabel('Search runs').inputValue(), `agent:${s.agent}`, 'the search after a reload');
    },
  },
  {
    name: 'runs: words that were said find their run',
    async run(t) {
      const agent = unique('wordy');
      const word = unique('marzipan').replace('-', '');
      const trace = new Trace({ agent });
      trace.spans = [trace.model(10, 400, { input: [{ role: 'user', parts: [{ type: 'text', content: `where is the ${word} cake` }] }], output: { role: 'assistant', parts: [{ type: 'text', content: 'eaten' }] } }), trace.end(500)];
      await t.send.spans(agent, trace.spans);
      await t.arrived(trace);
      const page = await t.open('/runs');
      await page.keyboard.press('/');
      await page.keyboard.type(word);
      await page.keyboard.press('Enter');
      await page.waitForFunction((a) => {
        const r = [...document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex]')];
        return r.length === 1 && r[0].textContent.includes(a);
      }, agent);
    },
  },
  {
    name: 'runs: a search that makes no sense says why',
    async run(t) {
      const page = await t.open('/runs?q=nonsense%3Ax');
      await page.getByText(/nonsense/).first().waitFor();
      await page.getByRole('alert').or(page.locator('[aria-invalid="true"]')).first().waitFor();
    },
  },
  {
    name: 'runs: facets are the search as chips; sort and columns live in the URL',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs?${only(s.agent)}`);
      await listed(page);
      await page.getByRole('button', { name: /^Status/ }).click();
      await page.getByLabel('stale', { exact: true }).check();
      await page.waitForFunction(() => /status:stale/.test(new URL(location.href).searchParams.get('q') ?? ''));
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Any status' }).click();
      await page.waitForFunction(() => !/status/.test(new URL(location.href).searchParams.get('q') ?? ''));
      await listed(page);
      await page.getByRole('button', { name: 'duration' }).click();
      await page.waitForFunction(() => new URL(location.href).searchParams.get('sort') === 'duration');
      await page.getByRole('button', { name: /Columns/ }).click();
      await page.getByLabel('Session', { exact: true }).check();
      await page.waitForFunction(() => (new URL(location.href).searchParams.get('cols') ?? '').includes('session'));
      await page.getByRole('columnheader', { name: 'session' }).waitFor();
    },
  },
  {
    name: 'keyboard: select runs and see what is different',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs?${only(s.agent)}`);
      await listed(page);
      await page.locator('[role="grid"]').focus();
      for (const k of ['j', 'j', 'x', 'j', 'x', 'j', 'x']) await page.keyboard.press(k);
      await page.getByText('3 runs selected').waitFor();
      await page.keyboard.press('d');
      await page.getByTestId('difference').getByText(/The selected runs \(3\) against \d+ other runs/).waitFor();
      await page.keyboard.press('Escape');
      await page.getByTestId('difference').waitFor({ state: 'detached' });
    },
  },
  {
    name: 'live: a run appears in the list, and its status changes from running to done, without reload',
    async run(t) {
      const agent = unique('live-agent');
      const first = refund({ agent, start: Date.now() - 8000 });
      await t.send.spans(agent, first.spans.slice(0, 1));
      await t.arrived(first, 1);
      const page = await t.open(`/runs?${only(agent)}`);
      await listed(page);
      await live(page);
      await page.evaluate(() => (window.notReloaded = true));
      await page.getByRole('row', { name: /running/ }).waitFor();
      const second = refund({ agent, start: Date.now() - 3000 });
      await t.send.spans(agent, second.spans.slice(0, 2));
      const button = page.getByTestId('fresh');
      await button.waitFor();
      t.ok(/1 new run/.test(await button.innerText()), 'a new run is announced');
      t.equal(await rows(page).count(), 1, 'rows before they were asked for');
      await button.click();
      await page.waitForFunction(() => document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex]').length === 2);
      await t.send.spans(agent, first.spans.slice(1));
      // The run is over some seconds after its root: the default of runs.quiet.
      await page.getByRole('row', { name: /done/ }).waitFor({ timeout: 30_000 });
      t.equal(await page.getByRole('row', { name: /running/ }).count(), 1, 'the other run goes on');
      t.ok(await page.evaluate(() => window.notReloaded), 'the page was not loaded again');
    },
  },
  {
    name: 'live: the waterfall of an open run grows, follows its newest step, and ends, without reload',
    async run(t) {
      const agent = unique('growing');
      const trace = new Trace({ agent, start: Date.now() - 3000 });
      // Child first: the root comes last, as SDKs send it.
      await t.send.spans(agent, [trace.model(10, 300)]);
      const { id } = await t.arrived(trace, 1);
      const page = await t.open(`/runs/${id}`);
      await drawn(page);
      await live(page);
      await page.evaluate(() => (window.notReloaded = true));
      t.ok(/^Running for/.test(await page.getByTestId('verdict').innerText()), 'the verdict of a run that runs');
      await page.getByRole('button', { name: 'Follow' }).click();
      const count = async () => Number(await waterfall(page).getAttribute('aria-rowcount'));
      const before = await count();
      const more = [];
      for (let i = 0; i < 40; i++) more.push(trace.tool(`grown_${i}`, 500 + i * 20, 515 + i * 20));
      await t.send.spans(agent, more);
      await waterfall(page).getByText('grown_39', { exact: false }).first().waitFor();
      t.ok((await count()) >= before + 40, 'rows were added');
      await t.send.spans(agent, [trace.end(3000)]);
      await page.waitForFunction(() => /Ended without error/.test(document.querySelector('[data-testid="verdict"]').textContent), undefined, { timeout: 30_000 });
      t.ok(await page.evaluate(() => window.notReloaded), 'the page was not loaded again');
    },
  },
  {
    name: 'run: says in words why it failed, and its figures open',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs/${s.failed}`);
      await drawn(page);
      const words = await page.getByTestId('verdict').innerText();
      t.ok(/Failed after 14\.2 s: tool lookup_order ended with upstream_timeout: orders: no answer within 5 s/.test(words), `the verdict: ${words}`);
      await page.getByTestId('verdict').getByRole('button', { name: 'tool lookup_order' }).first().click();
      await page.getByTestId('step-panel').getByText('upstream_timeout').first().waitFor();
      t.ok(/^stp_/.test(param(page, 'step')), 'the step is in the URL');
    },
  },
  {
    name: 'run: the transcript says each thing once and shows hostile text for what it is',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs/${s.good}`);
      await drawn(page);
      const transcript = page.getByTestId('transcript');
      await transcript.getByText('as before').first().waitFor();
      t.equal(await transcript.getByText('Where is order', { exact: false }).count(), 1, 'times the question is shown');
      await transcript.evaluate((e) => e.scrollTo(0, e.scrollHeight));
      await page.getByText('U+202E').first().waitFor();
      t.equal(await page.locator('img').count(), 0, 'pictures made of markup in a message');
    },
  },
  {
    name: 'run: zoom, fold, collapse, critical path and errors by keys',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs/${s.large}`);
      await drawn(page);
      const width = () => page.evaluate(() => document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="3"] [data-time] span').getBoundingClientRect().width);
      await waterfall(page).focus();
      for (const k of ['Home', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(k);
      const small = await width();
      await page.keyboard.press('z');
      await page.waitForFunction((w) => document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="3"] [data-time] span').getBoundingClientRect().width > w * 5, small);
      await page.getByRole('button', { name: 'Fit' }).click();
      await page.waitForFunction((w) => Math.abs(document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="3"] [data-time] span').getBoundingClientRect().width - w) < 2, small);
      const all = Number(await waterfall(page).getAttribute('aria-rowcount'));
      t.equal(all, 2000, 'rows');
      await waterfall(page).focus();
      await page.keyboard.press('ArrowLeft');
      await page.waitForFunction(() => document.querySelector('[data-testid="waterfall"] [role="row"][aria-rowindex="2"]').getAttribute('aria-selected') === 'true');
      await page.keyboard.press('ArrowLeft');
      await page.waitForFunction((n) => Number(document.querySelector('[data-testid="waterfall"]').getAttribute('aria-rowcount')) < n, all);
      await page.keyboard.press('w');
      await page.waitForFunction(() => new URL(location.href).searchParams.get('gaps') === 'open');
      await page.keyboard.press('c');
      await page.waitForFunction(() => new URL(location.href).searchParams.get('path') === 'off');
      await page.keyboard.press('e');
      await page.waitForFunction(() => document.querySelector('[data-testid="waterfall"] [role="row"][aria-selected="true"]')?.textContent.includes('timeout'));
    },
  },
  {
    name: 'run: wheel and brush zoom; find shows only what matches',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs/${s.large}`);
      await drawn(page);
      const axis = () => page.evaluate(() => document.querySelector('[data-testid="waterfall"]').previousElementSibling.textContent);
      const changed = (from) => page.waitForFunction((x) => document.querySelector('[data-testid="waterfall"]').previousElementSibling.textContent !== x, from);
      const whole = await axis();
      const box = await waterfall(page).boundingBox();
      await page.mouse.move(box.x + box.width * 0.7, box.y + 100);
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -400);
      await page.keyboard.up('Control');
      await changed(whole);
      await page.keyboard.press('0');
      await page.waitForFunction((x) => document.querySelector('[data-testid="waterfall"]').previousElementSibling.textContent === x, whole);
      const map = await page.locator('canvas').first().boundingBox();
      await page.mouse.move(map.x + 200, map.y + 20);
      await page.mouse.down();
      await page.mouse.move(map.x + 300, map.y + 20, { steps: 5 });
      await page.mouse.up();
      await changed(whole);
      await page.keyboard.press('f');
      await page.keyboard.type('timeout');
      await page.getByText(/\d+ found/).waitFor();
      await page.getByRole('button', { name: 'only these' }).click();
      await page.waitForFunction(() => Number(document.querySelector('[data-testid="waterfall"]').getAttribute('aria-rowcount')) < 200);
    },
  },
  {
    name: 'run: the graph shows who called what and what came next; help lists its keys',
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs/${s.good}`);
      await drawn(page);
      await page.keyboard.press('v');
      await page.locator('.react-flow__edge').first().waitFor({ state: 'attached' });
      t.ok((await page.locator('.react-flow__node').count()) >= 4, 'nodes of agent, model and two tools');
      t.ok((await page.locator('.react-flow__edge').count()) >= 3, 'edges');
      await page.getByRole('button', { name: 'What came next' }).click();
      await page.waitForFunction(() => new URL(location.href).searchParams.get('edges') === 'order');
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Next error').waitFor();
    },
  },
  {
    name: 'run: one that is not there says so',
    async run(t) {
      const page = await t.open('/runs/run_nowhere');
      await page.getByText('This run is not here').waitFor();
    },
  },
  {
    name: 'run: log records of its agent that name no run stand beside its own',
    async run(t) {
      const agent = unique('loose-logger');
      const run = refund({ agent, start: Date.now() - 90_000, session: `${agent}-s`, user: 'user-1', bad: false });
      await t.send.spans(agent, run.spans);
      await t.send.log(run, run.spans[1], `of the run of ${agent}`);
      await t.send.loose(agent, `beside the run of ${agent}`, Date.now() - 89_000);
      await t.send.loose(unique('another'), 'of somebody else', Date.now() - 89_000);
      const { id } = await t.arrived(run);
      // The record is stored a second after it was taken.
      const page = await t.open(`/runs/${id}?panel=logs`);
      for (let i = 0; ; i++) {
        const logs = page.getByTestId('run-logs');
        if (await logs.getByText(`beside the run of ${agent}`, { exact: false }).first().isVisible().catch(() => false)) break;
        t.ok(i < 20, 'the record beside the run never came');
        await page.waitForTimeout(500);
        await page.reload();
      }
      const logs = page.getByTestId('run-logs');
      await logs.getByText(`of the run of ${agent}`, { exact: true }).first().waitFor();
      await logs.getByText('names no run', { exact: true }).first().waitFor();
      await logs.getByText('One record here names no run', { exact: false }).waitFor();
      t.ok((await logs.getByText('of somebody else', { exact: false }).count()) === 0, 'records of another agent are not there');
    },
  },
  {
    name: 'steps and logs: found, and lead to their run',
    async run(t) {
      const s = await seed(t);
      const page = await t.open('/steps');
      await page.getByText('lookup_order').first().waitFor();
      await page.locator('[role="grid"]').focus();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => location.pathname === '/runs' && /^any\(/.test(new URL(location.href).searchParams.get('q') ?? ''));
      await page.goto(`${t.base}/logs`);
      await page.getByTestId('logs').getByText(`for ${s.agent}`, { exact: false }).first().waitFor();
    },
  },
];

// The main action of each page with no pointer, wide and narrow.
for (const width of widths) {
  const size = { width, height: width < 500 ? 844 : 800 };
  const fits = async (t, page, what) => {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.ok(over <= 0, `${what} is ${over} px wider than the window`);
  };
  tests.push({
    name: `keyboard: from the list into a run and its step, ${width} wide`,
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs?${only(s.agent)}`, size);
      await listed(page);
      await fits(t, page, 'Runs');
      // The list has the focus when it appears.
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/runs/run_**');
      await drawn(page);
      await fits(t, page, 'Run');
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.getByTestId('step-panel').getByText('gpt-4o-mini').first().waitFor();
      await fits(t, page, 'Run with its step');
    },
  });
  tests.push({
    name: `keyboard: from sessions into one conversation, ${width} wide`,
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/sessions?${only(s.agent)}`, size);
      await listed(page);
      t.equal(await rows(page).count(), 3, 'sessions');
      await fits(t, page, 'Sessions');
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/sessions/**');
      await page.getByTestId('session').getByText('Where is order', { exact: false }).first().waitFor();
      await fits(t, page, 'Session');
    },
  });
}

for (const width of widths)
  tests.push({
    name: `axe: activity pages, both schemes, ${width} wide`,
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/runs?${only(s.agent)}`, { width, height: width < 500 ? 844 : 800 });
      const steps = (await t.api(`/runs/${s.failed}/steps`)).items;
      const tool = steps.find((x) => x.kind === 'tool').id;
      const wrong = [];
      for (const [what, path, ready] of [
        ['runs', `/runs?${only(s.agent)}`, listed],
        ['run', `/runs/${s.failed}`, drawn],
        ['step', `/runs/${s.failed}?panel=step&step=${tool}`, (p) => p.getByTestId('step-panel').getByText('upstream_timeout').first().waitFor()],
        ['run logs', `/runs/${s.failed}?panel=logs`, (p) => p.getByTestId('run-logs').waitFor()],
        ['graph', `/runs/${s.good}?lane=graph`, (p) => p.locator('.react-flow__edge').first().waitFor({ state: 'attached' })],
        ['sessions', `/sessions?${only(s.agent)}`, listed],
        ['session', `/sessions/${s.session}`, (p) => p.getByTestId('session').getByText('Where is order', { exact: false }).first().waitFor()],
        ['steps', '/steps', (p) => p.getByText('lookup_order').first().waitFor()],
        ['logs', '/logs', (p) => p.getByTestId('logs').waitFor()],
      ]) {
        await page.goto(t.base + path);
        await ready(page);
        await t.settled(page, 250, 3000);
        await t.axeBoth(page, what).catch((e) => wrong.push(e.message));
      }
      if (wrong.length > 0) throw new Error(wrong.join('\n    '));
    },
  });

export default tests;
