// The inbox is one list by deadline: an action of a review, something to put right
// and a runbook that wait for this person stand in it, are decided by keyboard, and
// the groups are filters.
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: the inbox lists by deadline what incidents leave to do, ${width} wide`,
  async run(t) {
    const title = `Refunds twice ${unique('case')}`;
    const made = await t.api('/incidents', { title, severity: 'warning', kind: 'wrong_action', team: 'support', environment: 'production', agents: [unique('agent')] });
    const due = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const soon = `Take the refund back ${unique()}`;
    const late = `Limit the amount ${unique()}`;
    const book = unique('book').toLowerCase().replace(/[^a-z0-9-]/g, '-');
    await t.api(`/incidents/${made.id}/tasks`, { kind: 'action', text: late, owner: 'me', due_at: due(300) });
    await t.api(`/incidents/${made.id}/tasks`, { kind: 'compensation', text: soon, due_at: due(200) });
    await t.api(`/runbooks/${book}`, { text: 'what to do', approval: true, steps: [{ text: 'Ask the owners of the price list' }] }, 'PUT');
    t.cleanup.push(() => t.api(`/runbooks/${book}`, undefined, 'DELETE'));
    await t.api(`/incidents/${made.id}/runbook-runs`, { runbook: book, reason: 'they are wrong' });
    const page = await t.open('/inbox', { width });
    const at = async (text) => {
      const all = await page.getByRole('listitem').allInnerTexts();
      return all.findIndex((x) => x.includes(text));
    };
    await page.getByText(soon).first().waitFor();
    await page.getByText(late).first().waitFor();
    await page.getByText(`Run ${book} on incident ${made.number}`).first().waitFor();
    t.ok((await at(soon)) < (await at(late)), 'what is due sooner stands first');
    t.ok((await at(late)) < (await at(`Run ${book}`)), 'what has no deadline stands after what has one');
    await t.settled(page);
    await t.axe(page, 'the inbox with all of it');
    // The group is a filter, in the address too.
    await page.getByRole('group', { name: 'Only' }).getByRole('button', { name: /^To put right/ }).press('Enter');
    await page.waitForFunction(() => new URL(location.href).searchParams.get('kind') === 'compensation');
    t.equal(await at(late), -1, 'actions among what is to be put right');
    const reach = async (text) => {
      await page.evaluate(() => document.activeElement?.blur());
      const row = page.getByRole('listitem').filter({ hasText: text }).first();
      for (let i = 0; i < 60 && !(await row.getAttribute('data-active')); i++) await page.keyboard.press('j');
      return row;
    };
    let row = await reach(soon);
    await page.keyboard.press('a');
    await row.waitFor({ state: 'detached' });
    await page.getByRole('group', { name: 'Only' }).getByRole('button', { name: 'All', exact: true }).press('Enter');
    row = await reach(late);
    await page.keyboard.press('a');
    await row.waitFor({ state: 'detached' });
    row = await reach(`Run ${book}`);
    await page.keyboard.press('a');
    await row.waitFor({ state: 'detached' });
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    const read = await t.api(`/incidents/${made.id}`);
    t.equal(read.tasks.filter((x) => x.approved_by || x.done_at).length, 2, 'tasks that were decided');
    // The list over all incidents has what was agreed to and is not done yet; what a
    // person did leads to its record.
    await page.goto(`${t.base}/incidents?show=todo`);
    await page.getByRole('button', { name: `Done: ${soon}` }).press('Enter');
    await page.getByRole('button', { name: `Done: ${soon}` }).waitFor({ state: 'detached' });
    await t.settled(page);
    await t.axe(page, 'what is to be done after incidents');
    await page.goto(`${t.base}/incidents/${made.number}`);
    await page.getByText('Opened by hand').first().waitFor();
    await page.getByRole('listitem').filter({ hasText: 'Opened by hand' }).getByRole('link', { name: 'audit' }).press('Enter');
    await page.waitForURL(/\/audit\?/);
    await page.getByText('incident.open').first().waitFor();
  },
}));
