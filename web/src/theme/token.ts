import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';

/** token reads a colour of tokens.css for code that paints on a canvas. */
export function token(name: `--r-${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * useTokens reads several tokens and reads them again when the scheme changes,
 * so that a canvas is repainted in the new colours.
 */
export function useTokens<K extends string>(names: Record<K, `--r-${string}`>): Record<K, string> {
  const scheme = useComputedColorScheme('light');
  const key = Object.values(names).join();
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    const out = {} as Record<K, string>;
    for (const k of Object.keys(names) as K[]) out[k] = style.getPropertyValue(names[k]).trim();
    return out;
    // names is usually a literal; its content is what counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [scheme, key]);
}

/** hatch makes the pattern that stands for "we cannot see this" on a canvas. */
export function hatch(ctx: CanvasRenderingContext2D, line: string, ground: string): CanvasPattern | string {
  const ratio = Math.max(1, Math.round(globalThis.devicePixelRatio || 1));
  const size = 6 * ratio;
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const t = tile.getContext('2d');
  if (!t) return line;
  t.fillStyle = ground;
  t.fillRect(0, 0, size, size);
  t.strokeStyle = line;
  t.lineWidth = 1.5 * ratio;
  t.beginPath();
  for (const d of [-size, 0, size]) {
    t.moveTo(d, size);
    t.lineTo(d + size, 0);
  }
  t.stroke();
  return ctx.createPattern(tile, 'repeat') ?? line;
}
