import { Link } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { OutcomePoint, OverviewOutcomes } from '../api/types';
import { timeAxis, valueAxis } from '../charts/axes';
import charts from '../charts/charts.module.css';
import { Flags } from '../charts/Flags';
import { Plot } from '../charts/Plot';
import { clock, compact, count, Figure, pickView } from '../shared';
import { useView } from '../state/url';
import { hatch, useTokens } from '../theme/token';

// From the bottom up. What ended without saying how is hatched, on top.
export const outcomes = [
  { id: 'verified', name: 'Verified resolved', token: '--r-outcome-resolved' },
  { id: 'assumed', name: 'Assumed resolved', token: '--r-outcome-assumed' },
  { id: 'contained', name: 'Contained', token: '--r-outcome-contained' },
  { id: 'deflected', name: 'Deflected', token: '--r-outcome-deflected' },
  { id: 'escalated', name: 'Escalated', token: '--r-outcome-escalated' },
  { id: 'abandoned', name: 'Abandoned', token: '--r-outcome-abandoned' },
  { id: 'failed', name: 'Failed', token: '--r-outcome-failed' },
  { id: 'running', name: 'Running', token: '--r-accent-line' },
  { id: 'unknown', name: 'Unknown', token: '--r-unknown-line' },
] as const;

// A run that ended in error and reported no outcome counts as failed, so that an
// outage shows; the API counts by the same rule.
export const questions: Partial<Record<string, string>> = {
  verified: 'outcome:verified_resolved',
  assumed: 'outcome:resolved,implied_resolved',
  running: 'status:running,waiting outcome:unknown',
  failed: '(outcome:failed or outcome:unknown failed:true status:done,stale)',
  unknown: 'outcome:unknown failed:false status:done,stale',
};
const rules: Partial<Record<string, string>> = {
  verified: 'Runs that a downstream system, the user or a person confirmed',
  assumed: 'Runs that the agent, a rule or a judge calls resolved; nobody confirmed it',
  deflected: 'Runs that needed no person, but whose user came back or cannot be told',
  running: 'Runs that are not over',
  failed: 'Runs that reported the outcome failed, and those that ended in error and reported none (failed, assumed)',
  unknown: 'Runs that ended without error and reported no outcome',
};

type Kind = (typeof outcomes)[number]['id'];

/** part is how many runs of a bucket ended so; what is resolved and not verified is assumed. */
export function part(p: OutcomePoint, id: Kind): number {
  return id === 'assumed' ? (p.resolved ?? 0) - (p.verified ?? 0) : (p[id] ?? 0);
}

/** stack turns counts into the cumulated heights that are drawn over each other, top first. */
export function stack(points: OutcomePoint[]): Record<Kind, number[]> {
  const out = {} as Record<Kind, number[]>;
  const sums = points.map(() => 0);
  for (const o of outcomes) {
    out[o.id] = points.map((p, i) => (sums[i] = (sums[i] ?? 0) + part(p, o.id)));
  }
  return out;
}

export function totals(points: OutcomePoint[]): Record<Kind, number> {
  return Object.fromEntries(outcomes.map((o) => [o.id, points.reduce((n, p) => n + part(p, o.id), 0)])) as Record<Kind, number>;
}

/** OutcomesChart: how runs ended over time, the period before as a line; drag to look closer. */
export function OutcomesChart({ data, height, onBrush }: { data: OverviewOutcomes; height: number; onBrush: (from: number, to: number) => void }) {
  const { tz, cmp } = useView();
  const ink = useTokens({
    text: '--r-text-3', grid: '--r-grid', before: '--r-before', ground: '--r-unknown-bg',
    verified: '--r-outcome-resolved', assumed: '--r-outcome-assumed', contained: '--r-outcome-contained', deflected: '--r-outcome-deflected', escalated: '--r-outcome-escalated', abandoned: '--r-outcome-abandoned', failed: '--r-outcome-failed', running: '--r-accent-line', unknown: '--r-unknown-line',
  });
  const [tip, setTip] = useState<{ i: number; left: number } | null>(null);
  const points = data.points ?? [];
  const n = points.length;
  const showBefore = cmp !== 'none';

  const aligned = useMemo<uPlot.AlignedData>(() => {
    const s = stack(points);
    // A bar covers its bucket: drawn around its middle.
    const xs = points.map((p) => (Date.parse(p.at) + data.bucket_ms / 2) / 1000);
    const before = points.map((_, i) => (showBefore ? (data.previous?.[i] ?? null) : null));
    return [xs, ...[...outcomes].reverse().map((o) => s[o.id]), before];
  }, [points, data.bucket_ms, data.previous, showBefore]);

  const spanMs = n * data.bucket_ms;
  const shown = useRef<(t: { i: number; left: number } | null) => void>(setTip);
  shown.current = setTip;
  const options = useMemo<Omit<uPlot.Options, 'width' | 'height'>>(() => {
    const bars = uPlot.paths.bars!({ size: [0.86, 40], gap: 0 });
    const half = data.bucket_ms / 2000;
    return {
      padding: [8, 14, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: true, range: (_u, min, max) => (n === 0 ? [min, max] : [min - half, max + half]) },
        y: { range: (_u, _min, max) => [0, Math.max(4, (max ?? 0) * 1.06)] },
      },
      axes: [timeAxis(tz, ink, spanMs), { ...valueAxis(ink, (v) => compact(v) ?? '', 34), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7] }],
      series: [
        {},
        ...[...outcomes].reverse().map((o) => ({
          paths: bars,
          points: { show: false },
          width: 0,
          fill: o.id === 'unknown' ? (u: uPlot) => hatch(u.ctx, ink.unknown, ink.ground) as string : ink[o.id],
        })),
        { stroke: ink.before, width: 1.5, dash: [4, 3], points: { show: false } },
      ],
      hooks: {
        setCursor: [(u) => shown.current(u.cursor.idx === null || u.cursor.idx === undefined || (u.cursor.left ?? -1) < 0 ? null : { i: u.cursor.idx, left: u.valToPos(u.data[0][u.cursor.idx]!, 'x') + u.bbox.left / devicePixelRatio })],
      },
    };
  }, [tz, ink, n, spanMs, data.bucket_ms]);

  const t = totals(points);
  const label = `Outcomes over time: ${outcomes.filter((o) => t[o.id] > 0).map((o) => `${count(t[o.id])} ${o.name.toLowerCase()}`).join(', ') || 'no runs'}`;
  const at = tip ? points[tip.i] : undefined;
  return (
    <div style={{ position: 'relative' }} onMouseLeave={() => setTip(null)}>
      <Plot options={options} data={aligned} label={label} height={height} onBrush={(a, b) => onBrush(a * 1000, b * 1000)} />
      {n > 0 && <Flags from={Date.parse(points[0]!.at)} to={Date.parse(points[n - 1]!.at) + data.bucket_ms} left={34} right={14} />}
      {at && tip && (
        <div className={charts.tip} style={{ top: 6, left: tip.left > 300 ? undefined : tip.left + 14, right: tip.left > 300 ? `calc(100% - ${tip.left - 14}px)` : undefined }}>
          <div className="muted">
            {clock(Date.parse(at.at), tz)} to {clock(Date.parse(at.at) + data.bucket_ms, tz)}
          </div>
          {outcomes.filter((o) => part(at, o.id) > 0).map((o) => (
            <div key={o.id} className="row">
              <span className={`${charts.swatch} ${o.id === 'unknown' ? 'hatch' : ''}`} style={{ background: o.id === 'unknown' ? undefined : `var(${o.token})` }} />
              <span className="grow">{o.name}</span>
              <span className="num">{count(part(at, o.id))}</span>
            </div>
          ))}
          {showBefore && (
            <div className="row">
              <span className={charts.dash} />
              <span className="grow">Before</span>
              <span className="num">{count(data.previous?.[tip.i] ?? null) ?? 'unknown'}</span>
            </div>
          )}
        </div>
      )}
    </div>
  );
}

/** OutcomesLegend: each total opens its runs. */
export function OutcomesLegend({ data }: { data: OverviewOutcomes }) {
  const { cmp } = useView();
  const t = totals(data.points ?? []);
  return (
    <div className={charts.legend}>
      {outcomes
        .filter((o) => t[o.id] > 0 || o.id === 'verified' || o.id === 'failed' || o.id === 'unknown')
        .map((o) => (
          <span key={o.id} className={charts.key}>
            <span className={`${charts.swatch} ${o.id === 'unknown' ? 'hatch' : ''}`} style={{ background: o.id === 'unknown' ? undefined : `var(${o.token})` }} />
            {o.name}
            <Figure to="/runs" search={{ q: questions[o.id] ?? `outcome:${o.id}` }} title={rules[o.id] ?? `Runs that ended ${o.id}`}>
              {count(t[o.id])}
            </Figure>
          </span>
        ))}
      {cmp !== 'none' && (
        <span className={charts.key}>
          <span className={charts.dash} /> all runs, the period before
        </span>
      )}
      <Link className="link" to={'/outcomes' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'settling' })) as never}>
        How runs are settled
      </Link>
    </div>
  );
}
