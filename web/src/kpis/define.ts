import type { KPI, KPIShape, KPIVersion } from '../api/types';

type ShapeName = keyof KPIShape;

/** Draft is a definition as the form has it; words holds the fields of all shapes. */
export interface Draft {
  id: string;
  title: string;
  about: string;
  unit: string;
  direction: string;
  owner: string;
  team: string;
  shape: ShapeName;
  table: string;
  words: Record<string, string>;
}

export interface Field {
  name: string;
  label: string;
  about: string;
  /** Takes the search language. */
  search?: boolean;
}

const among: Field = { name: 'among', label: 'Among', about: 'A search; empty: all', search: true };
const field: Field = { name: 'field', label: 'Field', about: 'Of the records: duration_ms, cost, tokens, steps…' };

/** shapes are the ways to compute a figure, each with what it needs. */
export const shapes: Record<ShapeName, { label: string; table: boolean; fields: Field[] }> = {
  share: { label: 'a share of records', table: true, fields: [{ name: 'of', label: 'Those that', about: 'A search, such as outcome:escalated', search: true }, among, { name: 'base', label: 'Coverage is among of', about: 'A search; empty: there is nothing unknown', search: true }] },
  mean: { label: 'the mean of a field', table: true, fields: [field, { name: 'scale', label: 'Divided by', about: 'A number such as 60000; empty: 1' }, among] },
  ratio: { label: 'a sum over another, or over a number of records', table: true, fields: [field, { name: 'per_field', label: 'Over the sum of', about: 'Another field; empty: over a number of records' }, { name: 'per', label: 'Over the number of', about: 'A search; only without another field', search: true }, among] },
  quantile: { label: 'a quantile of a field', table: true, fields: [field, { name: 'at', label: 'At', about: 'Between 0 and 1: 0.95' }, among] },
  per_run: { label: 'how many records for each run', table: true, fields: [{ name: 'where', label: 'Records that', about: 'A search', search: true }, { ...among, about: 'A search of runs; empty: all' }] },
  repeat: { label: 'how alike runs of one task are', table: false, fields: [{ name: 'what', label: 'What', about: 'pass: all of k resolved; spread: of outcomes; path: of tool calls' }, { name: 'k', label: 'k', about: 'Of pass: how many runs, 1 to 100' }, { ...among, about: 'A search of runs; empty: all' }] },
  count: { label: 'a number of records', table: true, fields: [among] },
};

export const units = ['share', 'usd', 'ms', 'min', 'days', 'tokens', 'count', 'bits'];
const numbers = ['scale', 'at', 'k'];

export const fresh: Draft = { id: '', title: '', about: '', unit: 'share', direction: 'up', owner: '', team: '', shape: 'share', table: 'runs', words: { among: 'status:done,stale', what: 'pass', k: '4', at: '0.95' } };

/** draftOf is the form of a definition that is in force. */
export function draftOf(k: Pick<KPI, 'id' | 'title' | 'about' | 'unit' | 'direction' | 'owner' | 'team'>, shape: KPIShape): Draft {
  const name = (Object.keys(shapes) as ShapeName[]).find((s) => shape[s]) ?? 'share';
  const is = (shape[name] ?? {}) as Record<string, string | number>;
  const words = Object.fromEntries(Object.entries(is).filter(([key]) => key !== 'table').map(([key, v]) => [key, String(v)]));
  return { id: k.id, title: k.title, about: k.about, unit: k.unit, direction: k.direction, owner: k.owner, team: k.team ?? '', shape: name, table: String(is.table ?? 'runs'), words };
}

/** shapeOf is the one shape that a draft says. What is no number is sent as one that is refused. */
export function shapeOf(d: Draft): KPIShape {
  const is: Record<string, string | number> = shapes[d.shape].table ? { table: d.table } : {};
  for (const f of shapes[d.shape].fields) {
    const text = (d.words[f.name] ?? '').trim();
    if (!numbers.includes(f.name)) is[f.name] = text;
    else if (text !== '') is[f.name] = Number.isFinite(Number(text)) ? (f.name === 'k' ? Math.trunc(Number(text)) : Number(text)) : -1;
  }
  if (d.shape === 'repeat' && is.what !== 'pass') delete is.k;
  return { [d.shape]: is } as KPIShape;
}

/** bodyOf is a draft as the API takes it. */
export const bodyOf = (d: Draft) => ({ title: d.title.trim(), about: d.about.trim(), unit: d.unit, direction: d.direction, owner: d.owner.trim(), team: d.team, ...shapeOf(d) });

/** ready tells whether there is enough of a draft to try it. */
export function ready(d: Draft): boolean {
  const has = (name: string) => (d.words[name] ?? '').trim() !== '';
  switch (d.shape) {
    case 'share':
      return has('of');
    case 'mean':
    case 'quantile':
      return has('field');
    case 'ratio':
      return has('field') && (has('per_field') || has('per'));
    case 'per_run':
      return has('where');
  }
  return true;
}

/** placeOf is the field of the form that a refusal is about; '' at its end. */
export function placeOf(message: string): string {
  const at = /^(of|among|base|per|where|field|per_field|at|scale|k|what)\b(?=:| looks| is)/.exec(message);
  if (at) return at[1]!;
  for (const [begins, place] of [
    ['an id begins', 'id'], ['title, about and owner', 'title'], ['there is no unit', 'unit'], ['a share has the unit', 'unit'], ['direction is', 'direction'], ['there is no table', 'table'],
    ['a mean is', 'field'], ['a ratio is', 'per_field'], ['a quantile is', 'at'], ['repeat is', 'k'],
  ] as const)
    if (message.startsWith(begins)) return place;
  return / is defined in the catalogue$/.test(message) ? 'id' : '';
}

/** markOf is where in a search the language stumbled: what is read, and what is not. */
export function markOf(text: string, message: string): { before: string; at: string } | undefined {
  const m = / at (\d+)(?:,|:|$)/.exec(message);
  // The catalogue's words are written out before they are read: their places are others.
  if (!m || text.includes('$')) return undefined;
  const n = Number(m[1]) - 1;
  // Offsets are of bytes.
  const bytes = new TextEncoder().encode(text);
  if (n < 0 || n > bytes.length) return undefined;
  const read = new TextDecoder();
  return { before: read.decode(bytes.slice(0, n)), at: read.decode(bytes.slice(n)) };
}

const named: Record<string, string> = { unit: 'unit', direction: 'better', owner: 'owner', team: 'team', title: 'title', about: 'about', formula: 'formula' };

/** changed says what a version has otherwise than the one before it. */
export function changed(is: KPIVersion, before?: KPIVersion): string[] {
  if (is.dropped) return ['it was removed'];
  if (!before || before.dropped) return [before ? 'it was defined anew' : 'it was defined'];
  const out: string[] = [];
  for (const [key, name] of Object.entries(named)) {
    const [a, b] = [String(before[key as keyof KPIVersion] ?? ''), String(is[key as keyof KPIVersion] ?? '')];
    if (a !== b) out.push(`${name}: ${a || 'none'} → ${b || 'none'}`);
  }
  return out.length > 0 ? out : ['nothing that is seen'];
}
