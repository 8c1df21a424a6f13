// Experiments by keyboard: one is started, followed to its end without a reload, opened to
// the case that failed and the run behind it, run again after a change and compared with the
// one before, and stopped.
import { invoked } from '../door.mjs';
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: an experiment is started, opened and compared, ${width} wide`,
  limit: 360_000, // behind whatever experiment is underway
  async run(t) {
    const agent = unique('tried');
    const set = unique('golden');
    let hold = Promise.resolve();
    const said = { answer: (q) => (q.includes('receipt') ? 'I do not know.' : 'Within 14 days.'), wait: () => hold };
    await invoked(t, agent, said);
    await t.api(`/datasets/${set}`, { team: 'finance', environment: 'production' }, 'PUT');
    await t.api(`/datasets/${set}/items`, { input: [{ role: 'user', content: 'When do I get it back?' }], contains: ['14 days'] });
    await t.api(`/datasets/${set}/items`, { input: [{ role: 'user', content: 'And without the receipt?' }], contains: ['receipt'] });
    const page = await t.open('/evaluations?part=experiments', { width });
    await page.getByRole('region', { name: 'Experiments' }).waitFor();
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog', { name: 'Start an experiment' });
    await dialog.getByLabel('Agent', { exact: true }).selectOption(agent);
    await dialog.getByLabel('Data set', { exact: true }).selectOption(set);
    await dialog.getByLabel('Its version', { exact: false }).fill('77');
    await page.keyboard.press('Enter');
    await dialog.getByRole('alert').waitFor();
    await t.settled(page);
    await t.axe(page, 'an experiment that is refused');
    await dialog.getByLabel('Its version', { exact: false }).fill('');
    await dialog.getByRole('button', { name: 'Start it' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { level: 1, name: `Experiment of ${agent}` }).waitFor();
    await page.getByText('1 case of 2 passed', { exact: false }).waitFor({ timeout: 240_000 }); // without a reload
    await page.keyboard.press('x');
    const one = page.getByRole('region', { name: 'The case' });
    await one.getByText('And without the receipt?').waitFor();
    await one.getByText('contains says fail').waitFor();
    await one.getByText('I do not know.').waitFor();
    await one.getByText('with receipt').waitFor();
    await t.settled(page);
    await t.axeBoth(page, 'a case that failed');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    const run = await one.getByRole('link', { name: 'The run behind it' }).getAttribute('href');
    t.ok(/\/runs\/run_/.test(run), `the run behind it: ${run}`);

    // The agent is changed: the same cases again, beside the ones before.
    said.answer = () => 'Within 14 days, without the receipt too.';
    await page.keyboard.press('n');
    const again = page.getByRole('dialog', { name: 'Run it again' });
    await again.getByLabel('Compare with').waitFor();
    await again.getByLabel('Note', { exact: false }).fill('the receipt is known now');
    await page.keyboard.press('Enter');
    await again.waitFor({ state: 'detached' });
    await page.getByText('2 cases of 2 passed', { exact: false }).waitFor({ timeout: 240_000 });
    await page.getByText(/\+50\.0 points \(-?\d/).first().waitFor();
    await page.getByRole('group', { name: 'Cases', exact: true }).getByRole('button', { name: /Failed before\s*1/ }).press('Enter');
    await page.getByRole('grid', { name: 'Cases of the experiment' }).getByRole('row').filter({ hasText: 'And without the receipt?' }).waitFor();
    await page.keyboard.press('x');
    await one.getByText('In the baseline: failed').waitFor();
    await t.settled(page);
    await t.axe(page, 'two experiments beside each other');

    // One that takes long is stopped; what it found stays.
    let go = () => undefined;
    hold = new Promise((done) => (go = done));
    t.cleanup.push(async () => go());
    await page.keyboard.press('n');
    await again.getByRole('button', { name: 'Start it' }).press('Enter');
    await again.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Stop it', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Stop it? What it found stays.' }).press('Enter');
    await page.getByText('stopped by a person', { exact: false }).first().waitFor({ timeout: 60_000 });
    go();

    // Rows of the list open.
    await page.goto(`${t.base}/evaluations?part=experiments`);
    const grid = page.getByRole('grid', { name: 'Experiments' });
    await grid.getByRole('row').filter({ hasText: agent }).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'experiments');
    await grid.press('j');
    await grid.press('Enter');
    await page.waitForURL('**/evaluations/experiments/xpr_**');
    await page.goto(`${t.base}/evaluations/experiments/xpr_nothing`);
    await page.getByText('No such experiment is kept.').waitFor();
    await t.axe(page, 'no such experiment');
  },
}));
