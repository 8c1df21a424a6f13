// A search becomes a rule: tried on the last 30 days, kept, by keyboard; what it
// found of a run stands on the run's own axis.
import { refund, unique } from '../otlp.mjs';

// A chart becomes a rule: of a KPI, of cost and of an agent's behaviour, each shows at
// once when it would have held.
const charts = (width) => ({
  name: `keyboard: a KPI, a cost and a behaviour are saved as rules from their charts, ${width} wide`,
  async run(t) {
    const page = await t.open('/outcomes?kpi=run_latency_p95', { width });
    const from = async (what, press) => {
      await press.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.getByText(/would (not )?have held/).waitFor({ timeout: 60_000 });
      await t.settled(page);
      await t.axe(page, what);
      t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${what}: pixels wider than the window`);
      const name = unique('chart').slice(0, 40);
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByRole('button', { name: 'Keep' }).press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.getByText(name).first().waitFor();
      const kept = await t.api(`/rules/${name}`);
      await t.api(`/rules/${name}`, undefined, 'DELETE');
      return kept;
    };
    const kpi = await from('a KPI as a rule', page.getByRole('region', { name: 'The KPI' }).getByRole('button', { name: 'Save as a rule' }));
    t.equal(`${kpi.scope} ${kpi.query.kpi} ${kpi.query.by}`, 'query run_latency_p95 agent', 'the rule of a KPI');
    await page.goto(`${t.base}/cost`);
    const cost = await from('a cost as a rule', page.getByRole('button', { name: 'Save as a rule' }));
    t.equal(`${cost.query.table} ${cost.query.func} ${cost.query.field}`, 'steps sum cost', 'the rule of a cost');
    await page.goto(`${t.base}/agents/refund-agent?tab=behaviour`);
    const behaviour = await from('a behaviour as a rule', page.getByRole('button', { name: 'Save as a rule' }));
    t.equal(`${behaviour.scope} ${behaviour.agents}`, 'agent refund-agent', 'the rule of a behaviour');
    await page.goto(`${t.base}/decisions?show=all`);
    const decisions = await from('decisions as a rule', page.getByRole('button', { name: 'Save as a rule' }));
    t.equal(`${decisions.query.table} ${decisions.query.func}`, 'decisions count', 'the rule of decisions');
    await page.goto(`${t.base}/logs?severity=17`);
    const logs = await from('logs as a rule', page.getByRole('button', { name: 'Save as a rule' }));
    t.equal(`${logs.query.table} ${logs.query.where}`, 'logs severity>=17', 'the rule of logs');
    await page.goto(`${t.base}/`);
    const failing = await from('an overview chart as a rule', page.getByRole('button', { name: 'Save as a rule' }).first());
    t.equal(`${failing.query.table} ${failing.query.func} ${failing.query.of.includes('outcome:failed')}`, 'runs share true', 'the rule of the outcomes');
  },
});

const searches = [1280, 390].map((width) => ({
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

export default [...searches, ...[1280, 390].map(charts)];
