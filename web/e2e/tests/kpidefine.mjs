// A KPI of one's own: its figure stands beside the form before it is kept, a search
// that is none is marked at its field, and a change is a version that says what it
// changed; by keyboard and without a reload.
import { Trace, unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a KPI of one's own is defined, changed and removed, ${width} wide`,
  async run(t) {
    const agent = unique('counted');
    for (let i = 0; i < 3; i++) {
      const trace = new Trace({ agent, start: Date.now() - 60_000 - i * 5000 });
      trace.spans = [trace.end(900)];
      await t.send.spans(agent, trace.spans);
      await t.arrived(trace);
    }
    const id = unique('mine').replaceAll('-', '_');
    const page = await t.open('/outcomes', { width });
    const main = page.getByRole('main');
    await main.getByRole('button', { name: 'Containment', exact: true }).waitFor();
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Id', { exact: true }).fill(id);
    await dialog.getByLabel('Title').fill(`Runs of ${agent}`);
    await dialog.getByLabel('About').fill('How many there are');
    await dialog.getByLabel('Owner').fill('desk');
    const live = dialog.getByRole('status', { name: 'The figure now' });
    await live.getByText('as soon as there is enough of it', { exact: false }).waitFor();

    // A search that is none is told at its field, with the place.
    const of = dialog.getByLabel('Those that', { exact: true });
    await of.fill(`agent:${agent} nosuch:1`);
    await dialog.locator('u').getByText('nosuch:1').waitFor({ timeout: 20_000 });
    t.equal(await of.getAttribute('aria-invalid'), 'true', 'the field that is wrong is marked');
    await t.axe(page, 'a KPI that is refused');
    await of.fill(`agent:${agent} -agent:nobody`);
    await dialog.getByLabel('Among', { exact: true }).fill(`agent:${agent}`);
    await live.getByText('100', { exact: false }).first().waitFor({ timeout: 20_000 });
    await live.getByRole('link', { name: '3' }).waitFor({ timeout: 20_000 });
    await t.settled(page);
    await t.axe(page, 'a KPI that is tried');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window with the dialog');
    await dialog.getByLabel('Title').press('Enter');
    await dialog.waitFor({ state: 'detached' });

    // Kept: in the list, opened, with its first version.
    const one = page.getByRole('region', { name: 'The KPI' });
    await one.getByRole('heading', { name: `Runs of ${agent}` }).waitFor({ timeout: 15_000 });
    const versions = one.getByRole('group', { name: 'Versions of the definition' });
    await versions.getByText('it was defined').waitFor({ timeout: 15_000 });
    await main.getByRole('button', { name: `Runs of ${agent}`, exact: true }).waitFor({ timeout: 15_000 });

    // Changed: the next version says what.
    await one.getByRole('button', { name: 'Change the definition' }).press('Enter');
    t.equal(await dialog.getByLabel('Those that', { exact: true }).inputValue(), `agent:${agent} -agent:nobody`, 'the definition comes back into the form');
    const better = dialog.getByRole('combobox', { name: 'Better is' });
    await better.focus();
    await page.keyboard.type('less');
    await dialog.getByLabel('Why').fill('fewer are better');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await versions.getByText('better: up → down').waitFor({ timeout: 15_000 });
    await versions.getByText('fewer are better').waitFor();
    const kept = await t.api(`/kpis/${id}`);
    t.equal(`${kept.definition_version} ${kept.direction} ${kept.shape.share.among} ${kept.n}`, `2 down agent:${agent} 3`, 'what is kept');
    await t.settled(page);
    await t.axeBoth(page, 'KPIs with one of our own');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');

    await one.getByRole('button', { name: 'Remove' }).press('Enter');
    await one.getByRole('button', { name: 'Remove it; its versions stay' }).press('Enter');
    await one.waitFor({ state: 'detached', timeout: 15_000 });
    await main.getByRole('button', { name: `Runs of ${agent}`, exact: true }).waitFor({ state: 'detached', timeout: 15_000 });
  },
}));
