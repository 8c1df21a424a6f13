// On call: a schedule that is made elsewhere stands on the page without a reload,
// and one puts oneself on call by keyboard.
import { unique } from '../otlp.mjs';

const fits = async (t, page) => t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: on call is taken over without a reload, ${width} wide`,
    async run(t) {
      const name = unique('shift');
      const page = await t.open('/', { width });
      await page.keyboard.press('g');
      await page.keyboard.press('w');
      await page.getByRole('heading', { level: 1, name: 'On call' }).waitFor();
      await t.settled(page);
      await t.axe(page, 'on call, before');
      // Nobody until tomorrow: an override is what fills it.
      const start = new Date(Date.now() + 86_400_000).toISOString();
      await t.api(`/on-call/${name}`, { zone: 'Europe/Berlin', rotations: [{ people: ['me'], start, every: 'week' }] }, 'PUT');
      const row = page.getByRole('row').filter({ hasText: name });
      await row.getByText('nobody').first().waitFor({ timeout: 15_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('o');
      const dialog = page.getByRole('dialog', { name: 'Override' });
      await dialog.getByLabel('Schedule').selectOption(name);
      await t.axe(page, 'overriding');
      await dialog.getByLabel('Why').fill('the other is on a train');
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      const one = page.getByRole('region', { name: 'The schedule' });
      await one.getByText('the other is on a train').waitFor();
      await row.getByText('nobody', { exact: true }).first().waitFor({ state: 'detached' });
      const after = await t.api(`/on-call/${name}`);
      t.ok(after.now?.override, 'the server says that an override holds');
      await t.settled(page);
      await t.axe(page, 'a schedule');
      await fits(t, page);
      const end = one.getByRole('button', { name: 'End' });
      await end.press('Enter');
      await one.getByRole('button', { name: 'End it now' }).press('Enter');
      await one.getByText('None is ahead.', { exact: false }).waitFor();
      t.equal((await t.api(`/on-call/${name}`)).now, null, 'who is on call after the end');
      await t.api(`/on-call/${name}`, undefined, 'DELETE');
      await row.waitFor({ state: 'detached' });
    },
  },
]);
