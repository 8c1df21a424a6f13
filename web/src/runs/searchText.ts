// The search language as text in a box: its top-level terms as chips, and what
// can come next at the caret. The server parses it for real; this only needs
// to know where terms begin and end.

/** A field that can be searched, as GET /search/fields lists it. */
export interface SearchField {
  name: string;
  type?: string;
  scope?: string;
  description?: string;
  values?: string[] | null;
  unit?: string;
  [more: string]: unknown;
}

/** A term of the top level. field is "" for words, groups and functions. */
export interface Term {
  from: number;
  to: number;
  text: string;
  negated: boolean;
  field: string;
  op: string;
  values: string[];
}

const TERM = /^(-|!|not\s+)?([a-z_][\w.]*)(:|!=|>=|<=|>|<|=|~)(.*)$/is;

/** terms cuts a search into its top-level terms: quotes and parentheses hold together. */
export function terms(text: string): Term[] {
  const out: Term[] = [];
  let i = 0;
  while (i < text.length) {
    if (/\s/.test(text[i]!)) {
      i++;
      continue;
    }
    const from = i;
    let depth = 0;
    let quoted = false;
    for (; i < text.length; i++) {
      const c = text[i]!;
      if (c === '\\' && quoted) i++;
      else if (c === '"') quoted = !quoted;
      else if (quoted) continue;
      else if (c === '(') depth++;
      else if (c === ')') depth--;
      else if (/\s/.test(c) && depth <= 0) break;
    }
    const to = Math.min(i, text.length);
    out.push(term(text, from, to));
  }
  return out;
}

function term(text: string, from: number, to: number): Term {
  const raw = text.slice(from, to);
  const m = TERM.exec(raw);
  if (!m) return { from, to, text: raw, negated: false, field: '', op: '', values: [] };
  return { from, to, text: raw, negated: Boolean(m[1]), field: m[2]!.toLowerCase(), op: m[3]!, values: splitValues(m[4]!) };
}

/** splitValues reads `error,"not found"` as its values. */
export function splitValues(s: string): string[] {
  const out: string[] = [];
  let v = '';
  let quoted = false;
  for (let i = 0; i < s.length; i++) {
    const c = s[i]!;
    if (c === '\\' && quoted && i + 1 < s.length) v += s[++i];
    else if (c === '"') quoted = !quoted;
    else if (c === ',' && !quoted) {
      out.push(v);
      v = '';
    } else v += c;
  }
  out.push(v);
  return out.filter((x) => x !== '');
}

/** quote writes a value so that it reads back as one. */
export function quote(v: string): string {
  return /^[\w.@/+:-]+\*?$/.test(v) && !/^(and|or|not|unknown)$/i.test(v) ? v : `"${v.replace(/(["\\])/g, '\\$1')}"`;
}

/** withTerm sets `field:values` in a search (taking the place of one already there), or removes it when values is empty. */
export function withTerm(text: string, field: string, values: readonly string[]): string {
  const next = values.length ? `${field}:${values.map((v) => (v === 'unknown' ? v : quote(v))).join(',')}` : '';
  const at = terms(text).find((t) => t.field === field && !t.negated && (t.op === ':' || t.op === '='));
  const out = at ? text.slice(0, at.from) + next + text.slice(at.to) : `${text.trimEnd()} ${next}`;
  return out.replace(/\s+/g, ' ').trim();
}

/** toggleValue adds a value to a field's set, or takes it out. */
export function toggleValue(text: string, field: string, value: string): string {
  const now = valuesOf(text, field);
  return withTerm(text, field, now.includes(value) ? now.filter((v) => v !== value) : [...now, value]);
}

/** valuesOf lists what a field is set to at the top level. */
export function valuesOf(text: string, field: string): string[] {
  return terms(text).find((t) => t.field === field && !t.negated && (t.op === ':' || t.op === '='))?.values ?? [];
}

/** withoutTerm takes one term out. */
export function withoutTerm(text: string, t: Term): string {
  return (text.slice(0, t.from) + text.slice(t.to)).replace(/\s+/g, ' ').trim();
}

/** What may come at the caret. */
export interface Completion {
  /** the part of the text that is replaced */
  from: number;
  to: number;
  items: { insert: string; label: string; detail: string; done: boolean }[];
}

const FUNCTIONS: [string, string][] = [
  ['any(', 'at least one step …'],
  ['all(', 'every step …'],
  ['child(', 'a step whose child …'],
  ['parent(', 'a step whose parent …'],
];

/** complete lists what may come at the caret: fields, then the values known for the field. */
export function complete(text: string, caret: number, fields: readonly SearchField[], most = 12): Completion {
  let from = caret;
  let quoted = (text.slice(0, caret).match(/"/g) ?? []).length % 2 === 1;
  if (quoted) {
    from = text.lastIndexOf('"', caret - 1);
    while (from > 0 && !/[\s(]/.test(text[from - 1]!)) from--;
  } else while (from > 0 && !/[\s(]/.test(text[from - 1]!)) from--;
  let to = caret;
  while (to < text.length && !/[\s)]/.test(text[to]!)) to++;
  const word = text.slice(from, caret);
  const sign = /^[-!]/.test(word) ? word[0]! : '';
  const bare = word.slice(sign.length);
  const m = /^([a-z_][\w.]*)(:|!=|>=|<=|>|<|=|~)(.*)$/is.exec(bare);
  const inStep = openFunction(text.slice(0, from));
  if (m) {
    const f =
      fields.find((x) => x.name === m[1]!.toLowerCase() && (inStep ? x.scope === 'step' : x.scope !== 'step')) ??
      fields.find((x) => x.name === m[1]!.toLowerCase());
    const list = m[3]!;
    const cut = list.lastIndexOf(',') + 1;
    const typed = list.slice(cut).replace(/^"/, '').toLowerCase();
    const head = sign + m[1] + m[2] + list.slice(0, cut);
    const known = [...(f?.values ?? []), ...(m[2] === ':' ? ['unknown'] : [])];
    const items = rank(known, typed)
      .slice(0, most)
      .map((v) => ({
        insert: head + (v === 'unknown' ? v : quote(v)),
        label: v === 'unknown' ? 'unknown' : v,
        detail: v === 'unknown' ? 'not reported' : '',
        done: true,
      }));
    return { from, to, items };
  }
  const typed = bare.toLowerCase();
  const names = fields.filter((f) => (inStep ? f.scope !== 'run' : f.scope !== 'step'));
  const seen = new Set<string>();
  const items = rank(
    names.map((f) => f.name).filter((n) => !seen.has(n) && seen.add(n)),
    typed,
  ).map((n) => {
    const f = names.find((x) => x.name === n)!;
    const numeric = /num|int|float|dur|money|cost|time/.test(f.type ?? '');
    return { insert: `${sign}${n}${numeric ? '>' : ':'}`, label: n, detail: f.description ?? '', done: false };
  });
  const fns = FUNCTIONS.filter(([n]) => n.startsWith(typed) && (inStep || n === 'any(' || n === 'all(')).map(([n, d]) => ({
    insert: sign + n,
    label: n,
    detail: d,
    done: false,
  }));
  return { from, to, items: (typed ? [...items, ...fns] : [...items.slice(0, most - 2), ...fns]).slice(0, most) };
}

function rank(list: readonly string[], typed: string): string[] {
  if (!typed) return [...list];
  const starts = list.filter((v) => v.toLowerCase().startsWith(typed));
  const has = list.filter((v) => !v.toLowerCase().startsWith(typed) && v.toLowerCase().includes(typed));
  return [...starts, ...has];
}

function openFunction(before: string): boolean {
  let depth = 0;
  for (let i = before.length - 1; i >= 0; i--) {
    if (before[i] === ')') depth++;
    else if (before[i] === '(') {
      if (depth > 0) depth--;
      else return /\b(any|all|child|parent)$/i.test(before.slice(0, i));
    }
  }
  return false;
}
