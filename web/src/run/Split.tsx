import { useRef, useState } from 'react';
import css from './split.module.css';

const WIDTH_KEY = 'reeve.run.split';

/** Split holds two panes whose border can be moved, by pointer or arrow keys. */
export function Split({ left, right }: { left: React.ReactNode; right: React.ReactNode }) {
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
