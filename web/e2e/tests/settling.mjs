// How runs are settled: evidence that waits for its run leaves when that comes; a
// rule about outcomes is refused where its search is wrong, tried, kept, changed and
// deleted, by keyboard and without a reload.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a rule about outcomes is tried and kept, and evidence finds its run, ${width} wide`,
  async run(t) {
    const agent = unique('settler');
    const trace = new Trace({ agent, start: Date.now() - 5000 });
    trace.spans = [trace.end(900)];
    await t.send.spans(agent, trace.spans);
    const run = await t.arrived(trace);
    const order = unique('order');
    await t.api('/outcome-evidence', { source: 'orders', sender_id: order, key: `order_id=${order}`, outcome: 'resolved', text: 'delivered' });
    const page = await t.open(`/runs/${run.id}`, { width });
    const ended = page.getByRole('group', { name: 'How it ended for its user' });
    await ended.locator('summary').focus();
    await page.keyboard.press('Enter');
    await ended.getByRole('link', { name: 'Rules, settling windows and evidence that waits' }).press('Enter');
    const main = page.getByRole('main');
    await main.getByRole('heading', { name: 'When runs are settled' }).waitFor();
    await main.getByText('24h', { exact: false }).first().waitFor();
    const waiting = main.getByRole('group', { name: 'Evidence that waits' });
    await waiting.getByText(`order_id=${order}`).waitFor({ timeout: 15_000 });

    const name = unique('settled').slice(0, 40);
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Of which runs').fill('nosuchfield:1');
    const tryIt = dialog.getByRole('button', { name: 'Try it on the last 30 days' });
    await tryIt.press('Enter');
    await dialog.getByRole('alert').getByText(/where: /).waitFor({ timeout: 15_000 });
    await t.axe(page, 'a rule that is refused');
    await dialog.getByLabel('Of which runs').fill(`agent:${agent}`);
    await dialog.getByLabel('Late after').fill('72h');
    await tryIt.press('Enter');
    await dialog.getByRole('status').getByText(/It finds 1 run/).waitFor({ timeout: 30_000 });
    await dialog.getByText('1 run is not settled yet', { exact: false }).waitFor();
    await t.settled(page);
    await t.axe(page, 'a rule that is tried');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window with the dialog');
    await dialog.getByLabel('Name').press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const rules = main.getByRole('group', { name: 'Rules about outcomes' });
    await rules.getByText('they ended resolved; late after 72h').waitFor({ timeout: 15_000 });

    await rules.getByRole('button', { name: `Change ${name}` }).press('Enter');
    const choice = dialog.getByRole('combobox', { name: 'They ended' });
    await choice.focus();
    await page.keyboard.type('esc');
    t.equal(await choice.inputValue(), 'escalated', 'the outcome that was typed');
    await dialog.getByLabel('Why').fill('they are taken over');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await rules.getByText('they are taken over', { exact: false }).waitFor({ timeout: 15_000 });
    const kept = (await t.api('/outcome-rules')).items.find((r) => r.name === name);
    t.equal(`${kept.outcome} ${kept.revision} ${kept.where}`, `escalated 2 agent:${agent}`, 'what is kept');

    // The run that the evidence was about comes: it is no longer listed.
    const late = new Trace({ agent, start: Date.now() - 3000 });
    late.spans = [late.end(700)];
    late.spans[0].attributes.push({ key: 'reeve.label.order_id', value: { stringValue: order } });
    await t.send.spans(agent, late.spans);
    await t.arrived(late);
    await main.getByText(`order_id=${order}`).waitFor({ state: 'detached', timeout: 60_000 });

    await t.settled(page);
    await t.axeBoth(page, 'how runs are settled');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    const row = rules.getByRole('row', { name: new RegExp(name) });
    await row.getByRole('button', { name: 'Delete' }).press('Enter');
    await row.getByRole('button', { name: 'Delete it' }).press('Enter');
    await rules.getByText(name).waitFor({ state: 'detached', timeout: 15_000 });
  },
}));
