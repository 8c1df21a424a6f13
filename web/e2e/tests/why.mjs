// Why: an answer was made from a stale table because its job was skipped. The run's
// page says so by keyboard; when the runs of a second source arrive nothing is made up.
import { Trace, unique } from '../otlp.mjs';

const str = (key, v) => ({ key, value: { stringValue: v } });

export default [1280, 390].map((width) => ({
  name: `keyboard: a run says why it ended so, with its evidence, ${width} wide`,
  async run(t) {
    const agent = unique('advisor');
    const source = unique('policy_table').replaceAll('-', '_');
    const job = unique('load-policies');
    const hours = (n) => new Date(Date.now() - n * 3600_000).toISOString();
    const event = (type, run, at) => ({ eventType: type, eventTime: at, run: { runId: run, facets: {} }, job: { namespace: 'etl', name: job }, inputs: [], outputs: [{ namespace: 'warehouse', name: source }], producer: 'https://example.com/e2e', schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json' });
    await t.send.lineage(event('COMPLETE', `${job}-1`, hours(60)));
    await t.send.lineage(event('ABORT', `${job}-2`, hours(6)));
    await t.api(`/sources/${source}`, { kind: 'dataset', namespace: 'warehouse', dataset: source, max_age: '24h' }, 'PUT');
    const told = (from) => {
      const trace = new Trace({ agent, start: Date.now() - 20_000, user: 'u-7' });
      const end = trace.end(3000);
      end.attributes.push(str('reeve.outcome', 'failed'));
      trace.spans = [trace.span('look up the policy', 'retrieval', 100, 300, { attributes: [str('reeve.source', from)] }), trace.model(400, 2500, { output: { role: 'assistant', parts: [{ type: 'text', content: 'You have 90 days.' }] } }), end];
      return t.send.spans(agent, trace.spans);
    };
    await told(source);
    const page = await t.open(`/runs?q=agent:${agent}`, { width });
    const row = page.getByRole('row').filter({ hasText: agent }).first();
    await row.waitFor({ timeout: 20_000 });
    await row.click();
    await page.keyboard.press('Enter');
    await page.getByTestId('run-page').waitFor();
    await page.keyboard.press('y');
    const why = page.getByTestId('why');
    await why.getByText(new RegExp(`Likely cause: job etl/${job}`)).waitFor({ timeout: 20_000 });
    // The stale table, by keyboard, and its evidence.
    const node = why.getByRole('button', { name: new RegExp(`speaks against it ${source}`) }).first();
    await node.focus();
    await page.keyboard.press('Enter');
    await why.getByRole('region', { name: 'The chosen node' }).getByRole('link', { name: /^source:/ }).waitFor();
    await t.settled(page);
    await t.axe(page, 'why a run ended so');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');

    // A source of which nothing is known: unknown, with what would tell.
    const other = unique('unheard_of').replaceAll('-', '_');
    await told(other);
    let runs = [];
    for (let i = 0; i < 100 && runs.length < 2; i++) {
      runs = (await t.api(`/runs?agent=${agent}`)).items.filter((r) => r.status === 'done');
      if (runs.length < 2) await new Promise((done) => setTimeout(done, 200));
    }
    const second = runs.find((r) => (r.sources ?? []).includes(other));
    await page.goto(`${t.base}/runs/${second.id}?panel=why`);
    await page.getByTestId('why').getByText(/Why is unknown/).waitFor({ timeout: 20_000 });
    await page.getByTestId('why').getByText(/\(may be the cause\)/).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'why is unknown');

    const incident = await t.api('/incidents', { title: `Wrong advice of ${agent}`, severity: 'warning', kind: 'wrong_answer', agents: [agent] });
    await page.goto(`${t.base}/incidents/${incident.id}?part=why`);
    await page.getByTestId('why').getByRole('button', { name: new RegExp(job) }).first().waitFor({ timeout: 20_000 });
    await t.settled(page);
    await t.axe(page, 'why an incident came about');
  },
}));
