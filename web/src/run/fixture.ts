// Steps made for tests, without randomness that changes from run to run.

import type { LightStep } from './data';

/** A step with sensible fields; times in ms since an arbitrary second. */
export function step(
  id: string,
  parent: string | null,
  kind: string,
  startMs: number,
  durationMs: number | null,
  more: Partial<LightStep> = {},
): LightStep {
  return {
    id,
    parent_id: parent,
    kind,
    name: more.name ?? `${kind} ${id}`,
    status: durationMs === null ? 'running' : 'ok',
    start_ns: `${1_790_000_000_000 + Math.floor(startMs)}${String(Math.round((startMs % 1) * 1e6)).padStart(6, '0')}`,
    duration_ms: durationMs,
    ...more,
  };
}

/** A run of n steps: a root agent, turns of a model call and three tools each, nested agents now and then, some errors. */
export function bigRun(n: number): LightStep[] {
  const out: LightStep[] = [step('root', null, 'agent', 0, 0, { name: 'root', agent: 'root' })];
  let seed = 7;
  const rnd = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  let at = 1;
  let parent = 'root';
  let turn = 0;
  while (out.length < n) {
    if (turn % 10 === 0) {
      parent = `a${turn}`;
      out.push(step(parent, 'root', 'agent', at, 400, { agent: `agent-${(turn / 10) % 7}`, name: `agent-${(turn / 10) % 7}` }));
    }
    const d = 5 + rnd() * 60;
    if (out.length < n) out.push(step(`m${turn}`, parent, 'model', at, d, { model: 'gpt-4o-mini' }));
    at += d;
    for (let k = 0; k < 3 && out.length < n; k++) {
      const e = 1 + rnd() * 12;
      out.push(step(`t${turn}.${k}`, parent, 'tool', at, e, { tool: { name: `tool_${k}` }, status: rnd() < 0.02 ? 'error' : 'ok' }));
      at += e;
    }
    if (turn % 97 === 96) at += 60_000;
    turn++;
  }
  out[0]!.duration_ms = at;
  return out;
}
