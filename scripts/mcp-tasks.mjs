// A server with sessions that runs tools as tasks, made with the official SDK: the
// tools that the conformance suite's scenarios about tasks call.
//
//	node mcp-tasks.mjs PORT
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// The SDK is the one that is installed where the script is started.
const require = createRequire(process.cwd() + '/');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { McpServer } = await load('@modelcontextprotocol/sdk/server/mcp.js');
const { StreamableHTTPServerTransport } = await load('@modelcontextprotocol/sdk/server/streamableHttp.js');
const { InMemoryTaskStore, InMemoryTaskMessageQueue } = await load('@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js');
const { ElicitResultSchema, isInitializeRequest } = await load('@modelcontextprotocol/sdk/types.js');
const { z } = await load('zod');

const text = (s, more) => ({ content: [{ type: 'text', text: s }], ...more });

function make() {
  const store = new InMemoryTaskStore();
  const server = new McpServer(
    { name: 'tasks', version: '1' },
    { capabilities: { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }, taskStore: store, taskMessageQueue: new InMemoryTaskMessageQueue() },
  );
  server.registerTool('greet', { description: 'Says hello', inputSchema: { name: z.string() } }, async ({ name }) => text(`Hello, ${name}!`));
  // work runs beside the task; what it gives is the task's result.
  const asTask = (name, taskSupport, inputSchema, work) =>
    server.experimental.tasks.registerToolTask(name, { description: name, inputSchema, execution: { taskSupport } }, {
      createTask: async (args, extra) => {
        const task = await extra.taskStore.createTask({ ttl: 300000, pollInterval: 200 });
        const ask = (message) => extra.sendRequest(
          { method: 'elicitation/create', params: { message, requestedSchema: { type: 'object', properties: { confirm: { type: 'boolean' } } } } },
          ElicitResultSchema, { relatedTask: { taskId: task.taskId } });
        work(args, ask)
          .then((result) => extra.taskStore.storeTaskResult(task.taskId, result.isError ? 'failed' : 'completed', result))
          .catch((e) => extra.taskStore.updateTaskStatus(task.taskId, 'failed', String(e)))
          .catch(() => {}); // it was cancelled meanwhile
        return { task };
      },
      getTask: (args, extra) => extra.taskStore.getTask(extra.taskId),
      getTaskResult: (args, extra) => extra.taskStore.getTaskResult(extra.taskId),
    });
  const after = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000).unref());
  asTask('slow_compute', 'optional', { seconds: z.number(), label: z.string().optional() }, async ({ seconds }) => { await after(seconds); return text('computed'); });
  asTask('failing_job', 'required', {}, async () => { await after(0.5); return text('it failed', { isError: true }); });
  asTask('protocol_error_job', 'required', {}, async () => { await after(0.2); throw new Error('broken'); });
  asTask('confirm_delete', 'optional', { filename: z.string() }, async ({ filename }, ask) => { const a = await ask(`Delete ${filename}?`); return text(`${filename}: ${a.action}`); });
  asTask('multi_input', 'optional', {}, async (args, ask) => { const all = await Promise.all([ask('One?'), ask('Two?')]); return text(all.map((a) => a.action).join(' ')); });
  // It asks before there is a task.
  server.experimental.tasks.registerToolTask('test_tool_with_task', { description: 'Greets later', inputSchema: {}, execution: { taskSupport: 'required' } }, {
    createTask: async (args, extra) => {
      const a = await extra.sendRequest({ method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } } }, ElicitResultSchema);
      const task = await extra.taskStore.createTask({ ttl: 300000, pollInterval: 200 });
      after(0.2).then(() => extra.taskStore.storeTaskResult(task.taskId, 'completed', text(`Hello, ${a.content?.name}`)));
      return { task };
    },
    getTask: (args, extra) => extra.taskStore.getTask(extra.taskId),
    getTaskResult: (args, extra) => extra.taskStore.getTaskResult(extra.taskId),
  });
  return server;
}

const sessions = new Map();
createServer(async (req, res) => {
  const chunks = [];
  for await (const c of req) chunks.push(c);
  const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
  let transport = sessions.get(req.headers['mcp-session-id']);
  if (!transport && isInitializeRequest(body)) {
    transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), onsessioninitialized: (id) => sessions.set(id, transport) });
    await make().connect(transport);
  }
  if (!transport) {
    res.writeHead(400, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message: 'Bad Request: no session' }, id: null }));
    return;
  }
  await transport.handleRequest(req, res, body);
}).listen(Number(process.argv[2]), '127.0.0.1');
