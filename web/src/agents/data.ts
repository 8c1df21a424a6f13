import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { aggregate } from '../api/queries';
import type { Agent, AgentMarks, Cell, List, QueryResult } from '../api/types';
import { quote } from '../shared/query';
import type { CurrentView } from '../state/url';

/** A row of what telemetry says of one agent; null is unknown. */
export interface SeenAgent {
  agent: string;
  team: string;
  environment: string;
  runs: number;
  errors: number | null;
  p95: number | null;
  cost: number | null;
  tokens: number | null;
  last: number | null;
}

const num = (c: Cell | undefined) => (typeof c === 'number' ? c : null);

/** readAgents turns an answer grouped by agent, team and environment into rows, the busiest first. */
export function readAgents(r: QueryResult | undefined): SeenAgent[] {
  if (!r) return [];
  const at = Object.fromEntries(r.columns.map((c, i) => [c.name, i]));
  const cell = (row: Cell[], name: string) => (at[name] === undefined ? null : row[at[name]!]);
  return (r.rows ?? [])
    .map((row) => {
      const last = cell(row, 'last');
      return {
        agent: String(cell(row, 'agent') ?? ''),
        team: String(cell(row, 'team') ?? ''),
        environment: String(cell(row, 'environment') ?? ''),
        runs: num(cell(row, 'runs')) ?? 0,
        errors: num(cell(row, 'failed')),
        p95: num(cell(row, 'p95')),
        cost: num(cell(row, 'cost')),
        tokens: num(cell(row, 'tokens')),
        last: typeof last === 'number' ? last : typeof last === 'string' ? Date.parse(last) : null,
      };
    })
    .sort((a, b) => b.runs - a.runs || a.agent.localeCompare(b.agent));
}

/** refused are the errors of runs that the door refused to go on: the door's work, and no failure of the agent's. */
const refused = 'error_type:decision.denied,decision.held,decision.obligation,approval.*,content.*,stop.*,budget.exceeded,limit.rate';

/** failedRuns finds an agent's failed runs: those that said so, and those that ended in an error of their own. */
export const failedRuns = `(outcome:failed or outcome:unknown failed:true -${refused} status:done,stale)`;

/** refusedRuns finds the runs that ended because the door refused what they asked for. */
export const refusedRuns = `(outcome:unknown failed:true ${refused} status:done,stale)`;

/** where is the view as a search. */
export function where(view: CurrentView, more = ''): string {
  return [view.env && `environment:${quote(view.env)}`, view.team && `team:${quote(view.team)}`, more].filter(Boolean).join(' ');
}

/** useSeenAgents asks which agents telemetry has named in the period. */
export function useSeenAgents(view: CurrentView, agent?: string) {
  const base = { from: 'runs' as const, group_by: ['agent', 'team', 'environment'], where: where(view, agent === undefined ? '' : `agent:${quote(agent)}`) || undefined, start: view.from, end: view.live ? undefined : view.to, limit: 1000 };
  const main = useQuery(
    aggregate({
      ...base,
      select: [
        { func: 'count', as: 'runs' },
        { func: 'p95', field: 'duration_ms', as: 'p95' },
        { func: 'sum', field: 'cost', as: 'cost' },
      ],
    }),
  );
  const failed = useQuery(aggregate({ ...base, where: [base.where, failedRuns].filter(Boolean).join(' ') }));
  const rows = readAgents(main.data);
  if (failed.data) {
    const at = Object.fromEntries(failed.data.columns.map((c, i) => [c.name, i]));
    const counts = new Map<string, number>();
    const last = failed.data.columns.length - 1;
    for (const r of failed.data.rows ?? []) counts.set([r[at.agent!], r[at.team!], r[at.environment!]].join('\t'), Number(r[last] ?? 0));
    for (const a of rows) a.errors = counts.get([a.agent, a.team, a.environment].join('\t')) ?? 0;
  }
  return { rows, query: main };
}

/** useRefused counts an agent's runs that the door refused; null until the answer arrived. */
export function useRefused(view: CurrentView, agent: string): number | null {
  const { data } = useQuery(
    aggregate({ from: 'runs', select: [{ func: 'count', as: 'runs' }], where: where(view, `agent:${quote(agent)} ${refusedRuns}`), start: view.from, end: view.live ? undefined : view.to }),
  );
  if (!data) return null;
  const at = data.columns.findIndex((c) => c.name === 'runs');
  return Number(data.rows?.[0]?.[at] ?? 0);
}

/** A row of the fleet: what is registered, what telemetry says of it, or both. */
export interface FleetRow extends SeenAgent {
  registered?: Agent;
  /** How it stands; undefined until the answer arrived. */
  marks?: AgentMarks;
}

/** join puts registered agents and what was seen of them together; who is registered and quiet stays in sight. */
export function join(registered: Agent[], seen: SeenAgent[], view: Pick<CurrentView, 'env' | 'team'>, unknown: { name: string; last_seen: string }[] = [], marks?: AgentMarks[]): FleetRow[] {
  const byName = new Map(registered.map((a) => [a.name, a]));
  const seenAt = new Map(unknown.map((u) => [u.name, Date.parse(u.last_seen)]));
  const met = new Set<string>();
  const rows: FleetRow[] = seen.map((s) => {
    const a = byName.get(s.agent);
    const own = a && a.environment === s.environment && (!s.team || a.team === s.team) ? a : undefined;
    if (own) met.add(own.name);
    return { ...s, last: s.last ?? (own ? null : (seenAt.get(s.agent) ?? null)), registered: own };
  });
  for (const a of registered) {
    if (met.has(a.name) || (view.env && a.environment !== view.env) || (view.team && a.team !== view.team)) continue;
    rows.push({ agent: a.name, team: a.team, environment: a.environment, runs: 0, errors: 0, p95: null, cost: null, tokens: null, last: a.last_seen ? Date.parse(a.last_seen) : null, registered: a });
  }
  if (!marks) return rows;
  const stands = new Map(marks.map((m) => [`${m.agent}\t${m.team}`, m]));
  return rows.map((r) => ({ ...r, marks: stands.get(`${r.agent}\t${r.team}`) }));
}

/** bad sorts by the marks: the worst first, then by how many are so. */
export function bad(r: FleetRow): number {
  return (r.marks?.marks ?? []).reduce((n, m) => n + (m.state === 'bad' ? 100 : m.state === 'warn' ? 10 : m.state === 'unknown' ? 1 : 0), 0);
}

/** trouble sorts what needs a look first: contained, then unknown, then failing. */
export function trouble(r: FleetRow): number {
  if (r.registered && r.registered.containment !== 'none') return 4;
  if (!r.registered) return 3;
  if (r.registered.enforcement === 'observe' && r.environment === 'production') return 2;
  return bad(r) / 1000 + (r.runs > 0 && r.errors !== null ? r.errors / r.runs / 1000 : 0);
}

/** useMarks asks how agents stand, with the reasons; of one agent alone where it is named. */
export function useMarks(view: CurrentView, agent?: string) {
  return useQuery({
    queryKey: ['agent-marks', agent, view.env, view.team, view.from, view.live ? 'live' : view.to],
    queryFn: async ({ signal }) => (await api.get<List<AgentMarks>>('/agent-marks', { agent, environment: view.env || undefined, team: view.team || undefined, from: view.from, to: view.live ? undefined : view.to }, signal)).items,
    refetchInterval: view.live ? 15_000 : false,
    meta: { live: true },
  });
}

/** useRegistered lists every registered agent that this person may see. */
export function useRegistered() {
  return useQuery({
    queryKey: ['agents'],
    queryFn: async ({ signal }) => {
      const all: Agent[] = [];
      let cursor: string | undefined;
      do {
        const page: List<Agent> = await api.get<List<Agent>>('/agents', { limit: 1000, cursor }, signal);
        all.push(...page.items);
        cursor = page.next;
      } while (cursor && all.length < 20_000);
      return all;
    },
    meta: { live: true },
  });
}
