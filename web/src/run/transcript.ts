// The transcript: what was said in a run, in order, each thing once. Agents
// resend their whole history with every model call; what was already shown is
// folded to one line that says so, and what a call no longer sent is named.

import type { LightStep, Message } from './data';
import { sameCall } from './graph';
import { countRanges, expandRanges, parseRanges } from './ordinals';
import type { Tree } from './tree';

/** One row of the transcript. Every row belongs to a step, so that selection can be shared. */
export type Row =
  | { type: 'agent'; step: number; depth: number; name: string; fromAgent: string }
  | { type: 'call'; step: number; depth: number }
  | { type: 'resent'; step: number; depth: number; ordinals: number[]; places: number[]; of: number; dropped: number[] }
  | { type: 'earlier'; step: number; depth: number; ordinals: number[] }
  | { type: 'message'; step: number; depth: number; ordinal: number; out: boolean; tools: Map<string, number> }
  | { type: 'tool'; step: number; depth: number; args: number[]; result: number[]; repeat: number; asked: boolean; inner: boolean }
  | { type: 'step'; step: number; depth: number; ordinals: number[] }
  | { type: 'silent'; step: number; depth: number; what: 'input' | 'output' | 'both' };

const CONTAINERS = new Set(['agent', 'workflow', 'task', 'plan', 'other', 'prompt']);
const TOOLS = new Set(['tool', 'mcp', 'a2a']);

/** textKey is what a message says, without its form: the same words given as an answer and resent as history are one thing. */
export function textKey(m: Message): string {
  let out = '';
  for (const p of m.parts ?? []) {
    if (p.type === 'reasoning') continue;
    if (p.type === 'tool_call') out += `\u0001call ${p.name ?? ''} ${p.id ?? ''} ${p.id ? '' : squash(p.arguments ?? '')}`;
    else if (p.type === 'tool_call_response') out += `\u0001result ${p.id ?? ''} ${p.id ? '' : squash(p.text ?? p.data ?? '')}`;
    else out += `\u0001${squash(p.text ?? p.uri ?? p.data ?? '')}`;
  }
  return out.length < 3 ? '' : out;
}

function squash(s: string): string {
  return s.replace(/\s+/g, ' ').trim();
}

/** More history than this at the first call of a run is folded: it was said in earlier runs. */
const HISTORY_SHOWN = 6;

/** buildTranscript lays out the rows. Without messages it still lays out the steps. */
export function buildTranscript(t: Tree, messages: ReadonlyMap<number, Message>): Row[] {
  const rows: Row[] = [];
  const shown = new Set<number>();
  const shownKeys = new Set<string>();
  const keyCache = new Map<number, string>();
  const keyOf = (o: number): string => {
    let k = keyCache.get(o);
    if (k === undefined) {
      const m = messages.get(o);
      k = m ? textKey(m) : '';
      keyCache.set(o, k);
    }
    return k;
  };
  const isShown = (o: number) => shown.has(o) || (keyOf(o) !== '' && shownKeys.has(keyOf(o)));
  const show = (o: number) => {
    shown.add(o);
    const k = keyOf(o);
    if (k) shownKeys.add(k);
  };

  const toolOf = new Map<string, number>();
  for (let i = 0; i < t.n; i++) {
    const id = t.steps[i]!.tool?.call_id;
    if (id && !toolOf.has(id)) toolOf.set(id, i);
  }
  const askedFor = new Set<string>();
  const times = new Map<string | number, number>(); // how often one history said a thing
  const lastOf = new Map<string, number[]>(); // agent -> what its last call was given
  const calls = new Map<string, number>(); // tool and arguments -> times called

  // Some senders dump a step's whole input as JSON beside its messages, and
  // frameworks their state: with messages at hand those say nothing new here.
  // The step's panel shows them.
  let talk = false;
  for (const m of messages.values()) if (m.role) talk = true;
  const isDump = (o: number) => {
    const m = messages.get(o);
    return talk && m !== undefined && !m.role && (m.field === 'input' || m.field === 'output') && (m.parts ?? []).every((p) => p.type === 'json' || p.type === 'data');
  };
  const words = (list: number[]) => {
    const out = list.filter((o) => !isDump(o));
    return out.length ? out : list;
  };

  // What an agent step was given or gave back and its calls say too is shown with the calls.
  const told = new Set<number>();
  const toldKeys = new Set<string>();
  for (let i = 0; i < t.n; i++) {
    const s = t.steps[i]!;
    if (s.kind !== 'model' || !s.message_refs) continue;
    for (const field of ['system', 'input', 'output'])
      for (const o of expandRanges(parseRanges(s.message_refs[field]))) {
        if (told.has(o)) continue;
        told.add(o);
        const k = keyOf(o);
        if (k) toldKeys.add(k);
      }
  }
  const isTold = (o: number) => told.has(o) || (keyOf(o) !== '' && toldKeys.has(keyOf(o)));

  // Outputs of containers come after everything below them.
  const closing: { at: number; step: number; ordinals: number[] }[] = [];
  const close = (upTo: number) => {
    while (closing.length && closing[closing.length - 1]!.at <= upTo) {
      const c = closing.pop()!;
      const fresh = c.ordinals.filter((o) => !isShown(o) && !isTold(o) && !isDump(o));
      for (const o of fresh) {
        show(o);
        rows.push({ type: 'message', step: c.step, depth: t.depth[c.step]!, ordinal: o, out: true, tools: NONE });
      }
    }
  };

  for (let k = 0; k < t.n; k++) {
    const i = t.order[k]!;
    const s = t.steps[i]!;
    const depth = agentDepth(t, i);
    close(k);
    const refs = s.message_refs ?? {};

    if (s.kind === 'model') {
      // A model step around another model step is a wrapper of the same call.
      if (hasModelBelow(t, i)) continue;
      rows.push({ type: 'call', step: i, depth });
      const system = expandRanges(parseRanges(refs.system));
      const input = words(expandRanges(parseRanges(refs.input)));
      const output = words(expandRanges(parseRanges(refs.output)));
      const given = [...system, ...input];
      const who = agentOf(t, i);
      const before = lastOf.get(who);
      const resent: number[] = [];
      const places: number[] = [];
      const fresh: number[] = [];
      // A user may say the same words twice: the second time is news, although
      // both are one stored message.
      const inList = new Map<string | number, number>();
      given.forEach((o, at) => {
        const id = keyOf(o) || o;
        const nth = (inList.get(id) ?? 0) + 1;
        inList.set(id, nth);
        if (nth <= (times.get(id) ?? (isShown(o) ? 1 : 0))) {
          resent.push(o);
          places.push(at);
        } else {
          fresh.push(o);
          times.set(id, nth);
        }
      });
      let dropped: number[] = [];
      if (before && given.length) {
        const now = new Set(given);
        const nowKeys = new Set(given.map(keyOf));
        dropped = before.filter((o) => !now.has(o) && !(keyOf(o) && nowKeys.has(keyOf(o))));
      }
      if (resent.length || dropped.length) rows.push({ type: 'resent', step: i, depth, ordinals: resent, places, of: given.length, dropped });
      if (given.length) lastOf.set(who, given);
      for (const o of fresh) show(o);
      let listed = fresh;
      if (!before && resent.length === 0 && fresh.length > HISTORY_SHOWN) {
        const head = fresh.filter((o) => messages.get(o)?.role === 'system' || system.includes(o));
        const rest = fresh.filter((o) => !head.includes(o));
        const keep = rest.slice(-2);
        for (const o of head) rows.push({ type: 'message', step: i, depth, ordinal: o, out: false, tools: NONE });
        const early = rest.slice(0, -2);
        if (early.length) rows.push({ type: 'earlier', step: i, depth, ordinals: early });
        listed = keep;
      }
      for (const o of listed) rows.push({ type: 'message', step: i, depth, ordinal: o, out: false, tools: toolsIn(messages.get(o), toolOf, null) });
      for (const o of output) {
        const id = keyOf(o) || o;
        times.set(id, Math.max(times.get(id) ?? 0, (inList.get(id) ?? 0) + 1));
        show(o);
        rows.push({ type: 'message', step: i, depth, ordinal: o, out: true, tools: toolsIn(messages.get(o), toolOf, askedFor) });
      }
      if (!given.length || !output.length) {
        if (s.status !== 'running')
          rows.push({ type: 'silent', step: i, depth, what: !given.length ? (output.length ? 'input' : 'both') : 'output' });
      }
      continue;
    }

    if (TOOLS.has(s.kind)) {
      const args = expandRanges(parseRanges(refs.arguments ?? refs.input));
      const result = expandRanges(parseRanges(refs.result ?? refs.output));
      const same = `${s.tool?.name ?? s.name}\u0000${refs.arguments ?? refs.input ?? `?${i}`}`;
      const inner = sameCall(t, i) >= 0;
      const nth = inner ? 1 : (calls.get(same) ?? 0) + 1;
      if (!inner) calls.set(same, nth);
      for (const o of [...args, ...result]) show(o);
      // The model's later "tool" message repeats this result under the call's id.
      const id = s.tool?.call_id;
      if (id) shownKeys.add(`\u0001result ${id} `);
      rows.push({ type: 'tool', step: i, depth, args, result, repeat: nth, asked: id ? askedFor.has(id) : false, inner });
      continue;
    }

    if (CONTAINERS.has(s.kind)) {
      const agent = agentOf(t, i);
      const p = t.parent[i]!;
      const above = p >= 0 ? agentOf(t, p) : '';
      if (s.kind === 'agent' && agent !== above) rows.push({ type: 'agent', step: i, depth, name: agent, fromAgent: above });
      const input = expandRanges(parseRanges(refs.input));
      const fresh = input.filter((o) => !isShown(o) && !isTold(o) && !isDump(o));
      for (const o of fresh) {
        show(o);
        rows.push({ type: 'message', step: i, depth, ordinal: o, out: false, tools: NONE });
      }
      const output = expandRanges(parseRanges(refs.output));
      if (output.length) closing.push({ at: t.after[i]!, step: i, ordinals: output });
      if (t.childCount[i] === 0 && s.status === 'error') rows.push({ type: 'step', step: i, depth, ordinals: [] });
      continue;
    }

    const all = [refs.query, refs.input, refs.arguments, refs.documents, refs.result, refs.output].flatMap((r) => expandRanges(parseRanges(r)));
    const fresh = [...new Set(all)].filter((o) => !isShown(o));
    for (const o of fresh) show(o);
    rows.push({ type: 'step', step: i, depth, ordinals: fresh });
  }
  close(t.n);
  return rows;
}

const NONE: Map<string, number> = new Map();

function toolsIn(m: Message | undefined, toolOf: Map<string, number>, asked: Set<string> | null): Map<string, number> {
  let out = NONE;
  for (const p of m?.parts ?? []) {
    if (p.type !== 'tool_call' || !p.id) continue;
    asked?.add(p.id);
    const at = toolOf.get(p.id);
    if (at === undefined) continue;
    if (out === NONE) out = new Map();
    out.set(p.id, at);
  }
  return out;
}

function hasModelBelow(t: Tree, i: number): boolean {
  for (let k = t.rank[i]! + 1; k < t.after[i]!; k++) if (t.steps[t.order[k]!]!.kind === 'model') return true;
  return false;
}

/** agentOf is the agent a step belongs to: the nearest agent step's, else what the step says. */
export function agentOf(t: Tree, i: number): string {
  for (let p = i; p >= 0; p = t.parent[p]!) {
    const s = t.steps[p]!;
    if (s.kind === 'agent') return s.agent || s.name;
  }
  return t.steps[i]!.agent ?? '';
}

function agentDepth(t: Tree, i: number): number {
  let d = -1;
  for (let p = i; p >= 0; p = t.parent[p]!) if (t.steps[p]!.kind === 'agent') d++;
  return Math.min(Math.max(d, 0), 4);
}

/** What of a call's history changed against the call before it. */
export interface HistoryChange {
  kept: number;
  added: number[];
  dropped: number[];
  /** true when messages were dropped or replaced: the agent trimmed or rewrote its history */
  rewritten: boolean;
}

/** historyChange compares what two calls were given. */
export function historyChange(before: string | undefined, now: string | undefined): HistoryChange {
  const a = expandRanges(parseRanges(before));
  const b = expandRanges(parseRanges(now));
  const inB = new Set(b);
  const inA = new Set(a);
  const dropped = a.filter((o) => !inB.has(o));
  const added = b.filter((o) => !inA.has(o));
  return { kept: b.length - added.length, added, dropped, rewritten: dropped.length > 0 };
}

/** previousCall is the model call before this one by the same agent; -1 when it is the first. */
export function previousCall(t: Tree, i: number): number {
  const who = agentOf(t, i);
  for (let k = t.rank[i]! - 1; k >= 0; k--) {
    const j = t.order[k]!;
    if (t.steps[j]!.kind === 'model' && t.childCount[j] === 0 && agentOf(t, j) === who) return j;
  }
  return -1;
}

/** inputCount is how many messages a step was given. */
export function inputCount(s: LightStep): number {
  return countRanges(parseRanges(s.message_refs?.input)) + countRanges(parseRanges(s.message_refs?.system));
}
