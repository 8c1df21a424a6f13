// Both versions on both sides: the official client of A2A 0.3 and that of 1.0,
// through the door (DOOR) to a peer of 1.0 (refunds) and one of 0.3 (old).
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory } from '@a2a-js/sdk/client';
import { LegacyJsonRpcTransport } from '@a2a-js/sdk/compat/v0_3/client';
import * as a2a from '@a2a-js/sdk';

const door = process.env.DOOR;
const message = (text) => ({
  message: {
    messageId: 'msg-' + Math.random(), role: a2a.Role.ROLE_USER, contextId: '', taskId: '', metadata: {}, extensions: [], referenceTaskIds: [],
    parts: [{ content: { $case: 'text', value: text }, metadata: {}, filename: '', mediaType: 'text/plain' }],
  },
  configuration: undefined, metadata: {}, tenant: '',
});
async function talk(name, client) {
  const r = await client.sendMessage(message('Refund order 1042'));
  const task = r.payload?.value ?? r;
  if (task.status?.state !== a2a.TaskState.TASK_STATE_COMPLETED) throw new Error(name + ': ' + JSON.stringify(r));
  const kinds = [];
  for await (const e of client.sendMessageStream(message('Refund order 1043, stream'))) kinds.push(e.payload?.$case ?? e.kind);
  if (kinds.join(' ') !== 'task statusUpdate artifactUpdate statusUpdate') throw new Error(name + ': ' + kinds.join(' '));
  const got = await client.getTask({ id: task.id, tenant: '', historyLength: undefined });
  if (got.id !== task.id) throw new Error(name + ': ' + JSON.stringify(got));
  console.log('ok ' + name);
}
await talk('0.3 to 1.0', new LegacyJsonRpcTransport({ endpoint: door + '/a2a/refunds' }));
await talk('0.3 to 0.3', new LegacyJsonRpcTransport({ endpoint: door + '/a2a/old' }));
const transport = new JsonRpcTransportFactory({});
const factory = new ClientFactory(ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { transports: [transport], preferredTransports: [transport.protocolName] }));
await talk('1.0 to 0.3', await factory.createFromUrl(door + '/a2a/old/'));
await talk('1.0 to 1.0', await factory.createFromUrl(door + '/a2a/refunds/'));
