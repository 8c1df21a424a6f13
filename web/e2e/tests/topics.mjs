// Topics and compliance: what is asked for leads to its runs and gets a name; a framework is assessed by one key.
import { unique } from '../otlp.mjs';

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: a topic opens, leads to runs and is named, ${width} wide`,
    async run(t) {
      const page = await t.open('/topics', { width });
      await page.getByRole('heading', { level: 1, name: 'Topics' }).waitFor();
      await page.getByText(/\d+ topics in this period/).waitFor({ timeout: 60_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The topic' });
      await one.getByRole('list', { name: 'Typically asked' }).getByRole('link').first().waitFor({ timeout: 30_000 });
      await t.axe(page, 'a topic');
      const name = unique('named');
      await one.getByLabel('Call it').fill(name);
      await page.keyboard.press('Enter');
      await page.getByRole('row').filter({ hasText: name }).first().waitFor({ timeout: 30_000 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
  {
    name: `keyboard: a framework is assessed, and a control opens, ${width} wide`,
    async run(t) {
      const page = await t.open('/compliance', { width });
      await page.getByRole('heading', { level: 1, name: 'Compliance' }).waitFor();
      await page.getByRole('button', { name: /EU AI Act/ }).waitFor();
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('a');
      await page.getByRole('row').filter({ hasText: 'Record-keeping' }).waitFor({ timeout: 60_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The control' });
      await one.getByText('Findings were judged by people').waitFor();
      await t.axe(page, 'a control');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
]);
