import { Button, TextInput } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useRef } from 'react';
import '../theme/forms';
import type { Alert } from '../api/types';
import { Beside, type Column, compact, count, Empty, KeyTable, Mark, PageBody, PageHeader, Panel, plural, ProblemNote, Tabs, Time, useShortcuts, useWide } from '../shared';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { matches, severity, stateOf, useAlerts } from './data';
import { First } from './First';

const AlertPanel = lazy(() => import('./AlertPanel').then((m) => ({ default: m.AlertPanel })));

const columns: Column<Alert>[] = [
  { id: 'state', head: 'State', width: '128px', cell: (a) => <Mark {...stateOf(a)} words /> },
  { id: 'severity', head: 'Severity', width: '96px', cell: (a) => <Mark {...severity(a)} words /> },
  { id: 'title', head: 'What is wrong', width: 'minmax(180px, 2fr)', cell: (a) => <span title={visible(a.text || a.title)}>{visible(a.title)}</span> },
  { id: 'agent', head: 'Agent', width: 'minmax(90px, .8fr)', cell: (a) => (a.agent ? <span title={a.agent_reason}>{a.agent}</span> : <span className="muted">none named</span>) },
  { id: 'source', head: 'From', width: 'minmax(90px, .8fr)', cell: (a) => <span title={`${a.source}, ${a.kind}`}>{a.source}</span> },
  { id: 'since', head: 'Since', width: '92px', align: 'right', cell: (a) => <Time at={a.started_at} /> },
  { id: 'seen', head: 'Told', width: '60px', align: 'right', cell: (a) => <span title={`Told ${plural(a.receptions, 'time')}`}>{compact(a.receptions)}</span> },
  { id: 'team', head: 'Team', width: 'minmax(70px, .5fr)', cell: (a) => a.team || <span className="muted">the house</span> },
];
const narrow = columns.filter((c) => ['state', 'title', 'since'].includes(c.id));

/** AlertsPage: what outside systems, and our own detectors, say is wrong: each thing once. */
export function AlertsPage() {
  const navigate = useNavigate();
  const { q = '', state = '', alert } = useSearch({ strict: false }) as { q?: string; state?: string; alert?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const alerts = useAlerts();
  const wide = useWide(1700);
  const roomy = useWide(700);
  const find = useRef<HTMLInputElement>(null);
  const all = alerts.data?.items ?? [];
  const found = all.filter((a) => matches(a, q.trim()));
  const rows = found.filter((a) => !state || a.state === state);
  const firing = all.filter((a) => a.state === 'firing');
  const critical = firing.filter((a) => a.severity === 'critical').length;
  const unnamed = firing.filter((a) => !a.agent).length;
  useShortcuts('Alerts', [
    { keys: 'f', label: 'Find an alert', run: () => find.current?.focus() },
    { keys: 'x', label: 'The first', run: () => rows[0] && set({ alert: rows[0].id }) },
  ]);
  return (
    <>
      <PageHeader
        title="Alerts"
        question="What do others say is wrong?"
        answer={
          alerts.isSuccess &&
          (all.length === 0 ? (
            'Nobody has told Reeve of anything in this period.'
          ) : firing.length === 0 ? (
            <>Nothing fires. {plural(all.length, 'alert')} of this period {all.length === 1 ? 'is' : 'are'} over.</>
          ) : (
            <>
              <strong>{firing.length === 1 ? '1 alert fires' : `${count(firing.length)} alerts fire`}</strong>
              {critical > 0 && <>, {count(critical)} critical</>}
              {unnamed > 0 && <>; {count(unnamed)} {unnamed === 1 ? 'names' : 'name'} no agent</>}. {count(all.length - firing.length)} of this period {all.length - firing.length === 1 ? 'is' : 'are'} over.{alerts.data?.next && ' The first thousand are shown.'}
            </>
          ))
        }
        actions={<Button component={Link} to={'/settings/alert-sources' as never}>Alert sources</Button>}
      />
      <PageBody>
        <ProblemNote error={alerts.error} retry={() => void alerts.refetch()} />
        {alerts.isSuccess && all.length === 0 ? (
          <Panel title="No alert yet. How to send a first one" padded>
            <First />
          </Panel>
        ) : (
          <>
            <div className={css.find}>
              <Tabs label="State" tabs={[{ id: '', label: 'All', n: found.length }, ...(['firing', 'resolved'] as const).map((id) => ({ id, label: id === 'firing' ? 'Firing' : 'Resolved', n: found.filter((a) => a.state === id).length }))]} on={state} onPick={(id) => set({ state: id || undefined })} />
              <TextInput ref={find} type="search" aria-label="Find an alert" placeholder="Title, label, agent, source" value={q} onChange={(e) => set({ q: e.currentTarget.value || undefined })} />
            </div>
            <Beside
              label="The alert"
              side={
                alert && (
                  <Suspense fallback={null}>
                    <AlertPanel key={alert} id={alert} onClose={() => set({ alert: undefined })} />
                  </Suspense>
                )
              }
            >
              <Panel>
                <KeyTable
                  label="Alerts"
                  columns={(alert && !wide) || !roomy ? narrow : columns}
                  rows={rows}
                  rowKey={(a) => a.id}
                  active={alert}
                  onActive={(a) => alert && set({ alert: a.id })}
                  onOpen={(a) => set({ alert: a.id })}
                  height="calc(100dvh - 260px)"
                  autoFocus
                  empty={alerts.isSuccess && <Empty title="No alert is like that.">Take words or the state away.</Empty>}
                />
              </Panel>
            </Beside>
          </>
        )}
      </PageBody>
    </>
  );
}
