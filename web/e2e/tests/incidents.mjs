// Incidents: one that is opened stands on the list without a reload, is taken up
// and resolved by keyboard, and its review is drafted from what happened.
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: an incident is acknowledged, acted on and resolved without a reload, ${width} wide`,
  async run(t) {
    const title = `Refunds are wrong ${unique('case')}`;
    const page = await t.open('/incidents', { width });
    await page.getByRole('heading', { level: 1, name: 'Incidents' }).waitFor();
    const made = await t.api('/incidents', { title, severity: 'critical', kind: 'wrong_action', team: 'support', environment: 'production', agents: [unique('agent')] });
    await page.getByText(title).first().waitFor({ timeout: 8000 });
    await t.axe(page, 'the list of incidents');
    await page.goto(`${t.base}/incidents/${made.number}`);
    await page.getByRole('heading', { level: 1, name: new RegExp(title) }).waitFor();
    await page.getByText('Opened by hand').first().waitFor();
    await t.settled(page);
    await t.axe(page, 'an incident');
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('a');
    await page.getByText('Acknowledged', { exact: true }).first().waitFor();
    await page.keyboard.press('w');
    await page.getByRole('dialog').getByLabel('Note').fill('the limit was lifted yesterday');
    await page.getByRole('button', { name: 'Add to the timeline' }).press('Enter');
    await page.getByText('the limit was lifted yesterday').first().waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('r');
    await page.getByText('Resolved', { exact: true }).first().waitFor();
    const after = await t.api(`/incidents/${made.id}`);
    t.equal(after.state, 'resolved', 'the state on the server');
    await page.getByRole('button', { name: 'Review' }).press('Enter');
    const text = page.getByRole('textbox', { name: 'The review' });
    await text.waitFor();
    t.equal((await text.inputValue()).includes('the limit was lifted yesterday'), true, 'the draft holds the timeline');
    await page.getByRole('button', { name: 'Save as done' }).press('Enter');
    await page.getByText('reviewed', { exact: true }).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a review');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
  },
}));
