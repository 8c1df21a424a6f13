import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback, type ReactNode } from 'react';
import { api } from '../api/client';
import { useEvents, type ServerEvent } from '../api/events';
import type { ConnectProgress, Framework } from '../api/types';
import { Mark, Panel, percent, pickView, plural, ProblemNote, Snippet, Time } from '../shared';
import css from './connect.module.css';

/** Watch says what has arrived of an agent, live, and what its telemetry still leaves out. */
export function Watch({ f, agent, since, intakeKey }: { f: Framework; agent: string; since: string; intakeKey?: string }) {
  const client = useQueryClient();
  const q = useQuery({
    queryKey: ['connect-progress', agent, since, intakeKey],
    queryFn: ({ signal }) => api.get<ConnectProgress>('/connect/progress', { agent, since, key: intakeKey }, signal),
    // Events tell of steps and decisions; what is missing follows some seconds later.
    refetchInterval: 4000,
    retry: false,
  });
  useEvents(
    useCallback(
      (e: ServerEvent) => {
        if (e.type === 'run.updated' || e.type.startsWith('decision')) void client.invalidateQueries({ queryKey: ['connect-progress', agent] }, { cancelRefetch: false });
      },
      [client, agent],
    ),
  );
  const p = q.data;
  return (
    <Panel title="Watch it arrive" padded>
      <ProblemNote error={q.error} retry={() => void q.refetch()} />
      <ul className={css.watch} aria-live="polite">
        {f.waits.includes('step') && (
          <Arrival what="first step" here={!!p?.run}>
            {p?.run ? (
              <>
                <Link to={'/runs/$id' as never} params={{ id: p.run.id } as never} search={pickView as never}>
                  {p.run.name || p.run.id}
                </Link>
                , {plural(p.run.step_count, 'step')} so far, <Time at={p.run.started_at} />
                {p.dialects.length > 0 && <span className="muted"> · understood as {p.dialects.join(', ')}</span>}
              </>
            ) : p && p.others.length > 0 ? (
              <>
                Meanwhile {p.others.join(', ')} sent something for the first time: if that is this agent, its name is not set. Set <code>OTEL_SERVICE_NAME={agent}</code> or <code>gen_ai.agent.name</code>.
              </>
            ) : p?.key_used_at ? (
              <>The key was used <Time at={p.key_used_at} />; no step of {agent} came with it.</>
            ) : (
              <>Nothing yet. This page changes by itself.</>
            )}
          </Arrival>
        )}
        {f.waits.includes('decision') && (
          <Arrival what="first decision" here={!!p?.decision}>
            {p?.decision ? (
              <>
                <Link to={'/decisions' as never} search={((old: object) => ({ ...pickView(old as never), decision: p.decision!.id })) as never}>
                  {p.decision.verdict}
                </Link>{' '}
                {p.decision.action} on {p.decision.resource}, <Time at={p.decision.at} />
              </>
            ) : (
              <>No call of {agent} has been decided yet.</>
            )}
          </Arrival>
        )}
      </ul>
      {p?.run && (
        <section aria-label="What is still missing">
          <h3 className={css.missing}>{p.missing.length === 0 ? 'Nothing is missing of the minimal standard.' : `Still missing (${percent(p.score ?? 0)} of the minimal standard is there)`}</h3>
          <ul className={css.gaps}>
            {p.missing.map((m) => (
              <li key={m.field}>
                <strong>{m.field}</strong> {m.share < 1 && <span className="muted">on {percent(m.share)}</span>}
                <span className="muted"> · {m.costs}</span>
                <Snippet text={m.line || m.fix} label={`what sets ${m.field}`} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </Panel>
  );
}

function Arrival({ what, here, children }: { what: string; here: boolean; children: ReactNode }) {
  return (
    <li className={css.arrival}>
      <Mark level={here ? 'good' : 'unknown'} letter={here ? '✓' : '…'} label={here ? `${what} arrived` : `waiting for the ${what}`} />
      <div>
        <div className={css.what}>{here ? `The ${what} is here` : `Waiting for the ${what}`}</div>
        <div>{children}</div>
      </div>
    </li>
  );
}
