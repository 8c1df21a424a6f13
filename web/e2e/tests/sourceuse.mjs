// A source is taken out of use at the door, and put back, by keyboard.
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: a source is taken out of use and put back, ${width} wide`,
  async run(t) {
    const name = unique('rates');
    await t.api(`/sources/${name}`, { kind: 'dataset', team: 'support', owner: 'mira' }, 'PUT');
    const page = await t.open(`/sources?source=${name}`, { width });
    const one = page.getByRole('region', { name: 'The source' });
    await one.getByRole('button', { name: 'Take out of use' }).focus();
    await page.keyboard.press('Enter');
    await one.getByLabel('Why').waitFor();
    await page.keyboard.type('prices of last year');
    await page.keyboard.press('Enter');
    await one.getByText(/prices of last year/).waitFor({ timeout: 30_000 });
    t.equal((await t.api(`/sources/${name}`)).out_of_use.reason, 'prices of last year', 'the reason');
    await page.getByRole('group', { name: 'Readiness of sources', exact: true }).getByRole('row').filter({ hasText: name }).getByText('out of use').waitFor({ timeout: 40_000 });
    await t.settled(page);
    await t.axe(page, 'a source out of use');
    await one.getByRole('button', { name: 'Put back into use' }).focus();
    await page.keyboard.press('Enter');
    await one.getByRole('button', { name: 'Put it back' }).focus();
    await page.keyboard.press('Enter');
    await one.getByRole('button', { name: 'Take out of use' }).waitFor({ timeout: 30_000 });
  },
}));
