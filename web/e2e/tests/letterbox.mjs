// The letter box's pages: a destination of the relay and a poller are added,
// tried and removed by keyboard, each against a small server of its own; what an
// agent's telemetry leaves out stands on Standards with the line that sets it.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Trace, unique } from '../otlp.mjs';

/** outside runs a server on a free loopback port while a test uses it. */
async function outside(answer, use) {
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => (body += d));
    req.on('end', () => answer(req, res, body));
  });
  await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
  try {
    await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((ok) => server.close(ok));
  }
}

const press = async (page, button) => {
  await button.focus();
  await page.keyboard.press('Enter');
};

async function narrow(t, page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  t.equal(wide, 0, 'pixels wider than the window');
}

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard, letter box: a relay destination is added, tried, sent to and removed, ${width} wide`,
    async run(t) {
      const name = unique('next');
      let got = 0;
      let takes = true;
      await outside(
        (req, res) => {
          if (takes) got++;
          res.writeHead(takes ? 200 : 401, { 'content-type': 'application/x-protobuf' }).end();
        },
        async (url) => {
          const page = await t.open('/settings/relay', { width });
          await page.getByRole('heading', { level: 1, name: 'Relay' }).waitFor();
          await page.getByText(/What senders send is forwarded/).waitFor();
          await page.keyboard.press('n');
          const form = page.getByRole('dialog', { name: 'Add a destination' });
          await form.getByLabel('Name').fill('Not A Name');
          await form.getByRole('textbox', { name: 'Address' }).fill(url);
          await page.keyboard.press('Enter');
          t.equal(await form.getByLabel('Name').evaluate((e) => e.validity.valid), false, 'a bad name is sent');
          await form.getByLabel('Name').fill(name);
          await form.getByRole('textbox', { name: 'Address' }).focus();
          await page.keyboard.press('Enter');
          await form.getByRole('alert').first().waitFor(); // a private address is not for everybody
          await t.axe(page, 'relay, a refused destination');
          await form.getByLabel(/inside the house/).focus();
          await page.keyboard.press('Space');
          await form.getByRole('textbox', { name: 'Address' }).focus();
          await page.keyboard.press('Enter');
          const row = page.getByRole('row').filter({ hasText: name });
          await row.waitFor();
          await press(page, row.getByRole('button', { name: 'Test' }));
          await page.getByRole('status').getByText(`${name} took a span`).waitFor();
          const trace = new Trace({ agent: unique('told-on'), start: Date.now() });
          trace.spans = [trace.span('chat', 'chat', 20, 400, {}), trace.end(900)];
          const before = got;
          await t.send.spans(trace.agent, trace.spans);
          await row.getByText('has everything').waitFor({ timeout: 15_000 });
          for (let i = 0; i < 150 && got === before; i++) await page.waitForTimeout(100);
          t.ok(got > before, 'what arrived here went on');
          takes = false;
          await press(page, row.getByRole('button', { name: 'Test' }));
          await page.getByRole('status').getByText(`${name} did not take a span`).waitFor();
          await t.settled(page);
          await t.axe(page, 'relay, with a destination that refuses');
          await narrow(t, page);
          await press(page, row.getByRole('button', { name: 'Pause' }));
          await row.getByText('paused').waitFor();
          await press(page, row.getByRole('button', { name: 'Remove' }));
          await page.keyboard.press('Enter');
          await row.waitFor({ state: 'detached' });
        },
      );
    },
  },
  {
    name: `keyboard, letter box: a poller is added, tried, reads and is removed, ${width} wide`,
    async run(t) {
      const name = unique('copilot');
      const rows = JSON.parse(await readFile(new URL('../../../internal/intake/testdata/made/copilot-studio/001-rows.json', import.meta.url), 'utf8')).value;
      // As if the platform had written them down just now, and nobody read them before.
      for (const r of rows) {
        r.conversationtranscriptid = r.conversationtranscriptid.slice(0, -6) + name.slice(-6).replace(/[^0-9a-f]/g, '0');
        r.createdon = r.modifiedon = new Date(Date.now() - 120_000).toISOString().slice(0, 19) + 'Z';
      }
      let open = true;
      await outside(
        (req, res) => {
          res.writeHead(open ? 200 : 401, { 'content-type': 'application/json' }).end(open ? JSON.stringify({ value: rows }) : '{"error":{"code":"0x80072560","message":"The user is not a member of the organization."}}');
        },
        async (url) => {
          const page = await t.open('/settings/pollers', { width });
          await page.getByRole('heading', { level: 1, name: 'Pollers' }).waitFor();
          await page.getByText(/What a platform writes down/).waitFor();
          await page.keyboard.press('n');
          const form = page.getByRole('dialog', { name: 'Add a poller' });
          await form.getByLabel('Name').fill(name);
          await form.getByLabel('Address', { exact: true }).fill(url);
          await form.getByLabel('Where it is').fill('HOME');
          await form.getByLabel('Team').fill('support');
          await page.keyboard.press('Enter');
          await form.getByRole('alert').first().waitFor();
          await t.axe(page, 'pollers, a refused one');
          await form.getByLabel(/inside the house/).focus();
          await page.keyboard.press('Space');
          await form.getByLabel('Team').focus();
          await page.keyboard.press('Enter');
          const row = page.getByRole('row').filter({ hasText: name });
          await row.waitFor();
          await press(page, row.getByRole('button', { name: 'Test' }));
          await page.getByRole('status').getByText(`${name} answers in`).waitFor();
          await press(page, row.getByRole('button', { name: 'Poll now' }));
          await row.getByRole('cell').nth(3).getByText(/^[1-9]/).waitFor({ timeout: 20_000 });
          open = false;
          await press(page, row.getByRole('button', { name: 'Test' }));
          await page.getByRole('status').getByText(`${name} cannot read`).waitFor();
          await t.settled(page);
          await t.axe(page, 'pollers, with one that is refused');
          await narrow(t, page);
          await press(page, row.getByRole('button', { name: 'Pause' }));
          await row.getByText('paused').waitFor();
          await press(page, row.getByRole('button', { name: 'Remove' }));
          await page.keyboard.press('Enter');
          await row.waitFor({ state: 'detached' });
        },
      );
    },
  },
  {
    name: `keyboard, letter box: what an agent's telemetry leaves out stands with the line that sets it, ${width} wide`,
    async run(t) {
      const agent = unique('untold');
      const page = await t.open('/standards', { width });
      await page.getByRole('grid', { name: 'Telemetry by agent' }).waitFor();
      const trace = new Trace({ agent, start: Date.now() - 5000 });
      trace.spans = [trace.span('chat', 'chat', 20, 400, {}), trace.end(900)];
      await t.send.spans(agent, trace.spans);
      await t.arrived(trace);
      // It is found without a reload; its address says which one is looked at.
      const agents = page.getByRole('grid', { name: 'Telemetry by agent' });
      await agents.getByRole('row').nth(1).waitFor(); // the first below the head: j on none goes nowhere
      await t.settled(page);
      await agents.focus();
      await page.keyboard.press('j');
      await page.getByRole('region', { name: /leaves out$/ }).nth(1).waitFor();
      const team = (await t.api('/lint?from=-1h')).items.find((l) => l.agent === agent)?.team ?? '';
      await page.goto(`${t.base}/standards?lint=${encodeURIComponent(`${agent} ${team}`)}`);
      const one = page.getByRole('region', { name: `What ${agent} leaves out` });
      await one.waitFor({ timeout: 45_000 });
      const missing = one.getByRole('list', { name: 'What is missing' });
      await missing.getByText('outcome', { exact: true }).waitFor();
      await missing.getByLabel('what sets outcome', { exact: true }).getByText('reeve.outcome').waitFor();
      await one.getByRole('list', { name: 'What is seen of it' }).getByText('decisions', { exact: true }).waitFor();
      await t.settled(page);
      await t.axe(page, 'standards, what an agent leaves out');
      await narrow(t, page);
      await missing.getByRole('link').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
      t.ok(new URL(page.url()).searchParams.get('q')?.includes(agent), 'the search is for its runs');
    },
  },
]);
