// Suspects: a person names the step at which a failed run went wrong, the order learns
// from it, and unlearns when it is taken back. Unjudged runs are ranked by what the
// judged ones show.
import { refund, unique } from '../otlp.mjs';

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export default [
  ...[1280, 390].map((width) => ({
    name: `suspects: a person names the step that failed a run, and takes it back, ${width} wide`,
    async run(t) {
      const agent = unique('clerk');
      const trace = refund({ agent, start: Date.now() - 20_000, bad: true });
      await t.send.spans(agent, trace.spans);
      const run = await t.arrived(trace);
      const page = await t.open(`/runs/${run.id}?panel=why`, { width });
      const suspects = page.getByTestId('why').getByRole('region', { name: 'Suspects' });
      await suspects.getByText('At which step it may have gone wrong first').waitFor({ timeout: 20_000 });
      const row = suspects.getByRole('listitem').filter({ hasText: 'lookup_order' }).first();
      await row.getByRole('button', { name: 'It went wrong here' }).focus();
      await page.keyboard.press('Enter');
      await suspects.getByText(/named (tool|mcp) .*lookup_order/).waitFor({ timeout: 20_000 });
      const learned = suspects.getByText(/The order is learned from \d+ verdicts? of team/);
      await learned.click();
      await t.settled(page);
      await t.axe(page, 'a named step');
      t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
      const before = await t.api(`/runs/${run.id}/suspects`);
      t.equal(before.verdict?.step_name, 'lookup_order', 'what is named');
      await suspects.getByRole('button', { name: 'Take it back' }).click();
      await suspects.getByText(/named (tool|mcp) /).waitFor({ state: 'detached', timeout: 20_000 });
      t.equal((await t.api(`/runs/${run.id}/suspects`)).verdict, null, 'what is named after it was taken back');
    },
  })),
  {
    name: 'suspects: unjudged runs that have probably failed, with how far to believe it',
    async run(t) {
      const agent = unique('payer');
      const told = [];
      for (let n = 0; n < 28; n++) told.push(refund({ agent, start: Date.now() - 60_000 - n * 1000, bad: n % 2 === 0 }));
      for (const trace of told) await t.send.spans(agent, trace.spans);
      const runs = [];
      for (const trace of told) runs.push(await t.arrived(trace));
      const page = await t.open(`/evaluations?part=probable&agent=${agent}`);
      await page.getByRole('status').filter({ hasText: 'Not enough judged runs' }).waitFor({ timeout: 20_000 });
      await t.settled(page);
      await t.axe(page, 'too few judged runs');
      for (let n = 0; n < 20; n++) await t.api(`/runs/${runs[n].id}/outcome`, { outcome: n % 2 === 0 ? 'failed' : 'resolved', reason: 'looked at' });
      let answer;
      for (let i = 0; i < 60 && !answer?.learned; i++) {
        await wait(500);
        answer = await t.api(`/probably-failed?agent=${agent}`);
      }
      t.equal(answer.learned, true, 'learned');
      const failed = new Set(runs.filter((_, n) => n % 2 === 0).map((r) => r.id));
      t.equal(answer.items.slice(0, 4).filter((x) => failed.has(x.run_id)).length, 4, 'of the first four the failed ones');
      await page.reload();
      await page.getByRole('grid', { name: 'Probably failed' }).getByRole('row').nth(1).waitFor({ timeout: 20_000 });
      await page.getByRole('status').filter({ hasText: /Learned from 20 judged runs, of which 10 failed/ }).waitFor();
      await t.settled(page);
      await t.axe(page, 'probably failed');
    },
  },
];
