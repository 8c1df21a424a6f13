import type uPlot from 'uplot';
import { clock, day } from '../shared/format';

export interface Ink {
  text: string;
  grid: string;
}

const font = "11px 'Inter Variable', system-ui, sans-serif";

/** timeAxis labels times in the zone of the page, days where the span is long. */
export function timeAxis(tz: string, ink: Ink, spanMs: number, size = 22): uPlot.Axis {
  return {
    stroke: ink.text,
    font,
    size,
    gap: 3,
    space: 64,
    grid: { show: false },
    ticks: { show: false },
    values: (_u, ticks) => ticks.map((t) => (spanMs > 2.5 * 86400e3 ? day(t * 1000, tz) : clock(t * 1000, tz))),
  };
}

export function valueAxis(ink: Ink, text: (v: number) => string, size = 40, space = 30): uPlot.Axis {
  return {
    stroke: ink.text,
    font,
    size,
    gap: 4,
    space,
    grid: { stroke: ink.grid, width: 1 },
    ticks: { show: false },
    values: (_u, ticks) => ticks.map((t) => text(t)),
  };
}
