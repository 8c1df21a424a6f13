// Sources: lineage arrives, and what is too old stands on the page without a
// reload; a run that read it says so.
import { Trace, unique } from '../otlp.mjs';

const hours = (n) => new Date(Date.now() - n * 3_600_000).toISOString();
const event = (job, run, eventType, eventTime, inputs, outputs) => {
  const set = (names) => names.map((name) => ({ namespace: 'postgres://db:5432', name, facets: {} }));
  return { eventType, eventTime, run: { runId: run, facets: {} }, job: { namespace: 'airflow', name: job }, inputs: set(inputs), outputs: set(outputs), producer: 'https://example.com/e2e', schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json' };
};

const audited = [1280, 390].map((width) => ({
  name: `keyboard: an agent is asked for an audit of a source, ${width} wide`,
  async run(t) {
    const name = unique('prices');
    const agent = unique('clerk');
    const team = 'dev';
    await t.api('/agents', { name: agent, team, purpose: 'tests' });
    await t.api(`/sources/${name}`, { kind: 'corpus', team }, 'PUT');
    const page = await t.open(`/sources?source=${name}`, { width });
    const audits = page.getByRole('region', { name: 'Audits', exact: true });
    await audits.getByText('No agent is asked by itself.').waitFor();
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('a');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Agent').fill(agent);
    await dialog.getByLabel('Questions', { exact: true }).selectOption('sheet');
    await dialog.getByLabel('Questions and their truth').fill('How long may I return it? => 14 days\nWhat does it cost?');
    await dialog.getByRole('button', { name: 'Keep' }).focus();
    await page.keyboard.press('Enter');
    await dialog.getByText('line 2 has no => between question and truth').waitFor();
    await t.axe(page, 'a plan with a mistake');
    await dialog.getByLabel('Questions and their truth').fill('How long may I return it? => 14 days\nWhat does it cost? => 12 euros');
    await dialog.getByRole('button', { name: 'Keep' }).focus();
    await page.keyboard.press('Enter');
    // Nobody said how it is invoked: that is said, and nothing is planned.
    await dialog.getByText(/cannot be tested/).waitFor();
    await t.api(`/agents/${agent}/invoke`, { kind: 'http', url: 'https://agent.example.com/chat', body: '{"message":"{{input}}"}' }, 'PUT');
    await dialog.getByRole('button', { name: 'Keep' }).focus();
    await page.keyboard.press('Enter');
    await audits.getByText(new RegExp(`${agent} is asked 50 of a sheet of 2 questions every 168h`)).waitFor();
    await t.axe(page, 'a source that is audited by itself');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
    await t.api(`/sources/${name}`, undefined, 'DELETE');
  },
}));

export default [1280, 390].map((width) => ({
  name: `keyboard: a stale source is seen without a reload, and on the run that read it, ${width} wide`,
  async run(t) {
    const name = unique('policy');
    const raw = `${name}-raw`;
    await t.send.lineage(event(`extract-${name}`, `${name}-1`, 'COMPLETE', hours(80), [], [raw]));
    await t.send.lineage(event(`build-${name}`, `${name}-2`, 'COMPLETE', hours(79), [raw], [name]));
    const page = await t.open('/', { width });
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.getByRole('heading', { level: 1, name: 'Sources' }).waitFor();
    await page.getByRole('searchbox', { name: 'Find a source' }).waitFor();
    await page.keyboard.press('f');
    await page.keyboard.type(name);
    await page.getByText(name, { exact: true }).first().waitFor();
    t.equal(await page.getByText('it is 3 days old; nobody said how old it may be').count() > 0 || width < 1000, true, 'a source of which nobody said how old it may be is unknown');
    // Its job fails, and a person says how old it may be: the page follows.
    await t.send.lineage(event(`extract-${name}`, `${name}-3`, 'FAIL', hours(30), [], [raw]));
    const was = await t.api(`/sources/${name}`);
    await t.api(`/sources/${name}`, { kind: 'dataset', namespace: was.namespace, dataset: was.dataset, max_age: '24h', warn_age: '12h', revision: was.revision }, 'PUT');
    const row = page.getByRole('grid', { name: 'Sources', exact: true }).getByRole('row').filter({ has: page.getByText(name, { exact: true }) });
    await row.getByText('stale', { exact: true }).waitFor({ timeout: 8000 });
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('x');
    const one = page.getByRole('region', { name: 'The source' });
    await one.getByText(`airflow/extract-${name}`).first().waitFor();
    await one.getByText('it is 3 days old, and may be 24 hours').waitFor();
    await t.axe(page, 'a source');
    await page.keyboard.press('e');
    await page.getByRole('dialog').getByLabel('Owner').fill('mira');
    await page.keyboard.press('Enter');
    await one.getByText('mira').waitFor();
    const after = await t.api(`/sources/${name}`);
    t.equal(`${after.owner} ${after.max_age} ${after.dataset}`, `mira 24h0m0s ${was.dataset}`, 'the source after the form');

    const trace = new Trace({ agent: unique('reader'), start: Date.now() - 5000 });
    const read = trace.span('retrieval', 'retrieval', 20, 400, { attributes: [{ key: 'gen_ai.data_source.id', value: { stringValue: name } }] });
    trace.spans = [read, trace.end(900)];
    await t.send.spans(trace.agent, trace.spans);
    const run = await t.arrived(trace);
    await page.goto(`${t.base}/runs/${run.id}`);
    const said = page.getByRole('region', { name: 'What it read' });
    await said.getByText(/3 days old/).first().waitFor();
    await said.getByText(`extract-${name}`).first().waitFor();
    await t.settled(page);
    await t.axe(page, 'a run that read a stale source');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
  },
})).concat(audited);
