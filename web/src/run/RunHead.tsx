import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useMay } from '../api/queries';
import type { Run } from '../api/types';
import { Badge, Outcome, RunStatus } from '../shared/Marks';
import { pickView, Time } from '../shared/Values';
import css from './head.module.css';
import page from './run.module.css';
import { Said } from './Text';

const RunActs = lazy(() => import('../evaluations/RunActs').then((m) => ({ default: m.RunActs })));
const StopDialog = lazy(() => import('../stop/StopDialog').then((m) => ({ default: m.StopDialog })));

/** RunHead says what the run is, how it stands and whose it is. */
export function RunHead({ run, live, lost }: { run: Run; live: boolean; lost: boolean }) {
  const [copied, setCopied] = useState(false);
  const [stopping, setStopping] = useState(false);
  const mayStop = useMay('CreateStop');
  const trace = run.trace_ids?.[0];
  const generated = run.coverage?.flags?.includes('generated');
  return (
    <header className={css.head}>
      <div className={css.headline1}>
        <RunStatus status={run.status} failed={run.failed} words />
        <h1>
          <Said text={run.name || run.task || run.id} />
        </h1>
        {live && (
          <span className={css.livedot} data-lost={lost || undefined}>
            {lost ? 'connection lost' : 'live'}
          </span>
        )}
        {generated && <Badge title="Made by the demo's generator, not by an agent">generated</Badge>}
        <span className={css.acts}>
          {!live && (
            <Suspense fallback={null}>
              <RunActs run={run} />
            </Suspense>
          )}
          {live && mayStop && (
            <button type="button" className={css.stopbutton} onClick={() => setStopping(true)}>
              Stop this run
            </button>
          )}
        </span>
      </div>
      <div className={css.headmeta}>
        <span>
          agent{' '}
          <Link to={'/runs' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: `agent:${quoted(run.agent)}` })) as never} className={css.headlink}>
            <Said text={run.agent || 'unknown'} />
          </Link>
          {run.version && (
            <>
              {' '}
              <span className={page.quiet}>
                <Said text={run.version} />
              </span>
            </>
          )}
        </span>
        <span>
          team <Said text={run.team || 'nobody yet'} />
        </span>
        {run.environment && (
          <span>
            <Said text={run.environment} />
          </span>
        )}
        <span>
          outcome <Outcome outcome={run.outcome} failed={run.failed && (run.status === 'done' || run.status === 'stale')} />
        </span>
        <span>
          started <Time at={run.started_at} as="day" />
        </span>
        {run.session && (
          <span>
            session{' '}
            <Link to={'/sessions/$id' as never} params={{ id: run.session } as never} search={pickView as never} className={css.headlink}>
              <Said text={run.session.length > 40 ? `${run.session.slice(0, 38)}…` : run.session} />
            </Link>
          </span>
        )}
        {run.user && (
          <span>
            for <Said text={run.user} />
          </span>
        )}
        {trace && (
          <button
            type="button"
            className={css.idbutton}
            title={`Trace ${trace}: copy`}
            onClick={() => {
              void navigator.clipboard?.writeText(trace).then(() => {
                setCopied(true);
                setTimeout(() => setCopied(false), 1500);
              });
            }}
          >
            {copied ? 'copied' : `trace ${trace.slice(0, 8)}…`}
          </button>
        )}
      </div>
      {stopping && (
        <Suspense fallback={null}>
          <StopDialog target={{ kind: 'run', value: run.id }} onClose={() => setStopping(false)} />
        </Suspense>
      )}
    </header>
  );
}

function quoted(v: string): string {
  return /^[\w.@/+-]+$/.test(v) ? v : `"${v.replace(/(["\\])/g, '\\$1')}"`;
}
