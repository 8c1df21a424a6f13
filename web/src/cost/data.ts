import type { Cell, QueryResult } from '../api/types';

/** CostRow is what an agent, a model or a day cost; null is unknown. */
export interface CostRow {
  name: string;
  calls: number;
  cost: number | null;
  tokens: number | null;
  unpriced: number;
}

const num = (c: Cell | undefined) => (typeof c === 'number' ? c : null);

/** readCost joins all calls with those that have no price: the dearest first, days in their order. */
export function readCost(all: QueryResult | undefined, unpriced: QueryResult | undefined, by: string): CostRow[] {
  const read = (r: QueryResult | undefined) => {
    const at = Object.fromEntries((r?.columns ?? []).map((c, i) => [c.kind === 'time' ? 'time' : c.name, i]));
    return (r?.rows ?? []).map((row) => {
      const cell = (name: string) => (at[name] === undefined ? undefined : row[at[name]!]);
      const time = cell('time');
      const name = by === 'day' ? (typeof time === 'number' ? new Date(time).toISOString() : String(time ?? '')).slice(0, 10) : String(cell(by) ?? '');
      return { name, calls: num(cell('calls')) ?? 0, cost: num(cell('cost')), tokens: num(cell('tokens')) };
    });
  };
  const gaps = new Map(read(unpriced).map((r) => [r.name, r.calls]));
  const rows = read(all)
    .filter((r) => r.calls > 0)
    .map((r) => ({ ...r, unpriced: gaps.get(r.name) ?? 0 }))
    .map((r) => (r.unpriced === r.calls ? { ...r, cost: null } : r));
  return by === 'day' ? rows.sort((a, b) => b.name.localeCompare(a.name)) : rows.sort((a, b) => (b.cost ?? -1) - (a.cost ?? -1) || b.calls - a.calls);
}

/** unknownShare is which part of the calls has no price. */
export function unknownShare(rows: CostRow[]): number {
  const calls = rows.reduce((n, r) => n + r.calls, 0);
  return calls === 0 ? 0 : rows.reduce((n, r) => n + r.unpriced, 0) / calls;
}
