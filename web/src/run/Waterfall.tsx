import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { CriticalPath } from './critical';
import { lookOf } from './kinds';
import { Minimap } from './Minimap';
import css from './waterfall.module.css';
import page from './run.module.css';
import { foldLabels, formatDuration, panView, type Scale, ticks, type View, zoomView } from './scale';
import { REPAIR, type Tree } from './tree';
import { num } from './verdict';
import { plain } from './visible';

/** The height of a row in px; the layout depends on all rows having it. */
export const ROW = 24;
const OVERSCAN = 10;

export interface WaterfallProps {
  tree: Tree;
  rows: Int32Array;
  selected: number;
  collapsed: ReadonlySet<string>;
  match: Uint8Array | null;
  critical: CriticalPath | null;
  scale: Scale;
  view: View;
  follow: boolean;
  onView: (v: View) => void;
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
  onToggle: (i: number) => void;
  onKey: (e: React.KeyboardEvent) => boolean;
}

/**
 * Waterfall draws a run's steps over time. Only rows in sight are in the page,
 * and a row that scrolls out gives its elements to the one that scrolls in.
 */
export function Waterfall(p: WaterfallProps) {
  const { tree, rows, scale, view, onView } = p;
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [height, setHeight] = useState(600);
  const [width, setWidth] = useState(800);

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const see = () => {
      setHeight(el.clientHeight);
      setWidth(el.clientWidth);
    };
    see();
    const o = new ResizeObserver(see);
    o.observe(el);
    return () => o.disconnect();
  }, []);

  const onScroll = useCallback(() => {
    const el = box.current;
    if (el) setFirst(Math.max(0, Math.floor(el.scrollTop / ROW) - OVERSCAN));
  }, []);

  const place = useMemo(() => {
    const at = new Int32Array(tree.n).fill(-1);
    for (let r = 0; r < rows.length; r++) at[rows[r]!] = r;
    return at;
  }, [tree, rows]);

  // The selected step stays in sight, however it was selected.
  const selectedRow = p.selected >= 0 ? place[p.selected]! : -1;
  useLayoutEffect(() => {
    const el = box.current;
    if (!el || selectedRow < 0) return;
    const top = selectedRow * ROW;
    if (top < el.scrollTop) el.scrollTop = Math.max(0, top - ROW * 2);
    else if (top + ROW > el.scrollTop + el.clientHeight) el.scrollTop = top - el.clientHeight + ROW * 3;
  }, [selectedRow]);

  useEffect(() => {
    const el = box.current;
    if (p.follow && el) el.scrollTop = el.scrollHeight;
  }, [p.follow, rows.length]);

  // React's wheel listeners are passive; zooming must keep the page from moving.
  const latest = useRef({ view, span: scale.span, onView });
  latest.current = { view, span: scale.span, onView };
  useEffect(() => {
    const el = box.current?.parentElement;
    if (!el) return;
    const wheel = (e: WheelEvent) => {
      const lane = (e.target as HTMLElement).closest<HTMLElement>('[data-time]');
      if (!lane) return;
      const { view: v, span, onView: set } = latest.current;
      const area = lane.getBoundingClientRect();
      if (e.ctrlKey || e.metaKey || e.altKey || lane.dataset.time === 'axis') {
        e.preventDefault();
        set(zoomView(v, Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.006), (e.clientX - area.left) / area.width, span));
      } else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
        e.preventDefault();
        set(panView(v, (e.shiftKey && !e.deltaX ? e.deltaY : e.deltaX) / area.width, span));
      }
    };
    el.addEventListener('wheel', wheel, { passive: false });
    return () => el.removeEventListener('wheel', wheel);
  }, []);

  const count = Math.ceil(height / ROW) + 2 * OVERSCAN;
  const end = Math.min(rows.length, first + count);
  const places = Math.max(2, Math.floor((width * 0.58) / 90));
  const marks = useMemo(() => ticks(scale, view, places), [scale, view, places]);
  const written = useMemo(() => foldLabels(scale, view, places), [scale, view, places]);
  const x = (u: number) => ((u - view.from) / (view.to - view.from)) * 100;

  const out = [];
  for (let r = Math.min(first, Math.max(0, rows.length - count)); r < end; r++) {
    const i = rows[r]!;
    out.push(
      <StepRow
        key={r % count}
        r={r}
        i={i}
        tree={tree}
        selected={i === p.selected}
        open={!p.collapsed.has(tree.steps[i]!.id)}
        dim={p.match !== null && !p.match[i]}
        hit={p.match !== null && Boolean(p.match[i])}
        critical={p.critical ? p.critical.own[i]! : -1}
        scale={scale}
        from={view.from}
        to={view.to}
      />,
    );
  }

  const onClick = (e: React.MouseEvent) => {
    const row = (e.target as HTMLElement).closest<HTMLElement>('[data-step]');
    if (!row) return;
    const i = Number(row.dataset.step);
    if ((e.target as HTMLElement).closest('[data-caret]')) p.onToggle(i);
    else p.onSelect(i);
  };

  return (
    <div className={css.waterfall}>
      <Minimap tree={tree} scale={scale} view={view} onView={onView} />
      <div className={css.axis} data-time="axis" aria-hidden>
        {marks.map((m) => (
          <span key={m.t} className={css.tick} style={{ left: `${x(m.u)}%` }}>
            {m.label}
          </span>
        ))}
        {scale.segments
          .filter((s) => s.folded && s.u1 > view.from && s.u0 < view.to)
          .map((s) => (
            <span
              key={s.t0}
              className={css.fold}
              style={{ left: `${x(s.u0)}%`, width: `${x(s.u1) - x(s.u0)}%` }}
              title={`Nothing happened for ${formatDuration(s.t1 - s.t0)}: folded`}
            >
              {written.has(s.t0) && <i>{formatDuration(s.t1 - s.t0)}</i>}
            </span>
          ))}
      </div>
      <div
        ref={box}
        className={css.rows}
        role="treegrid"
        aria-label="Steps over time"
        aria-rowcount={rows.length}
        aria-colcount={2}
        tabIndex={0}
        aria-activedescendant={selectedRow >= first && selectedRow < end ? `wf-${p.selected}` : undefined}
        onScroll={onScroll}
        onClick={onClick}
        onDoubleClick={(e) => {
          const row = (e.target as HTMLElement).closest<HTMLElement>('[data-step]');
          if (row && !(e.target as HTMLElement).closest('[data-caret]')) p.onOpen(Number(row.dataset.step));
        }}
        onKeyDown={(e) => {
          if (p.onKey(e)) e.preventDefault();
        }}
        data-testid="waterfall"
      >
        <div className={css.sizer} style={{ height: rows.length * ROW }} role="presentation">
          <div className={css.grid} aria-hidden>
            <div className={css.gridlane}>
              {marks.map((m) => (
                <i key={m.t} className={css.gridline} style={{ left: `${x(m.u)}%` }} />
              ))}
              {scale.segments
                .filter((s) => s.folded && s.u1 > view.from && s.u0 < view.to)
                .map((s) => (
                  <i key={s.t0} className={css.foldband} style={{ left: `${x(s.u0)}%`, width: `${x(s.u1) - x(s.u0)}%` }} />
                ))}
            </div>
          </div>
          {out}
        </div>
      </div>
    </div>
  );
}

interface StepRowProps {
  r: number;
  i: number;
  tree: Tree;
  selected: boolean;
  open: boolean;
  dim: boolean;
  hit: boolean;
  critical: number;
  scale: Scale;
  from: number;
  to: number;
}

const StepRow = memo(function StepRow({ r, i, tree, selected, open, dim, hit, critical, scale, from, to }: StepRowProps) {
  const s = tree.steps[i]!;
  const l = lookOf(s.kind);
  const kids = tree.childCount[i]!;
  const below = tree.errors[i]! - (s.status === 'error' ? 1 : 0);
  const running = s.status === 'running';
  const ms = tree.end[i]! - tree.start[i]!;
  const span = to - from;
  const a = ((scale.u(tree.start[i]!) - from) / span) * 100;
  const b = ((scale.u(tree.end[i]!) - from) / span) * 100;
  const left = Math.max(-2, Math.min(102, a));
  const right = Math.max(-2, Math.min(102, b));
  const words = running ? 'running' : formatDuration(ms);
  const side = b > 100 || (b > 84 && a > 16) ? (a > 16 ? 'before' : 'inside') : b < 0 ? 'none' : 'after';
  const repair = tree.repair[i]! & (REPAIR.orphan | REPAIR.cycle | REPAIR.negative | REPAIR.noStart);
  const depth = Math.min(tree.depth[i]!, 24);
  const name = plain(s.kind === 'model' ? s.model || s.name : s.kind === 'tool' ? s.tool?.name || s.name : s.name, 120);
  const u = s.usage;
  return (
    <div
      id={`wf-${i}`}
      role="row"
      data-step={i}
      aria-rowindex={r + 1}
      aria-level={tree.depth[i]! + 1}
      aria-selected={selected}
      aria-expanded={kids > 0 ? open : undefined}
      className={`${css.row} ${selected ? css.selected : ''} ${dim ? css.dim : ''} ${hit ? css.hit : ''} ${s.status === 'error' ? css.failed : ''}`}
      style={{ transform: `translateY(${r * ROW}px)`, '--kind': `var(${l.color})` } as React.CSSProperties}
    >
      <div role="gridcell" className={css.name} style={{ paddingLeft: depth * 12 + 4 }}>
        {kids > 0 ? (
          <span data-caret className={open ? page.caretOpen : page.caret} aria-hidden title={open ? 'Collapse (←)' : 'Expand (→)'} />
        ) : (
          <span className={page.nocaret} />
        )}
        <span className={css.kind} title={l.name} aria-label={l.name} role="img">
          {l.letter}
        </span>
        <span className={css.label} title={name}>
          {name}
        </span>
        {repair > 0 && (
          <span className={css.repair} title={repairWords(repair)}>
            ?
          </span>
        )}
        {!open && kids > 0 && <span className={css.count}>{num(tree.after[i]! - tree.rank[i]! - 1)}</span>}
        {s.status === 'error' ? (
          <span className={css.error} title={plain(`${s.error?.type ?? 'error'} ${s.error?.message ?? ''}`, 200)}>
            {plain(s.error?.type || 'error', 40)}
          </span>
        ) : below > 0 ? (
          <span className={css.errorBelow} title={`${below} failed below`}>
            {below}✕
          </span>
        ) : null}
        {s.kind === 'model' && (u?.input_total != null || u?.output_total != null) && (
          <span className={css.meta} title="tokens in → out">
            {short(u?.input_total)}→{short(u?.output_total)}
          </span>
        )}
      </div>
      <div role="gridcell" className={css.lane} data-time="lane">
        <span
          className={`${css.bar} ${running ? css.running : ''} ${kids > 0 ? css.container : ''} ${s.status === 'error' ? css.barError : ''}`}
          style={{ left: `${left}%`, width: `max(2px, ${right - left}%)` }}
        />
        {critical > 0 && (
          <span
            className={css.critical}
            style={{ left: `${left}%`, width: `max(2px, ${right - left}%)` }}
            title={`${formatDuration(critical)} of the critical path`}
          />
        )}
        {side !== 'none' && (
          <span
            className={css.time}
            data-side={side}
            style={side === 'after' ? { left: `${right}%` } : side === 'before' ? { right: `${100 - left}%` } : { left: `${Math.max(0, left)}%` }}
          >
            {words}
          </span>
        )}
      </div>
    </div>
  );
});

function short(x: number | null | undefined): string {
  if (x == null) return '?';
  return x < 1000 ? `${x}` : x < 1e6 ? `${(x / 1000).toFixed(x < 9950 ? 1 : 0)}k` : `${(x / 1e6).toFixed(1)}M`;
}

/** repairWords says what was wrong with a step's place or time. */
export function repairWords(r: number): string {
  const out: string[] = [];
  if (r & REPAIR.orphan) out.push('its parent never arrived: shown at the top');
  if (r & REPAIR.cycle) out.push('its parents form a circle: cut here');
  if (r & REPAIR.negative) out.push('it ended before it started: shown as a point');
  if (r & REPAIR.noStart) out.push('it has no start time: shown at its parent’s start');
  return out.join('; ');
}
