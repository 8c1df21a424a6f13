// What is different: a selection of runs against others, feature by feature.
// It says how many runs stand behind each figure, and calls a difference a
// difference only where chance is an unlikely explanation.

/** What the comparison reads of a run; a value of the API's Run fits. */
export interface ComparedRun {
  id: string;
  agent: string;
  version?: string;
  task?: string;
  environment?: string;
  team?: string;
  mode?: string;
  user?: string;
  status: string;
  outcome?: string | null;
  failed?: boolean;
  error_type?: string;
  duration_ms?: number | null;
  step_count: number;
  error_count: number;
  model_calls: number;
  tool_calls: number;
  usage: { input_total?: number | null; output_total?: number | null };
  cost: { amount?: number | null };
  models?: string[] | null;
  tools?: string[] | null;
  agents?: string[] | null;
  dialects?: string[] | null;
}

/** One value of one feature on both sides. */
export interface Difference {
  field: string;
  value: string;
  /** runs with it among the selected, and among the others */
  a: number;
  b: number;
  shareA: number;
  shareB: number;
  /** the 99 % interval of the difference of shares */
  low: number;
  high: number;
  /** the interval does not hold zero */
  clear: boolean;
}

/** One measure on both sides, over the runs where it is known. */
export interface NumberDifference {
  field: string;
  nA: number;
  nB: number;
  medianA: number | null;
  medianB: number | null;
  p95A: number | null;
  p95B: number | null;
  clear: boolean;
}

/** The whole comparison. */
export interface Comparison {
  nA: number;
  nB: number;
  differences: Difference[];
  numbers: NumberDifference[];
}

/** The features compared; a run may have several values of one. The name is also the search field. */
export const FEATURES: [string, (r: ComparedRun) => readonly (string | null | undefined)[]][] = [
  ['agent', (r) => [r.agent]],
  ['version', (r) => (r.version ? [`${r.agent} ${r.version}`] : [null])],
  ['model', (r) => r.models ?? []],
  ['tool', (r) => r.tools ?? []],
  ['error_type', (r) => [r.error_type || (r.error_count > 0 ? 'error without a type' : 'none')]],
  ['outcome', (r) => [r.outcome ?? 'unknown']],
  ['status', (r) => [r.status]],
  ['task', (r) => [r.task]],
  ['team', (r) => [r.team]],
  ['environment', (r) => [r.environment]],
  ['mode', (r) => [r.mode]],
  ['user', (r) => [r.user]],
];

const NUMBERS: [string, (r: ComparedRun) => number | null | undefined][] = [
  ['duration', (r) => r.duration_ms],
  ['cost', (r) => r.cost.amount],
  ['input tokens', (r) => r.usage.input_total],
  ['output tokens', (r) => r.usage.output_total],
  ['steps', (r) => r.step_count],
  ['model calls', (r) => r.model_calls],
  ['tool calls', (r) => r.tool_calls],
  ['errors', (r) => r.error_count],
];

// 99 % rather than 95: dozens of features are looked at together, and one in
// twenty would differ by chance.
const Z = 2.576;

/** compareRuns compares a selection with others. */
export function compareRuns(selected: readonly ComparedRun[], others: readonly ComparedRun[]): Comparison {
  const nA = selected.length;
  const nB = others.length;
  const differences: Difference[] = [];
  for (const [field, read] of FEATURES) {
    const a = tally(selected, read);
    const b = tally(others, read);
    for (const value of new Set([...a.keys(), ...b.keys()])) {
      const ca = a.get(value) ?? 0;
      const cb = b.get(value) ?? 0;
      if (ca === nA && cb === nB) continue;
      const [low, high] = differenceInterval(ca, nA, cb, nB);
      differences.push({
        field,
        value,
        a: ca,
        b: cb,
        shareA: nA ? ca / nA : 0,
        shareB: nB ? cb / nB : 0,
        low,
        high,
        clear: nA > 0 && nB > 0 && (low > 0 || high < 0),
      });
    }
  }
  // What the selection has more of comes before what it has less of; then the
  // surest first: by how far the interval stays from zero, then by size.
  const sure = (d: Difference) => Math.max(0, d.low, -d.high);
  const more = (d: Difference) => (d.clear && d.shareA > d.shareB ? 1 : 0);
  differences.sort(
    (x, y) =>
      Number(y.clear) - Number(x.clear) ||
      more(y) - more(x) ||
      sure(y) - sure(x) ||
      Math.abs(y.shareA - y.shareB) - Math.abs(x.shareA - x.shareB) ||
      y.a + y.b - x.a - x.b,
  );
  const numbers = NUMBERS.map(([field, read]) => {
    const a = known(selected, read);
    const b = known(others, read);
    return {
      field,
      nA: a.length,
      nB: b.length,
      medianA: quantile(a, 0.5),
      medianB: quantile(b, 0.5),
      p95A: quantile(a, 0.95),
      p95B: quantile(b, 0.95),
      clear: Math.abs(rankZ(a, b)) > Z && a.length >= 5 && b.length >= 5,
    };
  });
  return { nA, nB, differences, numbers };
}

function tally(runs: readonly ComparedRun[], read: (r: ComparedRun) => readonly (string | null | undefined)[]): Map<string, number> {
  const out = new Map<string, number>();
  for (const r of runs) for (const v of new Set(read(r))) if (v) out.set(v, (out.get(v) ?? 0) + 1);
  return out;
}

function known(runs: readonly ComparedRun[], read: (r: ComparedRun) => number | null | undefined): number[] {
  const out: number[] = [];
  for (const r of runs) {
    const v = read(r);
    if (v != null && Number.isFinite(v)) out.push(v);
  }
  return out.sort((x, y) => x - y);
}

/** quantile of a sorted list, by the nearest rank; null when it is empty. */
export function quantile(sorted: readonly number[], q: number): number | null {
  if (sorted.length === 0) return null;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]!;
}

/** wilson is the interval of a share k of n. */
export function wilson(k: number, n: number, z = 1.96): [number, number] {
  if (n === 0) return [0, 1];
  const p = k / n;
  const d = 1 + (z * z) / n;
  const mid = (p + (z * z) / (2 * n)) / d;
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / d;
  return [Math.max(0, mid - half), Math.min(1, mid + half)];
}

/** differenceInterval is Newcombe's interval of the difference of two shares. */
export function differenceInterval(ka: number, na: number, kb: number, nb: number): [number, number] {
  const pa = na ? ka / na : 0;
  const pb = nb ? kb / nb : 0;
  const [la, ua] = wilson(ka, na, Z);
  const [lb, ub] = wilson(kb, nb, Z);
  const d = pa - pb;
  return [d - Math.hypot(pa - la, ub - pb), d + Math.hypot(ua - pa, pb - lb)];
}

/** rankZ is the z value of the Mann-Whitney test, with ties sharing ranks. */
export function rankZ(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const m = b.length;
  if (n === 0 || m === 0) return 0;
  const all = [...a.map((v) => [v, 0] as const), ...b.map((v) => [v, 1] as const)].sort((x, y) => x[0] - y[0]);
  let sum = 0;
  let ties = 0;
  for (let i = 0; i < all.length;) {
    let j = i;
    while (j < all.length && all[j]![0] === all[i]![0]) j++;
    const rank = (i + 1 + j) / 2;
    for (let k = i; k < j; k++) if (all[k]![1] === 0) sum += rank;
    const t = j - i;
    ties += t * t * t - t;
    i = j;
  }
  const total = n + m;
  const u = sum - (n * (n + 1)) / 2;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1) || 1));
  return variance > 0 ? (u - (n * m) / 2) / Math.sqrt(variance) : 0;
}
