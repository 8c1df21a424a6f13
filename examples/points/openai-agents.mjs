// OpenAI Agents SDK: needsApproval asks Reeve. Copy this file and reeve.mjs.
//
//   const pay = tool(governed(reeve, { name: 'pay', description, parameters, execute }));
//   let result = await run(agent, 'pay 5');
//   while (result.interruptions?.length) {
//     await decideInterruptions(reeve, result);      // waits for people, up to reeve.waitMs
//     result = await run(agent, result.state);
//   }
//
// What Reeve allows runs; what it denies is answered to the model with the
// reason; what a person must agree to interrupts the run until they did.

import { Refused } from './reeve.mjs';

const answers = new Map(); // by call: what Reeve said, until the tool ran

/** governed gives the options of `tool()` an approval and an execution that ask Reeve. */
export function governed(reeve, options) {
  const { name, execute } = options;
  return {
    ...options,
    needsApproval: async (_context, input, callId) => (await ask(reeve, name, input, callId)).verdict === 'hold',
    execute: async (input, context, details) => {
      const callId = details?.toolCall?.callId;
      let answer = await ask(reeve, name, input, callId);
      if (answer.verdict === 'hold') answer = await reeve.settle(answer); // approved in the SDK alone does not count
      answers.delete(callId);
      try {
        return await reeve.perform(answer, input, (args) => execute(args, context, details));
      } catch (e) {
        if (e instanceof Refused) return e.message; // the model hears why; other errors are the SDK's to tell
        throw e;
      }
    },
  };
}

async function ask(reeve, name, input, callId) {
  const known = callId && answers.get(callId);
  if (known && known.verdict !== 'hold') return known;
  const answer = await reeve.decide(name, input, { callId });
  if (callId) answers.set(callId, answer);
  return answer;
}

/** decideInterruptions waits for Reeve's answer to each interrupted call and approves or rejects it in the run's state. */
export async function decideInterruptions(reeve, result) {
  for (const item of result.interruptions) {
    const call = item.rawItem;
    const answer = await reeve.settle(await ask(reeve, call.name, JSON.parse(call.arguments || '{}'), call.callId));
    answers.set(call.callId, answer);
    if (answer.verdict === 'allow') result.state.approve(item);
    else result.state.reject(item, { message: `Reeve refused: ${answer.reason}` });
  }
}
