// Alerts: an outside system tells of something, and it stands on the page without
// a reload, joined to its agent; a person closes it. A sender's JSON is tried, and
// the mapping becomes a source that is sent to. Changes: one that a pipeline
// tells, by the keyboard.
import { unique } from '../otlp.mjs';

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: an alert appears, is joined to its agent and closed, ${width} wide`,
    async run(t) {
      const name = unique('Answers are slow');
      const agent = unique('slow-agent');
      await t.api('/agents', { name: agent, team: 'support', environment: 'production', owner: 'mira', purpose: 'answers', kind: 'internal', lifecycle: 'draft', autonomy: 'supervised' }).catch(() => undefined);
      const page = await t.open('/', { width });
      await page.keyboard.press('g');
      await page.keyboard.press('l');
      await page.getByRole('heading', { level: 1, name: 'Alerts' }).waitFor();
      await page.waitForFunction(() => document.querySelector('table, [role="grid"], ol'), undefined, { timeout: 15_000 });
      const labels = { alertname: name, severity: 'critical', agent };
      await t.send.alerts([{ labels, annotations: { description: 'p95 is 12 seconds' } }]);
      await page.getByText(name, { exact: true }).first().waitFor({ timeout: 15_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('f');
      await page.keyboard.type(name);
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The alert' });
      await one.getByText('p95 is 12 seconds', { exact: true }).waitFor();
      await one.getByText(`label agent=${agent}`, { exact: false }).waitFor();
      await t.axe(page, 'an alert');
      await page.keyboard.press('e');
      await page.getByRole('dialog').getByLabel('Why').fill('a drill');
      await page.keyboard.press('Enter');
      await one.getByText('closed by hand').waitFor();
      await one.getByText('a drill').waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
  {
    name: `keyboard: JSON is tried as it is typed and its source registered, ${width} wide`,
    async run(t) {
      const name = unique('shop');
      const page = await t.open('/settings/alert-sources', { width });
      const becomes = page.getByRole('region', { name: 'What it becomes' });
      await becomes.getByText('Fan at berlin').waitFor();
      await page.getByLabel('Title').fill("item.what.upperAscii() + ' in ' + body.site");
      await becomes.getByText('FAN in berlin').waitFor();
      await page.getByLabel('Title').fill('item.what +');
      await page.getByText(/Syntax error/).first().waitFor();
      await page.getByLabel('Title').fill("item.what + ' in ' + body.site");
      await becomes.getByText('Fan in berlin').waitFor();
      await t.axe(page, 'trying a sender');
      await page.getByRole('button', { name: 'Register a source like this' }).press('Enter');
      await page.getByRole('dialog').getByLabel('Name').fill(name);
      await page.keyboard.press('Enter');
      await page.getByText('It is not shown again.').waitFor();
      const token = await page.evaluate(() => /rvh_\w+/.exec(document.body.innerText)?.[0]);
      const site = unique('site');
      t.equal(await t.send.hook(`/api/v1/alerts/${name}`, token, { site, problems: [{ id: 1, what: 'Fan', open: true, prio: 9 }] }), 202, 'the delivery of the source');
      t.equal(await t.send.hook(`/api/v1/alerts/${name}`, `${token}x`, {}), 401, 'a forged delivery');
      const list = await t.api(`/alerts?source=${name}`);
      t.equal(list.items[0]?.title, `Fan in ${site}`, 'the alert of the mapping');
      await page.getByRole('row').filter({ hasText: name }).first().waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
  {
    name: `keyboard: a change that a pipeline tells is seen without a reload, ${width} wide`,
    async run(t) {
      const title = unique('refunds 2.4.1 to production');
      const page = await t.open('/', { width });
      await page.keyboard.press('g');
      await page.keyboard.press('h');
      await page.getByRole('heading', { level: 1, name: 'Changes' }).waitFor();
      await page.waitForFunction(() => document.querySelector('table, [role="grid"], ol'), undefined, { timeout: 15_000 });
      await t.api('/changes', { kind: 'deployment', title, status: 'succeeded', version: '2.4.1', key: title, after: { image: 'refunds:2.4.1' } });
      await page.getByText(title, { exact: false }).first().waitFor({ timeout: 15_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('f');
      await page.keyboard.type(title);
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The change' });
      await one.getByText('refunds:2.4.1').waitFor();
      await t.axe(page, 'a change');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
]);
