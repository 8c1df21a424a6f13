import { useMemo } from 'react';
import type uPlot from 'uplot';
import type { Figure, OverviewChart } from '../api/types';
import { timeAxis, valueAxis } from '../charts/axes';
import { Flags } from '../charts/Flags';
import { Plot } from '../charts/Plot';
import { SaveAsRule } from '../findings/SaveAsRule';
import { compact, duration, Known, money, percent } from '../shared';
import { useView } from '../state/url';
import { useTokens } from '../theme/token';
import css from './overview.module.css';

export function unitText(unit: string, v: number | null | undefined): string | undefined {
  if (unit === 'ms') return duration(v);
  if (unit === 'usd') return money(v);
  if (unit === 'share') return percent(v);
  if (unit === 'days') return typeof v === 'number' ? `${v.toFixed(1)} d` : undefined;
  if (unit === 'min') return v === null || v === undefined ? undefined : duration(v * 60_000);
  return compact(v);
}

// The figure of the whole period that stands over a series: the same that the
// sentence names, not the last bucket of the line.
const whole: Record<string, string> = { satisfaction: 'satisfaction', cost_per_run: 'cost_per_run', p50: 'p50_ms', p95: 'p95_ms' };

/** SmallChart is one measure over time under its figure for the period; one that nothing reports says why. */
export function SmallChart({ chart, figures, height = 64, rule }: { chart: OverviewChart; figures: readonly Figure[]; height?: number; rule?: Parameters<typeof SaveAsRule>[0] }) {
  const { tz } = useView();
  const ink = useTokens({ text: '--r-text-3', grid: '--r-grid', a: '--r-series-1', b: '--r-series-3', band: '--r-band' });
  const names = Object.keys(chart.series ?? {});
  const points = names.length > 0 ? chart.series[names[0]!]! : [];
  const spanMs = points.length > 1 ? Date.parse(points[points.length - 1]!.at) - Date.parse(points[0]!.at) : 0;
  const data = useMemo<uPlot.AlignedData>(() => [points.map((p) => Date.parse(p.at) / 1000), ...names.map((n) => chart.series[n]!.map((p) => p.value))] as uPlot.AlignedData, [chart]);
  const options = useMemo<Omit<uPlot.Options, 'width' | 'height'>>(
    () => ({
      padding: [6, 6, 0, 0],
      cursor: { show: false },
      scales: { x: { time: true }, y: { range: (_u, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 1e-9) * 1.1] } },
      axes: [{ ...timeAxis(tz, ink, spanMs, 18), space: 56 }, valueAxis(ink, (v) => unitText(chart.unit, v) ?? '', 52, 26)],
      series: [{}, ...names.map((_, i) => ({ stroke: i === 0 ? ink.a : ink.b, width: 1.5, points: { show: false }, spanGaps: false }))],
      bands: names.length > 1 ? [{ series: [2, 1] as [number, number], fill: ink.band }] : undefined,
    }),
    [tz, ink, spanMs, chart.unit, names.join()],
  );
  const figure = (n: string) => figures.find((f) => f.id === whole[n]);
  const value = (n: string) => figure(n)?.value;
  const seen = names.some((n) => chart.series[n]?.some((p) => p.value !== null));
  return (
    <div className={css.small}>
      <div className={css.smallHead}>
        <span>
          {chart.title}
          {seen && <span className="muted">, whole period</span>}
          {rule && seen && (
            <>
              {' '}
              <SaveAsRule small {...rule} />
            </>
          )}
        </span>
        {seen && (
          <span className="num">
            {names.map((n, i) => (
              <span key={n} title={`Over the whole period: ${figure(n)?.formula ?? n}`}>
                {i > 0 && <span className="muted"> · </span>}
                {names.length > 1 && <span className="muted">{n} </span>}
                <Known text={unitText(chart.unit, value(n))} />
              </span>
            ))}
          </span>
        )}
      </div>
      {seen ? (
        <>
          <Plot options={options} data={data} label={`${chart.title}: ${names.map((n) => `${names.length > 1 ? n + ' ' : ''}${unitText(chart.unit, value(n)) ?? 'unknown'}`).join(', ')} over the period`} height={height} />
          {spanMs > 0 && <Flags from={Date.parse(points[0]!.at)} to={Date.parse(points[points.length - 1]!.at) + spanMs / (points.length - 1)} left={52} right={6} />}
        </>
      ) : (
        <div className={`hatch ${css.missing}`} style={{ height }}>
          <span>{chart.missing || 'Nothing reported this in the period.'}</span>
        </div>
      )}
    </div>
  );
}
