import { Button } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useMay } from '../api/queries';
import { type Column, count, Empty, Figure, Icon, KeyTable, Known, money, PageBody, PageHeader, Panel, percent, pickView, plural, ProblemNote, quote, Tabs, Time, Unknown, useShortcuts, useWide, wilson } from '../shared';
import { useView } from '../state/url';
import css from './agents.module.css';
import { FiveMarks, marksHelp, Reasons } from '../overview/FiveMarks';
import { bad, failedRuns, join, trouble, useMarks, useRegistered, useSeenAgents, type FleetRow } from './data';
import { WhatDiffers } from '../runs/WhatDiffers';
import { RegisterDialog } from './RegisterDialog';
import { AgentState } from './State';
import { UnknownAgents, useUnknownAgents } from './UnknownAgents';

const columns: Column<FleetRow>[] = [
  { id: 'agent', head: 'Agent', width: 'minmax(148px, 1.1fr)', sort: 'agent', cell: (a) => <Link to={'/agents/$name' as never} params={{ name: a.agent } as never} search={pickView as never}>{a.agent || 'no name given'}</Link> },
  { id: 'state', head: 'State', width: 'minmax(150px, .8fr)', sort: 'trouble', cell: (a) => <AgentState agent={a.registered} line /> },
  { id: 'marks', head: <span title={marksHelp}>O B D I C</span>, width: '142px', sort: 'marks', cell: (a) => (a.marks ? <FiveMarks marks={a.marks.marks ?? []} /> : <Unknown why="The answer has not arrived." />) },
  { id: 'why', head: 'Why', width: 'minmax(104px, 2fr)', cell: (a) => a.marks && <Reasons marks={a.marks.marks ?? []} /> },
  { id: 'owner', head: 'Owner', width: 'minmax(70px, .6fr)', cell: (a) => a.registered?.owner || <span className="muted">nobody</span> },
  { id: 'team', head: 'Team', width: 'minmax(100px, .9fr)', sort: 'team', cell: (a) => <span className="truncate">{a.team || <span className="muted">no team</span>}, {a.environment || <Unknown why="Neither the key nor the sender named an environment." />}</span> },
  { id: 'runs', head: 'Runs', width: '56px', align: 'right', sort: 'runs', cell: (a) => <Figure to="/runs" search={{ q: `agent:${quote(a.agent)}` }} title="Runs that started in the period">{count(a.runs)}</Figure> },
  {
    id: 'failed', head: 'Failed', width: '90px', align: 'right', sort: 'errors',
    cell: (a) => {
      if (a.errors === null) return <Unknown why="The answer has not arrived." />;
      const w = wilson(a.errors, a.runs);
      return (
        <Figure to="/runs" search={{ q: `agent:${quote(a.agent)} ${failedRuns}` }} title={w ? `${count(a.errors)} of ${count(a.runs)} runs; 95 % interval ${percent(w[0])} to ${percent(w[1])}` : undefined}>
          {count(a.errors)} <span className="muted">{a.runs > 0 ? percent(a.errors / a.runs) : ''}</span>
        </Figure>
      );
    },
  },
  { id: 'cost', head: 'Cost', width: '84px', align: 'right', sort: 'cost', cell: (a) => <Known text={money(a.cost)} why="No price is known for its model calls." /> },
  {
    id: 'seen', head: 'Last seen', width: '94px', align: 'right',
    cell: (a) => {
      const at = a.registered?.last_seen ?? a.last;
      return at ? <Time at={at} /> : <span className="muted">{a.registered ? 'never' : ''}</span>;
    },
  },
  { id: 'differs', head: <span className="unseen">What is different</span>, width: '30px', cell: (a) => a.runs > 0 && a.agent && <WhatDiffers words={`Runs of ${a.agent}`} about={a.agent} ask={{ selection: `agent:${quote(a.agent)}` }} /> },
];

// What a narrow page leaves out stands on the agent's own page.
const fewer = columns.filter((c) => !['owner', 'cost'].includes(c.id));

/** byColumn sorts rows by a column; unknown comes last either way. */
export function byColumn<T extends object>(rows: T[], sort: string, value: (r: T, key: string) => unknown = (r, key) => r[key as keyof T]): T[] {
  const asc = sort.startsWith('-');
  const key = sort.replace('-', '');
  return [...rows].sort((a, b) => {
    const x = value(a, key);
    const y = value(b, key);
    if (x === null || y === null || x === undefined || y === undefined) return x === y ? 0 : x === null || x === undefined ? 1 : -1;
    const d = typeof x === 'number' ? x - (y as number) : String(x).localeCompare(String(y));
    return asc ? d : -d;
  });
}

const filters = [
  { id: '', label: 'All', fits: () => true },
  { id: 'registered', label: 'Registered', fits: (r: FleetRow) => !!r.registered },
  { id: 'contained', label: 'Contained', fits: (r: FleetRow) => !!r.registered && r.registered.containment !== 'none' },
  { id: 'observe', label: 'In observe', fits: (r: FleetRow) => r.registered?.enforcement === 'observe' },
  { id: 'unknown', label: 'Not registered', fits: (r: FleetRow) => !r.registered },
];

/** AgentsPage: who works for us and how well, worst first. */
export function AgentsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { show = '', sort = 'trouble' } = useSearch({ strict: false }) as { show?: string; sort?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const { rows, query } = useSeenAgents(view);
  const marks = useMarks(view);
  const registered = useRegistered();
  const unknown = useUnknownAgents();
  const mayRegister = useMay('CreateAgent');
  const [registering, setRegistering] = useState(false);
  const roomy = useWide(1500);
  useShortcuts('Agents', mayRegister ? [{ keys: 'n', label: 'Register an agent', run: () => setRegistering(true) }] : []);
  const all = useMemo(() => join(registered.data ?? [], rows, view, unknown.data?.items, marks.data), [registered.data, rows, view, unknown.data, marks.data]);
  const fits = filters.find((f) => f.id === show)?.fits ?? filters[0]!.fits;
  const sorted = useMemo(() => byColumn(all.filter(fits), sort, (r, key) => (key === 'trouble' ? trouble(r) : key === 'marks' ? bad(r) : r[key as keyof FleetRow])), [all, fits, sort]);
  const contained = all.filter((r) => r.registered && r.registered.containment !== 'none').length;
  const open = unknown.data?.items ?? [];
  const actions = (
    <>
      {mayRegister && (
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setRegistering(true)}>
          Register an agent
        </Button>
      )}
      <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => void navigate({ to: '/connect' as never })}>
        Connect an agent
      </Button>
    </>
  );
  return (
    <>
      <PageHeader
        title="Agents"
        question="Who works for us, and how well?"
        answer={
          registered.isSuccess &&
          query.isSuccess &&
          `${plural(registered.data.length, 'agent')} registered, ${count(contained)} contained. ${open.length > 0 ? `${plural(open.length, 'agent')} seen that nobody registered.` : registered.data.length + rows.length > 0 ? 'Everybody who was seen is registered.' : 'Nobody was seen.'} ${plural(rows.reduce((n, r) => n + r.runs, 0), 'run')} in this period.`
        }
        actions={actions}
      />
      <PageBody fill>
        <ProblemNote error={query.error ?? registered.error ?? unknown.error ?? marks.error} retry={() => void query.refetch()} />
        {open.length > 0 && (show === '' || show === 'unknown') && (
          <details className={css.found} open={show === 'unknown'}>
            <summary>{plural(open.length, 'agent')} seen that nobody registered: decide on {open.length === 1 ? 'it' : 'them'}</summary>
            <UnknownAgents items={open} />
          </details>
        )}
        <Tabs tabs={filters.map((f) => ({ ...f, n: all.filter(f.fits).length }))} on={show} onPick={(id) => set({ show: id || undefined })} />
        <Panel>
          <KeyTable
            label="Agents"
            columns={roomy ? columns : fewer}
            rows={sorted}
            rowKey={(a) => `${a.agent}\t${a.team}\t${a.environment}`}
            sort={sort}
            onSort={(s) => set({ sort: s === 'trouble' ? undefined : s })}
            onOpen={(a) => void navigate({ to: '/agents/$name' as never, params: { name: a.agent } as never, search: pickView as never })}
            height="calc(100dvh - 230px)"
            autoFocus
            empty={
              query.isSuccess &&
              registered.isSuccess && (
                <Empty title={show ? 'No agent is like that.' : 'No agent was seen in this period.'} actions={actions}>
                  {show ? 'Choose another filter.' : 'Agents appear here as soon as they send telemetry or call through the door. Choose a longer period, or connect one.'}
                </Empty>
              )
            }
          />
        </Panel>
      </PageBody>
      {registering && (
        <RegisterDialog
          onClose={() => setRegistering(false)}
          onDone={(a) => {
            setRegistering(false);
            void navigate({ to: '/agents/$name' as never, params: { name: a.name } as never, search: pickView as never });
          }}
        />
      )}
    </>
  );
}
