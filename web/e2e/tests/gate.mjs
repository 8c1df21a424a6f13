// From a bad run to a case, its data set and the gate of its agent, one act each, by
// keyboard; the gate says what is not shown yet, and so does a refusal. A replay of a run
// that did not pass the door says what it needs.
import { Trace, unique } from '../otlp.mjs';

const str = (key, v) => ({ key, value: { stringValue: v } });

export default [1280, 390].map((width) => ({
  name: `keyboard: a bad run becomes a case and a gate, ${width} wide`,
  async run(t) {
    const agent = unique('gated');
    const set = unique('cases');
    await t.api('/agents', { name: agent, team: 'dev', purpose: 'is shown at the gate', owner: 'dev', sponsor: 'dev' });
    await t.api(`/agents/${agent}/promote`, { to: 'pilot', reason: 'a test' }).catch(() => undefined); // it may be one already
    await t.api(`/datasets/${set}`, { team: 'dev', environment: 'production' }, 'PUT');
    const trace = new Trace({ agent, start: Date.now() - 20_000, user: 'u-7' });
    const end = trace.end(3000);
    end.attributes.push(str('reeve.outcome', 'failed'));
    trace.spans = [trace.model(400, 2500, { input: [{ role: 'user', parts: [{ type: 'text', content: 'Where is it?' }] }], output: { role: 'assistant', parts: [{ type: 'text', content: 'You have 90 days.' }] } }), end];
    await t.send.spans(agent, trace.spans);
    const page = await t.open(`/runs?q=agent:${agent}`, { width });
    const row = page.getByRole('row').filter({ hasText: agent }).first();
    await row.waitFor({ timeout: 20_000 });
    await row.click();
    await page.keyboard.press('Enter');
    await page.getByTestId('run-page').waitFor();
    await page.getByRole('button', { name: 'Replay' }).press('Enter');
    const replay = page.getByRole('dialog');
    await replay.getByRole('button', { name: 'Replay' }).press('Enter');
    await replay.getByRole('alert').first().waitFor({ timeout: 20_000 });
    await t.settled(page);
    await t.axe(page, 'a replay that is refused');
    await page.keyboard.press('Escape');
    await replay.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Make a case' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Data set').waitFor();
    await dialog.getByLabel('Data set').selectOption(set);
    await dialog.getByLabel('What would have been right', { exact: false }).fill('You have 30 days.');
    await dialog.getByRole('button', { name: 'Make it' }).press('Enter');
    await dialog.getByText(`in ${set} now`, { exact: false }).waitFor({ timeout: 20_000 });
    await t.settled(page);
    await t.axe(page, 'a case that was made');
    await dialog.getByRole('link', { name: `The gate of ${agent}` }).press('Enter');
    await page.getByText('It does not pass', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Name a data set' }).press('Enter');
    const naming = page.getByRole('dialog');
    await naming.getByLabel('Cases that it has to have').fill('1');
    await naming.getByLabel('Data set').selectOption(set);
    await naming.getByRole('button', { name: 'Name it' }).press('Enter');
    await naming.waitFor({ state: 'detached' });
    await page.getByText('It has to pass each case of', { exact: false }).waitFor();
    const gate = await t.api(`/agents/${agent}/gate`);
    t.equal(gate.dataset, set, 'the data set of the gate');
    await page.getByRole('button', { name: 'Take into production' }).first().press('Enter');
    const promote = page.getByRole('dialog');
    await promote.getByLabel('Reason').fill('it is ready');
    await promote.getByRole('button', { name: 'Promote' }).press('Enter');
    await promote.getByText('does not pass', { exact: false }).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a promotion that is refused');
    await page.keyboard.press('Escape');
    await promote.waitFor({ state: 'detached' });
    await page.getByText('refused', { exact: true }).first().waitFor();
    await t.axe(page, 'a gate that refused');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
  },
}));
