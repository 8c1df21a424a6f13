// The map: who depends on what is drawn from what arrived, walked by keyboard,
// and trouble that arrives later shows without a reload.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: what a tool would take down is told on the map, without a reload, ${width} wide`,
  async run(t) {
    const boss = unique('boss');
    const worker = unique('worker');
    const tool = unique('ledger');
    const send = async (error) => {
      const trace = new Trace({ agent: boss, start: Date.now() - 5000, user: 'kim' });
      const under = trace.worker(worker, 20, 900, undefined);
      const call = trace.tool(tool, 40, 300, { parent: under.spanId, error });
      call.attributes = call.attributes.map((a) => (a.key === 'gen_ai.agent.name' ? { key: a.key, value: { stringValue: worker } } : a));
      trace.spans = [under, call, trace.end(1000, {})];
      await t.send.spans(boss, trace.spans);
      return trace;
    };
    await t.arrived(await send(), 3);
    const page = await t.open('/', { width });
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    await page.getByRole('heading', { level: 1, name: 'Map' }).waitFor();
    await page.getByRole('searchbox', { name: 'Find on the map' }).waitFor();
    await t.axe(page, 'the map');
    await page.keyboard.press('f');
    await page.keyboard.type(tool);
    await page.getByText('1 found').waitFor({ timeout: 30_000 });
    await page.keyboard.press('Enter');
    const side = page.getByRole('region', { name: 'What was picked' });
    await side.getByText('No trouble is known.').waitFor();
    await side.getByRole('region', { name: 'Depends on it' }).getByRole('button', { name: worker }).waitFor();
    await side.getByRole('region', { name: 'Depends on it' }).getByRole('button', { name: boss }).waitFor({ timeout: 30_000 });
    await side.getByText(/^1 run/).first().waitFor();
    await t.axe(page, 'what a tool would take down');
    // Its calls begin to fail: the page follows.
    for (let i = 0; i < 30; i++) await send({ type: 'timeout', message: 'the ledger did not answer' });
    await side.getByText(/of 3\d calls failed/).waitFor({ timeout: 30_000 });
    await t.settled(page);
    await t.axe(page, 'a failing tool on the map');
    // From the tool to who uses it, and to its runs.
    await side.getByRole('button', { name: worker }).press('Enter');
    await side.getByRole('heading', { name: new RegExp(worker) }).waitFor();
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('t');
    if (width > 1000) await page.getByRole('grid', { name: 'Nodes' }).waitFor();
    else await page.getByRole('region', { name: /^The map, from agents/ }).waitFor();
    await t.axe(page, 'the other view of the map');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
    await page.keyboard.press('Escape');
    await side.waitFor({ state: 'detached' });
  },
}));
