import type { DatasetItem, Experiment, ExperimentResult } from '../api/types';

/** Case is what came of one case of an experiment: all tries on it together. */
export interface Case {
  key: string;
  item: string;
  group: string | undefined;
  tries: ExperimentResult[];
  passed: number;
  /** how the case came out: passed, failed, none (it was no test, and counts for nothing) */
  verdict: 'passed' | 'failed' | 'none';
  /** the first try that says why it did not pass, or the first */
  shows: ExperimentResult;
}

/** casesOf puts the tries of each case together, in the order in which they were first run. */
export function casesOf(results: ExperimentResult[] | undefined): Case[] {
  const by = new Map<string, Case>();
  for (const r of results ?? []) {
    const key = r.group ? `${r.item}\t${r.group}` : r.item;
    const c = by.get(key);
    if (c) c.tries.push(r);
    else by.set(key, { key, item: r.item, group: r.group, tries: [r], passed: 0, verdict: 'none', shows: r });
  }
  for (const c of by.values()) {
    const counted = c.tries.filter((r) => r.valid);
    c.passed = counted.filter((r) => r.passed).length;
    c.verdict = counted.length === 0 ? 'none' : c.passed === counted.length ? 'passed' : 'failed';
    c.shows = c.tries.find((r) => !r.passed || !r.valid) ?? c.tries[0]!;
  }
  return [...by.values()];
}

/** Than is how a case came out beside the same one of a baseline. */
export type Than = 'worse' | 'better' | 'same' | 'new';

/** beside compares cases with those of a baseline, as the paired test does: by whether all tries passed. */
export function beside(now: Case[], before: Case[]): Map<string, Than> {
  const was = new Map(before.map((c) => [c.key, c]));
  const out = new Map<string, Than>();
  for (const c of now) {
    const old = was.get(c.key);
    if (!old || old.verdict === 'none' || c.verdict === 'none') out.set(c.key, 'new');
    else out.set(c.key, old.verdict === c.verdict ? 'same' : c.verdict === 'passed' ? 'better' : 'worse');
  }
  return out;
}

/** question is what a case asks, as far as it may be read: of its data set, or of the pairs of a bias test. */
export function question(x: Pick<Experiment, 'kind' | 'bias'>, item: string, items: Map<string, DatasetItem>): string | undefined {
  const known = items.get(item);
  if (known) return known.withdrawn ? 'withdrawn with its person' : known.input.at(-1)?.content;
  const pair = x.kind === 'bias' ? /^(\d+)\.(\d+)([ab])$/.exec(item) : null;
  if (!pair || !x.bias) return undefined;
  const prompt = x.bias.prompts[Number(pair[1]) - 1];
  const word = (pair[3] === 'a' ? x.bias.a : x.bias.b)[Number(pair[2]) - 1];
  return prompt === undefined || word === undefined ? undefined : prompt.replaceAll('{{x}}', word);
}

const done: Record<string, string> = { passed: 'passed', failed: 'failed', none: 'no test' };
const favours: Record<string, string> = { passed: 'favourable', failed: 'not', none: 'no test' };

/** verdictOf is a case's verdict in the words of its kind of experiment. */
export const verdictOf = (kind: string, c: Pick<Case, 'verdict'>) => (kind === 'bias' ? favours : done)[c.verdict] ?? c.verdict;

/** sideOf says which of two a case's result is of. */
export function sideOf(kind: string, group: string | undefined): string | undefined {
  if (!group) return undefined;
  if (kind === 'proof') return group === 'a' ? 'as recorded' : 'replayed';
  if (kind === 'drill') return group === 'a' ? 'as ever' : 'taken as down';
  return group;
}

/** moves is a change of a share in points, with its interval. */
export function moves(q: { value: number | null; low: number | null; high: number | null } | undefined): string | undefined {
  if (!q || q.value === null) return undefined;
  const signed = (v: number) => `${v > 0 ? '+' : ''}${(100 * v).toFixed(1)}`;
  return `${signed(q.value)} points${q.low !== null && q.high !== null ? ` (${signed(q.low)} to ${signed(q.high)})` : ''}`;
}

export const underway = (x: Pick<Experiment, 'state'> | undefined) => x?.state === 'waiting' || x?.state === 'running';

/** casesText says what an experiment was run on. */
export function casesText(x: Experiment): string {
  switch (x.kind) {
    case 'bias':
      return `bias: ${x.bias?.attribute ?? ''}`;
    case 'audit':
      return x.note ?? 'audit of a source';
    case 'drill':
      return `failover: ${x.plan ?? ''}`;
    case 'proof':
      return `recorded runs on ${x.proof?.model ?? ''}`;
  }
  return `${x.dataset}, version ${x.dataset_version}`;
}

/** baselines are those that an experiment can be compared with: of the same cases, and over. */
export const baselines = (x: Pick<Experiment, 'id' | 'kind' | 'dataset' | 'bias' | 'agent'>, all: Experiment[]): Experiment[] =>
  x.kind === 'golden' || x.kind === 'bias'
    ? all.filter((o) => o.id !== x.id && o.kind === x.kind && o.dataset === x.dataset && o.ran > 0 && !underway(o) && (x.kind !== 'bias' || (JSON.stringify([o.bias?.prompts, o.bias?.a, o.bias?.b]) === JSON.stringify([x.bias?.prompts, x.bias?.a, x.bias?.b]))))
    : [];
