import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { Problem } from '../api/client';
import { useStreamState } from '../api/events';
import { useMay } from '../api/queries';
import type { Message, Run } from '../api/types';
import { Badge, Outcome, RunStatus } from '../shared/Marks';
import { pickView, Time, useNow } from '../shared/Values';
import { criticalPath } from './critical';
import type { GraphMode } from './graph';
import { Decisions } from './DecisionLane';
import { Found } from './FindingsLane';
import { Behaviour } from './Lanes';
import { Logs, Metrics } from './Panels';
import { useLiveRun, useLogs, useMessages, useMetrics, useRun, useSteps } from './queries';
import css from './run.module.css';
import { Before } from '../changes/Before';
import { SaidOfRun } from './SaidOf';
import { ReadSources } from './Sources';
import { clampView, formatDuration, idleGaps, panView, Scale, type View, zoomView } from './scale';
import { StepPanel } from './StepPanel';
import { Said } from './Text';
import { Transcript } from './Transcript';
import { buildTree, findSteps, hiddenBy, matchRows, nextWith, type Tree, visibleRows } from './tree';
import { useShortcuts } from '../shared/keys';
import { usePageParams } from './urlState';
import { type Bit, num, type Target, verdict } from './verdict';
import { Waterfall } from './Waterfall';

const GraphView = lazy(() => import('./GraphView'));
const RunWhy = lazy(() => import('../why/RunWhy'));
const Ended = lazy(() => import('./Ended').then((m) => ({ default: m.Ended })));
const Steer = lazy(() => import('./Steer').then((m) => ({ default: m.Steer })));
const RunActs = lazy(() => import('../evaluations/RunActs').then((m) => ({ default: m.RunActs })));
const StopDialog = lazy(() => import('../stop/StopDialog').then((m) => ({ default: m.StopDialog })));

const NOBODY: readonly never[] = [];
const PANELS = ['transcript', 'why', 'step', 'logs', 'metrics'] as const;
type Panel = (typeof PANELS)[number];

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

  const panel: Panel = (PANELS as readonly string[]).includes(params.panel ?? '') ? (params.panel as Panel) : 'transcript';
  const lane = params.lane === 'graph' ? 'graph' : 'time';
  const selected = params.step ? (tree.index.get(params.step) ?? -1) : -1;
  const [follow, setFollow] = useState(false);

  const messages = useMessages(run.id, panel === 'transcript' && steps.isSuccess);
  const logs = useLogs(run.id, panel === 'logs');
  const metrics = useMetrics(run.id, panel === 'metrics');
  const book = useMemo(() => new Map<number, Message>((messages.data ?? NOBODY).map((m) => [m.ordinal, m])), [messages.data]);

  const select = useCallback((i: number) => setParams({ step: tree.steps[i]?.id }), [tree, setParams]);
  const open = useCallback((i: number) => setParams({ step: tree.steps[i]?.id, panel: 'step' }), [tree, setParams]);

  const said = useMemo(() => verdict(run, tree, now), [run, tree, now]);
  const [find, setFind] = useState('');
  const go = useCallback(
    (to: Target) => {
      if ('step' in to) setParams({ step: to.step, panel: 'step', lane: undefined });
      else if ('panel' in to) setParams({ panel: to.panel });
      else if ('filter' in to) {
        setFind(to.filter);
        setParams({ lane: undefined });
      }
    },
    [setParams],
  );

  useEffect(() => {
    document.title = `${run.name || run.agent || 'Run'} · Reeve`;
  }, [run.name, run.agent]);

  return (
    <div className={css.page} data-testid="run-page">
      <Head run={run} live={live} lost={streamState === 'lost'} />
      <div className={css.verdict} data-testid="verdict">
        <p className={css.headline}>
          {said.headline.map((b, i) => (
            <BitView key={i} b={b} go={go} />
          ))}
        </p>
        <p className={css.verdictfacts}>
          {(run.failed || ['failed', 'escalated', 'abandoned'].includes(run.outcome ?? '')) && panel !== 'why' && (
            <button type="button" className={css.bitlink} title="What it stands on, and what speaks against it (y)" onClick={() => setParams({ panel: 'why' }, 'push')}>
              Why?
            </button>
          )}
          {said.facts.map((f, i) => (
            <span key={i} className={css.fact}>
              {f.map((b, k) => (
                <BitView key={k} b={b} go={go} />
              ))}
            </span>
          ))}
        </p>
      </div>
      <Suspense fallback={null}>
        <Steer run={run.id} live={live} />
      </Suspense>
      <Suspense fallback={null}>
        <Ended key={run.id} run={run} />
      </Suspense>
      <Before run={run} />
      <SaidOfRun run={run.id} />
      <ReadSources run={run.id} live={live} ready={steps.isSuccess} onStep={(step) => setParams({ step, panel: 'step', lane: undefined })} />
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
          left={
            <Performance
              run={run.id}
              tree={tree}
              critical={critical}
              lane={lane}
              selected={selected}
              live={live}
              follow={follow}
              find={find}
              onFind={setFind}
              onFollow={setFollow}
              onSelect={select}
              onOpen={open}
              params={params}
              setParams={setParams}
            />
          }
          right={
            <div className={css.side}>
              <div className={css.tabs} role="tablist" aria-label="About the run">
                {PANELS.map((p) => (
                  <button
                    key={p}
                    type="button"
                    role="tab"
                    id={`tab-${p}`}
                    aria-selected={panel === p}
                    aria-controls="run-side"
                    tabIndex={panel === p ? 0 : -1}
                    onClick={() => setParams({ panel: p === 'transcript' ? undefined : p }, 'push')}
                    onKeyDown={(e) => {
                      const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
                      if (!d) return;
                      const next = PANELS[(PANELS.indexOf(p) + d + PANELS.length) % PANELS.length]!;
                      setParams({ panel: next });
                      document.getElementById(`tab-${next}`)?.focus();
                    }}
                  >
                    {p === 'transcript' ? 'Transcript' : p === 'why' ? 'Why' : p === 'step' ? 'Step' : p === 'logs' ? `Logs${run.log_count ? ` ${num(run.log_count)}` : ''}` : 'Metrics'}
                  </button>
                ))}
              </div>
              <div className={css.sidebody} id="run-side" role="tabpanel" aria-labelledby={`tab-${panel}`}>
                {panel === 'why' ? (
                  <Suspense fallback={<p className={css.empty}>Asking the records…</p>}>
                    <RunWhy run={run.id} live={live} onStep={(step) => setParams({ step, panel: 'step', lane: undefined })} />
                  </Suspense>
                ) : panel === 'step' ? (
                  <StepPanel run={run.id} tree={tree} selected={selected} critical={critical} onSelect={select} />
                ) : panel === 'logs' ? (
                  logs.isPending ? (
                    <p className={css.empty}>Reading log records…</p>
                  ) : logs.isError ? (
                    <p className={css.empty}>{logs.error.message}</p>
                  ) : (
                    <Logs logs={logs.data} tree={tree} selected={selected} onSelect={select} />
                  )
                ) : panel === 'metrics' ? (
                  metrics.isPending ? (
                    <p className={css.empty}>Reading metric points…</p>
                  ) : metrics.isError ? (
                    <p className={css.empty}>{metrics.error.message}</p>
                  ) : (
                    <Metrics points={metrics.data} />
                  )
                ) : messages.isPending ? (
                  <p className={css.empty}>Reading what was said…</p>
                ) : (
                  <>
                    {messages.isError && (
                      <p className={css.notice} role="note">
                        {messages.error instanceof Problem && messages.error.status === 403 ? 'You may see that this was said, not what: reading content needs the role reader.' : `What was said could not be read: ${messages.error.message}`}
                      </p>
                    )}
                    <Transcript tree={tree} messages={book} withheld={messages.error instanceof Problem && messages.error.status === 403} selected={selected} onSelect={select} onOpen={open} follow={follow && live} />
                  </>
                )}
              </div>
            </div>
          }
        />
      )}
    </div>
  );
}

function BitView({ b, go }: { b: Bit; go: (to: Target) => void }) {
  const tone = b.tone ? css[`tone-${b.tone}`] : undefined;
  if (b.to)
    return (
      <button type="button" className={`${css.bitlink} ${tone ?? ''}`} onClick={() => go(b.to!)}>
        <Said text={b.text} />
      </button>
    );
  return tone ? (
    <span className={tone}>
      <Said text={b.text} />
    </span>
  ) : (
    <Said text={b.text} />
  );
}

/** Head says what the run is, how it stands and whose it is. */
function Head({ run, live, lost }: { run: Run; live: boolean; lost: boolean }) {
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
              <span className={css.quiet}>
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

interface PerformanceProps {
  tree: Tree;
  critical: ReturnType<typeof criticalPath> | null;
  run: string;
  lane: 'time' | 'graph';
  selected: number;
  live: boolean;
  follow: boolean;
  find: string;
  onFind: (s: string) => void;
  onFollow: (f: boolean) => void;
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
  params: Record<string, string | undefined>;
  setParams: (change: Record<string, string | undefined>, how?: 'push' | 'replace') => void;
}

/** Performance is the first lane with its tools, and the lanes below it on the same axis. */
function Performance({ run, tree, critical, lane, selected, live, follow, find, onFind, onFollow, onSelect, onOpen, params, setParams }: PerformanceProps) {
  const gaps = useMemo(() => idleGaps(tree), [tree]);
  const fold = params.gaps !== 'open';
  const scale = useMemo(() => new Scale(tree.total, fold ? gaps : []), [tree.total, gaps, fold]);
  const [zoom, setZoom] = useState<View | null>(null);
  const view = useMemo(() => (zoom ? clampView(zoom, scale.span) : { from: 0, to: scale.span }), [zoom, scale]);
  const onView = useCallback(
    (v: View) => setZoom(v.from <= scale.span * 1e-6 && v.to >= scale.span * (1 - 1e-6) ? null : v),
    [scale.span],
  );
  // Folding a gap moves everything on the screen: an old zoom would show something else.
  useEffect(() => setZoom(null), [fold]);

  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const only = params.only === 'matches';
  const sought = useDeferredValue(find);
  const match = useMemo(() => (sought.trim() ? findSteps(tree, sought) : null), [tree, sought]);
  const hits = useMemo(() => (match ? match.reduce((a, b) => a + b, 0) : 0), [match]);
  const rows = useMemo(() => (match && only && hits > 0 ? matchRows(tree, match) : visibleRows(tree, collapsed)), [tree, match, only, hits, collapsed]);
  const failures = useMemo(() => {
    let n = 0;
    for (const s of tree.steps) if (s.status === 'error') n++;
    return n;
  }, [tree]);

  const toggle = useCallback(
    (i: number) =>
      setCollapsed((old) => {
        const id = tree.steps[i]!.id;
        const next = new Set(old);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [tree],
  );
  const pick = useCallback(
    (i: number) => {
      const hidden = hiddenBy(tree, i, collapsed);
      if (hidden.length) setCollapsed((old) => new Set([...old].filter((x) => !hidden.includes(x))));
      onSelect(i);
    },
    [tree, collapsed, onSelect],
  );
  // A step selected in the transcript must not stay hidden here.
  useEffect(() => {
    if (selected < 0) return;
    const hidden = hiddenBy(tree, selected, collapsed);
    if (hidden.length) setCollapsed((old) => new Set([...old].filter((x) => !hidden.includes(x))));
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected, tree]);

  const jump = (dir: 1 | -1, ok: (i: number) => boolean) => {
    // All steps, in reading order: what is collapsed opens when it is reached.
    const at = selected >= 0 ? tree.rank[selected]! : dir > 0 ? -1 : 0;
    const r = nextWith(tree.order, at, dir, ok);
    if (r >= 0) pick(tree.order[r]!);
  };
  const isError = (i: number) => tree.steps[i]!.status === 'error';
  const isHit = (i: number) => match !== null && match[i] === 1;
  const collapseAll = () => {
    const all = new Set<string>();
    for (let i = 0; i < tree.n; i++) if (tree.childCount[i]! > 0 && tree.depth[i]! > 0) all.add(tree.steps[i]!.id);
    setCollapsed(all);
  };
  const zoomTo = (i: number) => {
    const a = scale.u(tree.start[i]!);
    const b = scale.u(tree.end[i]!);
    const pad = Math.max((b - a) * 0.15, scale.span * 1e-4);
    onView(clampView({ from: a - pad, to: b + pad }, scale.span));
  };
  const findBox = useRef<HTMLInputElement>(null);

  const row = () => (selected < 0 ? -1 : indexIn(rows, tree, selected));
  const to = (r: number) => {
    if (rows.length) onSelect(rows[Math.max(0, Math.min(rows.length - 1, r))]!);
    return true;
  };
  // What a tree grid has to answer while it has the focus; letters work on the whole page.
  const onKey = (e: React.KeyboardEvent): boolean => {
    if (e.ctrlKey || e.metaKey || e.altKey) return false;
    switch (e.key) {
      case 'ArrowDown':
        return to(row() + 1);
      case 'ArrowUp':
        return to(selected < 0 ? rows.length - 1 : row() - 1);
      case 'PageDown':
        return to(row() + 20);
      case 'PageUp':
        return to(row() - 20);
      case 'Home':
        return to(0);
      case 'End':
        return to(rows.length - 1);
      case 'ArrowRight':
        if (selected < 0) return to(0);
        if (collapsed.has(tree.steps[selected]!.id)) toggle(selected);
        else if (tree.childCount[selected]! > 0) to(row() + 1);
        return true;
      case 'ArrowLeft':
        if (selected < 0) return true;
        if (tree.childCount[selected]! > 0 && !collapsed.has(tree.steps[selected]!.id)) toggle(selected);
        else if (tree.parent[selected]! >= 0) onSelect(tree.parent[selected]!);
        return true;
      case 'Enter':
        if (selected >= 0) onOpen(selected);
        return true;
      case ' ':
        if (selected >= 0 && tree.childCount[selected]! > 0) toggle(selected);
        return true;
      case 'Escape':
        if (find) onFind('');
        else setZoom(null);
        return true;
      default:
        return false;
    }
  };
  const focusRows = () => document.querySelector<HTMLElement>('[data-testid="waterfall"]')?.focus({ preventScroll: true });
  useShortcuts('This run', [
    { keys: 'y', label: 'Why it ended so', run: () => setParams({ panel: 'why' }, 'push') },
    { keys: 'j', label: 'Next step (also ↓)', run: () => (to(row() + 1), focusRows()) },
    { keys: 'k', label: 'Previous step (also ↑)', run: () => (to(selected < 0 ? rows.length - 1 : row() - 1), focusRows()) },
    { keys: 'enter', label: 'Open the selected step', run: () => selected >= 0 && onOpen(selected) },
    { keys: 'e', label: 'Next error', run: () => jump(1, isError) },
    { keys: 'shift+e', label: 'Previous error', run: () => jump(-1, isError) },
    { keys: 'f', label: 'Find a step', run: () => findBox.current?.focus() },
    { keys: 'n', label: 'Next step found', run: () => jump(1, isHit) },
    { keys: 'shift+n', label: 'Previous step found', run: () => jump(-1, isHit) },
    { keys: '+', label: 'Zoom in (also Ctrl and the wheel)', run: () => onView(zoomView(view, 0.6, 0.5, scale.span)) },
    { keys: '-', label: 'Zoom out', run: () => onView(zoomView(view, 1 / 0.6, 0.5, scale.span)) },
    { keys: '0', label: 'The whole run', run: () => setZoom(null) },
    { keys: 'z', label: 'Zoom to the selected step', run: () => selected >= 0 && zoomTo(selected) },
    { keys: 'h', label: 'Earlier', run: () => onView(panView(view, -0.2, scale.span)) },
    { keys: 'l', label: 'Later', run: () => onView(panView(view, 0.2, scale.span)) },
    { keys: 'c', label: 'Critical path on or off', run: () => setParams({ path: params.path === 'off' ? undefined : 'off' }) },
    { keys: 'w', label: 'Fold or open idle time', run: () => setParams({ gaps: fold ? 'open' : undefined }) },
    { keys: 'v', label: 'Waterfall or graph', run: () => setParams({ lane: lane === 'graph' ? undefined : 'graph' }, 'push') },
    { keys: '1', label: 'Transcript', run: () => setParams({ panel: undefined }, 'push') },
    { keys: '2', label: 'Step', run: () => setParams({ panel: 'step' }, 'push') },
    { keys: '3', label: 'Logs', run: () => setParams({ panel: 'logs' }, 'push') },
    { keys: '4', label: 'Metrics', run: () => setParams({ panel: 'metrics' }, 'push') },
    ...(live ? [{ keys: 'shift+f', label: 'Follow the newest step', run: () => onFollow(!follow) }] : []),
  ]);

  const folded = gaps.reduce((a, g) => a + g.to - g.from, 0);
  return (
    <div className={css.lanes}>
      <div className={css.toolbar} role="toolbar" aria-label="Steps">
        <div className={css.seg} role="group" aria-label="How steps are shown">
          <button type="button" aria-pressed={lane === 'time'} onClick={() => setParams({ lane: undefined }, 'push')}>
            Waterfall
          </button>
          <button type="button" aria-pressed={lane === 'graph'} onClick={() => setParams({ lane: 'graph' }, 'push')}>
            Graph
          </button>
        </div>
        {lane === 'time' && (
          <>
            <span className={css.find}>
              <input
                ref={findBox}
                type="search"
                value={find}
                placeholder="Find (f)"
                aria-label="Find a step"
                onChange={(e) => onFind(e.target.value)}
                onKeyDown={(e) => {
                  if (e.key === 'Enter') {
                    jump(e.shiftKey ? -1 : 1, isHit);
                    e.preventDefault();
                  } else if (e.key === 'Escape') {
                    onFind('');
                    document.querySelector<HTMLElement>('[data-testid="waterfall"]')?.focus();
                  }
                }}
              />
              {find.trim() !== '' && (
                <span className={css.hits} aria-live="polite">
                  {num(hits)} found
                </span>
              )}
            </span>
            {find.trim() !== '' && hits > 0 && (
              <button type="button" className={css.tool} aria-pressed={only} onClick={() => setParams({ only: only ? undefined : 'matches' })}>
                only these
              </button>
            )}
            {failures > 0 && (
              <span className={css.errjump}>
                <button type="button" className={css.tool} onClick={() => jump(-1, isError)} aria-label="Previous error" title="Previous error (Shift+e)">
                  ‹
                </button>
                <span>
                  {num(failures)} {failures === 1 ? 'error' : 'errors'}
                </span>
                <button type="button" className={css.tool} onClick={() => jump(1, isError)} aria-label="Next error" title="Next error (e)">
                  ›
                </button>
              </span>
            )}
            <span className={css.spring} />
            {live && (
              <button type="button" className={css.tool} aria-pressed={follow} onClick={() => onFollow(!follow)} title="Keep the newest step in sight">
                Follow
              </button>
            )}
            <button type="button" className={css.tool} aria-pressed={critical !== null} onClick={() => setParams({ path: params.path === 'off' ? undefined : 'off' })} title="Underline the steps that decided how long the run took (c)">
              Critical path
            </button>
            {folded > 0 && (
              <button type="button" className={css.tool} aria-pressed={fold} onClick={() => setParams({ gaps: fold ? 'open' : undefined })} title={`${formatDuration(folded)} in which nothing happened: ${fold ? 'show them' : 'fold them'} (w)`}>
                {fold ? 'Idle folded' : 'Fold idle'}
              </button>
            )}
            <button type="button" className={css.tool} onClick={() => (collapsed.size ? setCollapsed(new Set()) : collapseAll())} title={collapsed.size ? 'Expand all' : 'Collapse all'} aria-label={collapsed.size ? 'Expand all' : 'Collapse all'}>
              {collapsed.size ? '⊞' : '⊟'}
            </button>
            <span className={css.zoom}>
              <button type="button" className={css.tool} onClick={() => onView(zoomView(view, 1 / 0.6, 0.5, scale.span))} aria-label="Zoom out" title="Zoom out (−)">
                −
              </button>
              <button type="button" className={css.tool} onClick={() => onView(zoomView(view, 0.6, 0.5, scale.span))} aria-label="Zoom in" title="Zoom in (+, or Ctrl and the wheel)">
                +
              </button>
              {zoom && (
                <button type="button" className={css.tool} onClick={() => setZoom(null)} title="The whole run (0)">
                  Fit
                </button>
              )}
            </span>
          </>
        )}
      </div>
      <section className={css.performance} aria-label="Performance">
        {lane === 'graph' ? (
          <Suspense fallback={<p className={css.empty}>Drawing…</p>}>
            <GraphView tree={tree} selected={selected} mode={params.edges === 'order' ? 'order' : ('calls' as GraphMode)} onMode={(m) => setParams({ edges: m === 'order' ? m : undefined })} onSelect={onOpen} />
          </Suspense>
        ) : (
          <Waterfall tree={tree} rows={rows} selected={selected} collapsed={collapsed} match={match} critical={critical} scale={scale} view={view} follow={follow && live} onView={onView} onSelect={onSelect} onOpen={onOpen} onToggle={toggle} onKey={onKey} />
        )}
      </section>
      <Behaviour tree={tree} scale={scale} view={view} onSelect={pick} />
      <Decisions run={run} live={live} tree={tree} scale={scale} view={view} onSelect={pick} />
      <Found run={run} live={live} tree={tree} scale={scale} view={view} onSelect={pick} />
    </div>
  );
}

function indexIn(rows: Int32Array, tree: Tree, i: number): number {
  // Rows are in reading order, so the place is found by rank.
  let lo = 0;
  let hi = rows.length - 1;
  const rank = tree.rank[i]!;
  while (lo <= hi) {
    const mid = (lo + hi) >> 1;
    const r = tree.rank[rows[mid]!]!;
    if (r === rank) return mid;
    if (r < rank) lo = mid + 1;
    else hi = mid - 1;
  }
  return Math.max(0, lo - 1);
}

const WIDTH_KEY = 'reeve.run.split';

/** Split holds two panes whose border can be moved, by pointer or arrow keys. */
function Split({ left, right }: { left: React.ReactNode; right: React.ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(() => {
    const v = Number(localStorage.getItem(WIDTH_KEY));
    return v > 25 && v < 80 ? v : 58;
  });
  const set = (v: number) => {
    const x = Math.max(28, Math.min(78, v));
    setShare(x);
    localStorage.setItem(WIDTH_KEY, String(Math.round(x)));
  };
  return (
    <div ref={box} className={css.split} style={{ '--left': `${share}%` } as React.CSSProperties}>
      <div className={css.pane}>{left}</div>
      <div
        className={css.border}
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the steps"
        aria-valuenow={Math.round(share)}
        aria-valuemin={28}
        aria-valuemax={78}
        tabIndex={0}
        onKeyDown={(e) => {
          if (e.key === 'ArrowLeft') set(share - 2);
          else if (e.key === 'ArrowRight') set(share + 2);
        }}
        onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
        onPointerMove={(e) => {
          if (!e.currentTarget.hasPointerCapture(e.pointerId) || !box.current) return;
          const r = box.current.getBoundingClientRect();
          set(((e.clientX - r.left) / r.width) * 100);
        }}
        onDoubleClick={() => set(58)}
      />
      <div className={css.pane}>{right}</div>
    </div>
  );
}
