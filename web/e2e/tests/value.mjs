// Value: a person says what runs are worth, by keyboard, and the ledger shows it
// without a reload; a version that is not low <= value <= high is refused.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: assumptions about value are put in force, ${width} wide`,
  async run(t) {
    const agent = unique('worth');
    const trace = new Trace({ agent, start: Date.now() - 5000 });
    trace.spans = [trace.end(900)];
    await t.send.spans(trace.agent, trace.spans);
    await t.arrived(trace);
    const page = await t.open('/', { width });
    await page.keyboard.press('g');
    await page.keyboard.press('x');
    await page.getByRole('heading', { level: 1, name: 'Value', exact: true }).waitFor();
    const main = page.getByRole('main');
    const form = main.getByRole('group', { name: 'Assumptions' });
    const change = main.getByRole('button', { name: 'Change the assumptions' });
    await form.or(change).first().waitFor();
    if (await change.count()) await page.keyboard.press('e');
    await form.waitFor();
    const set = async (name, value) => {
      const field = main.getByRole('textbox', { name, exact: true });
      await field.focus();
      await field.fill(String(value));
    };
    await set("An hour of people's time, low", 70);
    await set("An hour of people's time, value", 48);
    await set("An hour of people's time, high", 60);
    const words = `finance, ${unique('note')}`;
    await main.getByLabel('Where they are from').fill(words);
    await main.getByLabel('Reason').fill('measured in spring');
    await page.keyboard.press('Enter');
    await main.getByText(/an assumption is low <= value <= high/).waitFor();
    await t.axe(page, 'a refused assumption');
    await set("An hour of people's time, low", 40);
    await main.getByLabel('Reason').focus();
    await page.keyboard.press('Enter');
    const versions = main.getByRole('group', { name: 'Versions' });
    await versions.getByText(words).waitFor({ timeout: 15000 });
    await versions.getByText(/48[.0]*\b.*\(.*40[.0]*.* to .*60/).first().waitFor();
    await main.getByRole('heading', { name: 'The ledger' }).waitFor();
    await main.getByRole('heading', { name: 'What each assumption moves' }).waitFor();
    await t.settled(page);
    await t.axe(page, 'Value');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
  },
}));
