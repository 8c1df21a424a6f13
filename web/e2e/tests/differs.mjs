// What is different, asked of rows and stretches on several pages: the runs that
// fail have a tool and a version that the others do not, and each page says so.
import { refund, Trace, unique } from '../otlp.mjs';

let seeded;
function seed(t) {
  seeded ??= (async () => {
    const agent = unique('contrast');
    const tool = unique('odd_tool');
    const runs = [];
    for (let i = 0; i < 30; i++) {
      const r = refund({ agent, start: Date.now() - 600_000 - i * 9000, user: `user-${i % 3}` });
      if (i % 3 === 0) r.spans.splice(-1, 0, r.tool(tool, 3800, 4000, { args: {}, result: {} }));
      runs.push(r);
    }
    await t.send.spans(agent, runs.flatMap((r) => r.spans));
    for (const r of runs.slice(-3)) await t.arrived(r);
    return { agent, tool };
  })();
  return seeded;
}

/** asked presses a button by keyboard, reads what is said, and closes the dialog again. */
async function asked(t, page, button, what, said) {
  await button.first().focus();
  await page.keyboard.press('Enter');
  const box = page.getByTestId('difference');
  await box.getByText(/\(\d[\d,. ]*\) against \d[\d,. ]* other runs?/).waitFor({ timeout: 20_000 });
  if (said) await said(box);
  await t.axe(page, what);
  await page.keyboard.press('Escape');
  await box.waitFor({ state: 'detached' });
}

export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: what is different about a row of steps, costs, KPIs and agents, ${width} wide`,
    async run(t) {
      const s = await seed(t);
      const page = await t.open(`/steps?q=${encodeURIComponent(`tool:${s.tool}`)}`, { width });
      await page.getByText(s.tool).first().waitFor();
      // Of the whole installation, runs with the odd tool are this agent's, beyond chance.
      await asked(t, page, page.getByRole('button', { name: `What is different about ${s.tool}` }), 'steps', async (box) => {
        await box.getByText(/The runs|Runs with such a step \(10\)/).waitFor();
        await box.getByRole('button', { name: s.agent, exact: true }).waitFor();
      });
      await page.goto(`${t.base}/agents`);
      await asked(t, page, page.getByRole('button', { name: /^What is different about / }), 'agents');
      await page.goto(`${t.base}/cost?by=model`);
      await asked(t, page, page.getByRole('button', { name: /^What is different about / }), 'costs');
      await page.goto(`${t.base}/outcomes?kpi=containment_rate&by=agent`);
      await asked(t, page, page.getByRole('region', { name: 'The KPI' }).getByRole('button', { name: /^What is different about / }), 'a KPI by agent');
      t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    },
  },
  {
    name: `what is different about a stretch of a KPI, a finding and an incident, ${width} wide`,
    async run(t) {
      const s = await seed(t);
      const page = await t.open('/outcomes?kpi=containment_rate&by=agent', { width });
      const chart = page.getByRole('img', { name: /over time with its interval/ });
      await chart.waitFor();
      await chart.scrollIntoViewIfNeeded();
      const box = await chart.boundingBox();
      await page.mouse.move(box.x + box.width * 0.55, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.9, box.y + 50, { steps: 5 });
      await page.mouse.up();
      await asked(t, page, page.getByRole('button', { name: 'What is different', exact: true }), 'a stretch');
      const findings = (await t.api('/findings?limit=200')).items.filter((f) => f.agent && (f.runs ?? []).length > 0);
      t.ok(findings.length > 0, 'a finding of the demo has runs');
      await page.goto(`${t.base}/findings?finding=${findings[0].id}`);
      await asked(t, page, page.getByRole('button', { name: 'What is different', exact: true }), 'a finding', (d) => d.getByText(/The finding's runs/).waitFor());
      const made = await t.api('/incidents', { title: `Odd ${unique('case')}`, severity: 'warning', team: 'support', environment: 'production', agents: [s.agent] });
      const late = new Trace({ agent: s.agent, start: Date.now() });
      late.spans = [late.end(900)];
      await t.send.spans(late.agent, late.spans);
      await t.arrived(late);
      await page.goto(`${t.base}/incidents/${made.number}`);
      await asked(t, page, page.getByRole('button', { name: 'What is different', exact: true }), 'an incident', (d) => d.getByText(/since it began \(1\) against 3\d/).waitFor());
    },
  },
]);
