// Agents, decisions, policies, budgets and upstreams: each page's main action by
// keyboard, at 1280 and 390 wide, and its effect without a reload.
import { agent, model, think } from '../door.mjs';

const tests = [];
const unique = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 6);

for (const width of [1280, 390])
  tests.push(
    {
      name: `keyboard: an agent is registered, contained and stopped, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        const page = await t.open('/agents', { width });
        await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor();
        await page.keyboard.press('n');
        const dialog = page.getByRole('dialog', { name: 'Register an agent' });
        await dialog.getByLabel('Name', { exact: true }).fill(name);
        await dialog.getByLabel('Purpose').fill('is tried out');
        await t.axe(page, 'register');
        await page.keyboard.press('Enter');
        await page.waitForURL(`**/agents/${name}**`);
        await page.getByText('It has not run in this period.').waitFor();
        await page.getByRole('button', { name: 'Contain' }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').getByLabel('Reason').fill('a try');
        await page.keyboard.press('Enter');
        await page.getByText('it is read only').waitFor();
        await page.keyboard.press('s');
        const stop = page.getByRole('dialog', { name: `Stop agent ${name}` });
        await stop.getByText('0 calls in flight').waitFor();
        await t.axe(page, 'stop');
        await stop.getByLabel('Reason').fill('a try');
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').getByText(/0 calls cut in/).waitFor();
        await page.keyboard.press('Enter');
        await page.getByText('No: it is stopped').waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        t.equal(wide, 0, 'pixels wider than the window');
      },
    },
    {
      name: `keyboard: decisions open on why, and the filter is in the URL, ${width} wide`,
      async run(t) {
        // The demo's live agents call through the door all the time.
        const page = await t.open('/decisions?show=all&from=-1h', { width });
        await page.getByRole('row').nth(1).waitFor({ timeout: 60_000 });
        await page.getByRole('grid', { name: 'Decisions' }).focus();
        await page.keyboard.press('j');
        await page.keyboard.press('Enter');
        await page.waitForURL('**decision=dec_**');
        await page.getByRole('region', { name: 'Why' }).getByText('Credential', { exact: true }).waitFor();
        await t.axe(page, 'decision');
        await page.keyboard.press('1');
        await page.waitForURL('**show=refused**');
      },
    },
    {
      name: `keyboard: a policy is checked as it is typed, and kept, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        const page = await t.open('/policies', { width });
        await page.getByRole('heading', { level: 1, name: 'Policies and limits' }).waitFor();
        await page.keyboard.press('n');
        await page.getByLabel('Name', { exact: true }).fill(name);
        const text = page.getByLabel('Policy in Cedar');
        await text.fill('@id("a") permit (principal, action, resource) when { resource.nope };');
        await page.getByRole('button', { name: /^line 1, column/ }).first().waitFor();
        await t.axe(page, 'a policy that is wrong');
        await text.fill('@id("never") forbid (principal == Agent::"nobody-of-that-name", action, resource);');
        await page.getByText('Sound: 1 statement.').waitFor();
        await page.getByRole('textbox', { name: 'Reason' }).fill('a try');
        await page.keyboard.press('Enter');
        await page.waitForURL(`**policy=${name}**`);
        await page.getByRole('heading', { level: 2, name }).waitFor();
        await page.getByRole('cell', { name: 'create' }).waitFor();
      },
    },
    {
      name: `keyboard: a budget is set, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        const page = await t.open('/policies?tab=budgets', { width });
        await page.getByRole('button', { name: 'Set a budget' }).first().focus();
        await page.keyboard.press('Enter');
        const dialog = page.getByRole('dialog', { name: 'Set a budget' });
        await dialog.getByLabel('Name', { exact: true }).fill(name);
        await dialog.getByLabel(/^Limit/).fill('5');
        await t.axe(page, 'budget');
        await page.keyboard.press('Enter');
        await page.getByRole('row', { name: new RegExp(name) }).getByText('$5').waitFor();
      },
    },
    {
      name: `keyboard: an upstream is named, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        const page = await t.open('/settings/upstreams', { width });
        await page.getByRole('heading', { level: 1, name: 'Upstreams' }).waitFor();
        await page.keyboard.press('n');
        const dialog = page.getByRole('dialog', { name: 'Name an upstream' });
        await dialog.getByLabel('Name', { exact: true }).fill(name);
        await dialog.getByRole('textbox', { name: 'Address' }).fill('https://api.example.com');
        await t.axe(page, 'upstream');
        await page.keyboard.press('Enter');
        await page.getByRole('row', { name: new RegExp(name) }).getByText('not called yet').waitFor();
      },
    },
  );

tests.push({
  name: 'a live run shows its decisions on its own axis',
  async run(t) {
    const end = Date.now() + 60_000;
    let run;
    while (!run && Date.now() < end) {
      const d = (await t.api('/decisions?from=-1h&limit=50&action=call_model')).items.find((x) => x.run_id);
      run = d?.run_id;
      if (!run) await new Promise((done) => setTimeout(done, 500));
    }
    t.ok(run, 'a run that passed the door');
    const page = await t.open(`/runs/${run}`);
    await page.getByRole('region', { name: 'Decisions' }).getByText(/proposed/).waitFor();
    await t.axe(page, 'run with decisions');
    // What was refused is a link within a sentence, which an allowed run does not show.
    const name = `e2e-${unique()}`;
    await model(t, name);
    const key = await agent(t, name);
    await think(t, key, name, name);
    await t.api(`/agents/${name}/contain`, { containment: 'quarantined', reason: 'a try' });
    t.equal((await think(t, key, name, name)).status, 403, 'a call in quarantine');
    let refused;
    while (!refused && Date.now() < end) refused = (await t.api(`/decisions?from=-1h&agent=${name}&verdict=deny`)).items.find((x) => x.run_id);
    t.ok(refused, 'a refused decision of a run');
    await page.goto(`${t.base}/runs/${refused.run_id}`);
    await page.getByRole('region', { name: 'Decisions' }).getByRole('link', { name: /denied/ }).waitFor();
    await t.axe(page, 'run with a refusal');
  },
});

export default tests;
