import { Link } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import type { Cost as CostValue, Usage } from '../api/types';
import { useView } from '../state/url';
import { ago, clock, compact, count, dayClock, duration, full, money } from './format';
import css from './shared.module.css';

/** Unknown stands where a figure is missing: hatched, with the reason. Never 0, never blank. */
export function Unknown({ why = 'Nobody reported this.' }: { why?: string }) {
  return (
    <span className={`${css.unknown} hatch`} data-unknown="" title={why}>
      <span>unknown</span>
    </span>
  );
}

/** Known shows a formatted figure, or Unknown. */
export function Known({ text, why }: { text: string | undefined; why?: string }) {
  return text === undefined ? <Unknown why={why} /> : <span className="num">{text}</span>;
}

export function Duration({ ms, running }: { ms: number | null | undefined; running?: boolean }) {
  if (running && (ms === null || ms === undefined)) return <span className="muted">running</span>;
  return <Known text={duration(ms)} why="Its end was never reported." />;
}

export function Tokens({ n, exact, why = 'The sender reported no usage.' }: { n: number | null | undefined; exact?: boolean; why?: string }) {
  const text = exact ? count(n) : compact(n);
  if (text === undefined) return <Unknown why={why} />;
  return (
    <span className="num" title={exact ? undefined : `${count(n)} tokens`}>
      {text}
    </span>
  );
}

/** UsageTotal adds input and output; unknown when neither was reported. */
export function usageTotal(u: Usage): number | null {
  if (u.input_total === null && u.output_total === null) return null;
  return (u.input_total ?? 0) + (u.output_total ?? 0);
}

const basisWords: Record<string, string> = {
  provider: 'as the provider reported it',
  rate_card: 'by your rate card',
  imported: 'by an imported price file',
  book: 'by the embedded price book',
  unknown: 'no price is known for this model',
};

/** Cost shows money and where it comes from. `partial` says that some calls have no price. */
export function Cost({ cost, partial = 0 }: { cost: CostValue; partial?: number }) {
  const text = money(cost.amount, cost.currency || 'USD');
  if (text === undefined) return <Unknown why="No price is known for its model calls." />;
  const basis = basisWords[cost.basis] ?? cost.basis;
  const hint = `${cost.amount} ${cost.currency || 'USD'}, ${basis}${cost.price ? ` (${cost.price})` : ''}${partial ? `; ${partial} calls have no price and are not in it` : ''}`;
  return (
    <span className="num" title={hint}>
      {partial > 0 ? '≥ ' : ''}
      {text}
    </span>
  );
}

let clockNow = Date.now();
const ticks = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** useNow re-renders every `everyMs` with the present time; all users share one timer. */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    let last = 0;
    const tick = () => {
      if (clockNow - last < everyMs) return;
      last = clockNow;
      setNow(clockNow);
    };
    ticks.add(tick);
    ticking ??= setInterval(() => {
      clockNow = Date.now();
      for (const t of ticks) t();
    }, 1000);
    return () => {
      ticks.delete(tick);
      if (ticks.size === 0) {
        clearInterval(ticking);
        ticking = undefined;
      }
    };
  }, [everyMs]);
  return now;
}

/** Time shows a moment in the zone of the page; its title says it completely. */
export function Time({ at, as = 'relative' }: { at: string | number | null | undefined; as?: 'relative' | 'clock' | 'seconds' | 'day' }) {
  const { tz } = useView();
  const now = useNow();
  if (at === null || at === undefined || at === '') return <Unknown why="No time was reported." />;
  const t = typeof at === 'number' ? at : Date.parse(at);
  if (Number.isNaN(t)) return <Unknown why="No time was reported." />;
  const text = as === 'relative' ? ago(t, now) : as === 'clock' ? clock(t, tz) : as === 'seconds' ? clock(t, tz, 's') : dayClock(t, tz);
  return (
    <time className="num" dateTime={new Date(t).toISOString()} title={full(t, tz)}>
      {text}
    </time>
  );
}

/**
 * Figure is a number that opens: a link to the records it was counted from,
 * with its formula as the title. The view (environment, team, period) goes along.
 */
export function Figure({ to, params, search, title, children }: { to: string; params?: Record<string, string>; search?: Record<string, unknown>; title?: string; children: ReactNode }) {
  return (
    <Link
      to={to as never}
      params={params as never}
      search={((old: Record<string, unknown>) => ({ ...pickView(old), ...search })) as never}
      className={css.figure}
      title={title}
    >
      {children}
    </Link>
  );
}

/** pickView keeps of a search what belongs to every page. */
export function pickView(old: Record<string, unknown>): Record<string, unknown> {
  const { env, team, from, to, cmp, tz } = old;
  return Object.fromEntries(Object.entries({ env, team, from, to, cmp, tz }).filter(([, v]) => v !== undefined));
}
