// Readiness by keyboard: what is asked, by topic or task; the questions of one that have no
// answer, each with its run.
import { Trace, unique } from '../otlp.mjs';

const str = (key, v) => ({ key, value: { stringValue: v } });

export default [1280, 390].map((width) => ({
  name: `keyboard: questions without an answer, ${width} wide`,
  async run(t) {
    const agent = unique('asked');
    const task = unique('riddle');
    const send = async (words) => {
      const trace = new Trace({ agent, start: Date.now() - 20_000, user: 'u-7' });
      const end = trace.end(3000);
      end.attributes.push(str('reeve.outcome', 'failed'), str('reeve.task', task));
      trace.spans = [trace.model(400, 2500, { input: [{ role: 'user', parts: [{ type: 'text', content: words }] }], output: { role: 'assistant', parts: [{ type: 'text', content: 'I do not know.' }] } }), end];
      await t.send.spans(agent, trace.spans);
    };
    const words = `What does the ${task} walk on at noon?`;
    await send(words);
    const page = await t.open('/sources?from=-1h', { width });
    const list = page.getByRole('region', { name: 'Questions without an answer' });
    await list.getByRole('link', { name: words }).waitFor({ timeout: 60_000 }); // without a reload
    // What is asked, and a list of one of it.
    const rows = page.getByRole('group', { name: 'Coverage of what is asked' });
    await rows.getByRole('button').first().press('Enter');
    await list.getByRole('button', { name: 'All of them' }).waitFor();
    await t.settled(page);
    await t.axeBoth(page, 'questions of one topic');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'pixels wider than the window');
    await list.getByRole('button', { name: 'All of them' }).press('Enter');
    await list.getByRole('link', { name: words }).waitFor();
    const found = (await t.api(`/unanswered-questions?from=-1h&task=${task}`)).items;
    t.equal(JSON.stringify(found.map((x) => [x.text, x.outcome, x.hidden])), JSON.stringify([[words, 'failed', false]]), 'the questions of a task');
    await list.getByRole('link', { name: words }).press('Enter');
    await page.waitForURL(`**/runs/${found[0].run}**`);
  },
}));
