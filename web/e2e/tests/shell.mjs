// The frame of the console and the pages of web/src/{overview,agents,settings,later}.
import { Trace, unique } from '../otlp.mjs';

const pages = ['/', '/inbox', '/inbox?show=answered', '/agents', '/agents/refund-agent', '/agents/refund-agent?tab=history', '/agents/refund-agent?tab=inventory', '/agents/refund-agent?tab=identity', '/tools', '/tools?tab=models', '/standards', '/decisions', '/policies', '/policies?tab=budgets', '/policies?tab=content', '/policies?tab=check', '/settings/upstreams', '/audit', '/audit?tab=proof', '/audit?tab=streams', '/account', '/settings/identity', '/settings/health', '/settings/people', '/settings/teams', '/settings/tokens', '/settings/intake-keys', '/settings/notices', '/settings/retention', '/on-call', '/settings/channels', '/cost', '/cost?by=model', '/connect', '/changes', '/alerts', '/findings', '/incidents', '/sources', '/feedback', '/evaluations', '/settings/relay', '/settings/pollers', '/settings/alert-sources'];

const tests = [];

for (const width of [1280, 390])
  tests.push({
    name: `axe: every page, both schemes, ${width} wide`,
    limit: 240_000,
    async run(t) {
      const page = await t.open('/', { width });
      const wrong = [];
      for (const path of pages) {
        await page.goto(t.base + path);
        await page.waitForSelector('h1', { state: 'attached' });
        await t.settled(page);
        await t.axeBoth(page, path).catch((e) => wrong.push(e.message));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) wrong.push(`${path} is ${wide} px wider than the window`);
      }
      if (wrong.length > 0) throw new Error(wrong.join('\n    '));
    },
  });

tests.push(
  {
    name: 'axe: menus and dialogs, both schemes',
    async run(t) {
      const page = await t.open('/');
      await page.getByRole('button', { name: /^Last 24 hours/ }).click();
      await page.getByText('Compare with').waitFor();
      await t.axeBoth(page, 'period');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^Environment / }).click();
      await t.axeBoth(page, 'environment');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await t.axeBoth(page, 'help');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').waitFor();
      await t.axeBoth(page, 'palette');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('c');
      await page.getByRole('heading', { level: 1, name: 'Connect an agent' }).waitFor();
      await t.axeBoth(page, 'connect');
    },
  },
  {
    name: 'keyboard: palette finds and opens a page',
    async run(t) {
      const page = await t.open('/');
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').waitFor();
      await page.keyboard.type('intake');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/settings/intake-keys**');
      await page.getByRole('heading', { level: 1, name: 'Intake keys' }).waitFor();
    },
  },
  {
    name: 'keyboard: a dialog gives the focus back to the table, so that j and Enter go on',
    async run(t) {
      const trace = new Trace({ agent: unique('focus-back') });
      await t.send.spans(trace.agent, [trace.model(0, 100), trace.end(200)]);
      const run = await t.arrived(trace, 2);
      const page = await t.open(`/runs?q=agent:${trace.agent}`);
      const table = page.getByRole('grid', { name: 'Runs' });
      await table.getByRole('row').nth(1).waitFor();
      for (const [keys, field] of [['?', 'dialog'], ['Control+k', 'combobox']]) {
        await page.keyboard.press(keys);
        await (field === 'dialog' ? page.getByRole('dialog', { name: 'Shortcuts of this page' }) : page.getByRole('combobox', { name: /Find/ })).waitFor();
        await page.keyboard.press('Escape');
        await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'grid');
      }
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/runs/${run.id}**`);
    },
  },
  {
    name: 'keyboard: g and a letter goes, ? lists the shortcuts of the page',
    async run(t) {
      const page = await t.open('/');
      await page.keyboard.press('g');
      await page.keyboard.press('a');
      await page.waitForURL('**/agents**');
      await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor();
      await page.keyboard.press('?');
      const help = page.getByRole('dialog', { name: 'Shortcuts of this page' });
      await help.getByText('Connect an agent').waitFor();
      await page.keyboard.press('Escape');
      await help.waitFor({ state: 'detached' });
    },
  },
  {
    name: 'keyboard: the period is set from presets and by hand, and is in the URL',
    async run(t) {
      const page = await t.open('/agents');
      await page.getByRole('button', { name: /^Last 24 hours/ }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Last 7 days' }).focus();
      await page.keyboard.press('Enter');
      await page.waitForURL('**from=-7d**');
      await page.getByRole('button', { name: /^Last 7 days/ }).focus();
      await page.keyboard.press('Enter');
      const from = page.getByRole('textbox', { name: 'From', exact: true });
      await from.fill('-90m');
      await page.keyboard.press('Enter');
      await page.waitForURL('**from=-90m**');
      await page.getByRole('button', { name: /^Last 90 minutes/ }).waitFor();
      // The view travels with every link.
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Overview' }).click();
      await page.waitForURL((u) => u.pathname === '/' && u.searchParams.get('from') === '-90m');
    },
  },
  {
    name: 'keyboard: an intake key is made, shown once with commands, and revoked',
    async run(t) {
      const page = await t.open('/settings/intake-keys');
      const name = `e2e ${Date.now()}`;
      const make = page.getByRole('button', { name: 'Make an intake key' }).first();
      if ((await make.count()) === 0) return; // this person may not
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'Make an intake key' });
      await dialog.getByLabel('Name').waitFor();
      await page.keyboard.type(name);
      const team = dialog.getByLabel('Team');
      if ((await team.evaluate((e) => e.tagName)) === 'INPUT') await team.fill('e2e');
      await dialog.getByLabel('Environment').focus();
      await page.keyboard.press('Enter');
      await page.getByText('It is not shown again').waitFor();
      const secret = (await page.getByLabel('key', { exact: true }).textContent())?.trim() ?? '';
      t.ok(secret.length > 20, 'the key is shown');
      await page.getByRole('tab', { name: 'curl' }).click();
      t.ok((await page.getByRole('tabpanel', { name: 'curl' }).textContent())?.includes(secret), 'the commands carry the key');
      await t.axe(page, 'a fresh key');
      const row = page.getByRole('row', { name: new RegExp(name) });
      await row.getByRole('button', { name: 'Revoke' }).click();
      await row.getByRole('button', { name: 'Revoke now' }).click();
      await row.getByText('revoked').waitFor();
      await page.reload();
      await page.getByRole('heading', { level: 1 }).waitFor();
      t.equal(await page.getByText(secret).count(), 0, 'the key after a reload');
    },
  },
  {
    name: 'keyboard: a row of agents opens with j and Enter',
    async run(t) {
      const page = await t.open('/agents?from=-30d');
      if ((await page.getByRole('row').count()) < 2 || (await page.getByText('No agent was seen').count()) > 0) return;
      await page.getByRole('grid', { name: 'Agents' }).focus();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/agents/**');
      await page.getByText('May it go on?').waitFor();
    },
  },
  {
    name: 'figures open their records',
    async run(t) {
      const page = await t.open('/?from=-30d');
      const figure = page.locator('p a[href*="/runs"]').first();
      if ((await figure.count()) === 0) return; // nothing was sent yet
      await figure.click();
      await page.waitForURL('**/runs?**');
      t.ok(new URL(page.url()).searchParams.get('from') === '-30d', 'the period goes along');
    },
  },
  {
    name: 'appearance: dark and light by the menu, kept after a reload',
    async run(t) {
      const page = await t.open('/settings/health');
      const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
      for (const [label, want] of [['Dark', 'dark'], ['Light', 'light']]) {
        await page.getByRole('button', { name: /^Account:/ }).click();
        await page.getByRole('menuitemradio', { name: label, exact: true }).click();
        t.equal(await scheme(), want, 'the scheme');
        await page.reload();
        await page.getByRole('heading', { level: 1 }).waitFor();
        t.equal(await scheme(), want, 'the scheme after a reload');
      }
    },
  },
  {
    name: 'the event stream is live',
    async run(t) {
      const page = await t.open('/');
      await page.getByRole('button', { name: 'Live', exact: true }).waitFor({ timeout: 10_000 });
    },
  },
  {
    name: 'a second tab inherits the sign-in',
    async run(t) {
      if (!t.session.secret) return;
      const context = await t.browser.newContext({ storageState: t.session.storage });
      t.cleanup.push(() => context.close());
      const first = await context.newPage();
      await first.goto(t.base + '/sign-in');
      await first.evaluate((s) => sessionStorage.setItem('reeve.secret', s), t.session.secret);
      await first.goto(t.base + '/settings/health');
      await first.getByRole('heading', { level: 1 }).waitFor();
      const second = await context.newPage();
      await second.goto(t.base + '/agents');
      await second.getByRole('heading', { level: 1, name: 'Agents' }).waitFor({ timeout: 10_000 });
    },
  },
  {
    name: 'first load stays under 180 kB',
    async run(t) {
      const page = await t.open('/sign-in?x=1');
      const got = await page.evaluate(() => performance.getEntriesByType('resource').filter((r) => /\/assets\//.test(r.name)).map((r) => [r.encodedBodySize, r.decodedBodySize]));
      const sum = (k) => got.reduce((n, r) => n + r[k], 0);
      t.ok(sum(0) < sum(1), 'the server sends its compressed copies');
      // The page for signing in adds its own chunk to the first load.
      t.ok(sum(0) < 200_000, `assets of the first page: ${sum(0)} bytes`);
    },
  },
);

export default tests;
