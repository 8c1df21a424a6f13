import { lazy, Suspense, useCallback, useDeferredValue, useMemo, useRef } from 'react';
import { useShortcuts } from '../shared/keys';
import type { criticalPath } from './critical';
import { Decisions } from './DecisionLane';
import { Found } from './FindingsLane';
import type { GraphMode } from './graph';
import { Behaviour } from './Lanes';
import css from './run.module.css';
import { Toolbar } from './Toolbar';
import { findSteps, matchRows, nextWith, type Tree, visibleRows } from './tree';
import type { PageParams } from './urlState';
import { useAxis } from './useAxis';
import { useCollapsed } from './useCollapsed';
import { Waterfall } from './Waterfall';

const GraphView = lazy(() => import('./GraphView'));

interface PerformanceProps {
  tree: Tree;
  critical: ReturnType<typeof criticalPath> | null;
  run: string;
  selected: number;
  live: boolean;
  follow: boolean;
  find: string;
  onFind: (s: string) => void;
  onFollow: (f: boolean) => void;
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
  params: PageParams;
  setParams: (change: PageParams, how?: 'push' | 'replace') => void;
}

/** Performance is the first lane with its tools, and the lanes below it on the same axis. */
export function Performance({ run, tree, critical, selected, live, follow, find, onFind, onFollow, onSelect, onOpen, params, setParams }: PerformanceProps) {
  const lane = params.lane === 'graph' ? 'graph' : 'time';
  const fold = params.gaps !== 'open';
  const axis = useAxis(tree, fold);
  const { scale, view, onView } = axis;
  const collapsed = useCollapsed(tree, selected);
  const only = params.only === 'matches';
  const sought = useDeferredValue(find);
  const match = useMemo(() => (sought.trim() ? findSteps(tree, sought) : null), [tree, sought]);
  const hits = useMemo(() => (match ? match.reduce((a, b) => a + b, 0) : 0), [match]);
  const rows = useMemo(() => (match && only && hits > 0 ? matchRows(tree, match) : visibleRows(tree, collapsed.ids)), [tree, match, only, hits, collapsed.ids]);
  const failures = useMemo(() => {
    let n = 0;
    for (const s of tree.steps) if (s.status === 'error') n++;
    return n;
  }, [tree]);

  const { reveal } = collapsed;
  const pick = useCallback(
    (i: number) => {
      reveal(i);
      onSelect(i);
    },
    [reveal, onSelect],
  );
  const jump = (dir: 1 | -1, ok: (i: number) => boolean) => {
    // All steps, in reading order: what is collapsed opens when it is reached.
    const at = selected >= 0 ? tree.rank[selected]! : dir > 0 ? -1 : 0;
    const r = nextWith(tree.order, at, dir, ok);
    if (r >= 0) pick(tree.order[r]!);
  };
  const isError = (i: number) => tree.steps[i]!.status === 'error';
  const isHit = (i: number) => match !== null && match[i] === 1;
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
        if (collapsed.has(selected)) collapsed.toggle(selected);
        else if (tree.childCount[selected]! > 0) to(row() + 1);
        return true;
      case 'ArrowLeft':
        if (selected < 0) return true;
        if (tree.childCount[selected]! > 0 && !collapsed.has(selected)) collapsed.toggle(selected);
        else if (tree.parent[selected]! >= 0) onSelect(tree.parent[selected]!);
        return true;
      case 'Enter':
        if (selected >= 0) onOpen(selected);
        return true;
      case ' ':
        if (selected >= 0 && tree.childCount[selected]! > 0) collapsed.toggle(selected);
        return true;
      case 'Escape':
        if (find) onFind('');
        else axis.fit();
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
    { keys: '+', label: 'Zoom in (also Ctrl and the wheel)', run: () => axis.zoom(0.6) },
    { keys: '-', label: 'Zoom out', run: () => axis.zoom(1 / 0.6) },
    { keys: '0', label: 'The whole run', run: axis.fit },
    { keys: 'z', label: 'Zoom to the selected step', run: () => selected >= 0 && axis.zoomTo(selected) },
    { keys: 'h', label: 'Earlier', run: () => axis.pan(-0.2) },
    { keys: 'l', label: 'Later', run: () => axis.pan(0.2) },
    { keys: 'c', label: 'Critical path on or off', run: () => setParams({ path: params.path === 'off' ? undefined : 'off' }) },
    { keys: 'w', label: 'Fold or open idle time', run: () => setParams({ gaps: fold ? 'open' : undefined }) },
    { keys: 'v', label: 'Waterfall or graph', run: () => setParams({ lane: lane === 'graph' ? undefined : 'graph' }, 'push') },
    { keys: '1', label: 'Transcript', run: () => setParams({ panel: undefined }, 'push') },
    { keys: '2', label: 'Step', run: () => setParams({ panel: 'step' }, 'push') },
    { keys: '3', label: 'Logs', run: () => setParams({ panel: 'logs' }, 'push') },
    { keys: '4', label: 'Metrics', run: () => setParams({ panel: 'metrics' }, 'push') },
    ...(live ? [{ keys: 'shift+f', label: 'Follow the newest step', run: () => onFollow(!follow) }] : []),
  ]);

  return (
    <div className={css.lanes}>
      <Toolbar
        lane={lane}
        axis={axis}
        collapsed={collapsed}
        fold={fold}
        critical={critical !== null}
        live={live}
        follow={follow}
        find={find}
        findBox={findBox}
        hits={hits}
        only={only}
        failures={failures}
        onFind={onFind}
        onFollow={onFollow}
        onHit={(dir) => jump(dir, isHit)}
        onError={(dir) => jump(dir, isError)}
        setParams={setParams}
      />
      <section className={css.performance} aria-label="Performance">
        {lane === 'graph' ? (
          <Suspense fallback={<p className={css.empty}>Drawing…</p>}>
            <GraphView tree={tree} selected={selected} mode={params.edges === 'order' ? 'order' : ('calls' as GraphMode)} onMode={(m) => setParams({ edges: m === 'order' ? m : undefined })} onSelect={onOpen} />
          </Suspense>
        ) : (
          <Waterfall tree={tree} rows={rows} selected={selected} collapsed={collapsed.ids} match={match} critical={critical} scale={scale} view={view} follow={follow && live} onView={onView} onSelect={onSelect} onOpen={onOpen} onToggle={collapsed.toggle} onKey={onKey} />
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
