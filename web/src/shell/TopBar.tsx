import { ActionIcon, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useStreamState } from '../api/events';
import { api } from '../api/client';
import { aggregate, useMe } from '../api/queries';
import type { List, Team } from '../api/types';
import { Dropdown, MenuItem } from '../shared/Dropdown';
import { clock, dayClock } from '../shared/format';
import { Icon } from '../shared/icons';
import { copyText } from '../shared/Layout';
import { periodLabel, span } from '../shared/period';
import { frozen, useSetView, useView, type Compare } from '../state/url';
import { dialogs } from './dialogs';
import css from './shell.module.css';

const PeriodPanel = lazy(() => import('./PeriodPanel').then((m) => ({ default: m.PeriodPanel })));

/** TopBar holds what the whole console looks at; all of it is in the URL. */
export function TopBar() {
  return (
    <>
      <EnvironmentPick />
      <TeamPick />
      <PeriodPick />
      <ZonePick />
      <span className="grow" />
      <LiveState />
      <UnstyledButton className={css.searchButton} onClick={() => dialogs.open('palette')} aria-label="Find Ctrl K: a page, run, agent or action">
        <Icon name="search" size={14} />
        <span className={`grow ${css.hideNarrow}`}>Find</span>{' '}
        <kbd className={css.hideNarrow} aria-hidden>
          Ctrl K
        </kbd>
      </UnstyledButton>
      <CopyLink />
      <ActionIcon title="Shortcuts (?)" aria-label="Shortcuts" onClick={() => dialogs.open('help')}>
          <Icon name="help" />
        </ActionIcon>
    </>
  );
}

/** useEnvironments are the environments that telemetry named lately. */
export function useEnvironments(): string[] {
  const { data } = useQuery({ ...aggregate({ from: 'runs', group_by: ['environment'], start: '-30d', limit: 50 }), staleTime: 60_000, meta: {} });
  return (data?.rows ?? []).map((r) => r[0]).filter((v): v is string => typeof v === 'string' && v !== '');
}

export function useTeams(): string[] {
  const { data } = useQuery({ queryKey: ['teams'], queryFn: ({ signal }) => api.get<List<Team>>('/teams', undefined, signal), staleTime: 60_000, retry: false });
  return (data?.items ?? []).map((t) => t.name);
}

function Pick({ name, value, options, onPick }: { name: string; value: string; options: { value: string; label: string }[]; onPick: (v: string) => void }) {
  const current = options.find((o) => o.value === value)?.label ?? value;
  return (
    <Dropdown
      label={`${name} ${current}`}
      className={css.pick}
      trigger={
        <>
          <span className={css.key}>{name}</span>{' '}
          <span className={css.value}>{current}</span>
          <Icon name="down" size={12} />
        </>
      }
    >
      {(close) =>
        options.map((o) => (
          <MenuItem
            key={o.value}
            checked={o.value === value}
            onPick={() => {
              onPick(o.value);
              close();
            }}
          >
            {o.label}
          </MenuItem>
        ))
      }
    </Dropdown>
  );
}

function EnvironmentPick() {
  const { env } = useView();
  const set = useSetView();
  const seen = useEnvironments();
  const options = [...new Set([...seen, ...(env ? [env] : [])])].sort();
  return <Pick name="Environment" value={env} options={[{ value: '', label: 'All' }, ...options.map((e) => ({ value: e, label: e }))]} onPick={(v) => set({ env: v || undefined })} />;
}

function TeamPick() {
  const { team } = useView();
  const set = useSetView();
  const teams = useTeams();
  const mine = useMe()?.person?.teams ?? [];
  const options = [...new Set([...teams, ...(team ? [team] : [])])].sort();
  const label = (t: string) => (mine.includes(t) ? `${t} (mine)` : t);
  return <Pick name="Team" value={team} options={[{ value: '', label: 'All' }, ...options.map((t) => ({ value: t, label: label(t) }))]} onPick={(v) => set({ team: v || undefined })} />;
}

const compareWords: Record<Compare, string> = { previous: 'against the period before', day: 'against a day earlier', week: 'against a week earlier', none: '' };

function PeriodPick() {
  const view = useView();
  const p = span(view.from, view.to);
  const sameDay = new Date(p.from).toDateString() === new Date(p.to).toDateString();
  const label = periodLabel(view.from, view.to) || `${dayClock(p.from, view.tz)} to ${view.to === 'now' ? 'now' : sameDay ? clock(p.to, view.tz) : dayClock(p.to, view.tz)}`;
  return (
    <Dropdown
      label={`${label} ${compareWords[view.cmp]}`.trim()}
      role="dialog"
      className={css.pick}
      trigger={
        <>
          <Icon name="clock" size={14} />
          <span className={css.value}>{label}</span>{' '}
          <span className={`${css.key} ${css.hideNarrow}`}>{compareWords[view.cmp]}</span>
          <Icon name="down" size={12} />
        </>
      }
    >
      {(close) => (
        <Suspense fallback={null}>
          <PeriodPanel close={close} />
        </Suspense>
      )}
    </Dropdown>
  );
}

function ZonePick() {
  const { tz } = useView();
  const set = useSetView();
  const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const options = [
    { value: 'local', label: local === 'UTC' ? 'Local (UTC)' : `Local (${local})` },
    { value: 'utc', label: 'UTC' },
    ...['Europe/Berlin', 'Europe/London', 'America/New_York', 'America/Los_Angeles', 'Asia/Kolkata', 'Asia/Tokyo', 'Australia/Sydney'].map((z) => ({ value: z, label: z.replace('_', ' ') })),
    ...(tz !== 'local' && tz !== 'utc' ? [{ value: tz, label: tz }] : []),
  ].filter((o, i, all) => all.findIndex((x) => x.value === o.value) === i);
  return <Pick name="Zone" value={tz} options={options} onPick={(v) => set({ tz: v === 'local' ? undefined : v })} />;
}

const liveWords = { live: 'Live', connecting: 'Connecting', lost: 'Connection lost', barred: 'No role yet' } as const;

const liveHints = {
  live: 'What you see changes as runs do. Click to hold it still.',
  connecting: 'Reeve is asked.',
  lost: 'Reeve is asked again until it answers.',
  barred: 'Your account has no role that may see runs. An admin gives one under Settings, People.',
} as const;

function LiveState() {
  const state = useStreamState();
  const { live } = useView();
  const set = useSetView();
  if (!live) {
    return (
      <UnstyledButton title="The period has a fixed end. Click to follow the present again." className={css.pick} onClick={() => set({ to: undefined })}>
          <span className={css.liveDot} data-state="paused" />
          <span className={css.hideNarrow}>Not live</span>
        </UnstyledButton>
    );
  }
  return (
    <UnstyledButton title={liveHints[state]} className={css.pick} aria-label={liveWords[state]} onClick={() => set({ to: new Date().toISOString() })}>
        <span className={css.liveDot} data-state={state} />
        <span className={css.hideNarrow}>{liveWords[state]}</span>
      </UnstyledButton>
  );
}

function CopyLink() {
  const [done, setDone] = useState(false);
  return (
    <ActionIcon title={done ? 'Copied' : 'Copy a link to exactly this (times frozen)'}
        className={css.hideNarrow}
        aria-label="Copy a link to this page with its times frozen"
        onClick={() => {
          void copyText(frozen(location.href, Date.now()));
          setDone(true);
          setTimeout(() => setDone(false), 1500);
        }}
      >
        <Icon name={done ? 'check' : 'link'} />
      </ActionIcon>
  );
}
