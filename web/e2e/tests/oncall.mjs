// On call: a schedule that is made elsewhere stands on the page without a reload,
// and one puts oneself on call by keyboard. Channels: one is added with its
// secret, tested against a receiver that answers, and removed.
import { createServer } from 'node:http';
import { unique } from '../otlp.mjs';

const fits = async (t, page) => t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: on call is taken over without a reload, ${width} wide`,
    async run(t) {
      const name = unique('shift');
      const page = await t.open('/', { width });
      await page.keyboard.press('g');
      await page.keyboard.press('w');
      await page.getByRole('heading', { level: 1, name: 'On call' }).waitFor();
      await t.settled(page);
      await t.axe(page, 'on call, before');
      // Nobody until tomorrow: an override is what fills it.
      const start = new Date(Date.now() + 86_400_000).toISOString();
      await t.api(`/on-call/${name}`, { zone: 'Europe/Berlin', rotations: [{ people: ['me'], start, every: 'week' }] }, 'PUT');
      const row = page.getByRole('row').filter({ hasText: name });
      await row.getByText('nobody').first().waitFor({ timeout: 15_000 });
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press('o');
      const dialog = page.getByRole('dialog', { name: 'Override' });
      await dialog.getByLabel('Schedule').selectOption(name);
      await t.axe(page, 'overriding');
      await dialog.getByLabel('Why').fill('the other is on a train');
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      const one = page.getByRole('region', { name: 'The schedule' });
      await one.getByText('the other is on a train').waitFor();
      await row.getByText('nobody', { exact: true }).first().waitFor({ state: 'detached' });
      const after = await t.api(`/on-call/${name}`);
      t.ok(after.now?.override, 'the server says that an override holds');
      await t.settled(page);
      await t.axe(page, 'a schedule');
      await fits(t, page);
      const end = one.getByRole('button', { name: 'End' });
      await end.press('Enter');
      await one.getByRole('button', { name: 'End it now' }).press('Enter');
      await one.getByText('None is ahead.', { exact: false }).waitFor();
      t.equal((await t.api(`/on-call/${name}`)).now, null, 'who is on call after the end');
      await t.api(`/on-call/${name}`, undefined, 'DELETE');
      await row.waitFor({ state: 'detached' });
    },
  },
  {
    name: `keyboard: a schedule, who is called and how I am reached are made and changed, ${width} wide`,
    async run(t) {
      const name = unique('night').toLowerCase();
      const channel = unique('hook').toLowerCase();
      await t.api(`/channels/${channel}`, { kind: 'webhook', settings: { url: 'http://127.0.0.1:9/x' }, token: 's'.repeat(32) }, 'PUT');
      t.cleanup.push(async () => {
        await t.api(`/escalation-policies/${name}`, undefined, 'DELETE').catch(() => {});
        await t.api(`/on-call/${name}`, undefined, 'DELETE').catch(() => {});
        await t.api(`/channels/${channel}`, undefined, 'DELETE').catch(() => {});
      });
      const page = await t.open('/on-call', { width });
      await page.getByRole('button', { name: 'New schedule' }).press('Enter');
      let dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByLabel('Hands over every').fill('fortnight');
      await dialog.getByRole('button', { name: 'Save' }).press('Enter');
      await dialog.getByRole('alert').first().waitFor();
      await t.settled(page);
      await t.axe(page, 'a schedule that is refused');
      await dialog.getByLabel('Hands over every').fill('day');
      await dialog.getByRole('button', { name: 'Save' }).press('Enter');
      await dialog.waitFor({ state: 'detached' });
      const one = page.getByRole('region', { name: 'The schedule' });
      await one.getByText('by the day').waitFor();
      await page.getByRole('button', { name: 'Who is called' }).press('Enter');
      dialog = page.getByRole('dialog');
      await dialog.getByLabel('Levels').fill('everybody at once');
      await dialog.getByText('is no level', { exact: false }).waitFor();
      await dialog.getByLabel('Levels').fill(`schedule ${name} after 5m\nchannel ${channel} after 10m`);
      await t.axe(page, 'who is called');
      await dialog.getByRole('button', { name: 'Save' }).press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await one.getByText(`${name}, level 1 of 2`, { exact: false }).waitFor();
      await one.getByRole('button', { name: 'Change', exact: true }).press('Enter');
      dialog = page.getByRole('dialog');
      await dialog.getByLabel('Hands over every').fill('12h');
      await dialog.getByRole('button', { name: 'Save' }).press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await one.getByText('every 12h').waitFor();
      await t.settled(page);
      await t.axe(page, 'a schedule that is called');
      await fits(t, page);
      await one.getByRole('button', { name: `Change ${name}` }).press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Remove this policy' }).press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await one.getByText('no escalation policy', { exact: false }).waitFor();
      await one.getByRole('button', { name: 'Remove', exact: true }).press('Enter');
      await one.getByRole('button', { name: 'Remove it now' }).press('Enter');
      await one.waitFor({ state: 'detached' });
      t.ok(!(await t.api('/on-call')).items.some((s) => s.name === name), 'the schedule is gone');
    },
  },
  {
    name: `keyboard: a channel is added, tested and removed without a reload, ${width} wide`,
    async run(t) {
      const got = [];
      const receiver = createServer((req, res) => {
        let body = '';
        req.on('data', (d) => (body += d));
        req.on('end', () => {
          got.push({ body, signature: req.headers['x-reeve-signature'] });
          res.writeHead(got.length === 1 ? 200 : 400).end(got.length === 1 ? 'heard you' : 'no such room');
        });
      });
      await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
      t.cleanup.push(() => new Promise((done) => receiver.close(done)));
      const name = unique('hook');
      const secret = `${name}-0123456789`;
      const page = await t.open('/settings/channels', { width });
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'Add a channel' });
      await dialog.getByLabel('Kind').selectOption('pagerduty');
      await dialog.getByLabel('Integration key').waitFor();
      await dialog.getByLabel('Kind').selectOption('webhook');
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByLabel('Address').fill(`http://127.0.0.1:${receiver.address().port}/in`);
      await dialog.getByRole('textbox', { name: 'Secret' }).fill('short');
      await t.axe(page, 'adding a channel');
      await page.keyboard.press('Enter');
      await dialog.getByText('at least 16 characters is needed', { exact: false }).waitFor();
      await dialog.getByRole('textbox', { name: 'Secret' }).fill(secret);
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      const test = page.getByRole('button', { name: `Test ${name}` });
      await test.press('Enter');
      await page.getByRole('status').getByText('heard you', { exact: false }).waitFor();
      t.ok(got[0]?.signature?.startsWith('v1='), 'the message is signed');
      await test.press('Enter');
      await page.getByRole('status').getByText('no such room', { exact: false }).waitFor();
      // Both stand among the deliveries; the newest opens with what the receiver said.
      const grid = page.getByRole('grid', { name: 'Deliveries' });
      await grid.getByRole('row').nth(2).waitFor();
      await t.settled(page);
      await grid.focus();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      const one = page.getByRole('region', { name: 'The delivery' });
      await one.getByText('no such room', { exact: false }).waitFor();
      await t.axe(page, 'a delivery');
      await fits(t, page);
      t.equal(await page.getByText(secret).count(), 0, 'the secret on the page');
      const row = page.getByRole('row').filter({ has: test });
      await row.getByRole('button', { name: 'Remove' }).press('Enter');
      await row.getByRole('button', { name: 'End it now' }).press('Enter');
      await test.waitFor({ state: 'detached' });
      t.equal((await t.api('/channels')).items.some((c) => c.name === name), false, 'the channel on the server');
    },
  },
]);
