// A search becomes a rule: tried on the last 30 days, kept, by keyboard; what it
// found of a run stands on the run's own axis.
import { refund, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a search is saved as a rule, ${width} wide`,
  async run(t) {
    const agent = unique('ruled');
    const runs = [];
    for (let i = 0; i < 3; i++) runs.push(refund({ agent, start: Date.now() - 60_000 - i * 3000 }));
    await t.send.spans(agent, runs.flatMap((r) => r.spans));
    let read;
    for (const r of runs) read = await t.arrived(r);
    const page = await t.open(`/runs?q=${encodeURIComponent(`agent:${agent}`)}`, { width });
    await page.getByRole('button', { name: 'Save as a rule' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    t.equal(await dialog.getByLabel('Search').inputValue(), `agent:${agent}`, 'the search');
    const name = unique('often');
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('When').fill('value >= 1.0');
    await dialog.getByRole('button', { name: 'Try it on the last 30 days' }).press('Enter');
    await dialog.getByText(/It would have held \d+ time/).waitFor({ timeout: 30_000 });
    await t.settled(page);
    await t.axe(page, 'a search as a rule');
    await dialog.getByRole('button', { name: 'Keep' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByText(name).first().waitFor();
    const kept = await t.api(`/rules/${name}`);
    t.equal(`${kept.scope} ${kept.query.where} ${kept.query.func}`, `query agent:${agent} count`, 'what is kept');
    await page.goto(`${t.base}/runs/${read.id}`);
    await page.getByRole('region', { name: 'Found' }).waitFor({ timeout: 30_000 });
    await t.settled(page);
    await t.axe(page, 'a run with what was found');
  },
}));
