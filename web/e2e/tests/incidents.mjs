// Incidents: one that is opened stands on the list without a reload, is taken up
// and resolved by keyboard, and its review is drafted from what happened.
import { unique } from '../otlp.mjs';

const taken = [1280, 390].map((width) => ({
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

// An act is looked at, done and taken back by keyboard; the pin is seen on the
// agent's page and taken out there.
const acts = [1280, 390].map((width) => ({
  name: `keyboard: an incident pins an agent, and its page takes the pin out, ${width} wide`,
  async run(t) {
    const agent = unique('agent').toLowerCase();
    await t.api('/agents', { name: agent, team: 'support', owner: 'ada', purpose: 'answers', environment: 'production', reason: 'a test' });
    const made = await t.api('/incidents', { title: `Answers are worse ${unique('case')}`, severity: 'warning', kind: 'wrong_answer', team: 'support', environment: 'production', agents: [agent] });
    const act = await t.api(`/incidents/${made.id}/acts`, { kind: 'pin_model', target: agent, level: 'gpt-4o > gpt-4o-mini', reason: 'worse since today' });
    t.equal(act.state, 'done', 'the pin');
    const page = await t.open(`/incidents/${made.number}`, { width });
    await page.getByText('gets gpt-4o-mini in place of gpt-4o').first().waitFor();
    await page.getByRole('button', { name: `Look at: Quarantine ${agent}: it may do nothing` }).press('Enter');
    await page.getByRole('dialog').getByText('calls are in flight now').waitFor();
    await t.axe(page, 'an act that is looked at');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Take back' }).first().press('Enter');
    await page.getByRole('dialog').getByLabel('Why').fill('it is well again');
    await page.getByRole('dialog').getByLabel('Why').press('Enter');
    await page.getByText('undone', { exact: true }).first().waitFor();
    const after = await t.api(`/agents/${agent}`);
    t.equal(after.pins.length, 0, 'pins after it was taken back');
    await t.api(`/agents/${agent}/pin`, { kind: 'version', value: 'v1', reason: 'the next one refunds twice' });
    await page.goto(`${t.base}/agents/${agent}`);
    await page.getByText('the next one refunds twice').first().waitFor();
    await t.settled(page);
    await t.axe(page, 'an agent with a pin');
    await page.getByRole('button', { name: 'Take the pin out' }).press('Enter');
    await page.getByRole('dialog').getByLabel('Why').fill('it was fixed');
    await page.getByRole('dialog').getByLabel('Why').press('Enter');
    await page.getByRole('button', { name: 'Take the pin out' }).waitFor({ state: 'detached' });
    t.equal((await t.api(`/agents/${agent}`)).pins.length, 0, 'pins at the end');
  },
}));

export default [...taken, ...acts];
