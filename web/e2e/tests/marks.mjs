// The five marks: an agent whose runs fail says so in words on the overview, on the
// list of agents and on its page, and each leads in one step to those runs.
import { refund, unique } from '../otlp.mjs';

const widths = [1280, 390];

export default widths.map((width) => ({
  name: `keyboard: a mark that is not good leads to the evidence, ${width} wide`,
  async run(t) {
    const agent = unique('failing');
    const runs = [];
    for (let i = 0; i < 8; i++) runs.push(refund({ agent, start: Date.now() - 60_000 - i * 3000, bad: true }));
    await t.send.spans(agent, runs.flatMap((r) => r.spans));
    for (const r of runs) await t.arrived(r);
    const page = await t.open(`/agents/${agent}`, { width });
    const why = page.getByRole('link', { name: /8 of 8 runs failed/ });
    await why.waitFor({ timeout: 30_000 });
    await page.getByText('nobody registered it').first().waitFor();
    await t.settled(page);
    await t.axe(page, 'an agent with marks');
    await why.press('Enter');
    await page.waitForURL(/\/runs\?/);
    t.equal(new URL(page.url()).searchParams.get('q').includes(agent), true, 'the runs are of the agent');
    await page.waitForFunction(() => document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex]').length === 8, undefined, { timeout: 30_000 });
    await page.goto(`${t.base}/agents?sort=marks`);
    const mark = page.getByRole('link', { name: /behaviour: bad, 8 of 8 runs failed/ }).first();
    await mark.waitFor({ timeout: 30_000 });
    await t.settled(page);
    await t.axe(page, 'the agents with their marks');
    if (width < 900) return;
    await mark.press('Enter');
    await page.waitForURL(/\/runs\?/);
    await page.goto(`${t.base}/`);
    await page.getByRole('link', { name: /8 of 8 runs failed/ }).first().waitFor({ timeout: 30_000 });
    await t.settled(page);
    await t.axe(page, 'the overview with reasons');
  },
}));
