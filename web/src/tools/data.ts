import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { aggregate } from '../api/queries';
import type { Cell, List, QueryResult, Tool } from '../api/types';
import { where } from '../agents/data';
import type { CurrentView } from '../state/url';

/** Use is how a tool or a model was used in the period; null is unknown. */
export interface Use {
  calls: number;
  errors: number;
  p95: number | null;
  cost: number | null;
}

/** A row of the page: a tool that is pinned, one that telemetry names, or both. */
export interface ToolRow {
  upstream: string;
  name: string;
  pin?: Tool;
  use?: Use;
  /** its use is that at the door; else it is what telemetry tells */
  door?: boolean;
  /** steps of telemetry that name it, whoever reported them */
  told?: number;
}

const num = (c: Cell | undefined) => (typeof c === 'number' ? c : null);

/** readUse reads an answer by what it is grouped by; errors come from a second answer. */
export function readUse(all: QueryResult | undefined, failed: QueryResult | undefined, by: string[]): Map<string, Use> {
  const out = new Map<string, Use>();
  if (!all) return out;
  const at = Object.fromEntries(all.columns.map((c, i) => [c.name, i]));
  const key = (row: Cell[], columns: Record<string, number>) => by.map((b) => String(row[columns[b]!] ?? '')).join('\t');
  for (const row of all.rows ?? []) out.set(key(row, at), { calls: num(row[at.calls!]) ?? 0, errors: 0, p95: num(row[at.p95!]), cost: at.cost === undefined ? null : num(row[at.cost]) });
  if (failed) {
    const fat = Object.fromEntries(failed.columns.map((c, i) => [c.name, i]));
    for (const row of failed.rows ?? []) {
      const u = out.get(key(row, fat));
      if (u) u.errors = num(row[row.length - 1]) ?? 0;
    }
  }
  return out;
}

const count = { func: 'count', as: 'calls' } as const;

/** useUse asks how tools, or models, were used: from the steps, and for tools from what passed the door. */
function useUse(view: CurrentView, from: 'steps' | 'decisions', by: string[], what: string, bad: string, field: string, cost: boolean) {
  const base = { from, group_by: by, start: view.from, end: view.live ? undefined : view.to, limit: 1000 };
  const all = useQuery(aggregate({ ...base, where: where(view, what), select: [count, { func: 'p95', field, as: 'p95' }, ...(cost ? [{ func: 'sum', field: 'cost', as: 'cost' } as const] : [])] }));
  const failed = useQuery(aggregate({ ...base, where: where(view, `${what} ${bad}`) }));
  return { use: readUse(all.data, failed.data, by), query: all };
}

/** usePins lists the tools of MCP servers as they are pinned. */
export function usePins() {
  return useQuery({
    queryKey: ['tools'],
    queryFn: async ({ signal }) => {
      const all: Tool[] = [];
      let cursor: string | undefined;
      do {
        const page: List<Tool> = await api.get<List<Tool>>('/tools', { limit: 1000, cursor }, signal);
        all.push(...page.items);
        cursor = page.next || undefined;
      } while (cursor && all.length < 20_000);
      return all;
    },
    refetchInterval: 15_000,
  });
}

/** useTools puts what is pinned and what was called together: what waits first, then what fails, then the busiest. */
export function useTools(view: CurrentView) {
  const pins = usePins();
  const door = useUse(view, 'decisions', ['upstream', 'tool'], 'action:call_tool', 'result:error,cut,timeout', 'latency_ms', false);
  const steps = useUse(view, 'steps', ['tool'], 'kind:tool,mcp', 'status:error', 'duration_ms', false);
  const rows: ToolRow[] = (pins.data ?? []).map((pin) => ({ upstream: pin.upstream, name: pin.name, pin, use: door.use.get(`${pin.upstream}\t${pin.name}`) ?? steps.use.get(pin.name), door: door.use.has(`${pin.upstream}\t${pin.name}`), told: steps.use.get(pin.name)?.calls }));
  const pinned = new Set(rows.map((r) => r.name));
  for (const [name, use] of steps.use) if (name && !pinned.has(name)) rows.push({ upstream: '', name, use });
  rows.sort((a, b) => trouble(b) - trouble(a) || (b.use?.calls ?? 0) - (a.use?.calls ?? 0) || a.name.localeCompare(b.name));
  return { rows, pins, query: steps.query };
}

function trouble(r: ToolRow): number {
  if (r.pin?.state === 'held') return (r.pin.findings ?? []).some((f) => f.serious) ? 4 : 3;
  const share = r.use && r.use.calls >= 5 ? r.use.errors / r.use.calls : 0;
  return share > 0.1 ? 1 + share : 0;
}

export interface ModelRow {
  provider: string;
  model: string;
  use: Use;
}

export function useModels(view: CurrentView) {
  const { use, query } = useUse(view, 'steps', ['provider', 'model'], 'kind:model', 'status:error', 'duration_ms', true);
  const rows: ModelRow[] = [...use].map(([key, u]) => ({ provider: key.split('\t')[0]!, model: key.split('\t')[1]!, use: u })).filter((m) => m.model !== '');
  rows.sort((a, b) => b.use.errors / Math.max(1, b.use.calls) - a.use.errors / Math.max(1, a.use.calls) || b.use.calls - a.use.calls);
  return { rows, query };
}

/** effectOf is what a person said a tool does; undefined when nobody did. */
export const effectOf = (t: { effect: string }) => (t.effect && t.effect !== 'unknown' ? t.effect : undefined);

/** visible spells out what a browser draws as nothing or in another order, for text of servers that nobody vouches for. */
export const visible = (s: string) => s.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu, (c) => `\u2039U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}\u203a`);
