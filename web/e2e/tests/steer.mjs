// A live run: a person looks at each of its calls first, and tells its model
// something, by keyboard, at 1280 and 390 wide.
import { agent, model, think } from '../door.mjs';

const tests = [];
const unique = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 6);

for (const width of [1280, 390])
  tests.push({
    name: `keyboard: a live run is told something, held and let go, ${width} wide`,
    async run(t) {
      const name = `e2e-${unique()}`;
      const got = await model(t, name);
      const key = await agent(t, name);
      t.equal((await think(t, key, name, name)).status, 200, 'the first call');
      const run = await until(() => t.api(`/runs?q=${encodeURIComponent(`agent:${name}`)}&from=-1h`).then((r) => r.items[0]));
      const page = await t.open(`/runs/${run.id}`, { width });
      const hand = page.getByRole('region', { name: 'Taking a hand in it' });
      await hand.getByRole('button', { name: 'Tell it something' }).waitFor();
      await page.keyboard.press('m');
      const tell = page.getByRole('dialog', { name: 'Tell it something' });
      await tell.getByLabel('What').fill('ask the customer first');
      await t.axe(page, 'telling a run something');
      await page.keyboard.press('Control+Enter');
      await hand.getByText('waits for its next call of a model').waitFor();
      await think(t, key, name, name);
      await hand.getByText('with this call').waitFor();
      t.ok(/ask the customer first/.test(JSON.stringify(got[1])), `the model read ${JSON.stringify(got[1])}`);
      await page.keyboard.press('Shift+H');
      await page.getByRole('dialog', { name: 'Hold its calls' }).getByLabel('Reason').fill('it repeats itself');
      await page.keyboard.press('Enter');
      await hand.getByText(/looks at each call of this run first/).waitFor();
      await t.axe(page, 'a held run');
      const waiting = think(t, key, name, name);
      const held = await until(() => t.api('/approvals?limit=100').then((r) => r.items.find((a) => a.agent === name)));
      t.equal(got.length, 2, 'calls that reached the model');
      await hand.getByRole('button', { name: 'Let it go on' }).focus();
      await page.keyboard.press('Enter');
      await page.keyboard.press('Enter');
      await hand.getByRole('button', { name: 'Hold its calls' }).waitFor();
      await t.api(`/approvals/${held.id}/deny`, { reason: 'a try' });
      t.ok((await waiting).status >= 400, 'the call that was denied');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.equal(wide, 0, 'pixels wider than the window');
    },
  });

async function until(f) {
  for (const end = Date.now() + 30_000; ; ) {
    const found = await f();
    if (found) return found;
    if (Date.now() > end) throw new Error('it did not come within 30 s');
    await new Promise((done) => setTimeout(done, 100));
  }
}

export default tests;
