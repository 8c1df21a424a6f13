// Data sets and bias plans by keyboard: a set is made, a case is written, exported and
// taken out; the gate says that security has to see it again, and approves it. A plan of
// too few pairs is refused with words; of an agent that nobody can invoke, too.
import { unique } from '../otlp.mjs';

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: a data set, its cases and what security saw, ${width} wide`,
    async run(t) {
      const agent = unique('seen');
      const set = unique('asked');
      await t.api('/agents', { name: agent, team: 'dev', purpose: 'is shown at the gate', owner: 'dev', sponsor: 'dev' });
      const page = await t.open('/evaluations', { width });
      await page.getByRole('tab', { name: 'Data sets' }).or(page.getByRole('button', { name: 'Data sets' })).first().press('Enter');
      await page.getByRole('button', { name: 'Make a data set' }).press('Enter');
      const make = page.getByRole('dialog');
      await make.getByLabel('Name').fill(set);
      await make.getByLabel('Team', { exact: false }).fill('dev');
      await make.getByLabel('Environment', { exact: false }).fill('production');
      await page.keyboard.press('Enter');
      await make.waitFor({ state: 'detached' });
      for (const [ask, word] of [['When do I get it back?', '14 days'], ['And without the receipt?', 'receipt']]) {
        await page.getByRole('button', { name: 'Write a case' }).press('Enter');
        const write = page.getByRole('dialog');
        await write.getByLabel('What is asked').fill(ask);
        await write.getByLabel('Words that the answer must have', { exact: false }).fill(word);
        await page.keyboard.press('Enter');
        await write.waitFor({ state: 'detached' });
        await page.getByText(ask).first().waitFor();
      }
      await t.api(`/agents/${agent}/gate/dataset`, { dataset: set, least: 1, version: 2 }, 'PUT');
      await page.getByRole('button', { name: 'Export', exact: true }).press('Enter');
      const out = page.getByRole('dialog');
      await out.getByLabel('Reason').fill('a test');
      await page.keyboard.press('Enter');
      await out.getByText('2 items of version 2 went out', { exact: false }).waitFor();
      await page.keyboard.press('Escape');
      await out.waitFor({ state: 'detached' });
      await page.getByRole('row').filter({ hasText: 'And without the receipt?' }).first().click();
      await page.keyboard.press('Enter');
      const one = page.getByRole('region', { name: 'The case' });
      await one.getByRole('button', { name: 'Take it out' }).waitFor();
      await t.settled(page);
      await t.axeBoth(page, 'a case that may be taken out');
      await one.getByRole('button', { name: 'Take it out', exact: true }).press('Enter');
      await one.getByRole('button', { name: 'Take it out of the next version?' }).press('Enter');
      await one.waitFor({ state: 'detached' });
      t.equal((await t.api(`/datasets/${set}/items`)).items.length, 1, 'cases that are left');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
      const gate = await t.open(`/agents/${agent}?tab=gate`, { width });
      await gate.getByText('1 case changed or went since', { exact: false }).waitFor();
      await gate.getByText('taken out', { exact: true }).waitFor();
      await t.settled(gate);
      await t.axeBoth(gate, 'a gate whose cases changed');
      await gate.getByRole('button', { name: 'Approve its cases' }).press('Enter');
      await gate.getByText('approved 1 case of version 3', { exact: false }).waitFor();
      const now = await t.api(`/agents/${agent}/gate`);
      t.equal(now.cases.changed, 0, 'cases that nobody of security has seen');
    },
  },
  {
    name: `keyboard: a bias plan that is refused, ${width} wide`,
    async run(t) {
      const agent = unique('alike');
      await t.api('/agents', { name: agent, team: 'dev', purpose: 'treats people alike', owner: 'dev', sponsor: 'dev' });
      const page = await t.open('/evaluations?part=bias', { width });
      await page.getByRole('button', { name: 'Set a plan' }).press('Enter');
      const make = page.getByRole('dialog');
      await make.getByLabel('Name', { exact: true }).fill(unique('names'));
      await make.getByLabel('Agent').selectOption(agent);
      await make.getByLabel('What differs').fill('name');
      await make.getByLabel('Prompts, one a line', { exact: false }).fill('{{x}} asks for a loan.');
      await make.getByLabel('Words a', { exact: false }).fill('Emily, Greg');
      await make.getByLabel('Words b', { exact: false }).fill('Lakisha, Jamal');
      await make.getByLabel('An answer with any of these words', { exact: false }).fill('granted');
      await make.getByRole('button', { name: 'Set it' }).press('Enter');
      await make.getByText('could never find a difference', { exact: false }).waitFor();
      await t.settled(page);
      await t.axeBoth(page, 'a bias plan that is refused');
      await make.getByLabel('Prompts, one a line', { exact: false }).fill(['loan', 'card', 'refund', 'flat', 'visit'].map((w) => `{{x}} asks for a ${w}.`).join('\n'));
      await make.getByRole('button', { name: 'Set it' }).press('Enter');
      await make.getByText('cannot be tested', { exact: false }).waitFor();
    },
  },
  {
    name: `keyboard: a cheaper model is tried on recorded runs, ${width} wide`,
    limit: 360_000, // three replays at a model's pace, behind whatever experiment is underway
    async run(t) {
      const agent = unique('thrifty');
      await t.api('/agents', { name: agent, team: 'dev', purpose: 'is tried on a cheaper model', owner: 'dev', sponsor: 'dev' });
      const page = await t.open('/cost', { width });
      await page.getByRole('button', { name: 'Try a cheaper model' }).press('Enter');
      const make = page.getByRole('dialog');
      await make.getByLabel('Agent').selectOption(agent);
      await make.getByLabel('Model').fill('gpt-4o-mini');
      await make.getByLabel('Evaluator that looks', { exact: false }).waitFor();
      await t.settled(page);
      await t.axeBoth(page, 'a cheaper model to try');
      await make.getByRole('button', { name: 'Try it' }).press('Enter');
      await make.getByText('an experiment has 1 to', { exact: false }).waitFor(); // of an agent without runs
      // One that works all the time in the demo: three of its runs are over.
      const known = 'refund-agent';
      const end = Date.now() + 120_000;
      while ((await t.api(`/runs?agent=${known}&q=${encodeURIComponent('status:done')}&from=-1h&limit=3`)).items.length < 3) {
        if (Date.now() > end) throw new Error(`${known} did not end three runs within two minutes`);
        await new Promise((done) => setTimeout(done, 500));
      }
      const rows = page.getByRole('group', { name: 'Proofs of cheaper models' }).getByRole('row').filter({ hasText: known });
      const had = await rows.count();
      await make.getByLabel('Agent').selectOption(known);
      await make.getByLabel('Recorded runs', { exact: false }).fill('3');
      await make.getByRole('button', { name: 'Try it' }).press('Enter');
      await make.waitFor({ state: 'detached' });
      await rows.nth(had).waitFor();
      await rows.first().getByText(/^\d of [1-3]$/).waitFor({ timeout: 180_000 }); // done, without reload; the newest is first
    },
  },
]);
