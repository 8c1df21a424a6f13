import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import type { AgentSummary } from '../api/types';
import { Badge, count, Facts, Panel, pickView, plural, Time } from '../shared';
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
      <Facts>
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
                {e.guardrail && <Badge tone="accent">guardrail</Badge>} {e.mode === 'observe' && <Badge tone="info">observe</Badge>}
                <ul className={css.statements}>
                  {(e.statements ?? []).map((s) => (
                    <li key={s}>{s}</li>
                  ))}
                </ul>
              </div>
            ))
          )}
        </dd>
        {(summary.inventory ?? []).length > 0 && (
          <>
            <dt>Uses</dt>
            <dd>
              {summary.inventory!.map((k) => plural(k.parts, k.kind, k.kind.endsWith('y') ? `${k.kind.slice(0, -1)}ies` : undefined)).join(', ')}
              {summary.unknown_parts > 0 && (
                <>
                  {' '}
                  <Badge tone="warn" title="Nobody registered or approved them">{count(summary.unknown_parts)} unknown</Badge>
                </>
              )}
            </dd>
          </>
        )}
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
      </Facts>
    </Panel>
  );
}
