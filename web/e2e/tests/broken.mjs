// The overview says beside an incident what was changed before it and what its runs
// cost; a finding that an incident has taken in is no row of its own.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `overview: what changed before an incident and what it costs, ${width} wide`,
  async run(t) {
    const agent = unique('broken').toLowerCase();
    await t.api('/agents', { name: agent, team: 'support', owner: 'ada', purpose: 'answers', environment: 'production', reason: 'a test' });
    const change = `Version 7 of ${agent}`;
    await t.api('/changes', { kind: 'deployment', key: agent, title: change, agent, team: 'support', environment: 'production' });
    await new Promise((r) => setTimeout(r, 50));
    const made = await t.api('/incidents', { title: `Answers are odd ${unique('case')}`, severity: 'critical', kind: 'wrong_answer', team: 'support', environment: 'production', agents: [agent] });
    t.cleanup.push(() => t.api(`/incidents/${made.id}/resolve`, {}));
    const run = new Trace({ agent, start: Date.now() });
    run.spans = [run.model(30, 700, { tokens: [900, 60] }), run.end(900)];
    await t.send.spans(run.agent, run.spans);
    await t.arrived(run);
    const said = await t.api('/overview/broken');
    t.ok(said.items.length > 0 && said.items.length <= 5, 'at most five incidents are looked at');
    for (const b of said.items) {
      t.ok(b.change || b.change_why, `what was changed before incident ${b.number} is known, or why not`);
      t.ok(typeof b.cost === 'number' || b.cost_why, `what incident ${b.number} costs is known, or why not`);
    }
    const page = await t.open('/', { width });
    const rows = page.getByRole('listitem').filter({ hasText: 'Changed before:' });
    await rows.first().waitFor({ timeout: 20_000 });
    await rows.first().getByText('Cost since:').waitFor();
    const mine = said.items.find((b) => b.id === made.id);
    if (mine) {
      t.equal(mine.change.title, change, 'what was changed before');
      const row = rows.filter({ hasText: made.title });
      if ((await row.count()) > 0) {
        await row.getByRole('link', { name: change }).focus();
        await page.keyboard.press('Enter');
        await page.waitForURL(/\/changes\?.*change=/);
        await page.getByText(change).first().waitFor();
        await page.goBack();
        await rows.first().waitFor();
      }
    }
    await t.settled(page);
    await t.axe(page, 'the overview with what changed');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
  },
}));
