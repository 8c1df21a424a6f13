import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { clock, count, dayClock } from '../shared/format';
import { bucketFor, span } from '../shared/period';
import type { CurrentView } from '../state/url';
import { cells, useAsk, where } from './queries';
import css from './runs.module.css';
import { bars, type Bar, ENDS, type End } from './strip';

const COLORS: Record<End, string> = {
  verified: 'var(--r-outcome-resolved)',
  assumed: 'var(--r-outcome-assumed)',
  contained: 'var(--r-outcome-contained)',
  deflected: 'var(--r-outcome-deflected)',
  escalated: 'var(--r-outcome-escalated)',
  abandoned: 'var(--r-outcome-abandoned)',
  failed: 'var(--r-outcome-failed)',
  unknown: 'url(#strip-hatch)',
  running: 'var(--r-accent-line)',
};
const WORDS: Record<End, string> = { verified: 'verified resolved', assumed: 'assumed resolved', contained: 'contained', deflected: 'deflected', escalated: 'escalated', abandoned: 'abandoned', failed: 'failed', unknown: 'outcome unknown', running: 'not over yet' };
const HEIGHT = 64;

/** A stretch of time that was brushed, ms since 1970. */
export interface Stretch {
  from: number;
  to: number;
}

export interface StripProps {
  view: CurrentView;
  q: string;
  /** changes when the figures should be counted again */
  tick: number;
  brush: Stretch | null;
  onBrush: (s: Stretch | null) => void;
  onZoom: (s: Stretch) => void;
  onDifferent: (s: Stretch) => void;
}

/** Strip shows how the runs of the search ended, over time. Drag over it to choose a stretch. */
export function Strip({ view, q, tick, brush, onBrush, onZoom, onDifferent }: StripProps) {
  // tick moves the end of a live period; the bucket keeps the question the same within it.
  const period = useMemo(() => span(view.from, view.to), [view.from, view.to, tick]); // eslint-disable-line react-hooks/exhaustive-deps
  const bucket = bucketFor(period.to - period.from, 96);
  const asked = useAsk(
    useMemo(
      () => ({ from: 'runs', select: [{ func: 'count', as: 'n' }], where: where(view, q), group_by: ['outcome', 'status', 'failed'], bucket: bucket.text, start: new Date(period.from).toISOString(), end: new Date(period.to).toISOString(), limit: 5000 }),
      [view, q, bucket.text, period],
    ),
  );
  const list = useMemo(() => bars(cells(asked.data), period.from, period.to, bucket.ms), [asked.data, period, bucket.ms]);
  const most = Math.max(1, ...list.map((b) => b.total));
  const sums = useMemo(() => {
    const n = Object.fromEntries(ENDS.map((e) => [e, 0])) as Record<End, number>;
    for (const b of list) for (const e of ENDS) n[e] += b.n[e];
    return n;
  }, [list]);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(1000);
  const [over, setOver] = useState<number | null>(null);
  const drag = useRef<number | null>(null);
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const see = () => setWidth(Math.max(100, el.clientWidth));
    see();
    const o = new ResizeObserver(see);
    o.observe(el);
    return () => o.disconnect();
  }, []);

  const start = list[0]?.at ?? period.from;
  const end = start + list.length * bucket.ms;
  const x = (t: number) => ((t - start) / (end - start)) * width;
  const at = (e: React.PointerEvent) => {
    const r = e.currentTarget.getBoundingClientRect();
    return start + Math.max(0, Math.min(1, (e.clientX - r.left) / r.width)) * (end - start);
  };
  const w = width / list.length;
  const total = ENDS.reduce((a, e) => a + sums[e], 0);
  const hovered = over === null ? null : (list[over] ?? null);
  const marks = useMemo(() => axis(start, end, Math.max(2, Math.floor(width / 110))), [start, end, width]);

  return (
    <section className={css.strip} aria-label="Outcomes over time">
      <div className={css.legend}>
        {ENDS.filter((e) => sums[e] > 0).map((e) => (
          <span key={e}>
            <svg width="10" height="10" aria-hidden>
              <rect width="10" height="10" rx="2" fill={COLORS[e]} />
            </svg>
            {WORDS[e]} <b className="num">{count(sums[e])}</b>
          </span>
        ))}
        {asked.isError && <span className={css.stripError}>Outcomes could not be counted: {asked.error.message}</span>}
        {!asked.isError && asked.isSuccess && total === 0 && <span className="muted">No runs in this period.</span>}
        <span className="grow" />
        {brush ? (
          <span className={css.brushed}>
            {dayClock(brush.from, view.tz)} to {clock(brush.to, view.tz)}
            <button type="button" onClick={() => onDifferent(brush)}>
              What is different
            </button>
            <button type="button" onClick={() => onZoom(brush)}>
              Zoom in
            </button>
            <button type="button" aria-label="Clear the stretch" onClick={() => onBrush(null)}>
              ×
            </button>
          </span>
        ) : hovered ? (
          <span className="muted num">
            {dayClock(hovered.at, view.tz)}: {count(hovered.total)} {hovered.total === 1 ? 'run' : 'runs'}
            {hovered.n.failed > 0 && `, ${count(hovered.n.failed)} failed`}
          </span>
        ) : (
          <span className="muted">{bucket.text} a bar; drag to choose a stretch</span>
        )}
      </div>
      <div
        ref={box}
        className={css.stripbox}
        onPointerDown={(e) => {
          if (e.button !== 0) return;
          e.currentTarget.setPointerCapture(e.pointerId);
          drag.current = at(e);
        }}
        onPointerMove={(e) => {
          const t = at(e);
          setOver(Math.floor((t - start) / bucket.ms));
          if (drag.current === null) return;
          const a = Math.floor((Math.min(t, drag.current) - start) / bucket.ms) * bucket.ms + start;
          const b = Math.ceil((Math.max(t, drag.current) - start) / bucket.ms) * bucket.ms + start;
          if (Math.abs(x(t) - x(drag.current)) > 4) onBrush({ from: a, to: Math.max(b, a + bucket.ms) });
        }}
        onPointerUp={() => (drag.current = null)}
        onPointerCancel={() => (drag.current = null)}
        onPointerLeave={() => setOver(null)}
        onDoubleClick={() => onBrush(null)}
      >
        <svg width={width} height={HEIGHT} role="img" aria-label={`${count(total)} runs over time: ${ENDS.filter((e) => sums[e] > 0).map((e) => `${count(sums[e])} ${WORDS[e]}`).join(', ')}`}>
          <defs>
            <pattern id="strip-hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="5" height="5" fill="var(--r-unknown-bg)" />
              <rect width="1.6" height="5" fill="var(--r-unknown)" />
            </pattern>
          </defs>
          {over !== null && over >= 0 && <rect x={over * w} y={0} width={w} height={HEIGHT} fill="var(--r-hover)" />}
          {list.map((b, i) => (
            <Stack key={b.at} b={b} x={i * w} w={w} most={most} />
          ))}
          {brush && <rect x={x(brush.from)} y={0} width={Math.max(2, x(brush.to) - x(brush.from))} height={HEIGHT} fill="var(--r-select)" stroke="var(--r-accent)" />}
        </svg>
        <div className={css.stripaxis} aria-hidden>
          {marks.map((m) => (
            <span key={m} style={{ left: x(m) }}>
              {end - start > 2 * 86400e3 ? dayClock(m, view.tz).replace(', 00:00', '') : clock(m, view.tz)}
            </span>
          ))}
        </div>
      </div>
    </section>
  );
}

function Stack({ b, x, w, most }: { b: Bar; x: number; w: number; most: number }) {
  let y = HEIGHT;
  const out = [];
  for (const e of ENDS) {
    const n = b.n[e];
    if (n === 0) continue;
    const h = Math.max(1, (n / most) * (HEIGHT - 2));
    y -= h;
    out.push(<rect key={e} x={x + 0.5} y={y} width={Math.max(1, w - 1)} height={h} fill={COLORS[e]} />);
  }
  return <>{out}</>;
}

const STEPS = [60e3, 300e3, 900e3, 1800e3, 3600e3, 2 * 3600e3, 3 * 3600e3, 6 * 3600e3, 12 * 3600e3, 86400e3, 2 * 86400e3, 7 * 86400e3];

function axis(from: number, to: number, most: number): number[] {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? STEPS.at(-1)!;
  const zone = new Date(from).getTimezoneOffset() * 60e3;
  const out: number[] = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t < to; t += step) out.push(t);
  return out;
}
