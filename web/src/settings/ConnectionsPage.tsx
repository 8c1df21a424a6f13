import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import type { OtherSystem, OtherSystems } from '../api/types';
import { count, Empty, KeyedTable, Mark, PageHeader, Panel, pickView, ProblemNote, Tabs, Time, Unknown, useShortcuts } from '../shared';
import type { Level } from '../shared/Marks';
import css from './settings.module.css';

const states: Record<string, { level: Level; letter: string; label: string }> = {
  failing: { level: 'bad', letter: 'X', label: 'failing' },
  unknown: { level: 'unknown', letter: '?', label: 'unknown' },
  quiet: { level: 'idle', letter: 'Q', label: 'no word yet' },
  working: { level: 'good', letter: 'W', label: 'working' },
  off: { level: 'idle', letter: 'O', label: 'off' },
};
const kinds: Record<string, { label: string; place: string }> = {
  upstream: { label: 'Upstream', place: 'Upstreams' },
  channel: { label: 'Channel', place: 'Channels' },
  alert_source: { label: 'Alert source', place: 'Alert sources' },
  poller: { label: 'Poller', place: 'Pollers' },
  relay: { label: 'Relay', place: 'Relay' },
  siem: { label: 'SIEM', place: 'Audit' },
  sign_in: { label: 'Sign-in', place: 'People' },
};
const ways: Record<string, string> = { out: 'we call it', in: 'it calls us', both: 'both ways' };

/** ConnectionsPage: what does Reeve speak to, and does it still work? */
export function ConnectionsPage() {
  const q = useQuery({ queryKey: ['connections'], queryFn: ({ signal }) => api.get<OtherSystems>('/connections', undefined, signal), refetchInterval: 5000, retry: false });
  const [state, setState] = useState('');
  const all = q.data?.items ?? [];
  const rows = all.filter((c) => !state || c.state === state);
  useShortcuts('Connections', [{ keys: 'x', label: 'Only what fails', run: () => setState(state === 'failing' ? '' : 'failing') }]);
  return (
    <>
      <PageHeader title="Connections" question="What does Reeve speak to?" answer={q.data?.text} />
      <div className={css.wide}>
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {all.length > 0 && <Tabs label="State" tabs={[{ id: '', label: 'All', n: all.length }, ...Object.entries(states).map(([id, s]) => ({ id, label: s.label, n: all.filter((c) => c.state === id).length }))]} on={state} onPick={setState} />}
        <Panel>
          <KeyedTable<OtherSystem>
            label="Connections"
            rows={rows}
            rowKey={(c) => `${c.kind}/${c.name}`}
            mark={(c) => (c.state === 'failing' ? 'bad' : undefined)}
            empty={q.isSuccess && (all.length > 0 ? <Empty title="None is in that state.">Show all of them.</Empty> : <Empty title="Reeve speaks to nobody yet.">Upstreams, channels, alert sources, pollers, relay and SIEM appear here once they are set.</Empty>)}
            fields={[
              { head: 'State', cell: (c) => <><Mark {...(states[c.state] ?? states.unknown!)} words />{c.reason && <span className={css.under}>{c.reason}</span>}</> },
              { head: 'Name', cell: (c) => <>{c.name}<span className={css.under}>{c.team || 'the house'}</span></> },
              { head: 'Kind', cell: (c) => <>{kinds[c.kind]?.label ?? c.kind}<span className={css.under}>{c.what}, {ways[c.direction] ?? c.direction}</span></> },
              { head: 'Where', cell: (c) => <span title={c.where}>{c.where}</span> },
              { head: 'Last good', cell: (c) => (c.last_ok_at ? <Time at={c.last_ok_at} /> : c.state === 'unknown' ? <Unknown why={c.reason} /> : <span className="muted">never</span>) },
              { head: 'Last error', cell: (c) => (c.last_error ? <>{c.last_error}{c.failing_since && <span className={css.under}>since <Time at={c.failing_since} /></span>}</> : <span className="muted">none</span>) },
              { head: 'Waiting', num: true, cell: (c) => (c.waiting === null ? '' : count(c.waiting)) },
              { head: 'Set in', end: true, cell: (c) => <Link to={c.path as never} search={pickView as never} className="link">{kinds[c.kind]?.place ?? 'Settings'}</Link> },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}
