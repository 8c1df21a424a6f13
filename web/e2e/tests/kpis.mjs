// Outcomes and KPIs: figures with interval and records, one in detail, and a
// person's word about how a run ended, seen without a reload.
import { Trace, unique } from '../otlp.mjs';

const behind = [1280, 390].map((width) => ({
  name: `keyboard: a figure opens the records behind it, ${width} wide`,
  async run(t) {
    const agent = unique('clerk');
    const traces = [1, 0].map(() => new Trace({ agent, start: Date.now() - 5000 }));
    for (const [i, trace] of traces.entries()) {
      trace.spans = [trace.end(900)];
      await t.send.spans(trace.agent, trace.spans);
      const run = await t.arrived(trace);
      await t.api('/feedback', { run: run.id, kind: 'thumb', value: 1 - i });
    }
    const listed = async (query) => (await t.api(`/kpis/csat/records?by=agent&group=${agent}&${query}`)).items.length;
    for (let i = 0; (await listed('')) < 2; i++) {
      if (i > 100) throw new Error('what was said is in no figure');
      await new Promise((go) => setTimeout(go, 200));
    }
    t.equal(await listed('hits=true'), 1, 'records that count');

    // What no search finds stands below the figures, and leads to the record itself.
    const page = await t.open(`/outcomes?kpi=csat&by=agent`, { width });
    const one = page.getByRole('region', { name: 'The KPI' });
    const from = one.getByTitle('List the records behind it').first();
    await from.focus();
    await page.keyboard.press('Enter');
    const list = page.getByRole('group', { name: 'The records behind it' }).or(page.getByRole('table', { name: 'The records behind it' })).first();
    await list.getByRole('link', { name: 'What they said' }).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'the records behind a figure');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    await page.goto(`${t.base}/outcomes?kpi=csat&by=agent&records=feedback&group=${agent}`);
    await page.getByText(`of agent ${agent}`).first().waitFor();
    const said = list.getByRole('link', { name: 'What they said' }).first();
    await said.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'The feedback' }).getByText('Its run').first().waitFor();

    // What a search finds opens its page, with all of them, and as many as the figure says.
    await page.goto(`${t.base}/outcomes?kpi=policy_denial_rate&by=agent`);
    const open = one.getByTitle('Open the records behind it').first();
    await open.waitFor();
    await open.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Decisions' }).waitFor();
    const url = new URL(page.url());
    t.equal(url.searchParams.get('show'), 'all', 'which decisions are shown');
    t.equal(url.searchParams.get('q'), '-run.mode:test', 'the search');
    await page.getByRole('main').getByRole('row').nth(1).waitFor();
    t.equal(await page.getByRole('alert').count(), 0, 'problems');
  },
}));

export default [...behind, ...[1280, 390].map((width) => ({
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
}))];
