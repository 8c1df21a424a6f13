// The stories of the demo as a visitor sees them: from the skipped job to the lesson,
// and from the first odd call to quarantine, each without a reload, with what was
// sent out in the outbox.
const long = { timeout: 150_000 };

async function play(t, story) {
  const r = await fetch(`${t.base}/x/demo/play/${story}`, { method: 'POST' });
  // One that plays already is the one to follow.
  if (r.status !== 202 && r.status !== 409) throw new Error(`playing ${story}: ${r.status} ${await r.text()}`);
}

/** open goes to the newest incident that an agent is in. */
async function open(t, page, agent, title = /./) {
  const found = (await t.api(`/incidents?state=all&agent=${agent}`)).items.filter((i) => title.test(i.title)).sort((a, b) => b.number - a.number)[0];
  await page.goto(`${t.base}/incidents/${found.number}`);
}

export default [
  {
    name: 'story: a stale table, from the wrong answers to the lesson that the agent reads',
    limit: 300_000,
    async run(t) {
      const page = await t.open('/incidents', { width: 1280 });
      await page.getByRole('heading', { level: 1, name: 'Incidents' }).waitFor();
      await play(t, 'stale-data');
      await page.getByText(/policy-advisor: answered from stale data/).first().waitFor(long);
      await open(t, page, 'policy-advisor');
      await page.getByRole('heading', { level: 1, name: /answered from stale data/ }).waitFor();
      for (const sentence of ['Acknowledged', 'Did: take shop.return_policy out of use', 'Did: tell the people whom it touched, through demo-customers', 'Taken back: take shop.return_policy out of use', 'Mitigated', 'Did: make run', 'Resolved', 'Reviewed', 'A lesson for agents']) {
        await page.getByText(sentence, { exact: false }).first().waitFor(long);
      }
      await t.settled(page);
      await t.axe(page, 'an incident that was played to its end');
      await page.getByRole('button', { name: 'Touched' }).press('Enter');
      await page.getByRole('region', { name: 'Who saw it' }).getByText(/^user-/).first().waitFor();
      await page.getByRole('button', { name: 'Review' }).press('Enter');
      await page.getByText('A table can be older than its answers').first().waitFor();
      for (let n = 0; ; n++) {
        const [lesson] = (await t.api('/lessons?agent=policy-advisor')).items;
        const reads = lesson ? (await t.api(`/lessons/${lesson.id}`)).reads : [];
        if (reads.some((r) => r.agent === 'policy-advisor')) break;
        if (n === 120) throw new Error(`nobody read the lesson: ${JSON.stringify(reads)}`);
        await new Promise((done) => setTimeout(done, 250));
      }
      const cases = (await t.api('/datasets/support-incidents/items')).items;
      t.ok(cases.length > 0 && cases[0].agent === 'policy-advisor', 'a case of the run');
      await page.goto(`${t.base}/demo/outbox`);
      for (const channel of ['customers', 'mail', 'slack']) await page.getByRole('heading', { level: 2, name: channel }).first().waitFor();
      await page.getByText('Subject: Incident', { exact: false }).first().waitFor();
      await t.axe(page, 'the outbox');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  },
  {
    name: 'story: a mail gives orders, and the agent that follows them is quarantined',
    limit: 240_000,
    async run(t) {
      await play(t, 'hijack');
      const page = await t.open('/incidents', { width: 390 });
      await page.getByText(/mailbox\.send_mail would send data to/).first().waitFor(long);
      for (let n = 0; ; n++) {
        const a = await t.api('/agents/mail-helper');
        if (a.containment === 'quarantined') break;
        if (n === 240) throw new Error(`it is ${a.containment}`);
        await new Promise((done) => setTimeout(done, 250));
      }
      await open(t, page, 'mail-helper', /would send data/);
      await page.getByRole('heading', { level: 1, name: /would send data to/ }).waitFor();
      await t.settled(page);
      await t.axe(page, 'the incident of a hijacked agent, 390 wide');
      await page.goto(`${t.base}/agents/mail-helper`);
      await page.getByText(/quarantined/i).first().waitFor();
      await t.settled(page);
      await t.axe(page, 'the page of a quarantined agent');
    },
  },
];
