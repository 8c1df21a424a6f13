// An agent that nobody can invoke: its page, its gate and the form of an experiment say so,
// and how it is invoked is tried and kept by keyboard, which all three then know.
import { invoked } from '../door.mjs';
import { unique } from '../otlp.mjs';

export default [1280, 390].map((width) => ({
  name: `keyboard: an agent that cannot be tested gets a way, ${width} wide`,
  async run(t) {
    const agent = unique('mute');
    const set = unique('golden');
    const said = { answer: (q) => `You asked: ${q}`, silent: true };
    const url = await invoked(t, agent, said, { target: false });
    await t.api(`/datasets/${set}`, { team: 'finance', environment: 'production' }, 'PUT');
    await t.api(`/datasets/${set}/items`, { input: [{ role: 'user', content: 'When?' }], contains: ['asked'] });
    await t.api(`/agents/${agent}/gate/dataset`, { dataset: set, least: 1 }, 'PUT');
    const page = await t.open(`/evaluations?part=experiments`, { width });
    await page.getByRole('region', { name: 'Experiments' }).waitFor();
    await page.keyboard.press('n');
    const start = page.getByRole('dialog', { name: 'Start an experiment' });
    await start.getByLabel('Agent', { exact: true }).selectOption(agent);
    await start.getByLabel('Data set', { exact: true }).selectOption(set);
    await start.getByText(`${agent} cannot be tested`, { exact: false }).waitFor();
    t.ok(await start.getByRole('button', { name: 'Start it' }).isDisabled(), 'what cannot be tested is not started');
    await t.settled(page);
    await t.axe(page, 'an experiment that is not possible');
    await page.goto(`${t.base}/agents/${agent}?tab=gate`);
    await page.getByText(`${agent} cannot be tested`, { exact: false }).waitFor();
    t.ok(await page.getByRole('button', { name: 'Run its cases' }).isDisabled(), 'its cases cannot be run');
    await page.goto(`${t.base}/agents/${agent}`);
    const panel = page.getByRole('region', { name: 'Can it be tested?' });
    await panel.getByText('not possible').waitFor();
    await panel.getByRole('button', { name: 'Say how' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: `How ${agent} is invoked` });
    await dialog.getByLabel('Address', { exact: true }).fill(url);
    await dialog.getByLabel('The address is inside the house').press('Space');
    await dialog.getByLabel('Body', { exact: true }).fill('{"message": "hello"}');
    await dialog.getByText('The body has {{input}} or {{messages}}', { exact: false }).waitFor();
    t.ok(await dialog.getByRole('button', { name: 'Keep' }).isDisabled(), 'a body without a question is not kept');
    await dialog.getByLabel('Body', { exact: true }).fill('{"message": "{{input}}", "token": "{{token}}"}');
    // It answers, and calls no door: that is no test.
    await dialog.getByLabel('A question to try with').fill('When do I get it?');
    await page.keyboard.press('Enter');
    await dialog.getByText('does not work').waitFor();
    await dialog.getByText('no call of it came to the door', { exact: false }).waitFor();
    await t.settled(page);
    await t.axeBoth(page, 'an invocation that does not work');
    said.silent = false;
    await dialog.getByRole('button', { name: 'Try it' }).press('Enter');
    await dialog.getByText('It answered through the door, as a test', { exact: false }).waitFor();
    await dialog.getByText('You asked: When do I get it?').waitFor();
    t.ok(await dialog.isVisible(), 'a try keeps nothing');
    await dialog.getByRole('button', { name: 'Keep' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await panel.getByText('yes', { exact: true }).waitFor(); // without a reload
    await panel.getByRole('button', { name: 'Try it' }).press('Enter');
    const trying = page.getByRole('dialog', { name: `Try ${agent}` });
    await trying.getByLabel('A question').fill('And now?');
    await trying.getByRole('button', { name: 'Try it' }).press('Enter');
    await trying.getByText('You asked: And now?').waitFor();
    await t.settled(page);
    await t.axe(page, 'an agent that was tried');
    await page.keyboard.press('Escape');
    await trying.waitFor({ state: 'detached' });
    await panel.getByRole('button', { name: 'Change how' }).press('Enter');
    await dialog.getByLabel('By', { exact: true }).selectOption('command');
    await dialog.getByLabel('Command', { exact: true }).fill('node "/opt/my agent/a.mjs"');
    await dialog.getByText('command: ["node", "/opt/my agent/a.mjs"]', { exact: false }).waitFor();
    await t.settled(page);
    await t.axe(page, 'a command for the configuration file');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
  },
}));
