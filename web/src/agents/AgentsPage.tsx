import { Button } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Badge, count, duration, Empty, Figure, Icon, Known, KeyTable, money, PageHeader, Panel, percent, pickView, plural, ProblemNote, Unknown, wilson, type Column } from '../shared';
import { dialogs } from '../shell/dialogs';
import { useView } from '../state/url';
import { useSeenAgents, type SeenAgent } from './data';

const quote = (v: string) => (/^[\w.@/-]+$/.test(v) ? v : JSON.stringify(v));

const columns: Column<SeenAgent>[] = [
  { id: 'agent', head: 'Agent', width: 'minmax(200px, 1.4fr)', sort: 'agent', cell: (a) => <Link to={'/agents/$name' as never} params={{ name: a.agent } as never} search={pickView as never}>{a.agent || 'no name given'}</Link> },
  { id: 'state', head: 'Registry', width: 'minmax(150px, 1fr)', cell: () => <Badge title="Its name stands in telemetry. The registry, with owner and purpose, is not part of this version.">seen, not registered</Badge> },
  { id: 'team', head: 'Team', width: 'minmax(110px, 1fr)', sort: 'team', cell: (a) => a.team || <span className="muted">no team</span> },
  { id: 'environment', head: 'Environment', width: '120px', cell: (a) => a.environment || <Unknown why="Neither the key nor the sender named an environment." /> },
  { id: 'runs', head: 'Runs', width: '84px', align: 'right', sort: 'runs', cell: (a) => <Figure to="/runs" search={{ q: `agent:${quote(a.agent)}` }} title="Runs that started in the period">{count(a.runs)}</Figure> },
  {
    id: 'failed', head: 'Failed', width: '150px', align: 'right', sort: 'errors',
    cell: (a) => {
      if (a.errors === null) return <Unknown why="The answer has not arrived." />;
      const w = wilson(a.errors, a.runs);
      return (
        <Figure to="/runs" search={{ q: `agent:${quote(a.agent)} (outcome:failed or outcome:unknown failed:true status:done,stale)` }} title={w ? `${count(a.errors)} of ${count(a.runs)} runs; 95 % interval ${percent(w[0])} to ${percent(w[1])}` : undefined}>
          {count(a.errors)} <span className="muted">{a.runs > 0 ? percent(a.errors / a.runs) : ''}</span>
        </Figure>
      );
    },
  },
  { id: 'p95', head: 'p95', width: '100px', align: 'right', sort: 'p95', cell: (a) => <Known text={duration(a.p95)} why="No run has ended in the period." /> },
  { id: 'cost', head: 'Cost', width: '100px', align: 'right', sort: 'cost', cell: (a) => <Known text={money(a.cost)} why="No price is known for its model calls." /> },
];

/** byColumn sorts rows by a column; unknown comes last either way. */
export function byColumn(rows: SeenAgent[], sort: string): SeenAgent[] {
  const asc = sort.startsWith('-');
  const key = sort.replace('-', '') as keyof SeenAgent;
  return [...rows].sort((a, b) => {
    const x = a[key];
    const y = b[key];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    const d = typeof x === 'number' ? x - (y as number) : String(x).localeCompare(String(y));
    return asc ? d : -d;
  });
}

/** AgentsPage: who works for us, as far as telemetry tells. */
export function AgentsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { rows, query } = useSeenAgents(view);
  const [sort, setSort] = useState('runs');
  const sorted = useMemo(() => byColumn(rows, sort), [rows, sort]);
  const names = new Set(rows.map((r) => r.agent)).size;
  const connect = (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => dialogs.open('connect')}>
      Connect an agent
    </Button>
  );
  return (
    <>
      <PageHeader title="Agents" question="Who works for us, and how well?" answer={query.isSuccess && rows.length > 0 && `${plural(names, 'agent')} seen in telemetry in this period, ${plural(rows.reduce((n, r) => n + r.runs, 0), 'run')}. None is registered: owner, purpose and limits come with the registry.`} actions={connect} />
      <div style={{ padding: '4px 20px 20px', flex: 1, minHeight: 0 }}>
        <ProblemNote error={query.error} retry={() => void query.refetch()} />
        <Panel>
          <KeyTable
            label="Agents"
            columns={columns}
            rows={sorted}
            rowKey={(a) => `${a.agent}\t${a.team}\t${a.environment}`}
            sort={sort}
            onSort={setSort}
            onOpen={(a) => void navigate({ to: '/agents/$name' as never, params: { name: a.agent } as never, search: pickView as never })}
            height="calc(100dvh - 160px)"
            autoFocus
            empty={
              query.isSuccess && (
                <Empty title="No agent was seen in this period." actions={connect}>
                  Agents appear here as soon as they send telemetry. Choose a longer period, or connect one.
                </Empty>
              )
            }
          />
        </Panel>
      </div>
    </>
  );
}
