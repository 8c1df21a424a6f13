// Lessons and runbooks of an incident, by keyboard: a lesson is given and revoked,
// a runbook is tried, begun, done and rolled back, and all of it shows without a
// reload. A link of a chat that is not valid says so. The inbox has the incident.
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: an incident gives a lesson and runs a runbook, ${width} wide`,
  async run(t) {
    const agent = unique('agent');
    const title = `Prices are wrong ${unique('case')}`;
    const book = unique('book').toLowerCase().replace(/[^a-z0-9-]/g, '-');
    await t.api(`/runbooks/${book}`, { text: 'what to do', steps: [{ text: 'Ask the owners of the price list' }] }, 'PUT');
    t.cleanup.push(() => t.api(`/runbooks/${book}`, undefined, 'DELETE')); // the next one is offered its own alone
    const made = await t.api('/incidents', { title, severity: 'critical', kind: 'wrong_answer', team: 'support', environment: 'production', agents: [agent] });
    const page = await t.open('/inbox', { width });
    await page.getByText(title).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'the inbox with an incident');
    await page.goto(`${t.base}/incidents/${made.number}`);
    await page.getByRole('button', { name: 'Begin one' }).press('Enter');
    await page.getByRole('dialog').getByText('Ask the owners of the price list').waitFor();
    await page.getByRole('dialog').getByLabel('Why').fill('they are wrong');
    await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Do the next step' }).press('Enter');
    await page.getByText(`Step 1 of ${book} is done`, { exact: false }).first().waitFor();
    await page.getByRole('button', { name: 'Roll back' }).press('Enter');
    await page.getByRole('dialog').getByLabel('Why').fill('it was the index');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).press('Enter');
    await page.getByText('rolled back', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Review' }).press('Enter');
    await page.getByRole('button', { name: 'Add a lesson' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Title').fill(`Prices ${title}`);
    await dialog.getByLabel('What to keep in mind').fill('Prices come from the price list.');
    await dialog.getByRole('button', { name: 'Add' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Prices come from the price list.').first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a review with a lesson');
    const list = await t.api(`/lessons?incident=${made.id}`);
    t.equal(list.items.length, 1, 'lessons on the server');
    await page.getByRole('button', { name: `Revoke Prices ${title}` }).press('Enter');
    await page.getByRole('dialog').getByLabel('Why').fill('the list is gone');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).press('Enter');
    await page.getByText('revoked', { exact: true }).first().waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
    await page.goto(`${t.base}/link-chat?token=wrong`);
    await page.getByRole('button', { name: 'Link my account in the chat' }).press('Enter');
    await page.getByText('not valid any more', { exact: false }).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a link of a chat that is over');
  },
}));
