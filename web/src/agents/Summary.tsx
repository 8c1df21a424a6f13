import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import type { AgentSummary, InventoryItem, List } from '../api/types';
import { Badge, count, Panel, pickView, plural, ProblemNote, Time } from '../shared';
import css from './agents.module.css';

/** useSummary reads what the agent page opens on. */
export function useSummary(name: string, registered: boolean) {
  return useQuery({ queryKey: ['agent', name, 'summary'], queryFn: ({ signal }) => api.get<AgentSummary>(`/agents/${encodeURIComponent(name)}/summary`, undefined, signal), enabled: registered, refetchInterval: 10_000 });
}

const verdicts: [string, string, 'good' | 'warn' | 'bad' | 'info'][] = [
  ['allow', 'allowed', 'good'],
  ['hold', 'held', 'warn'],
  ['deny', 'denied', 'bad'],
  ['would_hold', 'would be held', 'info'],
  ['would_deny', 'would be denied', 'info'],
];

/** Now: what the agent did in a day, what it may do, and what it is doing at this moment. */
export function Now({ name, summary }: { name: string; summary: AgentSummary }) {
  const day = summary.day?.decisions;
  return (
    <Panel title="What it may do" padded>
      <dl className={css.facts}>
        <dt>Now</dt>
        <dd>
          {summary.live_calls === null ? 'no door here' : plural(summary.live_calls ?? 0, 'call')} in flight{summary.live_runs !== null && `, ${plural(summary.live_runs ?? 0, 'run')} running`}
        </dd>
        <dt>Last 24 hours</dt>
        <dd>
          {day ? (
            verdicts.filter(([k]) => (day[k] ?? 0) > 0).length === 0 ? (
              <span className="muted">nothing proposed at the door</span>
            ) : (
              verdicts.map(
                ([k, label, tone]) =>
                  (day[k] ?? 0) > 0 && (
                    <Link key={k} to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', q: `agent:${name} ${k.startsWith('would') ? `enforced:false would:${k.slice(6)}` : `verdict:${k}`}` })) as never}>
                      <Badge tone={tone}>
                        {count(day[k])} {label}
                      </Badge>
                    </Link>
                  ),
              )
            )
          ) : (
            <span className="muted">not counted here</span>
          )}
        </dd>
        <dt>Policies</dt>
        <dd>
          {(summary.may_do ?? []).length === 0 ? (
            <span className="muted">none is about it: nothing is permitted</span>
          ) : (
            summary.may_do!.map((e) => (
              <div key={e.policy}>
                <Link className="link" to={'/policies' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), policy: e.policy })) as never}>
                  {e.policy}
                </Link>{' '}
                {e.guardrail && <Badge tone="accent">guardrail</Badge>} {e.mode === 'observe' && <Badge tone="info">observe</Badge>} <span className="muted">{(e.statements ?? []).join('; ')}</span>
              </div>
            ))
          )}
        </dd>
        {(summary.known_as ?? []).length > 1 && (
          <>
            <dt>Known as</dt>
            <dd>{summary.known_as!.join(', ')}</dd>
          </>
        )}
        {summary.last_change && (
          <>
            <dt>Last change</dt>
            <dd>
              {summary.last_change.text} <Time at={summary.last_change.at} />
            </dd>
          </>
        )}
      </dl>
    </Panel>
  );
}

/** Inventory: what the agent was seen to use in a week, unknown parts first. */
export function Inventory({ name }: { name: string }) {
  const q = useQuery({ queryKey: ['agent', name, 'inventory'], queryFn: ({ signal }) => api.get<List<InventoryItem>>(`/agents/${encodeURIComponent(name)}/inventory`, undefined, signal), staleTime: 30_000 });
  const items = [...(q.data?.items ?? [])].sort((a, b) => Number(a.known) - Number(b.known) || a.kind.localeCompare(b.kind) || b.seen - a.seen);
  return (
    <Panel title="What it uses" note={q.isSuccess ? plural(items.length, 'part') : undefined} padded>
      <ProblemNote error={q.error} />
      {q.isSuccess && items.length === 0 ? (
        <p className="muted">Nothing was seen yet.</p>
      ) : (
        <dl className={css.facts}>
          {items.slice(0, 24).map((i) => (
            <div key={i.kind + i.name + (i.detail ?? '')} style={{ display: 'contents' }}>
              <dt>{i.kind}</dt>
              <dd>
                {i.name} {i.detail && <span className="muted">{i.detail.slice(0, 24)}</span>} {!i.known && <Badge tone="warn" title="Nobody registered or approved it">unknown</Badge>}{' '}
                <span className="muted">
                  {i.seen === 0 ? 'on offer' : <>{count(i.seen)} times{i.last_seen && <>, last <Time at={i.last_seen} /></>}</>}
                </span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {items.length > 24 && <p className="muted">and {count(items.length - 24)} more: reeve agent inventory {name}</p>}
    </Panel>
  );
}
