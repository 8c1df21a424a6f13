// A LangGraph agent as `invoke` runs it: a case on standard input, its answer on standard
// output. The graph is the one of the driver beside it, with LangGraph, LangChain's client
// of OpenAI and its tool as they are; only where its model is asked comes from outside.
import { readFileSync } from 'node:fs';
import { StateGraph, MessagesAnnotation, START } from '@langchain/langgraph';
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { tool } from '@langchain/core/tools';
import { z } from 'zod';

const { messages } = JSON.parse(readFileSync(0, 'utf8'));
const lookup = tool(async ({ order_id }) => JSON.stringify({ order_id, status: 'delivered' }), { name: 'lookup_order', description: 'Look up an order', schema: z.object({ order_id: z.string() }) });
const llm = new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: process.env.OPENAI_API_KEY, maxRetries: 0, maxTokens: 200, configuration: { baseURL: process.env.OPENAI_BASE_URL } }).bindTools([lookup]);
const graph = new StateGraph(MessagesAnnotation)
  .addNode('agent', async (s) => ({ messages: [await llm.invoke(s.messages)] }))
  .addNode('tools', new ToolNode([lookup]))
  .addEdge(START, 'agent').addConditionalEdges('agent', toolsCondition).addEdge('tools', 'agent')
  .compile({ name: 'refund-agent' });
const r = await graph.invoke({ messages });
process.stdout.write(String(r.messages.at(-1).content));
