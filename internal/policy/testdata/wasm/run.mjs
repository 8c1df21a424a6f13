// Reads one set of policies with its requests a line from standard input and
// writes one line with the reference engine's answers.
import { createInterface } from 'node:readline'
import cedar from '@cedar-policy/cedar-wasm/nodejs'

for await (const line of createInterface({ input: process.stdin })) {
  const { policies, requests } = JSON.parse(line)
  const parsed = cedar.preparsePolicySet('set', { staticPolicies: policies })
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed))
  const answers = requests.map((r) => {
    const a = cedar.statefulIsAuthorized({ ...r, preparsedPolicySetId: 'set', validateRequest: false })
    if (a.type !== 'success') throw new Error(JSON.stringify(a))
    return {
      decision: a.response.decision,
      reasons: a.response.diagnostics.reason.sort(),
      errors: a.response.diagnostics.errors.map((e) => e.policyId).sort(),
    }
  })
  process.stdout.write(JSON.stringify(answers) + '\n')
}
