import { Button, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { FormDialog, Pick } from '../settings/parts';
import { type Column, count, Empty, Icon, KeyTable, Mark, PageBody, PageHeader, Panel, plural, ProblemNote, Tabs, Time, Unknown, useShortcuts, useWide } from '../shared';
import { useTeams } from '../shell/TopBar';
import { useView } from '../state/url';
import { kindWords, severities, states, useIncidents, type Incident } from './data';
import css from './incidents.module.css';

const Silences = lazy(() => import('./Silences').then((m) => ({ default: m.Silences })));
const Actions = lazy(() => import('./Actions').then((m) => ({ default: m.Actions })));
const Weights = lazy(() => import('./Weights').then((m) => ({ default: m.Weights })));

const columns: Column<Incident>[] = [
  { id: 'state', head: 'State', width: '112px', cell: (i) => <Mark {...(states[i.state] ?? states.merged!)} words /> },
  { id: 'number', head: '#', width: '46px', align: 'right', cell: (i) => i.number },
  { id: 'severity', head: 'Severity', width: '92px', cell: (i) => <Mark {...(severities[i.severity] ?? severities.info!)} words /> },
  { id: 'what', head: 'What', width: 'minmax(180px, 3fr)', cell: (i) => <span title={i.title}>{i.title}</span> },
  { id: 'people', head: 'People', width: '92px', align: 'right', cell: (i) => (i.people === null || i.people === undefined ? <Unknown why="No run of its agents named its user." /> : count(i.people)) },
  { id: 'kind', head: 'Kind', width: '106px', cell: (i) => (i.kind ? kindWords[i.kind] : <Unknown why="Nobody said which kind it is." />) },
  { id: 'signals', head: 'Signals', width: '68px', align: 'right', cell: (i) => <span title={`${count(i.occurrences)} with repetitions, ${count(i.firing)} fire`}>{count(i.signals)}</span> },
  { id: 'agents', head: 'Agents', width: 'minmax(116px, .8fr)', cell: (i) => <span title={(i.agents ?? []).join(', ')}>{(i.agents ?? []).length > 2 ? plural((i.agents ?? []).length, 'agent') : (i.agents ?? []).join(', ')}</span> },
  { id: 'owner', head: 'Owner', width: '84px', cell: (i) => i.owner || <span className="muted">nobody</span> },
  { id: 'since', head: 'Since', width: '94px', align: 'right', cell: (i) => <Time at={i.opened_at} /> },
];
const narrow = columns.filter((c) => ['state', 'what', 'since'].includes(c.id)).map((c) => (c.id === 'state' ? { ...c, width: '40px', cell: (i: Incident) => <Mark {...(states[i.state] ?? states.merged!)} /> } : c));

// What a narrower page leaves out: the title names its agent, and its page has the signals.
const fewer = columns.filter((c) => !['agents', 'signals'].includes(c.id));

/** IncidentsPage: what is broken, and for whom. */
export function IncidentsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { q = '', show = 'live' } = useSearch({ strict: false }) as { q?: string; show?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const list = useIncidents(show === 'all' ? 'all' : show === 'done' ? 'resolved,reviewed' : 'live');
  const may = useMay('OpenIncident');
  const roomy = useWide(1500);
  const wide = useWide(760);
  const find = useRef<HTMLInputElement>(null);
  const [opening, setOpening] = useState(false);
  const words = q.trim().toLowerCase();
  const rows = (list.data ?? []).filter(
    (i) =>
      (!view.team || i.team === view.team || (i.places ?? []).some((p) => p.team === view.team)) &&
      (!view.env || !i.environment || i.environment === view.env || (i.places ?? []).some((p) => p.environment === view.env)) &&
      (words === '' || `${i.title} ${(i.agents ?? []).join(' ')} ${i.number}`.toLowerCase().includes(words)),
  );
  const open = (list.data ?? []).filter((i) => i.state === 'open').length;
  const people = rows.reduce((n, i) => n + (i.people ?? 0), 0);
  const go = (i: Incident) => void navigate({ to: `/incidents/${i.number}` as never });
  useShortcuts('Incidents', [
    { keys: 'f', label: 'Find an incident', run: () => find.current?.focus() },
    ...(may ? [{ keys: 'n', label: 'Open an incident', run: () => setOpening(true) }] : []),
  ]);
  const table = show === 'live' || show === 'done' || show === 'all';
  return (
    <>
      <PageHeader
        title="Incidents"
        question="What is broken, and for whom?"
        answer={
          table &&
          list.isSuccess &&
          show === 'live' &&
          (rows.length === 0 ? 'Nothing is broken that Reeve knows of.' : (
            <>
              {plural(rows.length, 'incident')}, {open === 0 ? 'each with somebody on it' : <strong>{count(open)} that nobody took up</strong>}
              {people > 0 && `; ${plural(people, 'person', 'people')} touched`}.
            </>
          ))
        }
        actions={
          may && (
            <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setOpening(true)}>
              Open an incident
            </Button>
          )
        }
      />
      <PageBody>
        <div className={css.find}>
          <Tabs
            label="Show"
            tabs={[
              { id: 'live', label: 'Live', n: show === 'live' ? list.data?.length : undefined },
              { id: 'done', label: 'Over' },
              { id: 'all', label: 'All' },
              { id: 'todo', label: 'To do' },
              { id: 'silences', label: 'Silences' },
              { id: 'weights', label: 'How signals are joined' },
            ]}
            on={show}
            onPick={(id) => set({ show: id === 'live' ? undefined : id })}
          />
          {table && <TextInput ref={find} type="search" aria-label="Find an incident" placeholder="Words, agent, number" value={q} onChange={(e) => set({ q: e.currentTarget.value || undefined })} />}
        </div>
        {table && (
          <>
            <ProblemNote error={list.error} retry={() => void list.refetch()} />
            <Panel>
              <KeyTable
                label="Incidents"
                columns={roomy ? columns : wide ? fewer : narrow}
                rows={rows}
                rowKey={(i) => i.id}
                onOpen={go}
                height="calc(100dvh - 220px)"
                autoFocus
                empty={
                  list.isSuccess && (
                    <Empty title={words ? 'No incident is like that.' : show === 'live' ? 'No incident is live.' : 'None yet.'}>
                      Incidents grow from findings of Reeve's own detectors and from alerts of other systems; anybody who responds can open one.
                    </Empty>
                  )
                }
              />
            </Panel>
          </>
        )}
        <Suspense fallback={null}>
          {show === 'todo' && <Actions />}
          {show === 'silences' && <Silences />}
          {show === 'weights' && <Weights />}
        </Suspense>
      </PageBody>
      {opening && <OpenDialog onClose={() => setOpening(false)} onDone={go} />}
    </>
  );
}

function OpenDialog({ onClose, onDone }: { onClose: () => void; onDone: (i: Incident) => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const [f, setF] = useState({ title: '', text: '', severity: 'warning', kind: '', team: teams[0] ?? '', environment: 'production', agents: '' });
  const open = useMutation({
    mutationFn: () => api.post<Incident>('/incidents', { ...f, agents: f.agents.split(/[\s,]+/).filter(Boolean) }),
    onSuccess: (i) => {
      void client.invalidateQueries({ queryKey: ['incidents'] });
      onDone(i);
    },
  });
  const text = (key: 'title' | 'agents' | 'environment', label: string, more: object = {}) => <TextInput label={label} value={f[key]} onChange={(e) => setF({ ...f, [key]: e.currentTarget.value })} {...more} />;
  return (
    <FormDialog title="Open an incident" submit="Open" pending={open.isPending} error={open.error} disabled={f.title.trim() === ''} onSubmit={() => open.mutate()} onClose={onClose}>
      {text('title', 'What is wrong', { 'data-autofocus': true, required: true, maxLength: 200 })}
      <Textarea label="What is known of it" value={f.text} onChange={(e) => setF({ ...f, text: e.currentTarget.value })} rows={3} maxLength={2000} />
      <Pick label="Severity" value={f.severity} options={['critical', 'warning', 'info'].map((v) => ({ value: v, label: v }))} onPick={(severity) => setF({ ...f, severity })} />
      <Pick label="Kind" value={f.kind} options={[{ value: '', label: 'not known yet' }, ...Object.entries(kindWords).map(([value, label]) => ({ value, label }))]} onPick={(kind) => setF({ ...f, kind })} />
      <Pick label="Team" value={f.team} options={['', ...teams].map((v) => ({ value: v, label: v || 'none' }))} onPick={(team) => setF({ ...f, team })} />
      {text('environment', 'Environment')}
      {text('agents', 'Agents', { placeholder: 'names, with commas' })}
    </FormDialog>
  );
}
