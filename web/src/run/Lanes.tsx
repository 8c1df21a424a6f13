import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useTokens } from '../theme/token';
import { repeats } from './graph';
import css from './lane.module.css';
import page from './run.module.css';
import type { Scale, View } from './scale';
import { Said } from './Text';
import type { Tree } from './tree';
import { num } from './verdict';

const HEIGHT = 44;

/** Behaviour is the lane of how the run behaved: how its context grew from call to call, and what it did again and again. */
export function Behaviour({ tree, scale, view, onSelect }: { tree: Tree; scale: Scale; view: View; onSelect: (i: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const colors = useTokens({ model: '--r-kind-model', warn: '--r-warn', soft: '--r-unknown-line' });
  const calls = useMemo(() => {
    const out: number[] = [];
    for (let k = 0; k < tree.n; k++) {
      const i = tree.order[k]!;
      if (tree.steps[i]!.kind === 'model' && tree.childCount[i] === 0) out.push(i);
    }
    return out.sort((a, b) => tree.start[a]! - tree.start[b]!);
  }, [tree]);
  const again = useMemo(() => repeats(tree), [tree]);
  const most = useMemo(() => calls.reduce((a, i) => Math.max(a, tree.steps[i]!.usage?.input_total ?? 0), 0), [calls, tree]);
  const unknown = useMemo(() => calls.filter((i) => tree.steps[i]!.usage?.input_total == null).length, [calls, tree]);

  useLayoutEffect(() => {
    const el = canvas.current?.parentElement;
    if (!el) return;
    setWidth(el.clientWidth);
    const o = new ResizeObserver(() => setWidth(el.clientWidth));
    o.observe(el);
    return () => o.disconnect();
  }, []);

  useEffect(() => {
    const c = canvas.current;
    const g = c?.getContext('2d');
    if (!c || !g || width === 0) return;
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    c.width = Math.round(width * ratio);
    c.height = HEIGHT * ratio;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, HEIGHT);
    const x = (t: number) => ((scale.u(t) - view.from) / (view.to - view.from)) * width;
    for (const i of calls) {
      const a = x(tree.start[i]!);
      const b = x(tree.end[i]!);
      if (b < 0 || a > width) continue;
      const tokens = tree.steps[i]!.usage?.input_total;
      const w = Math.max(2, Math.min(b, width) - Math.max(a, 0) - 1);
      if (tokens == null) {
        g.fillStyle = colors.soft;
        for (let y = 4; y < HEIGHT; y += 5) g.fillRect(Math.max(a, 0), y, w, 1);
      } else {
        const h = most > 0 ? Math.max(1, (tokens / most) * (HEIGHT - 10)) : 1;
        g.fillStyle = colors.model;
        g.fillRect(Math.max(a, 0), HEIGHT - h, w, h);
      }
    }
    g.fillStyle = colors.warn;
    for (const r of again)
      for (const i of r.steps.slice(1)) {
        const a = x(tree.start[i]!);
        if (a < -4 || a > width + 4) continue;
        g.beginPath();
        g.moveTo(a - 4, 0);
        g.lineTo(a + 4, 0);
        g.lineTo(a, 7);
        g.fill();
      }
  }, [tree, calls, again, most, scale, view, width, colors]);

  const pick = (e: React.MouseEvent) => {
    const box = e.currentTarget.getBoundingClientRect();
    const t = scale.t(view.from + ((e.clientX - box.left) / box.width) * (view.to - view.from));
    let best = -1;
    let far = Infinity;
    for (const i of calls) {
      const d = t < tree.start[i]! ? tree.start[i]! - t : t > tree.end[i]! ? t - tree.end[i]! : 0;
      if (d < far) {
        far = d;
        best = i;
      }
    }
    if (best >= 0) onSelect(best);
  };
  const top = again[0];
  return (
    <section className={css.behaviour} aria-label="Behaviour">
      <div className={css.behaviourname}>
        <h2>Behaviour</h2>
        <p className={page.quiet}>
          {calls.length === 0 ? 'No model calls.' : most > 0 ? `Context up to ${num(most)} tokens a call` : 'Context of each call'}
          {unknown > 0 && calls.length > 0 ? `, unknown for ${num(unknown)}` : ''}
        </p>
        {top && (
          <p className={css.warnline}>
            ▾{' '}
            <button type="button" className={page.link} onClick={() => onSelect(top.steps[1] ?? top.steps[0]!)}>
              <Said text={top.name} />
            </button>{' '}
            {top.count}× {top.sameArguments ? 'same arguments' : 'in a row'}
          </p>
        )}
      </div>
      <div className={css.behaviourlane} data-time="lane" onClick={pick} aria-hidden>
        <canvas ref={canvas} className={css.behaviourcanvas} />
      </div>
    </section>
  );
}
