// What the whole console looks at: environment, team, period, the period it is
// compared with, time zone. It lives in the URL, so that a link shows the same.

import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { instant, shiftBack } from '../shared/period';

export type Compare = 'previous' | 'day' | 'week' | 'none';

export interface View {
  env?: string;
  team?: string;
  from?: string;
  to?: string;
  cmp?: Compare;
  tz?: string;
}

export const viewKeys = ['env', 'team', 'from', 'to', 'cmp', 'tz'] as const;

const text = (v: unknown) => (typeof v === 'string' && v !== '' && v.length < 200 ? v : undefined);

/** readView takes from a search what is a view, and keeps the rest for the page. */
export function readView(search: Record<string, unknown>): View & Record<string, unknown> {
  const cmp = text(search.cmp);
  const out: View & Record<string, unknown> = { ...search };
  out.env = text(search.env);
  out.team = text(search.team);
  out.from = instant(text(search.from)) ? text(search.from) : undefined;
  out.to = instant(text(search.to)) ? text(search.to) : undefined;
  // A day or a week earlier is not offered: the overview's answer compares with the period before only.
  out.cmp = cmp === 'previous' || cmp === 'none' ? cmp : undefined;
  out.tz = validZone(text(search.tz)) ? text(search.tz) : undefined;
  for (const k of viewKeys) if (out[k] === undefined) delete out[k];
  return out;
}

export function validZone(zone: string | undefined): boolean {
  if (!zone) return false;
  if (zone === 'utc') return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

export const defaultFrom = '-24h';

/** The view with its defaults filled in. */
export interface CurrentView {
  env: string;
  team: string;
  from: string;
  to: string;
  cmp: Compare;
  /** 'local', 'utc' or an IANA name. */
  tz: string;
  /** What the API takes: only what is set. */
  filter: { environment?: string; team?: string; from: string; to?: string };
  /** The period to compare with, or undefined. */
  before?: { from: string; to: string };
  /** The period ends now, so figures go on changing. */
  live: boolean;
}

export function currentView(s: View, now: number): CurrentView {
  const from = s.from ?? defaultFrom;
  const to = s.to ?? 'now';
  const cmp = s.cmp ?? 'previous';
  const live = to === 'now';
  return {
    env: s.env ?? '',
    team: s.team ?? '',
    from,
    to,
    cmp,
    tz: s.tz ?? 'local',
    filter: { environment: s.env, team: s.team, from, to: live ? undefined : to },
    before: cmp === 'none' ? undefined : shiftBack(from, to, cmp, now),
    live,
  };
}

/** useView is the view of this page; it changes when the URL does. */
export function useView(): CurrentView {
  const search = useSearch({ strict: false }) as View;
  const { env, team, from, to, cmp, tz } = search;
  return useMemo(() => currentView({ env, team, from, to, cmp, tz }, Date.now()), [env, team, from, to, cmp, tz]);
}

/** useSetView changes the view in the URL and leaves the rest of it alone. */
export function useSetView(): (change: Partial<View>) => void {
  const navigate = useNavigate();
  return useCallback(
    (change) => {
      void navigate({
        to: '.',
        search: ((old: Record<string, unknown>) => {
          const next: Record<string, unknown> = { ...old, ...change };
          for (const k of Object.keys(next)) if (next[k] === undefined || next[k] === '') delete next[k];
          return next;
        }) as never,
        replace: false,
      });
    },
    [navigate],
  );
}

/** frozen is this page's address with its relative times made absolute: what one shares. */
export function frozen(href: string, now: number): string {
  const u = new URL(href);
  const from = instant(u.searchParams.get('from') ?? defaultFrom, now);
  const to = instant(u.searchParams.get('to') ?? 'now', now);
  if (from) u.searchParams.set('from', new Date(from).toISOString());
  if (to) u.searchParams.set('to', new Date(to).toISOString());
  return u.toString();
}
