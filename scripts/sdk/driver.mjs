// Clients of three more providers, as they are, through the door: AzureOpenAI,
// Amazon's and Google's. `driver.mjs provider` is what stands behind the door: it
// takes its own credentials alone. DOOR, KEY.
import http from 'node:http';
import { crc32 } from 'node:zlib';

const said = 'The refund was approved.';
const words = said.split(/(?<= )/);

// A message of Amazon's binary event stream.
function frame(type, body) {
  const text = Buffer.from(JSON.stringify(body));
  const header = (name, value) => Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7, 0, value.length]), Buffer.from(value)]);
  const headers = Buffer.concat([header(':event-type', type), header(':content-type', 'application/json'), header(':message-type', 'event')]);
  const whole = Buffer.alloc(16 + headers.length + text.length);
  whole.writeUInt32BE(whole.length, 0);
  whole.writeUInt32BE(headers.length, 4);
  whole.writeUInt32BE(crc32(whole.subarray(0, 8)), 8);
  headers.copy(whole, 12);
  text.copy(whole, 12 + headers.length);
  whole.writeUInt32BE(crc32(whole.subarray(0, -4)), whole.length - 4);
  return whole;
}

function provider() {
  const usage = { inputTokens: 41, outputTokens: 13, totalTokens: 54 };
  const counted = { prompt_tokens: 41, completion_tokens: 13, total_tokens: 54 };
  const gemini = (text, last) => ({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...(last && { finishReason: 'STOP' }) }], modelVersion: 'gemini-2.5-flash', ...(last && { usageMetadata: { promptTokenCount: 41, candidatesTokenCount: 13, totalTokenCount: 54 } }) });
  const chunk = (delta, finish = null) => ({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [{ index: 0, delta, finish_reason: finish }] });
  const sse = (res, list) => { res.writeHead(200, { 'content-type': 'text/event-stream' }); for (const e of list) res.write(`data: ${typeof e === 'string' ? e : JSON.stringify(e)}\n\n`); res.end(); };
  const json = (res, body, status = 200) => { res.writeHead(status, { 'content-type': 'application/json' }); res.end(JSON.stringify(body)); };
  http.createServer((req, res) => {
    let text = '';
    req.on('data', (d) => { text += d; }).on('end', () => {
      const h = req.headers, path = req.url.split('?')[0];
      const ours = h['api-key'] === 'azure-secret' || h['x-goog-api-key'] === 'gemini-secret' || /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request/.test(h.authorization ?? '');
      if (!ours || JSON.stringify(h).includes('rvk_') || req.url.includes('rvk_')) return json(res, { error: { message: 'not the provider\'s credential', headers: h } }, 401);
      const body = text ? JSON.parse(text) : {};
      if (path === '/openai/deployments/gpt-4o/chat/completions') {
        if (body.stream) return sse(res, [...words.map((w) => chunk({ content: w })), chunk({}, 'stop'), '[DONE]']);
        return json(res, { id: 'c1', object: 'chat.completion', created: 1, model: 'gpt-4o', choices: [{ index: 0, message: { role: 'assistant', content: said }, finish_reason: 'stop' }], usage: counted });
      }
      if (path.endsWith('/converse')) return json(res, { output: { message: { role: 'assistant', content: [{ text: said }] } }, stopReason: 'end_turn', usage, metrics: { latencyMs: 5 } });
      if (path.endsWith('/converse-stream')) {
        res.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
        res.write(frame('messageStart', { role: 'assistant' }));
        for (const w of words) res.write(frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: w } }));
        res.write(frame('contentBlockStop', { contentBlockIndex: 0 }));
        res.write(frame('messageStop', { stopReason: 'end_turn' }));
        return res.end(frame('metadata', { usage, metrics: { latencyMs: 5 } }));
      }
      if (path.endsWith('/invoke')) return json(res, { id: 'm1', type: 'message', role: 'assistant', model: 'claude', content: [{ type: 'text', text: said }], stop_reason: 'end_turn', usage: { input_tokens: 41, output_tokens: 13 } });
      if (path.endsWith(':generateContent')) return json(res, gemini(said, true));
      if (path.endsWith(':streamGenerateContent')) return sse(res, words.map((w, i) => gemini(w, i === words.length - 1)));
      return json(res, { error: { message: `no path ${path}` } }, 404);
    });
  }).listen(0, '127.0.0.1', function () { console.log(`http://127.0.0.1:${this.address().port}`); });
}

async function clients() {
  const { DOOR, KEY } = process.env;
  const { AzureOpenAI } = await import('openai');
  const { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, InvokeModelCommand } = await import('@aws-sdk/client-bedrock-runtime');
  const { GoogleGenAI } = await import('@google/genai');
  const check = async (name, run) => {
    let got;
    try { got = await run(); } catch (e) { got = e; }
    const ok = got === said;
    console.log(`${ok ? 'ok' : 'FAIL'} ${name}`, ok ? '' : got);
    if (!ok) process.exitCode = 1;
  };
  const messages = [{ role: 'user', content: 'Refund order 1042.' }];
  const azure = new AzureOpenAI({ endpoint: `${DOOR}/llm/azure`, apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 0 });
  await check('azure chat', async () => (await azure.chat.completions.create({ model: 'gpt-4o', messages, max_tokens: 50 })).choices[0].message.content);
  await check('azure chat stream', async () => {
    let text = '';
    for await (const c of await azure.chat.completions.create({ model: 'gpt-4o', messages, max_tokens: 50, stream: true })) text += c.choices[0]?.delta?.content ?? '';
    return text;
  });
  const bedrock = new BedrockRuntimeClient({ region: 'eu-west-1', endpoint: `${DOOR}/llm/bedrock`, token: { token: KEY }, authSchemePreference: ['httpBearerAuth'], maxAttempts: 1 });
  const modelId = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0', ask = [{ role: 'user', content: [{ text: 'Refund order 1042.' }] }], inferenceConfig = { maxTokens: 50 };
  await check('bedrock converse', async () => (await bedrock.send(new ConverseCommand({ modelId, messages: ask, inferenceConfig }))).output.message.content[0].text);
  await check('bedrock converse stream', async () => {
    let text = '';
    for await (const e of (await bedrock.send(new ConverseStreamCommand({ modelId, messages: ask, inferenceConfig }))).stream) text += e.contentBlockDelta?.delta?.text ?? '';
    return text;
  });
  await check('bedrock invoke', async () => JSON.parse(new TextDecoder().decode((await bedrock.send(new InvokeModelCommand({ modelId, contentType: 'application/json', body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 50, messages }) }))).body)).content[0].text);
  const google = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: `${DOOR}/llm/gemini` } });
  const content = { model: 'gemini-2.5-flash', contents: 'Refund order 1042.', config: { maxOutputTokens: 50 } };
  await check('gemini', async () => (await google.models.generateContent(content)).text);
  await check('gemini stream', async () => {
    let text = '';
    for await (const c of await google.models.generateContentStream(content)) text += c.text ?? '';
    return text;
  });
}

await (process.argv[2] === 'provider' ? provider() : clients());
