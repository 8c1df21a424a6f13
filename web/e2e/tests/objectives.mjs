// Objectives: one is set by keyboard and stands there without a reload; and a new
// person finds why chats of the demo are resolved less often, in five clicks.
import { unique } from '../otlp.mjs';

export default [
  ...[1280, 390].map((width) => ({
    name: `keyboard: an objective is set, changed and dropped, ${width} wide`,
    async run(t) {
      const title = `Kept ${unique('x')}`;
      const name = title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
      const page = await t.open('/', { width });
      await page.keyboard.press('g');
      await page.keyboard.press('j');
      await page.getByRole('heading', { level: 1, name: 'Objectives' }).waitFor();
      await page.getByRole('button', { name: 'Chats are resolved' }).waitFor({ timeout: 30_000 });
      await t.settled(page);
      await t.axe(page, 'objectives');
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'Set an objective' });
      await dialog.getByLabel('Title').fill(title);
      await dialog.getByLabel('At least, in %').fill('55');
      await t.axe(page, 'setting an objective');
      await dialog.getByLabel('Title').focus();
      await page.keyboard.press('Enter');
      const row = page.getByRole('button', { name: title, exact: true });
      await row.waitFor({ timeout: 30_000 });
      const one = page.getByRole('region', { name: 'The objective' });
      await one.getByText('Burn alerts').waitFor({ timeout: 30_000 });
      await one.getByText(/at least 55/).first().waitFor();
      const made = await t.api(`/objectives/${name}`);
      t.equal(made.target, 0.55, 'the target that was set');
      await t.settled(page);
      await t.axe(page, 'an objective');
      t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
      const drop = one.getByRole('button', { name: 'Drop' });
      await drop.focus();
      await page.keyboard.press('Enter');
      await one.getByRole('button', { name: /Drop it/ }).focus();
      await page.keyboard.press('Enter');
      await row.waitFor({ state: 'detached', timeout: 30_000 });
    },
  })),
  {
    name: 'a new person finds why chats are resolved less often, in five clicks or fewer',
    async run(t) {
      const page = await t.open('/', { width: 1280 });
      let clicks = 0;
      const click = async (what) => {
        clicks++;
        await what.click({ timeout: 30_000 });
      };
      await page.locator('html').waitFor();
      await click(page.getByRole('link', { name: 'Objectives' }).first());
      await click(page.getByRole('button', { name: 'Chats are resolved' }));
      const spent = page.getByRole('group', { name: 'What spent it' });
      await spent.waitFor({ timeout: 30_000 });
      // The cause: a version that most of what is bad came with.
      const cause = spent.getByRole('row').filter({ hasText: 'version' }).first();
      await cause.getByText(/\.7\./).waitFor({ timeout: 30_000 });
      await click(cause.getByRole('link').first());
      await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor({ timeout: 30_000 });
      await page.getByText(/escalated/).first().waitFor({ timeout: 30_000 });
      t.equal(clicks <= 5, true, `clicks to the cause (${clicks})`);
    },
  },
];
