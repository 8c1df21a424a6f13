// A reference peer made of the official JavaScript SDK: JSON-RPC and HTTP+JSON
// of A2A 1.0, and with OLD=1 JSON-RPC of 0.3 alone. It prints its address.
import express from 'express';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import * as a2a from '@a2a-js/sdk';

const app = express();
const server = app.listen(0, '127.0.0.1');
await new Promise((ok) => server.once('listening', ok));
const url = `http://127.0.0.1:${server.address().port}`;
const old = Boolean(process.env.OLD);
const legacyCompat = { enabled: old };
const card = {
  name: 'refund-agent', description: 'Handles refunds', version: '1.4.2',
  supportedInterfaces: old
    ? [{ url: url + '/a2a/jsonrpc', protocolBinding: 'JSONRPC', protocolVersion: '0.3', tenant: '' }]
    : [
        { url: url + '/a2a/jsonrpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: '' },
        { url: url + '/a2a/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0', tenant: '' },
      ],
  capabilities: { streaming: true, pushNotifications: false, extensions: [] },
  defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'],
  skills: [{ id: 'refund', name: 'Refund', description: 'Refund an order', tags: ['payments'], examples: [], inputModes: [], outputModes: [], securityRequirements: [] }],
  securitySchemes: {}, securityRequirements: [], signatures: [], provider: undefined,
};
const S = a2a.TaskState;
const part = (value) => ({ content: { $case: 'text', value }, metadata: {}, filename: '', mediaType: 'text/plain' });
const status = (state, text) => ({
  state, timestamp: new Date().toISOString(),
  message: text && { messageId: 'm' + Math.random(), role: a2a.Role.ROLE_AGENT, parts: [part(text)], contextId: '', taskId: '', metadata: {}, extensions: [], referenceTaskIds: [] },
});
const executor = {
  async execute(ctx, bus) {
    const ids = { taskId: ctx.taskId, contextId: ctx.contextId };
    bus.publish(AgentEvent.task({ id: ctx.taskId, contextId: ctx.contextId, status: status(S.TASK_STATE_SUBMITTED), history: [ctx.userMessage], artifacts: [], metadata: {} }));
    bus.publish(AgentEvent.statusUpdate({ ...ids, status: status(S.TASK_STATE_WORKING, 'looking up order'), metadata: {} }));
    bus.publish(AgentEvent.artifactUpdate({ ...ids, artifact: { artifactId: 'a1', name: 'receipt', description: '', parts: [part('Refund approved: 49.90 EUR')], metadata: {}, extensions: [] }, append: false, lastChunk: true, metadata: {} }));
    bus.publish(AgentEvent.statusUpdate({ ...ids, status: status(S.TASK_STATE_COMPLETED), metadata: {} }));
    bus.finished();
  },
  async cancelTask() {},
};
const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }));
app.use('/a2a/jsonrpc', jsonRpcHandler({ requestHandler, legacyCompat, userBuilder: UserBuilder.noAuthentication }));
app.use('/a2a/rest', restHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
console.log(url);
