import { useCallback, useEffect, useMemo, useState } from 'react';
import { clampView, idleGaps, panView, Scale, type View, zoomView } from './scale';
import type { Tree } from './tree';

/** Axis is the time axis that the lanes share, and what can be done with it. */
export interface Axis {
  scale: Scale;
  view: View;
  zoomed: boolean;
  /** idle is how many milliseconds nothing happened, folded or not. */
  idle: number;
  onView: (v: View) => void;
  fit: () => void;
  zoom: (factor: number) => void;
  pan: (share: number) => void;
  zoomTo: (step: number) => void;
}

/** useAxis holds the time axis of a run; with fold, idle time takes no room. */
export function useAxis(tree: Tree, fold: boolean): Axis {
  const gaps = useMemo(() => idleGaps(tree), [tree]);
  const scale = useMemo(() => new Scale(tree.total, fold ? gaps : []), [tree.total, gaps, fold]);
  const [zoomed, setZoomed] = useState<View | null>(null);
  const view = useMemo(() => (zoomed ? clampView(zoomed, scale.span) : { from: 0, to: scale.span }), [zoomed, scale]);
  const onView = useCallback(
    (v: View) => setZoomed(v.from <= scale.span * 1e-6 && v.to >= scale.span * (1 - 1e-6) ? null : v),
    [scale.span],
  );
  // Folding a gap moves everything on the screen: an old zoom would show something else.
  useEffect(() => setZoomed(null), [fold]);

  return {
    scale,
    view,
    zoomed: zoomed !== null,
    idle: gaps.reduce((a, g) => a + g.to - g.from, 0),
    onView,
    fit: () => setZoomed(null),
    zoom: (factor) => onView(zoomView(view, factor, 0.5, scale.span)),
    pan: (share) => onView(panView(view, share, scale.span)),
    zoomTo: (step) => {
      const a = scale.u(tree.start[step]!);
      const b = scale.u(tree.end[step]!);
      const pad = Math.max((b - a) * 0.15, scale.span * 1e-4);
      onView(clampView({ from: a - pad, to: b + pad }, scale.span));
    },
  };
}
