import { Fragment, type ReactNode } from 'react';
import type { Figure as FigureValue, Overview } from '../api/types';
import { count, duration, Figure, money, percent, plural, points, Unknown, clock, dayClock, compact } from '../shared';
import { useView } from '../state/url';
import css from './overview.module.css';

/** figureText writes a figure's value by its unit; undefined when unknown. */
export function figureText(f: FigureValue): string | undefined {
  switch (f.unit) {
    case 'share':
      return percent(f.value);
    case 'usd':
      return money(f.value);
    case 'ms':
      return duration(f.value);
    case 'tokens':
      return compact(f.value);
    default:
      return count(f.value);
  }
}

function title(f: FigureValue): string {
  const parts = [f.formula];
  if (f.n) parts.push(`from ${count(f.n)}`);
  if (f.low !== undefined && f.high !== undefined && f.low !== null && f.high !== null) parts.push(`95 % interval ${percent(f.low)} to ${percent(f.high)}`);
  if (f.unknown) parts.push(`${count(f.unknown)} could not be counted`);
  return parts.filter(Boolean).join('; ');
}

/** Opens is a figure of the overview with its records behind it. */
export function Opens({ f, text }: { f: FigureValue; text?: string }) {
  const t = text ?? figureText(f);
  if (t === undefined) return <Unknown why={`${f.formula || f.label}: nobody reported what it needs.`} />;
  return (
    <Figure to={f.id === 'agents_seen' ? '/agents' : '/runs'} search={f.query ? { q: f.query } : {}} title={title(f)}>
      {t}
    </Figure>
  );
}

/**
 * Sentence answers the page's question in one line, from figures that each
 * open their records. It leaves out what has no figure, and says what is unknown.
 */
export function Sentence({ o }: { o: Overview }) {
  const { tz, cmp } = useView();
  const by = new Map((o.figures ?? []).map((f) => [f.id, f]));
  const runs = by.get('runs');
  if (!runs) return <p className={css.sentence}>{o.text}</p>;
  const since = Date.parse(o.from);
  const today = Date.now() - since < 20 * 3600e3;
  const parts: ReactNode[] = [];
  const resolved = by.get('resolved');
  const success = by.get('ended_ok');
  const share = resolved && resolved.value !== null ? resolved : undefined;
  if (share) {
    const d = cmp === 'none' ? undefined : points(share.value, share.previous);
    parts.push(
      <>
        <Opens f={share} />{share.unknown ? ` of the ${count(share.n)} with a known outcome` : ''} resolved
        {share.low !== undefined && share.high !== undefined && share.low !== null && share.high !== null && ` (${(share.low * 100).toFixed(1)} to ${(share.high * 100).toFixed(1)}${d ? `; ${d} the period before` : ''})`}
      </>,
    );
  } else if (resolved) {
    parts.push(
      <>
        resolved <Opens f={resolved} />
      </>,
    );
  }
  if (success && success.value !== null) {
    const d = cmp === 'none' || share ? undefined : points(success.value, success.previous);
    parts.push(
      <>
        <Opens f={success} /> ended without failing{d ? ` (${d} the period before)` : ''}
      </>,
    );
  }
  for (const [id, words] of [['failed', 'failed'], ['escalated', 'handed to people'], ['abandoned', 'abandoned'], ['running', 'running now']] as const) {
    const f = by.get(id);
    if (f && f.value) parts.push(<><Opens f={f} /> {words}</>);
  }
  const cost = by.get('cost');
  const per = by.get('cost_per_resolved') ?? by.get('cost_per_run');
  const coverage = by.get('agents_seen') ?? by.get('runs_seen');
  const n = runs.value ?? 0;
  return (
    <p className={css.sentence}>
      Since {today ? clock(since, tz) : dayClock(since, tz)}, <Opens f={runs} text={plural(n, 'task')} />
      {parts.length > 0 && ': '}
      {parts.map((p, i) => (
        <Fragment key={i}>
          {i > 0 && ', '}
          {p}
        </Fragment>
      ))}
      {cost && (
        <>
          ; <Opens f={cost} />
          {cost.value === null && ' cost'}
          {per && per.value !== null && (
            <>
              , <Opens f={per} /> a {per.id === 'cost_per_resolved' ? 'resolved task' : 'task'}
            </>
          )}
        </>
      )}
      {coverage && coverage.value !== null && (
        <>
          ; <Opens f={coverage} /> of {coverage.id === 'agents_seen' ? 'agents' : 'tasks'} seen in full
        </>
      )}
      .{' '}
      <Waiting o={o} />
    </p>
  );
}

function Waiting({ o }: { o: Overview }) {
  const n = o.needs_a_person?.items?.length ?? 0;
  if (n > 0) return <strong>{n === 1 ? 'One thing needs a person.' : `${plural(n, 'thing')} need a person.`}</strong>;
  if ((o.needs_a_person?.sources ?? []).length === 0) return <>Whether something needs a person is <Unknown why="No part of Reeve reports into that list yet: approvals come with the gateway, incidents with detection." />.</>;
  return <>Nothing needs a person.</>;
}
