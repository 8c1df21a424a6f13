// How money is counted: a currency with dated rates, a cost centre and a month's
// report are set by keyboard; a refusal stands at its field, and figures follow
// without a reload.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: how money is counted is changed, ${width} wide`,
  async run(t) {
    const before = await t.api('/cost/settings');
    const channel = unique('post');
    await t.api(`/channels/${channel}`, { kind: 'email', settings: { url: 'smtp://127.0.0.1:1', from: 'reeve@example.com', channel: 'desk@example.com', insecure: true } }, 'PUT');
    t.cleanup.push(async () => {
      const now = await t.api('/cost/settings');
      await t.api('/cost/settings', { ...before, revision: now.revision }, 'PUT');
      await t.api(`/channels/${channel}`, undefined, 'DELETE');
    });
    const agent = unique('spender');
    const trace = new Trace({ agent, start: Date.now() - 5000 });
    trace.spans = [trace.model(20, 200, { tokens: [7_000_000, 10] }), trace.end(900)];
    await t.send.spans(agent, trace.spans);
    await t.arrived(trace);
    const page = await t.open('/cost?by=month', { width });
    const main = page.getByRole('main');
    await main.getByRole('group', { name: 'Cost by month', exact: true }).getByText(new Date().toISOString().slice(0, 7), { exact: false }).first().waitFor({ timeout: 30_000 });
    const by = page.getByRole('group', { name: 'By', exact: true });
    await by.getByRole('button', { name: 'Environment' }).press('Enter');
    await main.getByRole('group', { name: 'Cost by environment', exact: true }).waitFor();

    await main.getByRole('heading', { name: 'How money is counted' }).waitFor();
    await page.keyboard.press('m');
    const dialog = page.getByRole('dialog');
    const keep = dialog.getByRole('button', { name: 'Keep' });
    const currency = dialog.getByLabel('Currency', { exact: true });
    await currency.waitFor();
    await dialog.getByText('Nothing is changed yet.').waitFor();
    await currency.fill('CHF');
    await currency.press('Enter');
    await dialog.getByText(/figures cannot be shown in CHF/).waitFor({ timeout: 15_000 });
    t.equal(await currency.getAttribute('aria-invalid'), 'true', 'the field that is wrong is marked');
    await dialog.getByRole('button', { name: 'Add a rate' }).press('Enter');
    const n = before.rates.length + 1;
    await dialog.getByLabel(`First day of rate ${n}`).fill('January');
    await dialog.getByLabel(`Dollars of rate ${n}`).fill('1.25');
    await keep.press('Enter');
    await dialog.getByText(/rates\[\d+\]\.from is a day/).waitFor({ timeout: 15_000 });
    t.equal(await dialog.getByLabel(`First day of rate ${n}`).getAttribute('aria-invalid'), 'true', 'the day that is wrong is marked');
    await dialog.getByLabel(`First day of rate ${n}`).fill('2020-01-01');
    await dialog.getByRole('button', { name: 'Add a cost centre' }).press('Enter');
    const c = before.centres.length + 1;
    await dialog.getByLabel(`Cost centre ${c}`, { exact: true }).fill('4711');
    await dialog.getByLabel(`Agent of cost centre ${c}`).fill(agent);
    const by_ = dialog.getByRole('combobox', { name: "The month's report goes out by" });
    await by_.focus();
    await page.keyboard.type('post');
    t.equal(await by_.inputValue(), channel, 'the channel that was typed');
    await dialog.getByLabel('To', { exact: true }).fill('finance@example.com');
    await dialog.getByText(`Cost centre comes: 4711 for agent ${agent}`).waitFor();
    await t.settled(page);
    await t.axe(page, 'how money is counted');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window with the dialog');
    await dialog.getByLabel('To', { exact: true }).press('Enter');
    await dialog.waitFor({ state: 'detached' });

    // Seen at once: the panel, and the figures in the new currency and by who pays.
    const panel = main.getByRole('region', { name: 'How money is counted' });
    await panel.getByText('one CHF is 1.25 USD', { exact: false }).waitFor({ timeout: 15_000 });
    await panel.getByText(`by ${channel} to finance@example.com`, { exact: false }).waitFor();
    await by.getByRole('button', { name: 'Cost centre' }).press('Enter');
    const centres = main.getByRole('group', { name: 'Cost by cost centre', exact: true });
    await centres.getByText('4711').waitFor({ timeout: 30_000 });
    await centres.getByText(/CHF/).first().waitFor();
    const kept = await t.api('/cost/settings');
    t.equal(`${kept.currency} ${kept.centres.at(-1).agent} ${kept.report.channel} ${kept.report.day} ${Boolean(kept.report.next_at)}`, `CHF ${agent} ${channel} 1 true`, 'what is kept');
    await panel.getByRole('button', { name: "Send last month's now" }).press('Enter');
    await panel.getByRole('button', { name: 'Send it to all of them' }).press('Enter');
    await panel.getByRole('status').getByText('is on its way', { exact: false }).waitFor({ timeout: 60_000 });
    const sent = (await t.api(`/deliveries?channel=${channel}`)).items;
    t.equal(`${sent.length} ${sent[0]?.purpose} ${/-finance@example\.com-/.test(sent[0]?.key)}`, '1 report true', 'what goes out');
    await t.settled(page);
    await t.axeBoth(page, 'Cost with its settings');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
  },
}));
