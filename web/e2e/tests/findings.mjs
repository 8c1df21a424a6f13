// Findings: an agent goes in circles, it stands on the page without a reload, and
// a person judges it by keyboard; a rule is tried on the past before it is kept.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a loop is found without a reload and judged, and a rule is tried, ${width} wide`,
  async run(t) {
    const page = await t.open('/', { width });
    await page.keyboard.press('g');
    await page.keyboard.press('b');
    await page.getByRole('heading', { level: 1, name: 'Findings and rules' }).waitFor();
    const agent = unique('circler');
    await t.api('/agents', { name: agent, team: 'support', purpose: 'goes in circles', autonomy: 'read_only' });
    const trace = new Trace({ agent, start: Date.now() - 20_000 });
    const calls = Array.from({ length: 12 }, (_, i) => trace.tool('look_again', 20 + i * 100, 60 + i * 100, { args: { order: 7 } }));
    trace.spans = [...calls, trace.end(2000)];
    await t.send.spans(agent, trace.spans);
    await t.arrived(trace);
    await t.send.log(trace, calls[0], 'order 7 was looked at');
    const row = page.getByRole('row').filter({ hasText: agent }).filter({ hasText: 'look_again' }).first();
    await row.waitFor({ timeout: 20_000 });
    await row.click();
    await page.keyboard.press('Enter');
    const one = page.getByRole('region', { name: 'The finding' });
    await one.getByText(/12 times with the same arguments/).first().waitFor();
    await one.getByText('claimed', { exact: true }).first().waitFor();
    await one.getByRole('link', { name: /^run_/ }).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a finding');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
    await page.keyboard.press('x');
    let found;
    for (let i = 0; i < 100 && !found?.verdict; i++) {
      found = (await t.api(`/findings?agent=${agent}&detector=loop`)).items[0];
      if (!found?.verdict) await new Promise((done) => setTimeout(done, 100));
    }
    t.equal(found?.verdict?.verdict, 'noise', 'the verdict');

    // A rule, tried on what was just sent.
    await page.goto(`${t.base}/findings?show=rules&rule=new`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('When').fill('same_call >= 10.0');
    await dialog.getByLabel('Agents').fill(agent);
    await dialog.getByRole('button', { name: 'Try it on the last 30 days' }).click();
    await dialog.getByText(/would have held 1 time/).waitFor({ timeout: 20_000 });
    await dialog.getByLabel('Name').fill(`circles-${agent}`.slice(0, 60));
    await t.axe(page, 'a rule');
    await page.keyboard.press('Enter');
    await page.getByRole('row').filter({ hasText: 'same_call' }).filter({ hasText: agent.slice(-6) }).first().waitFor();
    for (const show of ['detectors', 'responses']) {
      await page.goto(`${t.base}/findings?show=${show}`);
      await page.getByRole('table').first().waitFor();
      await t.settled(page);
      await t.axe(page, show);
    }
    await page.goto(`${t.base}/agents/${agent}?tab=behaviour`);
    await page.getByRole('heading', { name: 'Findings about it' }).waitFor();
    await page.getByText('look_again').first().waitFor();
    // Of each tool how often its calls repeat, and what kinds of lines its logs have.
    await page.getByRole('columnheader', { name: 'Repeated' }).first().waitFor();
    const part = await t.api(`/agents/${agent}/behaviour`);
    t.equal(part.seen[0].parts.find((p) => p.name === 'look_again')?.repeated, 11, 'repeated calls of the tool');
    await page.getByRole('heading', { name: 'Kinds of log lines' }).waitFor({ timeout: 20_000 });
    await page.getByText('order <*> was looked at').first().waitFor();
    await t.settled(page);
    await t.axe(page, 'behaviour of an agent');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
  },
}));
