// Evaluators by keyboard: one is set after it was tried on recent runs, changed, switched off
// and on, and removed; what cannot be kept is said where it is typed.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: an evaluator is tried, set, changed and removed, ${width} wide`,
  async run(t) {
    const agent = unique('judged');
    const name = unique('short').slice(0, 40);
    const trace = new Trace({ agent, start: Date.now() - 20_000, user: 'u-7' });
    trace.spans = [trace.model(400, 2500, { input: [{ role: 'user', parts: [{ type: 'text', content: 'Where is it?' }] }], output: { role: 'assistant', parts: [{ type: 'text', content: 'Obviously it comes on Monday.' }] } }), trace.end(3000)];
    await t.send.spans(agent, trace.spans);
    const until = Date.now() + 60_000;
    while ((await t.api(`/runs?q=${encodeURIComponent(`agent:${agent} status:done`)}&from=-1h`)).items.length === 0) {
      if (Date.now() > until) throw new Error('its run did not end');
      await new Promise((done) => setTimeout(done, 300));
    }
    const page = await t.open('/evaluations?part=evaluators', { width });
    await page.getByRole('region', { name: 'Evaluators', exact: true }).waitFor();
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog', { name: 'Set an evaluator' });
    await dialog.getByLabel('Name', { exact: true }).fill('Not a name');
    await dialog.getByText('Its name has 1 to 63 of a-z', { exact: false }).waitFor();
    t.ok(await dialog.getByRole('button', { name: 'Keep it' }).isDisabled(), 'a bad name is not kept');
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.getByLabel('Kind', { exact: true }).selectOption('rule');
    await dialog.getByLabel('Condition (CEL)').fill('size(answer) <');
    await dialog.getByLabel('Agents (with commas', { exact: false }).fill(agent);
    await dialog.getByRole('button', { name: 'Try it on the newest 20 runs' }).press('Enter');
    await dialog.getByRole('alert').waitFor(); // the language's own words
    await dialog.getByLabel('Condition (CEL)').fill('size(answer) < 10');
    await dialog.getByRole('button', { name: 'Try it on the newest 20 runs' }).press('Enter');
    await dialog.getByText('Of 1 run: 0 pass, 0 unsure, 1 fail', { exact: false }).waitFor();
    await t.settled(page);
    await t.axeBoth(page, 'an evaluator that is tried');
    t.equal((await t.api('/evaluators')).items.filter((e) => e.name === name).length, 0, 'evaluators that a try kept');
    await dialog.getByLabel('Condition (CEL)').fill('size(answer) < 1000');
    await dialog.getByLabel('Share of their runs, in %').fill('50');
    await dialog.getByRole('button', { name: 'Keep it' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const one = page.getByRole('region', { name: 'The evaluator' });
    await one.getByText('50 % of their runs', { exact: false }).waitFor(); // without a reload
    await t.settled(page);
    await t.axeBoth(page, 'an evaluator');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    await one.getByRole('button', { name: 'Switch it off' }).press('Enter');
    await one.getByRole('button', { name: 'Switch it on' }).waitFor();
    const kept = (await t.api('/evaluators')).items.find((e) => e.name === name);
    t.equal(JSON.stringify([kept.off, kept.share, kept.when, kept.agents]), JSON.stringify([true, 0.5, 'size(answer) < 1000', [agent]]), 'what is kept of it while it is off');
    // Changed to a voice: the rules are Vale's, as YAML.
    await one.getByRole('button', { name: 'Change it' }).press('Enter');
    const change = page.getByRole('dialog', { name: `Change ${name}` });
    await change.getByLabel('Kind', { exact: true }).selectOption('voice');
    await change.getByLabel('Rules of file 1, as YAML').fill('extends: existence\nmessage: No %s.\nlevel: error\nignorecase: true\ntokens:\n  - obviously\n');
    await change.getByRole('button', { name: 'Try it on the newest 20 runs' }).press('Enter');
    await change.getByText('Of 1 run: 0 pass, 0 unsure, 1 fail', { exact: false }).waitFor();
    await change.getByRole('button', { name: 'Keep it' }).press('Enter');
    await change.waitFor({ state: 'detached' });
    await one.getByText('House.yml').waitFor();
    await one.getByRole('button', { name: 'Switch it on' }).waitFor(); // it stays off
    await one.getByRole('button', { name: 'Remove it', exact: true }).press('Enter');
    await one.getByRole('button', { name: 'Remove it? What it found stays.' }).press('Enter');
    await one.waitFor({ state: 'detached' });
    await page.getByRole('button', { name, exact: true }).waitFor({ state: 'detached' });
    // A judge says what it lacks before anybody is asked.
    await page.getByRole('button', { name: 'Set an evaluator' }).first().press('Enter');
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.getByLabel('Kind', { exact: true }).selectOption('judge');
    await dialog.getByText('A judge names the agent that it asks as', { exact: false }).waitFor();
    await t.settled(page);
    await t.axe(page, 'a judge that is not whole');
  },
}));
