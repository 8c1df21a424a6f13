// Runs openai-agents.mjs with the real SDK against a server: DOOR, KEY, BASE.
import assert from 'node:assert/strict';
import { Agent, run, setTracingDisabled, tool, Usage } from '@openai/agents';
import { z } from 'zod';
import { Reeve } from './reeve.mjs';
import { decideInterruptions, governed } from './openai-agents.mjs';
import { agree, decisions, refuse } from './test-people.mjs';

setTracingDisabled(true);
// A model that calls one tool and then repeats what came back.
class Calls {
  constructor(name, args, callId) { this.call = { type: 'function_call', id: `fc_${callId}`, callId, name, status: 'completed', arguments: JSON.stringify(args) }; }
  async getResponse(request) {
    const back = Array.isArray(request.input) && request.input.find((i) => i.type === 'function_call_result');
    const text = back && (typeof back.output === 'string' ? back.output : back.output?.text ?? JSON.stringify(back.output));
    return { usage: new Usage(), output: [back ? { type: 'message', role: 'assistant', status: 'completed', id: 'm', content: [{ type: 'output_text', text }] } : this.call] };
  }
}

const ran = [];
const reeve = new Reeve({ door: process.env.DOOR, key: process.env.KEY, waitMs: 20_000 });
const tools = ['look', 'shell', 'pay'].map((name) => tool(governed(reeve, {
  name, description: name, parameters: z.object({ amount: z.number().nullable(), text: z.string().nullable() }),
  execute: async (a) => { ran.push(name); return `${name} did ${JSON.stringify(a)}`; },
})));
async function ask(name, args, id) {
  const agent = new Agent({ name: 'a', instructions: 'x', model: new Calls(name, { amount: null, text: null, ...args }, id), tools });
  let result = await run(agent, 'go');
  let waits = 0;
  for (; result.interruptions?.length; waits++) {
    await decideInterruptions(reeve, result);
    result = await run(agent, result.state);
  }
  return { text: result.finalOutput, waits };
}

let r = await ask('look', { amount: 1 }, 'oa1');
assert.match(r.text, /look did/);
assert.equal(r.waits, 0);
r = await ask('shell', { text: 'rm' }, 'oa2');
assert.match(r.text, /no shells/);
const agreed = agree('pay');
r = await ask('pay', { amount: 7 }, 'oa3');
await agreed;
assert.match(r.text, /pay did/);
assert.equal(r.waits, 1);
const refused = refuse('pay');
r = await ask('pay', { amount: 8 }, 'oa4');
await refused;
assert.match(r.text, /Reeve refused/);
assert.deepEqual(ran, ['look', 'pay']);
const log = await decisions();
assert.equal(log.filter((d) => d.tool === 'pay' && d.verdict === 'allow' && d.result === 'ok').length, 1);
console.log('openai agents: allow, deny, hold and approve, hold and refuse: ok');
