// Observe before enforce: what would be refused is seen, then one press enforces it.
import { bank, call } from '../door.mjs';

const unique = () => Math.random().toString(36).slice(2, 8);

export default [1280, 390].map((width) => ({
  name: `keyboard: what a policy would refuse is shown, enforced, and asked of the door, ${width} wide`,
  async run(t) {
    const name = `e2e-${unique()}`;
    await bank(t, name);
    await t.api('/agents', { name, team: 'finance', environment: 'production', purpose: 'pays suppliers that a person listed', mode: 'autonomous', autonomy: 'bounded', owner: 'owner' });
    const key = (await t.api(`/agents/${name}/keys`, { label: 'browser tests', expires_in: '1d' })).key;
    await t.api(`/policies/${name}`, { team: 'finance', mode: 'observe', reason: 'a first try', cedar: `@id("no-transfers") @reason("nobody transfers here") forbid (principal == Agent::"${name}", action == Action::"call_api", resource);` }, 'PUT');
    t.equal((await call(t, key, name, { amount: 1 })).status, 200, 'a call that is only observed');
    // A call is tried on a moment after it was decided: when it is stored.
    const wait = (ms) => new Promise((r) => setTimeout(r, ms));
    for (let n = 0; ; n++) {
      let s = (await t.api(`/policies/${name}/enforce`, { preview: true, days: 7 })).simulation;
      while (s.state !== 'done' && s.state !== 'failed') await wait(100).then(async () => (s = await t.api(`/simulations/${s.id}`)));
      if ((s.changes ?? []).some((c) => c.agent === name)) break;
      if (n === 60) throw new Error(`the decision is not tried: ${JSON.stringify(s)}`);
      await wait(500);
    }

    const page = await t.open(`/policies?policy=${name}`, { width });
    await page.getByRole('heading', { level: 2, name }).waitFor();
    await page.getByRole('button', { name: 'Enforce' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: `Enforce ${name}` });
    await dialog.getByText(/^\d+ verdicts? would change/).waitFor();
    await dialog.getByRole('row', { name: new RegExp(name) }).getByText('nobody transfers here').first().waitFor();
    await t.axe(page, `what enforcing would refuse, ${width}`);
    await dialog.getByLabel('Reason').fill('looked at');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Enforce' }).waitFor({ state: 'detached' });
    t.equal((await call(t, key, name, { amount: 1 })).status, 403, 'the same call, enforced');

    await page.goto(`${t.base}/policies?tab=check`);
    await page.getByLabel('Agent', { exact: true }).selectOption(name);
    await page.getByLabel('Wants to', { exact: true }).selectOption('call_api');
    await page.getByLabel('What', { exact: true }).fill(`${name} POST /v1/transfers`);
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('nobody transfers here').waitFor();
    await t.axe(page, `what the door would say, ${width}`);
  },
}));
