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
  {
    name: `keyboard: a step that goes with unhappy users is found and leads to its runs, ${width} wide`,
    async run(t) {
      const agent = unique('clerk');
      const guess = unique('guess');
      const said = [];
      for (let n = 0; n < 40; n++) {
        const trace = new Trace({ agent, start: Date.now() - 9000 });
        trace.spans = [trace.tool('look', 10, 20)];
        if (n % 2) trace.spans.push(trace.tool(guess, 30, 50));
        trace.spans.push(trace.end(900));
        await t.send.spans(agent, trace.spans);
        said.push([trace, n % 2 && n % 10 !== 1 ? 0 : 1]);
      }
      for (const [trace, value] of said) await t.api('/feedback', { trace: trace.id, kind: 'thumb', value, user: unique('user') });
      const end = Date.now() + 60_000;
      for (;;) {
        const x = await t.api(`/feedback-patterns?agent=${agent}`);
        if (x.runs === 40) break;
        if (Date.now() > end) throw new Error(`${x.runs} of 40 runs are there, the steps of ${x.unread} are not`);
        await new Promise((r) => setTimeout(r, 500));
      }
      const page = await t.open(`/feedback?agent=${agent}`, { width });
      const panel = page.getByRole('region', { name: 'Steps that go with unhappy users' });
      await panel.getByRole('button', { name: `Compare the steps of ${agent}` }).focus();
      await page.keyboard.press('Enter');
      await panel.getByText(/An? .*association, not a cause|association, not a cause:/).first().waitFor();
      const row = panel.getByRole('row').filter({ hasText: `used ${guess}` });
      await row.getByText('beyond chance').waitFor();
      await t.axe(page, 'patterns of steps');
      const grid = panel.getByRole('grid', { name: 'Patterns of steps' });
      const place = (await grid.getByRole('row').allInnerTexts()).findIndex((s) => s.includes(`used ${guess}`));
      await grid.focus();
      await page.keyboard.press('Home');
      for (let n = 1; n < place; n++) await page.keyboard.press('j'); // the first row is the head
      await page.keyboard.press('Enter');
      await panel.getByRole('heading', { name: `used ${guess}` }).waitFor();
      const runs = panel.getByRole('list', { name: 'Runs with it, those of unhappy users first' });
      t.equal(await runs.getByRole('link').count(), 8, 'runs with it that are shown');
      await t.axe(page, 'a pattern of steps with its runs');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
      await panel.getByRole('link', { name: 'All runs with it' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    },
  },
  {
    name: `keyboard: who complained by a link sees what became of it, ${width} wide`,
    async run(t) {
      const word = unique('kettle');
      const link = await t.api('/feedback-links', { trace: new Trace({ agent: unique('seller') }).id });
      const theirs = await t.open('/', { width });
      const path = new URL(link.down);
      await theirs.goto(`${t.base}${path.pathname}${path.search}`);
      await theirs.getByLabel(/What was good or wrong/).fill(`the ${word} leaks`);
      await theirs.getByRole('button', { name: 'Send' }).focus();
      await theirs.keyboard.press('Enter');
      await theirs.getByRole('heading', { name: 'Thank you.' }).waitFor();
      const status = theirs.getByRole('link');
      await t.axe(theirs, 'the link that who complained is given');
      const at = new URL(await status.getAttribute('href'));
      const page = await t.open('/feedback', { width });
      const row = page.getByRole('row').filter({ hasText: word });
      await row.waitFor();
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The feedback' });
      await one.getByText(word).waitFor();
      await one.getByLabel('In your words').fill('a new one is on its way');
      await page.keyboard.press('Enter');
      await one.getByText('They see it now.').waitFor();
      await t.axe(page, 'a feedback whose giver sees what becomes of it');
      await theirs.goto(`${t.base}${at.pathname}`);
      await theirs.getByText('It is being worked on.').waitFor();
      await theirs.getByText('a new one is on its way').waitFor();
      t.equal(await theirs.getByText(word).count(), 0, 'what was said, on a page that others may see');
      await t.axe(theirs, 'what became of it');
      const wide = await theirs.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
]);
