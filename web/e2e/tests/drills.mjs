// Failover drills: one is set and tried by keyboard, its result comes in without a reload,
// and it is tried once more, paused and ended.
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a failover is tried, ${width} wide`,
  async run(t) {
    const set = unique('cases');
    await t.api(`/datasets/${set}`, { team: 'research', environment: 'production' }, 'PUT');
    await t.api(`/datasets/${set}/items`, { input: [{ role: 'user', content: 'When does prompt caching pay off?' }], contains: ['in short'] });
    const page = await t.open('/cost', { width });
    const panel = page.getByRole('region', { name: 'Failovers, tried' });
    await panel.waitFor();
    await page.keyboard.press('d');
    const dialog = page.getByRole('dialog', { name: 'Set a failover drill' });
    await dialog.getByLabel('Name').fill('Not a name');
    await dialog.getByLabel('Agent', { exact: true }).selectOption('research-agent');
    await dialog.getByLabel('Taken as down').selectOption('anthropic');
    await dialog.getByLabel('Cases').selectOption(`set:${set}`);
    await dialog.getByLabel('Name').press('Enter');
    await dialog.getByText("a drill's name has small letters").waitFor();
    await t.settled(page);
    await t.axe(page, 'a drill that is refused');
    const name = unique('drill').slice(0, 40);
    await dialog.getByLabel('Name').fill(name);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    // A weekly one is due at once; of one case nothing is known of quality, only that it was answered.
    const one = page.getByRole('region', { name: 'The drill' });
    await one.getByRole('heading', { name }).waitFor();
    const history = one.getByRole('group', { name: `History of ${name}` });
    await history.getByText('100.0 % of 1').first().waitFor({ timeout: 120_000 });
    await one.getByText(/with anthropic taken as down, 1 of 1 cases were answered .* by anthropic-standby/).waitFor();
    await t.settled(page);
    await t.axeBoth(page, 'a drill');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    await one.getByRole('button', { name: 'Run now' }).press('Enter');
    await history.getByText('100.0 % of 1').nth(1).waitFor({ timeout: 120_000 });
    await one.getByRole('img', { name: /Change of quality without anthropic in 2 drills/ }).waitFor();
    await one.getByRole('button', { name: 'Pause' }).press('Enter');
    await one.getByRole('button', { name: 'Go on' }).waitFor();
    t.equal((await t.api(`/drills/${name}`)).paused, true, 'paused');
    await one.getByRole('button', { name: 'End it' }).press('Enter');
    await one.getByRole('button', { name: 'End the drill? Its experiments stay.' }).press('Enter');
    await one.waitFor({ state: 'detached' });
    await panel.getByText(name).waitFor({ state: 'detached' });
  },
}));
