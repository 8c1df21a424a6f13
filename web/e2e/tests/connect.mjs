// Connecting an agent: its key is made on the page, and its first step and
// decision are seen there without a reload, with what is still missing.
import { Trace, unique } from '../otlp.mjs';
import { door } from '../door.mjs';

export default [1280, 390].map((width) => ({
  name: `connect, keyboard: a key is made, the first step and decision arrive, ${width} wide`,
  async run(t) {
    const name = unique('joiner');
    const page = await t.open('/', { width });
    await page.keyboard.press('c');
    await page.getByRole('heading', { level: 1, name: 'Connect an agent' }).waitFor();
    await page.getByRole('searchbox', { name: 'Find a framework' }).waitFor();
    await page.keyboard.press('f');
    await page.keyboard.type('ask before');
    await page.getByRole('radio', { name: /Ask before acting/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('heading', { name: /Ask before acting/ }).waitFor();
    await page.getByLabel('Agent', { exact: true }).fill(name);
    const team = page.getByLabel('Team', { exact: true });
    if ((await team.evaluate((e) => e.tagName)) === 'INPUT') await team.fill('finance');
    await page.getByLabel('Environment', { exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Make the key' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('not shown again').waitFor();
    const text = await page.getByLabel('In a shell', { exact: true }).textContent();
    const key = /Bearer (rvk_[^']+)'/.exec(text)[1];
    await page.getByText('Waiting for the first decision').waitFor();
    await t.axe(page, 'connect, waiting');
    const res = await fetch(`${await door(t)}/decisions`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ tool: 'pay', arguments: { amount: 5 }, key: name }) });
    t.equal(res.status, 200, 'status of the question');
    await page.getByText('The first decision is here').waitFor({ timeout: 15_000 });

    // Telemetry: no key is needed here, so the page waits at once.
    const other = unique('teller');
    await page.goto(`${t.base}/connect?framework=opentelemetry&agent=${other}`);
    await page.getByText('Waiting for the first step').waitFor();
    const trace = new Trace({ agent: other, start: Date.now() });
    trace.spans = [trace.span('chat', 'chat', 20, 400, {}), trace.end(900)];
    await t.send.spans(other, trace.spans);
    await page.getByText('The first step is here').waitFor({ timeout: 15_000 });
    await page.getByRole('region', { name: 'What is still missing' }).getByText('outcome', { exact: true }).waitFor({ timeout: 15_000 });
    await t.settled(page);
    await t.axe(page, 'connect, arrived');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
  },
}));
