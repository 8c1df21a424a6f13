// Outcomes and KPIs: figures with interval and records, one in detail, and a
// person's word about how a run ended, seen without a reload.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a KPI opens its formula, and a person decides how a run ended, ${width} wide`,
  async run(t) {
    const agent = unique('closer');
    const trace = new Trace({ agent, start: Date.now() - 5000 });
    trace.spans = [trace.end(900)];
    await t.send.spans(trace.agent, trace.spans);
    const run = await t.arrived(trace);
    const page = await t.open('/', { width });
    await page.keyboard.press('g');
    await page.keyboard.press('v');
    await page.getByRole('heading', { level: 1, name: 'Outcomes and KPIs' }).waitFor();
    const table = page.getByRole('main');
    await table.getByRole('button', { name: 'Containment', exact: true }).focus();
    await page.keyboard.press('Enter');
    const one = page.getByRole('region', { name: 'The KPI' });
    await one.getByText('Wilson, 95 %').waitFor();
    await one.getByRole('button', { name: 'repeat_contact_rate' }).waitFor();
    await table.getByRole('button', { name: 'Groundedness', exact: true }).focus();
    await page.keyboard.press('Enter');
    await one.getByText(/evaluators of kind groundedness passed/).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'KPIs');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');

    await page.goto(`${t.base}/runs/${run.id}`);
    const ended = page.getByRole('group', { name: 'How it ended for its user' });
    await ended.locator('summary').focus();
    await page.keyboard.press('Enter');
    await ended.getByRole('button', { name: 'Decide how it ended' }).focus();
    await page.keyboard.press('Enter');
    const choice = ended.getByRole('combobox', { name: 'It ended' });
    await choice.focus();
    await page.keyboard.type('esc');
    t.equal(await choice.inputValue(), 'escalated', 'the outcome that was typed');
    await ended.getByLabel('Reason').fill('the customer called');
    await page.keyboard.press('Enter');
    await ended.getByText('the customer called').first().waitFor({ timeout: 15000 });
    await ended.getByText('counts').first().waitFor();
    await t.axe(page, 'how a run ended');
    const after = await t.api(`/runs/${run.id}/outcome`);
    t.equal(after.basis, 'person', 'who decided');
  },
}));
