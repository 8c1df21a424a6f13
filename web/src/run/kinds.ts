// How kinds of steps look: a colour and a letter, never colour alone.

/** The look of a kind. */
export interface KindLook {
  letter: string;
  name: string;
  color: `--r-${string}`;
}

const look = (letter: string, name: string, color: string): KindLook => ({ letter, name, color: `--r-kind-${color}` });

const LOOKS: Record<string, KindLook> = {
  agent: look('A', 'agent', 'agent'),
  model: look('M', 'model call', 'model'),
  tool: look('T', 'tool call', 'tool'),
  mcp: look('C', 'MCP call', 'tool'),
  a2a: look('Y', 'agent-to-agent call', 'handoff'),
  retrieval: look('R', 'retrieval', 'retrieval'),
  rerank: look('K', 'rerank', 'retrieval'),
  memory: look('Q', 'memory', 'retrieval'),
  embedding: look('E', 'embedding', 'embedding'),
  guardrail: look('G', 'guardrail', 'guardrail'),
  evaluator: look('V', 'evaluator', 'guardrail'),
  decision: look('D', 'decision', 'guardrail'),
  handoff: look('H', 'handoff', 'handoff'),
  human: look('P', 'person', 'human'),
  workflow: look('W', 'workflow', 'other'),
  task: look('S', 'task', 'other'),
  plan: look('L', 'plan', 'other'),
  prompt: look('F', 'prompt', 'other'),
  http: look('N', 'HTTP call', 'other'),
  event: look('I', 'event', 'other'),
  other: look('O', 'other step', 'other'),
};

/** lookOf is the look of a kind; unknown kinds look like "other". */
export function lookOf(kind: string): KindLook {
  return LOOKS[kind] ?? LOOKS.other!;
}

/** KINDS in the order of a legend. */
export const KINDS = Object.keys(LOOKS);
