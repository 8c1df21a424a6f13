// Canaries: a model is watched by fixed questions, its answers come in without a
// reload, it is asked once more, paused and let go on, by keyboard.
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a model is watched by a canary, ${width} wide`,
  async run(t) {
    const page = await t.open('/findings?show=canaries', { width });
    await page.getByRole('heading', { name: 'Canaries' }).waitFor();
    await page.keyboard.press('c');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Not a name');
    await dialog.getByLabel('As the agent').selectOption('research-agent');
    await dialog.getByLabel('At the upstream').selectOption('openai');
    await dialog.getByLabel('Model').fill('gpt-5-mini');
    await page.keyboard.press('Enter');
    await dialog.getByText("a canary's name has").waitFor();
    await t.settled(page);
    await t.axe(page, 'a canary that is refused');
    const name = unique('watch').slice(0, 40);
    await dialog.getByLabel('Name').fill(name);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const one = page.getByRole('region', { name: 'The canary' });
    // Now and then the scripted model fails, and the rest of that round is not asked.
    const answered = one.getByText(/^[1-8] of 8$/);
    for (let i = 0; i < 6 && !(await answered.count()); i++) {
      await one.getByText(/^[0-8] of 8$/).nth(i).waitFor({ timeout: 40_000 });
      if (!(await answered.count())) await one.getByRole('button', { name: 'Ask now' }).press('Enter');
    }
    const before = await one.getByText(/^[0-8] of 8$/).count();
    await one.getByText('fp_scripted').first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a canary');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    await one.getByRole('button', { name: 'Ask now' }).press('Enter');
    await one.getByText(/^[0-8] of 8$/).nth(before).waitFor({ timeout: 40_000 });
    await one.getByRole('button', { name: 'Pause' }).press('Enter');
    await one.getByRole('button', { name: 'Go on' }).waitFor();
    t.equal((await t.api(`/canaries/${name}`)).off, true, 'paused');
    await one.getByRole('button', { name: 'Go on' }).press('Enter');
    await one.getByRole('button', { name: 'Pause' }).waitFor();
    await one.getByRole('button', { name: 'This is the new normal' }).press('Enter');
    await dialog.getByLabel('Reason').fill('we know');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await one.getByRole('button', { name: 'Delete' }).press('Enter');
    await one.getByRole('button', { name: 'Delete it and its answers' }).press('Enter');
    await one.waitFor({ state: 'detached' });
    await page.getByRole('table', { name: 'Canaries' }).getByText(name).waitFor({ state: 'detached' });
  },
}));
