import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { Problem } from '../api/client';
import { useStreamState } from '../api/events';
import type { Run } from '../api/types';
import { Before } from '../changes/Before';
import { pickView, useNow } from '../shared/Values';
import { criticalPath } from './critical';
import { Performance } from './Performance';
import { useLiveRun, useRun, useSteps } from './queries';
import css from './run.module.css';
import { RunHead } from './RunHead';
import { SaidOfRun } from './SaidOf';
import { panelOf, Side } from './Side';
import { ReadSources } from './Sources';
import { Split } from './Split';
import { buildTree } from './tree';
import { usePageParams } from './urlState';
import { num, type Target, verdict } from './verdict';
import { VerdictLine } from './VerdictLine';

const Ended = lazy(() => import('./Ended').then((m) => ({ default: m.Ended })));
const Steer = lazy(() => import('./Steer').then((m) => ({ default: m.Steer })));

const NOBODY: readonly never[] = [];

/** RunPage answers why a run ended as it did. */
export function RunPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const run = useRun(id);
  // Asked for beside the run, not after it: the steps are what takes time.
  useSteps(id);
  if (run.isPending) return <p className={css.empty}>Reading the run…</p>;
  if (run.isError) return <NoRun id={id} error={run.error} />;
  return <RunView key={id} run={run.data} />;
}

function NoRun({ id, error }: { id: string; error: Error }) {
  const missing = error instanceof Problem && error.status === 404;
  return (
    <div className={css.empty} role="alert">
      <h1>{missing ? 'This run is not here' : 'The run could not be read'}</h1>
      <p>
        {missing ? (
          <>
            No run <code>{id}</code> is stored, or you may not see it. It may be older than what is kept, or its first step may still be on its way.
          </>
        ) : (
          error.message
        )}
      </p>
      <p>
        <Link to={'/runs' as never} search={pickView as never} className="link">
          All runs
        </Link>
      </p>
    </div>
  );
}

function RunView({ run }: { run: Run }) {
  const [params, setParams] = usePageParams();
  const steps = useSteps(run.id);
  useLiveRun(run.id, run.step_count);
  const streamState = useStreamState();
  const live = run.status === 'running' || run.status === 'waiting';

  // While it runs, time goes on between its events; big runs are laid out anew less often.
  const now = useNow(live ? (run.step_count > 5000 ? 5000 : 1000) : 60_000);
  const data = steps.data ?? NOBODY;
  const tree = useMemo(() => buildTree(data, live ? Math.max(now, Date.parse(run.updated_at)) : undefined), [data, live, live ? now : 0, run.updated_at]); // eslint-disable-line react-hooks/exhaustive-deps
  const critical = useMemo(() => (params.path === 'off' ? null : criticalPath(tree)), [tree, params.path]);
  const said = useMemo(() => verdict(run, tree, now), [run, tree, now]);

  const panel = panelOf(params);
  const selected = params.step ? (tree.index.get(params.step) ?? -1) : -1;
  const [follow, setFollow] = useState(false);
  const [find, setFind] = useState('');

  const select = useCallback((i: number) => setParams({ step: tree.steps[i]?.id }), [tree, setParams]);
  const open = useCallback((i: number) => setParams({ step: tree.steps[i]?.id, panel: 'step' }), [tree, setParams]);
  const openStep = useCallback((step: string) => setParams({ step, panel: 'step', lane: undefined }), [setParams]);
  const go = useCallback(
    (to: Target) => {
      if ('step' in to) openStep(to.step);
      else if ('panel' in to) setParams({ panel: to.panel });
      else if ('filter' in to) {
        setFind(to.filter);
        setParams({ lane: undefined });
      }
    },
    [openStep, setParams],
  );

  useEffect(() => {
    document.title = `${run.name || run.agent || 'Run'} · Reeve`;
  }, [run.name, run.agent]);

  return (
    <div className={css.page} data-testid="run-page">
      <RunHead run={run} live={live} lost={streamState === 'lost'} />
      <VerdictLine run={run} said={said} go={go} onWhy={panel === 'why' ? undefined : () => setParams({ panel: 'why' }, 'push')} />
      <Suspense fallback={null}>
        <Steer run={run.id} live={live} />
      </Suspense>
      <Suspense fallback={null}>
        <Ended key={run.id} run={run} />
      </Suspense>
      <Before run={run} />
      <SaidOfRun run={run.id} />
      <ReadSources run={run.id} live={live} ready={steps.isSuccess} onStep={openStep} />
      {steps.isError ? (
        <p className={css.empty} role="alert">
          The steps could not be read: {steps.error.message}
        </p>
      ) : steps.isPending ? (
        <p className={css.empty}>Reading {num(run.step_count)} steps…</p>
      ) : tree.n === 0 ? (
        <p className={css.empty}>No step of this run is stored yet. Steps appear here as they arrive.</p>
      ) : (
        <Split
          left={<Performance run={run.id} tree={tree} critical={critical} selected={selected} live={live} follow={follow} find={find} onFind={setFind} onFollow={setFollow} onSelect={select} onOpen={open} params={params} setParams={setParams} />}
          right={<Side run={run} live={live} tree={tree} critical={critical} panel={panel} selected={selected} follow={follow} onSelect={select} onOpen={open} setParams={setParams} />}
        />
      )}
    </div>
  );
}
