// What is kept, by keyboard: a rule of retention is set and dropped, a user is erased
// with a receipt, what is stored is mapped again; other systems are seen and found; a
// backup is made and restored on trial; a control is assessed and read.
import { unique } from '../otlp.mjs';

async function fits(t, page) {
  t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
}

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard, what is kept: retention says how long something is kept, ${width} wide`,
    async run(t) {
      const why = unique('contract');
      const page = await t.open('/settings/retention', { width });
      await page.getByRole('heading', { level: 1, name: 'Retention' }).waitFor();
      await page.getByText('the configuration').first().waitFor();
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'How long is it kept?' });
      await dialog.getByLabel('Days').fill('3649');
      await dialog.getByText(/Nothing that is there now would go|would go within the hour/).waitFor({ timeout: 30_000 });
      await dialog.getByLabel('Why').fill(why);
      await t.settled(page);
      await t.axeBoth(page, 'saying how long something is kept');
      await dialog.getByLabel('Why').press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.getByText(why).waitFor({ timeout: 15_000 });
      await page.getByText(/3.649 days/).first().waitFor();
      t.ok((await t.api('/retention')).rules.some((r) => r.reason === why && r.days === 3649), 'the rule is in force');
      await t.settled(page);
      await t.axeBoth(page, 'retention');
      await fits(t, page);
      await page.getByRole('button', { name: 'Drop', exact: true }).first().press('Enter');
      await page.getByText(why).waitFor({ state: 'detached', timeout: 15_000 });
      t.equal((await t.api('/retention')).rules.length, 0, 'rules that are left');
    },
  },
  {
    name: `keyboard, what is kept: a user is erased with a receipt, ${width} wide`,
    limit: 150_000,
    async run(t) {
      const user = unique('somebody');
      const said = unique('otter');
      const id = (await t.api('/incidents', { title: `Complaint of ${user}`, text: `${user} wrote about ${said}`, severity: 'info', team: 'dev', environment: 'production' })).id;
      const page = await t.open('/settings/retention', { width });
      await page.getByRole('heading', { level: 1, name: 'Retention' }).waitFor();
      await page.keyboard.press('e');
      const dialog = page.getByRole('dialog', { name: 'Erase a person' });
      await dialog.getByRole('textbox', { name: 'User' }).fill(user);
      await dialog.getByRole('textbox', { name: 'User' }).press('Enter');
      await dialog.getByText(/At least \d+ records? would be erased/).waitFor({ timeout: 60_000 });
      await dialog.getByText('incidents', { exact: true }).waitFor();
      t.ok((await t.api(`/incidents/${id}`)).title.includes(user), 'looking changed something');
      await t.settled(page);
      await t.axeBoth(page, 'what would be erased');
      const why = unique('asked');
      await dialog.getByLabel('Why').fill(why);
      await dialog.getByLabel('Why').press('Enter');
      await dialog.getByRole('button', { name: 'Done' }).waitFor({ timeout: 60_000 });
      await dialog.getByText(/nothing is left in the parts that were asked/).waitFor();
      await dialog.getByRole('button', { name: 'Done' }).press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.getByText(why).waitFor({ timeout: 15_000 });
      const left = JSON.stringify(await t.api(`/incidents/${id}`));
      t.ok(!left.includes(user) && left.includes('Complaint of [erased]'), 'the incident names the user still');
      await t.settled(page);
      await t.axeBoth(page, 'receipts');
      await fits(t, page);
    },
  },
  {
    name: `keyboard, what is kept: what is stored is mapped again, ${width} wide`,
    limit: 150_000,
    async run(t) {
      const page = await t.open('/settings/retention', { width });
      const look = page.getByRole('button', { name: 'Look at everything' });
      await look.waitFor();
      const before = (await t.api('/remaps')).items.length;
      await look.press('Enter');
      const differs = page.getByRole('region', { name: 'What differs' });
      await differs.getByText(/Nothing differs: today's table makes the same of|would change/).waitFor({ timeout: 120_000 });
      await differs.getByRole('group', { name: 'Steps by vocabulary' }).waitFor();
      const made = (await t.api('/remaps')).items;
      t.equal(made.length, before + 1, 'plans');
      t.equal(made[0].state, 'planned', 'the state of the newest');
      t.ok(made[0].steps > 1000 && made[0].runs_done > 100, `it looked at ${made[0].steps} steps`);
      await t.settled(page);
      await t.axeBoth(page, 'what would be mapped again');
      await fits(t, page);
    },
  },
  {
    name: `keyboard, what is kept: other systems are seen, ${width} wide`,
    async run(t) {
      const name = unique('pager');
      const page = await t.open('/settings/connections', { width });
      await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
      await t.api(`/channels/${name}`, { kind: 'webhook', settings: { url: 'http://127.0.0.1:9/none' }, token: 's'.repeat(32) }, 'PUT');
      t.cleanup.push(() => t.api(`/channels/${name}`, undefined, 'DELETE').catch(() => {}));
      await page.getByText(name).first().waitFor({ timeout: 20_000 }); // without a reload
      await t.settled(page);
      await t.axeBoth(page, 'connections');
      await fits(t, page);
      await page.keyboard.press('x');
      await page.getByText(name).first().waitFor({ state: 'detached' }); // no word yet is no failure
      await page.keyboard.press('x');
      await page.getByText(name).first().waitFor();
      const row = page.getByRole('row').filter({ hasText: name });
      await row.getByRole('link', { name: 'Channels' }).press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Channels' }).waitFor();
    },
  },
  {
    name: `keyboard, what is kept: a backup is made and restored on trial, ${width} wide`,
    limit: 240_000,
    async run(t) {
      const page = await t.open('/settings/backup', { width });
      await page.getByRole('heading', { level: 1, name: 'Backup' }).waitFor();
      await page.getByRole('button', { name: 'Back up now' }).first().waitFor();
      const before = (await t.api('/backups')).items.length;
      await page.keyboard.press('n');
      let made;
      for (const end = Date.now() + 100_000; !made; await new Promise((done) => setTimeout(done, 500))) {
        const all = (await t.api('/backups')).items;
        if (all.length > before && all[0].state === 'whole') made = all[0];
        if (Date.now() > end) throw new Error('no backup was made');
      }
      await page.getByText(made.id).first().waitFor({ timeout: 15_000 });
      await page.getByRole('button', { name: 'Try it', disabled: false }).first().waitFor({ timeout: 15_000 }); // it is told that nothing is being done any more
      await page.keyboard.press('y');
      await page.getByText(`${made.id} restores`, { exact: false }).or(page.getByText('restores', { exact: true })).first().waitFor({ timeout: 120_000 });
      t.equal((await t.api('/backups')).items.find((b) => b.id === made.id).tried_error ?? '', '', 'what the trial found');
      await t.settled(page);
      await t.axeBoth(page, 'backup');
      await fits(t, page);
    },
  },
  {
    name: `keyboard, what is kept: a control is assessed and read, ${width} wide`,
    async run(t) {
      const page = await t.open('/compliance?framework=nist-ai-rmf', { width });
      await page.getByRole('heading', { level: 1, name: 'Compliance' }).waitFor();
      await page.getByRole('button', { name: 'Assess the last 30 days' }).waitFor();
      const last = async () => (await t.api('/compliance-frameworks')).items.find((f) => f.id === 'nist-ai-rmf').last?.id;
      const before = await last();
      await page.keyboard.press('a');
      await page.getByText(/\d+ controls? pass, \d+ fail, \d+ unknown/).waitFor({ timeout: 60_000 });
      for (const end = Date.now() + 30_000; (await last()) === before; await new Promise((done) => setTimeout(done, 200))) {
        if (Date.now() > end) throw new Error('nothing was assessed');
      }
      await t.settled(page);
      const made = await t.api(`/compliance-assessments/${await last()}`);
      await page.keyboard.press('x');
      const one = page.getByRole('region', { name: 'The control' }).or(page.getByRole('dialog', { name: 'The control' }));
      await one.getByText(made.controls[0].evidence[0].title).first().waitFor();
      await one.getByText(made.controls[0].evidence[0].text, { exact: false }).first().waitFor();
      await t.settled(page);
      await t.axeBoth(page, 'a control');
      await fits(t, page);
      await one.getByRole('button', { name: 'Close' }).first().press('Enter');
      await one.waitFor({ state: 'detached' });
    },
  },
]);
