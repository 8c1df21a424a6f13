// clients.mjs NAME SERVER TRUTH KEY: compare the one run that a client sent
// with what the truth says it did. Prints a line; exit 1 when they differ.
import { readFileSync } from 'node:fs'

const [name, server, file, key] = process.argv.slice(2)
const truth = JSON.parse(readFileSync(file, 'utf8'))[key]
const get = async (path) => {
  const answer = await fetch(`${server}/api/v1${path}`)
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

// What a person would see: the run's row, and its steps.
async function look() {
  const runs = (await get('/runs?from=-24h')).items
  const seen = { runs: runs.length }
  if (runs.length !== 1) return seen
  const run = runs[0]
  const steps = (await get(`/runs/${run.id}/steps`)).items
  const counted = steps.filter((s) => s.counted)
  const calls = counted.filter((s) => s.kind === 'model')
  return {
    ...seen,
    status: run.status,
    agent: run.agent,
    session: run.session ?? null,
    user: run.user ?? null,
    input: run.usage.input_total,
    output: run.usage.output_total,
    cacheRead: run.usage.input_cache_read,
    inputOfSteps: counted.reduce((sum, s) => sum + (s.usage?.input_total ?? 0), 0),
    outputOfSteps: counted.reduce((sum, s) => sum + (s.usage?.output_total ?? 0), 0),
    callsOk: calls.filter((s) => s.status !== 'error').length,
    callsFailed: calls.filter((s) => s.status === 'error').length,
    tools: steps.filter((s) => s.kind === 'tool').length,
    traces: run.trace_ids.length,
  }
}

const want = {
  runs: truth.runs,
  status: 'done',
  agent: truth.agent,
  session: truth.session,
  user: truth.user,
  input: truth.input_total,
  output: truth.output_total,
  cacheRead: truth.input_cache_read,
  inputOfSteps: truth.input_total,
  outputOfSteps: truth.output_total,
  callsOk: truth.model_calls_ok,
  callsFailed: truth.model_calls_failed,
  tools: truth.tool_calls,
  traces: truth.traces,
}

// A run is done some seconds after its last step came.
let got
let wrong
for (const until = Date.now() + 20_000; Date.now() < until; await new Promise((r) => setTimeout(r, 250))) {
  got = await look()
  wrong = Object.keys(want).filter((k) => got[k] !== want[k])
  if (wrong.length === 0) break
}
if (wrong.length > 0) {
  for (const k of wrong) console.log(`${name}: ${k} is ${JSON.stringify(got[k])}, want ${JSON.stringify(want[k])}`)
  process.exit(1)
}
console.log(
  `${name}: ok (1 run ${got.status}, ${got.callsOk} calls and ${got.callsFailed} failed, ${got.input} + ${got.output} tokens, agent ${got.agent}, session ${got.session}, user ${got.user})`,
)
