// Cost: what a user's calls cost is found by keyboard, and a month is saved as a file.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: cost by user, what could be saved and a month as a file, ${width} wide`,
  async run(t) {
    const user = unique('mira');
    const trace = new Trace({ agent: unique('payer'), start: Date.now() - 5000, user });
    trace.spans = [trace.model(20, 200, { tokens: [5_000_000, 10] }), trace.model(300, 600, { tokens: [9_000_000, 10] }), trace.end(900)];
    await t.send.spans(trace.agent, trace.spans);
    await t.arrived(trace);
    const page = await t.open('/cost', { width });
    const by = page.getByRole('group', { name: 'By', exact: true });
    await by.getByRole('button', { name: 'User' }).focus();
    await page.keyboard.press('Enter');
    const table = page.getByRole('group', { name: 'Cost by user', exact: true });
    await table.getByText(user).waitFor({ timeout: 30_000 });
    await table.getByText(user).scrollIntoViewIfNeeded();
    // What is looked for is what is stored by then: who looks too early looks again.
    const saved = page.getByRole('region', { name: 'Prompt cache' });
    for (let tries = 0; ; tries++) {
      await page.getByRole('button', { name: /^Look (for savings|again)$/ }).focus();
      await page.keyboard.press('Enter');
      if (await saved.getByText(/Of the runs below/).waitFor({ timeout: 10_000 }).then(() => true, () => false)) break;
      t.ok(tries < 5, 'the savings of a prompt cache name no run');
    }
    const down = page.waitForEvent('download');
    await page.getByRole('button', { name: 'FOCUS 1.2 (CSV)' }).focus();
    await page.keyboard.press('Enter');
    t.equal(/^focus-\d{4}-\d{2}\.csv$/.test((await down).suggestedFilename()), true, 'the file is named after its month');
    await page.getByText(/focus-.*rows?,/).waitFor();
    await t.settled(page);
    await t.axe(page, 'cost');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
  },
}));
