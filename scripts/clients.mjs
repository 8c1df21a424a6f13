// clients.mjs NAME SERVER TRUTH KEY: compare the runs that a client sent
// with what the truth says they did. Prints a line; exit 1 when they differ.
import { readFileSync } from 'node:fs'

const [name, server, file, key] = process.argv.slice(2)
const truth = JSON.parse(readFileSync(file, 'utf8'))[key]
const get = async (path) => {
  const answer = await fetch(`${server}/api/v1${path}`)
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

// What a person would see: the rows of the runs, and their steps.
async function look() {
  const runs = (await get('/runs?from=-24h')).items
  const seen = { runs: runs.length }
  if (runs.length !== truth.runs) return seen
  const steps = []
  for (const run of runs) steps.push(...(await get(`/runs/${run.id}/steps`)).items)
  const counted = steps.filter((s) => s.counted)
  const calls = counted.filter((s) => s.kind === 'model')
  // All runs of a story have the same agent, session and user.
  const one = (of) => runs.map(of).reduce((a, b) => (a === b ? a : `${a} and ${b}`)) ?? null
  // What no run reported is unknown, and not zero.
  const sum = (of) => runs.map(of).reduce((a, b) => (a == null ? b : b == null ? a : a + b)) ?? null
  return {
    ...seen,
    status: one((r) => r.status),
    agent: one((r) => r.agent),
    session: one((r) => r.session),
    user: one((r) => r.user),
    input: sum((r) => r.usage.input_total),
    output: sum((r) => r.usage.output_total),
    cacheRead: sum((r) => r.usage.input_cache_read),
    inputOfSteps: counted.reduce((sum, s) => sum + (s.usage?.input_total ?? 0), 0),
    outputOfSteps: counted.reduce((sum, s) => sum + (s.usage?.output_total ?? 0), 0),
    callsOk: calls.filter((s) => s.status !== 'error').length,
    callsFailed: calls.filter((s) => s.status === 'error').length,
    tools: steps.filter((s) => s.kind === 'tool').length,
    traces: runs.reduce((sum, r) => sum + r.trace_ids.length, 0),
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
  `${name}: ok (${got.runs} run ${got.status}, ${got.callsOk} calls and ${got.callsFailed} failed, ${got.input} + ${got.output} tokens, agent ${got.agent}, session ${got.session}, user ${got.user})`,
)
