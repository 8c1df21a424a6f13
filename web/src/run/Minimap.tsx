import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTokens } from '../theme/token';
import { lookOf } from './kinds';
import css from './waterfall.module.css';
import { clampView, type Scale, type View } from './scale';
import type { Tree } from './tree';

const HEIGHT = 40;

/** Minimap shows the whole run at once; drag to see a part, drag the part to move it, double-click for all. */
export function Minimap({ tree, scale, view, onView }: { tree: Tree; scale: Scale; view: View; onView: (v: View) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const colors = useTokens({
    agent: '--r-kind-agent',
    model: '--r-kind-model',
    tool: '--r-kind-tool',
    retrieval: '--r-kind-retrieval',
    embedding: '--r-kind-embedding',
    guardrail: '--r-kind-guardrail',
    handoff: '--r-kind-handoff',
    human: '--r-kind-human',
    other: '--r-kind-other',
    bad: '--r-bad',
    line: '--r-unknown-line',
    ground: '--r-sunken',
  });

  useLayoutEffect(() => {
    const el = canvas.current?.parentElement;
    if (!el) return;
    setWidth(el.clientWidth);
    const o = new ResizeObserver(() => setWidth(el.clientWidth));
    o.observe(el);
    return () => o.disconnect();
  }, []);

  // Painted in one go after the rows are on the screen: the page is readable
  // before its small picture is.
  useEffect(() => {
    const c = canvas.current;
    const g = c?.getContext('2d');
    if (!c || !g || width === 0) return;
    const handle = requestAnimationFrame(() => {
      const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
      c.width = Math.round(width * ratio);
      c.height = HEIGHT * ratio;
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      g.fillStyle = colors.ground;
      g.fillRect(0, 0, width, HEIGHT);
      const k = width / scale.span;
      g.fillStyle = colors.line;
      for (const s of scale.segments) if (s.folded) for (let y = 0; y < HEIGHT; y += 4) g.fillRect(s.u0 * k, y, Math.max(1, (s.u1 - s.u0) * k), 1);
      const h = Math.max(1, Math.min(3, (HEIGHT - 6) / tree.n));
      const room = HEIGHT - 4 - h;
      // One pixel is painted once a colour: with 50,000 steps most fall together.
      const seen = new Set<number>();
      const bars: [number, number, number, string][] = [];
      for (let r = 0; r < tree.n; r++) {
        const i = tree.order[r]!;
        if (tree.childCount[i]! > 0 && tree.n > 200) continue;
        const s = tree.steps[i]!;
        const x0 = scale.u(tree.start[i]!) * k;
        const w = Math.max(1, scale.u(tree.end[i]!) * k - x0);
        const y = 2 + Math.round((r / Math.max(1, tree.n - 1)) * room);
        const error = s.status === 'error' && tree.childCount[i] === 0;
        const key = (Math.round(x0) * 64 + y) * 2 + (error ? 1 : 0);
        if (w < 2 && seen.has(key)) continue;
        seen.add(key);
        const tone = error ? colors.bad : colors[lookOf(s.kind).color.slice('--r-kind-'.length) as keyof typeof colors];
        if (error) bars.push([x0, y, w, tone]);
        else {
          g.fillStyle = tone;
          g.fillRect(x0, y, w, h);
        }
      }
      for (const [x0, y, w, tone] of bars) {
        g.fillStyle = tone;
        g.fillRect(x0, y - 1, Math.max(2, w), Math.max(2, h));
      }
    });
    return () => cancelAnimationFrame(handle);
  }, [tree, scale, width, colors]);

  const drag = useRef<{ mode: 'new' | 'move' | 'from' | 'to'; x: number; view: View } | null>(null);
  const at = (e: React.PointerEvent) => {
    const box = e.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, (e.clientX - box.left) / box.width)) * scale.span;
  };
  const whole = view.from <= scale.span * 1e-6 && view.to >= scale.span * (1 - 1e-6);
  return (
    <div
      className={css.minimap}
      aria-hidden
      data-time="axis"
      onPointerDown={(e) => {
        if (e.button !== 0) return;
        e.currentTarget.setPointerCapture(e.pointerId);
        const u = at(e);
        const near = (scale.span / Math.max(1, width)) * 5;
        const mode = whole
          ? 'new'
          : Math.abs(u - view.from) < near
            ? 'from'
            : Math.abs(u - view.to) < near
              ? 'to'
              : u > view.from && u < view.to
                ? 'move'
                : 'new';
        drag.current = { mode, x: u, view };
      }}
      onPointerMove={(e) => {
        const d = drag.current;
        if (!d) return;
        const u = at(e);
        if (d.mode === 'new') {
          if (Math.abs(u - d.x) > scale.span * 0.004) onView(clampView({ from: Math.min(u, d.x), to: Math.max(u, d.x) }, scale.span));
        } else if (d.mode === 'move') onView(clampView({ from: d.view.from + u - d.x, to: d.view.to + u - d.x }, scale.span));
        else if (d.mode === 'from') onView(clampView({ from: Math.min(u, d.view.to), to: d.view.to }, scale.span));
        else onView(clampView({ from: d.view.from, to: Math.max(u, d.view.from) }, scale.span));
      }}
      onPointerUp={() => (drag.current = null)}
      onPointerCancel={() => (drag.current = null)}
      onDoubleClick={() => onView({ from: 0, to: scale.span })}
      title="Drag to look at a part, double-click for all"
    >
      <canvas ref={canvas} className={css.minimapCanvas} />
      {!whole && (
        <>
          <i className={css.shade} style={{ left: 0, width: `${(view.from / scale.span) * 100}%` }} />
          <i className={css.shade} style={{ left: `${(view.to / scale.span) * 100}%`, right: 0 }} />
          <i
            className={css.brush}
            style={{ left: `${(view.from / scale.span) * 100}%`, width: `max(3px, ${((view.to - view.from) / scale.span) * 100}%)` }}
          />
        </>
      )}
    </div>
  );
}
