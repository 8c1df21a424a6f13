import { ActionIcon, Button, Menu, Popover, SegmentedControl, TextInput, Tooltip, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useStreamState } from '../api/events';
import { api } from '../api/client';
import { aggregate, useMe } from '../api/queries';
import type { List, Team } from '../api/types';
import { clock, dayClock } from '../shared/format';
import { Icon } from '../shared/icons';
import { copyText } from '../shared/Layout';
import { instant, periodLabel, presets, span } from '../shared/period';
import { frozen, useSetView, useView, type Compare } from '../state/url';
import { dialogs } from './dialogs';
import css from './shell.module.css';

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
      <UnstyledButton className={css.searchButton} onClick={() => dialogs.open('palette')} aria-label="Find a page, run, agent or action">
        <Icon name="search" size={14} />
        <span className={`grow ${css.hideNarrow}`}>Find</span>
        <kbd className={css.hideNarrow}>Ctrl K</kbd>
      </UnstyledButton>
      <CopyLink />
      <Tooltip label="Shortcuts (?)">
        <ActionIcon aria-label="Shortcuts" onClick={() => dialogs.open('help')}>
          <Icon name="help" />
        </ActionIcon>
      </Tooltip>
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
    <Menu>
      <Menu.Target>
        <UnstyledButton className={css.pick} aria-label={`${name}: ${current}`}>
          <span className={css.key}>{name}</span>
          <span className={css.value}>{current}</span>
          <Icon name="down" size={12} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        {options.map((o) => (
          <Menu.Item key={o.value} onClick={() => onPick(o.value)} rightSection={o.value === value ? <Icon name="check" size={13} /> : undefined}>
            {o.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
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

const compares: { value: Compare; label: string }[] = [
  { value: 'previous', label: 'Before it' },
  { value: 'day', label: 'Day' },
  { value: 'week', label: 'Week' },
  { value: 'none', label: 'None' },
];

const compareWords: Record<Compare, string> = { previous: 'against the period before', day: 'against a day earlier', week: 'against a week earlier', none: '' };

function PeriodPick() {
  const view = useView();
  const set = useSetView();
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState(view.from);
  const [to, setTo] = useState(view.to);
  useEffect(() => {
    setFrom(view.from);
    setTo(view.to);
  }, [view.from, view.to, open]);
  const p = span(view.from, view.to);
  const sameDay = new Date(p.from).toDateString() === new Date(p.to).toDateString();
  const label = periodLabel(view.from, view.to) || `${dayClock(p.from, view.tz)} to ${view.to === 'now' ? 'now' : sameDay ? clock(p.to, view.tz) : dayClock(p.to, view.tz)}`;
  const badFrom = instant(from) === undefined;
  const badTo = instant(to) === undefined;
  return (
    <Popover opened={open} onChange={setOpen} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={css.pick} onClick={() => setOpen(!open)} aria-label={`Period: ${label}`}>
          <Icon name="clock" size={14} />
          <span className={css.value}>{label}</span>
          <span className={`${css.key} ${css.hideNarrow}`}>{compareWords[view.cmp]}</span>
          <Icon name="down" size={12} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p={0}>
        <div className={css.period}>
          <div className={css.presets}>
            {presets.map((x) => (
              <UnstyledButton
                key={x.from}
                className={css.preset}
                aria-pressed={view.from === x.from && view.to === 'now'}
                onClick={() => {
                  set({ from: x.from, to: undefined });
                  setOpen(false);
                }}
              >
                {x.label}
              </UnstyledButton>
            ))}
          </div>
          <form
            className={css.custom}
            onSubmit={(e) => {
              e.preventDefault();
              if (badFrom || badTo) return;
              set({ from, to: to === 'now' ? undefined : to });
              setOpen(false);
            }}
          >
            <TextInput label="From" value={from} onChange={(e) => setFrom(e.currentTarget.value.trim())} error={badFrom && 'For example -90m or 2026-01-31T08:00Z'} />
            <TextInput label="To" value={to} onChange={(e) => setTo(e.currentTarget.value.trim())} error={badTo && 'For example now or 2026-01-31T09:00Z'} />
            <div>
              <div className="muted" id="compare-with">Compare with</div>
              <SegmentedControl fullWidth aria-labelledby="compare-with" data={compares} value={view.cmp} onChange={(v) => set({ cmp: v as Compare })} />
            </div>
            <Button type="submit" variant="filled" disabled={badFrom || badTo}>
              Show this period
            </Button>
          </form>
        </div>
      </Popover.Dropdown>
    </Popover>
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
  return <Pick name="Zone" value={tz} options={options.map((o) => (o.value === tz && tz === 'local' ? { ...o, label: o.label } : o))} onPick={(v) => set({ tz: v === 'local' ? undefined : v })} />;
}

const liveWords = { live: 'Live', connecting: 'Connecting', lost: 'Connection lost' } as const;

function LiveState() {
  const state = useStreamState();
  const { live } = useView();
  const set = useSetView();
  if (!live) {
    return (
      <Tooltip label="The period has a fixed end. Click to follow the present again.">
        <UnstyledButton className={css.pick} onClick={() => set({ to: undefined })}>
          <span className={css.liveDot} data-state="paused" />
          <span className={css.hideNarrow}>Not live</span>
        </UnstyledButton>
      </Tooltip>
    );
  }
  return (
    <Tooltip label={state === 'live' ? 'What you see changes as runs do. Click to hold it still.' : 'Reeve is asked again until it answers.'}>
      <UnstyledButton className={css.pick} aria-label={liveWords[state]} onClick={() => set({ to: new Date().toISOString() })}>
        <span className={css.liveDot} data-state={state} />
        <span className={css.hideNarrow}>{liveWords[state]}</span>
      </UnstyledButton>
    </Tooltip>
  );
}

function CopyLink() {
  const [done, setDone] = useState(false);
  return (
    <Tooltip label={done ? 'Copied' : 'Copy a link to exactly this (times frozen)'}>
      <ActionIcon
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
    </Tooltip>
  );
}
