// LangChain and LangGraph: a middleware that asks Reeve before each tool call.
// Copy this file and reeve.mjs. Works with langchain 1.x (createAgent) and
// @langchain/core's ToolMessage.
//
//   const agent = createAgent({ model, tools, middleware: [reeveMiddleware(new Reeve({ waitMs: 300_000 }))] });
//
// A refusal becomes the tool's answer, so that the model can do something else.
// What a person must agree to waits up to waitMs; LangGraph's own checkpoints are
// not needed for that.
import { createMiddleware } from 'langchain';
import { ToolMessage } from '@langchain/core/messages';
import { Refused } from './reeve.mjs';

export function reeveMiddleware(reeve) {
  return createMiddleware({
    name: 'Reeve',
    wrapToolCall: async (request, handler) => {
      const { name, args, id } = request.toolCall;
      let message;
      try {
        await reeve.guard(name, args, async (allowed) => {
          message = await handler({ ...request, toolCall: { ...request.toolCall, args: allowed } });
          if (message?.status === 'error') throw new Error(message.text ?? 'the tool failed');
          return message?.content;
        }, { callId: id });
      } catch (e) {
        if (!(e instanceof Refused)) {
          if (message) return message; // the tool's own error message
          throw e;
        }
        return new ToolMessage({ content: e.message, tool_call_id: id, name, status: 'error' });
      }
      return message;
    },
  });
}
