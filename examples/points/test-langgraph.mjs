// Runs langgraph.mjs with the real SDK against a server: DOOR, KEY, BASE.
import assert from 'node:assert/strict';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import { z } from 'zod';
import { Reeve } from './reeve.mjs';
import { reeveMiddleware } from './langgraph.mjs';
import { agree, decisions } from './test-people.mjs';

// A model that calls one tool and then repeats what came back.
class Calls extends BaseChatModel {
  constructor(name, args, id) { super({}); this.next = { name, args, id, type: 'tool_call' }; }
  _llmType() { return 'calls'; }
  bindTools() { return this; }
  async _generate(messages) {
    const last = messages.at(-1);
    const m = last.getType() === 'tool' ? new AIMessage(String(last.content)) : new AIMessage({ content: '', tool_calls: [this.next] });
    return { generations: [{ message: m, text: '' }] };
  }
}

const ran = [];
const schema = z.object({ amount: z.number().optional(), text: z.string().optional() });
const tools = ['look', 'shell', 'pay', 'mail', 'breaks'].map((name) => tool(async (a) => {
  ran.push([name, a]);
  if (name === 'breaks') throw new Error('out of paper');
  return `${name} did ${JSON.stringify(a)}`;
}, { name, description: name, schema }));
const reeve = new Reeve({ door: process.env.DOOR, key: process.env.KEY, waitMs: 20_000 });
const ask = async (name, args, id) => (await createAgent({ model: new Calls(name, args, id), tools, middleware: [reeveMiddleware(reeve)] }).invoke({ messages: [{ role: 'user', content: 'go' }] })).messages.at(-1).content;

assert.match(await ask('look', { amount: 1 }, 'lg1'), /look did/);
assert.match(await ask('shell', { text: 'rm -rf /' }, 'lg2'), /Reeve refused .*no shells/);
assert.match(await ask('mail', { text: 'my card is 4111111111111111' }, 'lg3'), /mail did/);
assert.ok(!JSON.stringify(ran).includes('4111111111111111'), 'what must be taken out reached the tool');
const agreed = agree('pay');
assert.match(await ask('pay', { amount: 5 }, 'lg4'), /pay did/);
await agreed;
await assert.rejects(ask('breaks', {}, 'lg5')).catch(() => {}); // langchain may answer or throw
assert.deepEqual(ran.map((r) => r[0]), ['look', 'mail', 'pay', 'breaks']);
const log = await decisions();
const of = (name) => log.filter((d) => d.tool === name);
assert.equal(of('look')[0].result, 'ok');
assert.equal(of('look')[0].point, 'decisions');
assert.equal(of('shell')[0].result, 'denied');
assert.equal(of('breaks')[0].result, 'error');
assert.equal(of('pay').filter((d) => d.verdict === 'allow' && d.result === 'ok').length, 1);
// Without Reeve nothing runs.
const alone = new Reeve({ door: 'http://127.0.0.1:9', key: 'x', timeoutMs: 1000 });
const closed = (await createAgent({ model: new Calls('look', {}, 'lg6'), tools, middleware: [reeveMiddleware(alone)] }).invoke({ messages: [{ role: 'user', content: 'go' }] })).messages.at(-1).content;
assert.match(closed, /no answer from Reeve/);
assert.equal(ran.length, 4);
console.log('langchain: allow, deny, taken out, hold and approve, error, unreachable: ok');
