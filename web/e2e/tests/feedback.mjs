// Feedback and evaluations: what people say arrives on the page without a reload,
// opened by keyboard; an evaluator's finding is labelled by keyboard.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: feedback arrives without a reload and leads to its run, ${width} wide`,
    async run(t) {
      const word = unique('parcel');
      const trace = new Trace({ agent: unique('seller'), start: Date.now() - 5000 });
      trace.spans = [trace.end(900)];
      await t.send.spans(trace.agent, trace.spans);
      const run = await t.arrived(trace);
      const page = await t.open('/', { width });
      await page.keyboard.press('g');
      await page.keyboard.press('k');
      await page.getByRole('heading', { level: 1, name: 'Feedback' }).waitFor();
      await t.api('/feedback', { run: run.id, kind: 'thumb', value: 0, comment: `the ${word} never came`, contact: 'ada@shop.example' });
      const row = page.getByRole('row').filter({ hasText: word });
      await row.waitFor();
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The feedback' });
      await one.getByText(word).waitFor();
      await one.getByRole('link', { name: 'Its run' }).waitFor();
      await t.axe(page, 'a feedback');
      await one.getByLabel('Tell them what became of it').fill('we sent another one');
      await page.keyboard.press('Enter');
      await one.getByRole('link', { name: 'ada@shop.example' }).waitFor();
      await t.axe(page, 'a feedback whose giver was told');
      await page.goto(`${t.base}/runs/${run.id}`);
      await page.getByRole('region', { name: 'What was said of it' }).getByText(word).waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
]);
