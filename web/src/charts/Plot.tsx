import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import css from './charts.module.css';

/** Plot draws with uPlot, follows its box's width and is made anew when its options change. */
export function Plot({ options, data, label, height, onBrush }: { options: Omit<uPlot.Options, 'width' | 'height'>; data: uPlot.AlignedData; label: string; height: number; onBrush?: (from: number, to: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const brush = useRef(onBrush);
  brush.current = onBrush;
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const u = new uPlot(
      {
        ...options,
        width: Math.max(40, el.clientWidth),
        height,
        legend: { show: false },
        hooks: {
          ...options.hooks,
          setSelect: [
            (p) => {
              if (p.select.width < 6) return;
              brush.current?.(p.posToVal(p.select.left, 'x'), p.posToVal(p.select.left + p.select.width, 'x'));
              p.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      latest.current,
      el,
    );
    plot.current = u;
    const resized = new ResizeObserver(() => u.setSize({ width: Math.max(40, el.clientWidth), height }));
    resized.observe(el);
    return () => {
      resized.disconnect();
      u.destroy();
      plot.current = undefined;
    };
  }, [options, height]);

  useEffect(() => plot.current?.setData(data), [data]);

  return <div ref={box} className={css.plot} role="img" aria-label={label} style={{ height }} />;
}
