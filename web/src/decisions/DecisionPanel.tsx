import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import type { Decision } from '../api/types';
import { Badge, Copy, Cost, count, Facts, Panel, pickView, ProblemNote, Time, Tokens, usageTotal } from '../shared';
import { sourceOf } from '../approvals/data';
import { Origins } from '../approvals/Parts';
import css from './decisions.module.css';
import { DecisionResult, Verdict } from './Verdict';

const us = (n: number | null | undefined) => (n === null || n === undefined ? 'not known' : n < 1000 ? `${n} µs` : `${(n / 1000).toFixed(n < 10_000 ? 2 : 1)} ms`);

/** DecisionPanel says why: reasons, statements, what was held back, and how it ended. */
export function DecisionPanel({ id, onClose }: { id: string; onClose?: () => void }) {
  const q = useQuery({ queryKey: ['decision', id], queryFn: ({ signal }) => api.get<Decision>(`/decisions/${encodeURIComponent(id)}`, undefined, signal), refetchInterval: (s) => (s.state.data?.result === 'pending' ? 1000 : false) });
  const d = q.data;
  return (
    <Panel
      title="Why"
      note={<code>{id}</code>}
      actions={
        <>
          <Copy text={id} label="Copy the id" />
          {onClose && (
            <Button size="compact-xs" onClick={onClose}>
              Close
            </Button>
          )}
        </>
      }
      padded
    >
      <ProblemNote error={q.error} />
      {d && (
        <div className={css.why}>
          <p className={css.lead}>
            <Verdict d={d} /> <DecisionResult result={d.result} /> {!d.enforced && <Badge tone="info">observe</Badge>}
          </p>
          {(d.reasons ?? []).length > 0 ? (
            <ul className={css.reasons}>
              {d.reasons!.map((r) => (
                <li key={r.code + r.text}>
                  {r.text} <code>{r.code}</code>
                </li>
              ))}
            </ul>
          ) : (
            <p className="muted">Permitted by {(d.policies ?? []).map((p) => `${p.policy} / ${p.statement}`).join(', ') || 'no statement that is kept'}.</p>
          )}
          <Facts>
            <dt>Agent</dt>
            <dd>
              <Link className="link" to={'/agents/$name' as never} params={{ name: d.agent } as never} search={pickView as never}>
                {d.agent}
              </Link>{' '}
              {!d.registered && <Badge tone="warn">not registered</Badge>}
              <span className="muted">
                {' '}
                {[d.lifecycle, d.autonomy?.replace('_', ' '), d.containment !== 'none' && d.containment].filter(Boolean).join(', ')}
              </span>
            </dd>
            {(d.on_behalf_of ?? []).length > 0 && (
              <>
                <dt>Acting for</dt>
                <dd>{d.on_behalf_of!.join(' for ')}</dd>
              </>
            )}
            {d.user && (
              <>
                <dt>User</dt>
                <dd>{d.user}</dd>
              </>
            )}
            <dt>Action</dt>
            <dd>
              {d.action} <strong>{d.resource}</strong> <span className="muted">{d.effect}</span>
              {d.local_tool && <Badge title="A tool inside the agent's process, proposed by a model's answer">local tool</Badge>}
            </dd>
            <dt>Credential</dt>
            <dd>
              {d.credential ? d.credential.replace('_', ' ') : 'none'} <span className="muted">{d.credential_id}</span> {d.bound && <Badge tone="good">bound to a key</Badge>}
            </dd>
            {d.approval_id && (
              <>
                <dt>Approval</dt>
                <dd>
                  <Link className="link" to={'/approvals/$id' as never} params={{ id: d.approval_id } as never} search={pickView as never}>
                    what was asked, and how it was answered
                  </Link>
                </dd>
              </>
            )}
            {(d.origins ?? []).length > 0 && (
              <>
                <dt>Names</dt>
                <dd>
                  {d.origins!.slice(0, 20).map((o, i) => (
                    <div key={i}>
                      {o.entity} <Origins all={[sourceOf(o)]} /> {o.injected && <Badge tone="bad">nobody asked for it</Badge>} {o.first && <Badge tone="warn">for the first time</Badge>}
                    </div>
                  ))}
                </dd>
              </>
            )}
            {(d.policies ?? []).length > 0 && (
              <>
                <dt>Statements</dt>
                <dd>
                  {d.policies!.map((p) => (
                    <div key={p.policy + p.statement}>
                      <Link className="link" to={'/policies' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), policy: p.policy })) as never}>
                        {p.policy}
                      </Link>{' '}
                      / {p.statement} <span className="muted">{p.hash?.slice(0, 8)}</span>
                    </div>
                  ))}
                  <span className="muted">set {count(d.policy_version)}</span>
                </dd>
              </>
            )}
            <dt>Floor</dt>
            <dd>{d.floor}</dd>
            {(d.reserved ?? []).length > 0 && (
              <>
                <dt>Held back</dt>
                <dd>
                  {d.reserved!.map((r) => (
                    <div key={r.budget + r.unit}>
                      {r.budget}: {r.unit === 'money' ? `$${(r.amount / 1e9).toFixed(6)}` : `${count(r.amount)} ${r.unit}`}
                      <span className="muted">, spent {r.spent === null ? 'not settled' : r.unit === 'money' ? `$${(r.spent / 1e9).toFixed(6)}` : count(r.spent)}</span>
                    </div>
                  ))}
                </dd>
              </>
            )}
            {(d.redacted ?? []).length > 0 && (
              <>
                <dt>Redacted</dt>
                <dd>{d.redacted!.map((c) => <Badge key={c}>{c}</Badge>)}</dd>
              </>
            )}
            <dt>When</dt>
            <dd>
              <Time at={d.at} as="day" /> <span className="muted">on {d.node}</span>
            </dd>
            <dt>Time</dt>
            <dd>
              {us(d.latency_us)} <span className="muted">of it upstream {us(d.upstream_us)}, ours before {us(d.decide_us)}</span>
            </dd>
            {d.status ? (
              <>
                <dt>Answer</dt>
                <dd>HTTP {d.status}</dd>
              </>
            ) : null}
            {d.error_code && (
              <>
                <dt>Code</dt>
                <dd>
                  <code>{d.error_code}</code>
                </dd>
              </>
            )}
            {d.action === 'call_model' && d.result !== 'denied' && (
              <>
                <dt>Used</dt>
                <dd>
                  <Tokens n={usageTotal(d.usage)} /> tokens, <Cost cost={d.cost} />
                </dd>
              </>
            )}
            {d.run_id && (
              <>
                <dt>Run</dt>
                <dd>
                  <Link className="link" to={'/runs/$id' as never} params={{ id: d.run_id } as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), step: d.step_id })) as never}>
                    {d.run_id}
                  </Link>
                </dd>
              </>
            )}
          </Facts>
          {d.context ? (
            <details>
              <summary>The request as policy saw it</summary>
              <pre className={css.raw}>{JSON.stringify(d.context, null, 2)}</pre>
            </details>
          ) : null}
          <details>
            <summary>Raw</summary>
            <pre className={css.raw}>{JSON.stringify({ ...d, context: undefined }, null, 2)}</pre>
          </details>
        </div>
      )}
    </Panel>
  );
}
