// The verdict: why a run ended as it did, in words made only of what was seen.
// Every figure names where it leads; what is unknown is said, not left out.

import { count, money } from '../shared/format';
import type { Cost, LightStep, Usage } from './data';
import { repeats } from './graph';
import { formatDuration } from './scale';
import { plain } from './visible';
import { agentOf } from './transcript';
import type { Tree } from './tree';

/** Where a piece of the sentence leads. */
export type Target = { step: string } | { panel: 'logs' | 'metrics' | 'transcript' } | { lane: 'behaviour' | 'decisions' } | { filter: string };

/** A piece of the verdict. */
export interface Bit {
  text: string;
  to?: Target;
  tone?: 'bad' | 'warn' | 'good' | 'unknown' | 'live';
}

/** The verdict of a run: a headline and the facts after it. */
export interface Verdict {
  headline: Bit[];
  facts: Bit[][];
}

/** What the verdict needs of a run. */
export interface VerdictRun {
  status: string;
  outcome?: string | null;
  failed?: boolean;
  error_type?: string;
  started_at: string;
  updated_at?: string;
  duration_ms?: number | null;
  step_count: number;
  error_count: number;
  model_calls: number;
  tool_calls: number;
  usage: Usage;
  cost: Cost;
  models?: string[] | null;
  coverage?: { model_calls: number; unknown_usage_calls: number; unknown_cost_calls: number; root_seen: boolean; flags?: string[] } | null;
}

/** cause follows failing steps from the root down to the one that failed first in itself: deepest last error. */
export function cause(t: Tree): number {
  const failing = t.roots.filter((r) => t.errors[r]! > 0);
  if (failing.length === 0) return -1;
  let at = failing.reduce((a, b) => (t.end[b]! >= t.end[a]! ? b : a));
  for (;;) {
    let next = -1;
    for (let k = t.rank[at]! + 1; k < t.after[at]!;) {
      const c = t.order[k]!;
      if (t.errors[c]! > 0 && (next < 0 || t.end[c]! >= t.end[next]!)) next = c;
      k = t.after[c]!;
    }
    if (next < 0) return at;
    // A root that failed by itself after its children recovered is its own cause.
    if (t.steps[at]!.status === 'error' && t.steps[next]!.status !== 'error' && ownError(t.steps[at]!)) return at;
    at = next;
  }
}

function ownError(s: LightStep): boolean {
  return Boolean(s.error?.message || s.error?.type);
}

/** ownEnd is the failed root whose error is its own: none of the steps below it names the same kind; -1 when there is none. */
function ownEnd(run: VerdictRun, t: Tree): number {
  const root = t.roots.find((r) => t.steps[r]!.status === 'error' && ownError(t.steps[r]!));
  if (root === undefined) return -1;
  const type = t.steps[root]!.error?.type || run.error_type;
  if (!type) return -1;
  for (let i = 0; i < t.n; i++) {
    const e = t.steps[i]!.error;
    if (i !== root && t.steps[i]!.status === 'error' && (e?.type === type || (e?.message && e.message === t.steps[root]!.error?.message))) return -1;
  }
  return root;
}

/** From this many calls of one tool, and half of all, the verdict names it. */
const MANY_CALLS = 20;

/** mostCalled is the tool that took at least half of the calls of a run with many. */
export function mostCalled(t: Tree): { name: string; count: number; first: number } | null {
  const by = new Map<string, { name: string; count: number; first: number }>();
  let all = 0;
  for (const i of t.order) {
    const s = t.steps[i]!;
    if (s.kind !== 'tool') continue;
    all++;
    const name = s.tool?.name || s.name;
    const have = by.get(name);
    if (have) have.count++;
    else by.set(name, { name, count: 1, first: i });
  }
  let most: { name: string; count: number; first: number } | null = null;
  for (const c of by.values()) if (!most || c.count > most.count) most = c;
  return most && most.count >= MANY_CALLS && most.count * 2 >= all ? most : null;
}

/** longestLeaf is the leaf step that took longest; -1 for none. */
export function longestLeaf(t: Tree): number {
  let best = -1;
  for (let i = 0; i < t.n; i++) if (t.childCount[i] === 0 && (best < 0 || t.end[i]! - t.start[i]! > t.end[best]! - t.start[best]!)) best = i;
  return best;
}

/** stepLabel names a step for a sentence: "tool lookup_order", "model gpt-4o-mini". */
export function stepLabel(s: LightStep): string {
  const name = s.kind === 'tool' ? s.tool?.name || s.name : s.kind === 'model' ? s.model || s.name : s.name;
  return plain(`${s.kind === 'other' ? '' : `${s.kind} `}${name}`, 80);
}

/** verdict says why the run ended as it did. now is ms since 1970, for what still runs. */
export function verdict(run: VerdictRun, t: Tree, now: number): Verdict {
  const took = formatDuration(run.duration_ms);
  const bad = cause(t);
  const head: Bit[] = [];
  const because = (i: number): Bit[] => {
    const s = t.steps[i]!;
    const what = s.error?.message
      ? plain(firstLine(s.error.message), 160)
      : s.error?.type
        ? plain(s.error.type, 80)
        : 'an error that its sender did not describe';
    const kind = s.error?.type && s.error.message ? `${plain(s.error.type, 80)}: ` : '';
    return [{ text: stepLabel(s), to: { step: s.id }, tone: 'bad' }, { text: ` ended with ${kind}${what}` }];
  };

  if (run.status === 'running') {
    const started = Date.parse(run.started_at);
    head.push({ text: `Running for ${formatDuration(Math.max(0, now - started))}`, tone: 'live' });
    const open = deepestRunning(t);
    if (open >= 0) {
      head.push({ text: ', now in ' }, { text: stepLabel(t.steps[open]!), to: { step: t.steps[open]!.id } });
      head.push({ text: ` since ${formatDuration(Math.max(0, now - t.baseMs - t.start[open]!))}` });
    } else if (t.n > 0) {
      const last = lastEnded(t);
      head.push({ text: '; last seen: ' }, { text: stepLabel(t.steps[last]!), to: { step: t.steps[last]!.id } });
      head.push({ text: ` ${formatDuration(Math.max(0, now - t.baseMs - t.end[last]!))} ago (steps arrive when they end)` });
    }
    head.push({ text: '.' });
  } else if (run.status === 'waiting') {
    head.push({ text: 'Waiting', tone: 'warn' });
    const open = deepestRunning(t);
    const at = open >= 0 ? open : t.n ? lastEnded(t) : -1;
    if (at >= 0) head.push({ text: ' at ' }, { text: stepLabel(t.steps[at]!), to: { step: t.steps[at]!.id } });
    head.push({ text: '.' });
  } else if (run.status === 'stale') {
    head.push({ text: 'Went silent', tone: 'warn' }, { text: ' without an end' });
    if (t.n > 0) {
      const last = lastEnded(t);
      head.push({ text: '; the last sign was ' }, { text: stepLabel(t.steps[last]!), to: { step: t.steps[last]!.id } });
    }
    head.push({ text: '. How it ended is unknown.' });
  } else if (run.failed) {
    head.push({ text: `Failed after ${took}`, tone: 'bad' });
    // What the root says of its own end is the reason; a step that failed on the
    // way may have been recovered from.
    const root = ownEnd(run, t);
    if (root >= 0 && root !== bad) {
      head.push({ text: ': ' }, ...because(root), { text: '.' });
      if (bad >= 0) head.push({ text: ' Before that, ' }, ...because(bad), { text: '.' });
    } else if (bad >= 0) head.push({ text: ': ' }, ...because(bad), { text: '.' });
    else head.push({ text: run.error_type ? `: ${plain(run.error_type, 120)}.` : '; its sender did not say why.' });
  } else if (run.error_count > 0 && bad >= 0) {
    head.push({ text: `Ended after ${took}`, tone: 'warn' }, { text: `, although ` });
    head.push({ text: `${run.error_count} ${plural(run.error_count, 'step')} failed on the way`, to: { filter: 'error' }, tone: 'warn' });
    head.push({ text: '; the last: ' }, ...because(bad), { text: '.' });
  } else {
    head.push({ text: `Ended without error after ${took}.`, tone: 'good' });
  }
  const most = mostCalled(t);
  if (most) head.push({ text: ` ${num(most.count)} calls of ` }, { text: plain(most.name, 60), to: { step: t.steps[most.first]!.id }, tone: 'warn' }, { text: '.' });
  if (run.status === 'done') {
    if (run.outcome) head.push({ text: ` Outcome: ${plain(run.outcome, 40)}.` });
    else if (run.failed) head.push({ text: ' No outcome was reported: it counts as failed.', tone: 'unknown' });
    else head.push({ text: ' Whether it helped its user is unknown: no outcome was reported.', tone: 'unknown' });
  }

  const facts: Bit[][] = [];
  facts.push([
    { text: `${num(run.model_calls)} model ${plural(run.model_calls, 'call')}`, to: { filter: 'model' } },
    { text: ', ' },
    { text: `${num(run.tool_calls)} tool ${plural(run.tool_calls, 'call')}`, to: { filter: 'tool' } },
    { text: `, ${num(run.step_count)} ${plural(run.step_count, 'step')}` },
  ]);
  facts.push(tokens(run));
  facts.push(spent(run));
  const long = longestLeaf(t);
  if (long >= 0 && t.total > 0 && t.n > 1) {
    const ms = t.end[long]! - t.start[long]!;
    const share = Math.round((ms / t.total) * 100);
    if (ms > 0)
      facts.push([
        { text: 'longest: ' },
        { text: stepLabel(t.steps[long]!), to: { step: t.steps[long]!.id } },
        { text: ` ${formatDuration(ms)}${share >= 1 ? ` (${share} %)` : ''}` },
      ]);
  }
  const again = repeats(t)[0];
  if (again && again.count >= 3) {
    facts.push([
      {
        text: `${plain(again.name, 60)} called ${again.count} times ${again.sameArguments ? 'with the same arguments' : 'in a row'}`,
        to: { lane: 'behaviour' },
        tone: 'warn',
      },
    ]);
  }
  const unknown = unknowns(run, t);
  if (unknown.length) facts.push([{ text: `Unknown: ${unknown.join('; ')}`, tone: 'unknown' }]);
  return { headline: head, facts };
}

function tokens(run: VerdictRun): Bit[] {
  const u = run.usage;
  if (u.input_total == null && u.output_total == null)
    return [{ text: run.model_calls ? 'tokens unknown' : 'no tokens', tone: run.model_calls ? 'unknown' : undefined }];
  const cached = u.input_cache_read && u.input_total ? ` (${Math.round((u.input_cache_read / u.input_total) * 100)} % from cache)` : '';
  return [{ text: `${numOr(u.input_total)} tokens in${cached}, ${numOr(u.output_total)} out` }];
}

function spent(run: VerdictRun): Bit[] {
  const c = run.cost;
  // Zero beside calls without a price is the sum of nothing known.
  if (c.amount == null || (c.amount === 0 && (run.coverage?.unknown_cost_calls ?? 0) > 0)) return [{ text: run.model_calls ? 'cost unknown' : 'no model cost', tone: run.model_calls ? 'unknown' : undefined }];
  const least = (run.coverage?.unknown_cost_calls ?? 0) > 0 ? 'at least ' : '';
  return [{ text: `${least}${formatMoney(c.amount, c.currency)}` }, { text: ` ${basisWords(c.basis)}` }];
}

/** basisWords says where a cost comes from. */
export function basisWords(basis: string | undefined): string {
  switch (basis) {
    case 'provider':
      return 'as its sender reported';
    case 'rate_card':
      return "by the organisation's rate card";
    case 'imported':
      return 'by an imported price file';
    case 'book':
      return 'by the price book';
    default:
      return 'of unknown basis';
  }
}

function unknowns(run: VerdictRun, t: Tree): string[] {
  const out: string[] = [];
  const c = run.coverage;
  if (c) {
    if (c.unknown_usage_calls > 0) out.push(`tokens of ${c.unknown_usage_calls} of ${c.model_calls} model calls`);
    if (c.unknown_cost_calls > 0) out.push(`cost of ${c.unknown_cost_calls} of ${c.model_calls}`);
    if (!c.root_seen) out.push('the root step has not arrived');
  }
  let orphans = 0;
  for (const i of t.roots) if (t.repair[i]! & 1) orphans++;
  if (orphans > 0 && c?.root_seen !== false) out.push(`the parents of ${orphans} ${plural(orphans, 'step')}`);
  return out;
}

function deepestRunning(t: Tree): number {
  let best = -1;
  for (let i = 0; i < t.n; i++)
    if (
      t.steps[i]!.status === 'running' &&
      (best < 0 || t.start[i]! > t.start[best]! || (t.start[i] === t.start[best] && t.depth[i]! > t.depth[best]!))
    )
      best = i;
  return best;
}

function lastEnded(t: Tree): number {
  let best = 0;
  for (let i = 1; i < t.n; i++) if (t.end[i]! > t.end[best]! || (t.end[i] === t.end[best] && t.depth[i]! > t.depth[best]!)) best = i;
  return best;
}

function firstLine(s: string): string {
  const at = s.search(/[\r\n]/);
  return at < 0 ? s : s.slice(0, at);
}

/** num writes a count with its thousands grouped. */
export function num(x: number): string {
  return count(x) ?? 'unknown';
}

function numOr(x: number | null | undefined): string {
  return x == null ? 'unknown' : num(x);
}

function plural(n: number, word: string): string {
  return n === 1 ? word : `${word}s`;
}

/** formatMoney writes an amount, or that it is unknown. */
export function formatMoney(amount: number | null | undefined, currency?: string): string {
  return money(amount, currency || 'USD') ?? 'unknown';
}

/** agentName is the agent a step belongs to, for labels. */
export function agentName(t: Tree, i: number): string {
  return plain(agentOf(t, i), 80);
}
