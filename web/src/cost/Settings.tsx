import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import '../theme/forms';
import { api, Problem } from '../api/client';
import { useMay } from '../api/queries';
import type { CostSettings } from '../api/types';
import { useChannels } from '../settings/channels';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Facts, Icon, money, Panel, pickView, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { useEnvironments, useTeams } from '../shell/TopBar';
import { visible } from '../tools/data';
import { changesOf, currentRates, draftOf, placeOf, settingsOf, type Draft } from './settings';
import css from './cost.module.css';

/** Settings say how money is counted: currency, months, cost centres, people, the report. */
export function Settings() {
  const may = useMay('PutCostSettings');
  const [edits, setEdits] = useState(false);
  const q = useQuery({ queryKey: ['cost-settings'], queryFn: ({ signal }) => api.get<CostSettings>('/cost/settings', undefined, signal), refetchInterval: 60_000, retry: false });
  useShortcuts('Cost settings', may && q.data ? [{ keys: 'm', label: 'Change how money is counted', run: () => setEdits(true) }] : []);
  const client = useQueryClient();
  const send = useMutation({ mutationFn: () => api.post<CostSettings>('/cost/report/send', {}), onSuccess: (kept) => client.setQueryData(['cost-settings'], kept) });
  const s = q.data;
  if (!s) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  const rates = currentRates(s.rates, new Date().toISOString().slice(0, 10));
  return (
    <Panel
      title="How money is counted"
      note={s.revision > 0 ? <>revision {s.revision} by {visible(s.by ?? '')}, <Time at={s.at} /></> : 'nobody changed it yet'}
      padded
      actions={
        may && (
          <Button size="compact-xs" onClick={() => setEdits(true)}>
            Change
          </Button>
        )
      }
    >
      <Facts>
        <dt>Shown in</dt>
        <dd>
          {s.currency}
          {rates.map((r) => `, one ${r.currency} is ${r.dollars} USD from ${r.from} on`)} {s.rates.length > rates.length && <span className="muted">{plural(s.rates.length, 'rate')} in all; each call is converted at the rate of its day</span>}
        </dd>
        <dt>Months and days</dt>
        <dd>those of {s.zone}</dd>
        <dt>An hour of people</dt>
        <dd>{s.people_hour > 0 ? money(s.people_hour, s.currency) : <span className="muted">nobody said what it costs: minutes are counted, money is not</span>}</dd>
        <dt>Cost centres</dt>
        <dd>
          {s.centres.length === 0 ? <span className="muted">no rule; an agent's own label cost_centre counts</span> : s.centres.slice(0, 6).map((c) => `${visible(c.centre)} (${[c.team && `team ${c.team}`, c.agent, c.environment].filter(Boolean).map((x) => visible(x!)).join(', ') || 'everything'})`).join('; ')}
          {s.centres.length > 6 && ` and ${s.centres.length - 6} more`}
        </dd>
        <dt>Report of a month</dt>
        <dd>
          {!may ? (
            <span className="muted">who gets it is for admins to know</span>
          ) : s.report.channel ? (
            <>
              by {visible(s.report.channel)} to {(s.report.to ?? []).map(visible).join(', ') || "the channel's own address"}, as Markdown and PDF; next <Time at={s.report.next_at} />
              {s.report.last_month ? <>; last of {s.report.last_month}, <Time at={s.report.last_at} /></> : '; none went out yet'}{' '}
              <Sure label="Send last month's now" sure="Send it to all of them" pending={send.isPending} onDo={() => send.mutate()} />
              {send.isSuccess && <span role="status"> That of {send.data.report.last_month} is on its way; <Link className="link" to={'/settings/channels' as never} search={pickView as never}>what came of it</Link>.</span>}
            </>
          ) : (
            <span className="muted">nobody gets it{s.report.last_month && `; the last was of ${s.report.last_month}`}</span>
          )}
        </dd>
      </Facts>
      <ProblemNote error={send.error} />
      {!may && <p className="muted">An admin of all teams changes them.</p>}
      {edits && <Edit read={s} onClose={() => setEdits(false)} />}
    </Panel>
  );
}

function Edit({ read, onClose }: { read: CostSettings; onClose: () => void }) {
  const client = useQueryClient();
  const channels = useChannels();
  const teams = useTeams();
  const environments = useEnvironments();
  const zones = useMemo(() => ['UTC', ...Intl.supportedValuesOf('timeZone')], []);
  const [d, setDraft] = useState(() => draftOf(read));
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const row = <K extends 'rates' | 'centres'>(list: K, i: number, change: Partial<Draft[K][number]>) => setDraft((old) => ({ ...old, [list]: (old[list] as object[]).map((x, n) => (n === i ? { ...x, ...change } : x)) }));
  const without = (list: 'rates' | 'centres', i: number) => setDraft((old) => ({ ...old, [list]: (old[list] as object[]).filter((_, n) => n !== i) }));
  const is = settingsOf(d, read);
  const changes = changesOf(read, is);
  const save = useMutation({
    mutationFn: () => api.put<CostSettings>('/cost/settings', is),
    onSuccess: () => {
      void client.invalidateQueries({ predicate: (q) => /^(cost|value|kpi)/.test(String(q.queryKey[0])) });
      onClose();
    },
  });
  // A refusal stands at the field that it is about.
  const place = save.error instanceof Problem ? placeOf(save.error.message) : '';
  const wrong = (at: string) => (place === at && save.error ? <>{save.error.message} {(save.error as Problem).hint}</> : undefined);
  const mails = (channels.data ?? []).filter((c) => c.kind === 'email').map((c) => ({ value: c.name, label: c.name }));
  const field = (at: string, label: string, value: string, onChange: (v: string) => void, more: { description?: string; list?: string; inputMode?: 'decimal' | 'numeric'; placeholder?: string; hide?: boolean; first?: boolean } = {}) => (
    <TextInput label={more.hide ? undefined : label} aria-label={more.hide ? label : undefined} description={more.description} list={more.list} inputMode={more.inputMode} placeholder={more.placeholder} data-autofocus={more.first || undefined} value={value} error={wrong(at)} onChange={(e) => onChange(e.currentTarget.value)} />
  );
  const list = (id: string, values: readonly string[]) => <datalist id={id}>{values.map((v) => <option key={v} value={v} />)}</datalist>;
  return (
    <FormDialog title="How money is counted" submit="Keep" pending={save.isPending} error={place === '' ? save.error : undefined} disabled={changes.length === 0} onSubmit={() => save.mutate()} onClose={onClose} size={760}>
      <div className={css.two}>
        {field('currency', 'Currency', d.currency, (currency) => set({ currency }), { description: 'That figures are shown in; other than USD it needs a rate', first: true })}
        {field('zone', 'Zone', d.zone, (zone) => set({ zone }), { description: 'Whose days and months these are', list: 'cost-zones' })}
        {field('hour', 'An hour of people', d.hour, (hour) => set({ hour }), { description: `In ${is.currency || 'the currency'}; empty: minutes alone`, inputMode: 'decimal' })}
      </div>
      {list('cost-zones', zones)}
      {list('cost-teams', teams)}
      {list('cost-environments', environments)}
      <fieldset className={css.set}>
        <legend>Rates: dollars for one unit, from a day on until the next</legend>
        {d.rates.map((r, i) => (
          <div key={i} className={css.line}>
            {field(`rates.${i}.currency`, `Currency of rate ${i + 1}`, r.currency, (currency) => row('rates', i, { currency }), { hide: true, placeholder: 'EUR' })}
            {field(`rates.${i}.from`, `First day of rate ${i + 1}`, r.from, (from) => row('rates', i, { from }), { hide: true, placeholder: '2026-01-01' })}
            {field(`rates.${i}.dollars`, `Dollars of rate ${i + 1}`, r.dollars, (dollars) => row('rates', i, { dollars }), { hide: true, placeholder: '1.08', inputMode: 'decimal' })}
            <ActionIcon aria-label={`Remove rate ${i + 1}`} onClick={() => without('rates', i)}>
              <Icon name="trash" size={14} />
            </ActionIcon>
          </div>
        ))}
        <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => set({ rates: [...d.rates, { currency: d.rates.at(-1)?.currency ?? (is.currency === 'USD' ? '' : is.currency), from: '', dollars: '' }] })}>
          Add a rate
        </Button>
      </fieldset>
      <fieldset className={css.set}>
        <legend>Cost centres: the first that fits pays, else the agent's label cost_centre</legend>
        {d.centres.map((c, i) => (
          <div key={i} className={css.line}>
            {field(`centres.${i}.centre`, `Cost centre ${i + 1}`, c.centre, (centre) => row('centres', i, { centre }), { hide: true, placeholder: 'cost centre' })}
            {field(`centres.${i}.team`, `Team of cost centre ${i + 1}`, c.team, (team) => row('centres', i, { team }), { hide: true, placeholder: 'any team', list: 'cost-teams' })}
            {field(`centres.${i}.agent`, `Agent of cost centre ${i + 1}`, c.agent, (agent) => row('centres', i, { agent }), { hide: true, placeholder: 'any agent, sales-*' })}
            {field(`centres.${i}.environment`, `Environment of cost centre ${i + 1}`, c.environment, (environment) => row('centres', i, { environment }), { hide: true, placeholder: 'anywhere', list: 'cost-environments' })}
            <ActionIcon aria-label={`Cost centre ${i + 1} one up`} disabled={i === 0} onClick={() => set({ centres: d.centres.map((x, n) => (n === i - 1 ? c : n === i ? d.centres[i - 1]! : x)) })}>
              <Icon name="up" size={14} />
            </ActionIcon>
            <ActionIcon aria-label={`Remove cost centre ${i + 1}`} onClick={() => without('centres', i)}>
              <Icon name="trash" size={14} />
            </ActionIcon>
          </div>
        ))}
        <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => set({ centres: [...d.centres, { centre: '', team: '', agent: '', environment: '' }] })}>
          Add a cost centre
        </Button>
      </fieldset>
      <div className={css.two}>
        <div>
          <Pick label="The month's report goes out by" value={d.channel} options={[{ value: '', label: 'nobody gets it' }, ...(d.channel && !mails.some((m) => m.value === d.channel) ? [{ value: d.channel, label: d.channel }] : []), ...mails]} onPick={(channel) => set({ channel })} />
          {wrong('channel') && <p role="alert">{wrong('channel')}</p>}
          {channels.isSuccess && mails.length === 0 && (
            <p className="muted">
              No channel of kind e-mail exists: <Link className="link" to={'/settings/channels' as never} search={pickView as never}>make one</Link>.
            </p>
          )}
        </div>
        {d.channel && field('to', 'To', d.to, (to) => set({ to }), { description: "Addresses; empty: the channel's own" })}
        {d.channel && field('day', 'On day', d.day, (day) => set({ day }), { description: 'Of the month after, from 6:00 on, 1 to 28', inputMode: 'numeric' })}
      </div>
      <div role="status">
        {changes.length === 0 ? <p className="muted">Nothing is changed yet.</p> : <ul className={css.lost}>{changes.map((c) => <li key={c}>{visible(c)}</li>)}</ul>}
      </div>
    </FormDialog>
  );
}
