// Topics and compliance: what is asked for appears without a reload and leads to
// its runs; a framework is assessed by one key.
import { Trace, unique } from '../otlp.mjs';

const user = (content) => [{ role: 'user', parts: [{ type: 'text', content }] }];

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: a topic appears without a reload and leads to its runs, ${width} wide`,
    async run(t) {
      const agent = unique('librarian');
      // The demo's history is looked at first, at a fifth of a core.
      for (let i = 0; i < 300 && (await t.api('/topics?from=-5m')).coverage.waiting > 20; i++) await new Promise((done) => setTimeout(done, 1000));
      const page = await t.open('/topics?from=-5m', { width });
      await page.getByRole('heading', { level: 1, name: 'Topics' }).waitFor();
      // Another subject for each width: two passes must not find one another's.
      const texts = width === 390
        ? ['how do I renew my library card', 'I want to renew my library card', 'please renew the library card for me', 'renew library card']
        : ['which trains leave for Porto tonight', 'are there trains to Porto tonight', 'trains leaving for Porto tonight please', 'list the trains to Porto tonight'];
      for (const [i, text] of texts.entries()) {
        const trace = new Trace({ agent, start: Date.now() - 60_000 + i * 1000, session: unique('s'), user: unique('u') });
        trace.spans = [trace.model(30, 700, { input: user(text) }), trace.end(900, i === 0 ? { error: { type: 'timeout', message: 'no answer' } } : {})];
        await t.send.spans(agent, trace.spans);
        await t.arrived(trace);
      }
      const row = page.getByRole('row').filter({ hasText: width === 390 ? 'library' : 'trains' });
      await row.first().waitFor({ timeout: 60_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await row.first().click();
      const one = page.getByRole('region', { name: 'The topic' });
      await one.getByRole('list', { name: 'Typically asked' }).getByRole('link').first().waitFor();
      await one.getByRole('list', { name: 'Not answered' }).getByRole('link').first().waitFor();
      await t.axe(page, 'a topic');
      const name = unique('named');
      await one.getByLabel('Call it').fill(name);
      await page.keyboard.press('Enter');
      await page.getByRole('row').filter({ hasText: name }).first().waitFor();
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
