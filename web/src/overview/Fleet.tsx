import { ActionIcon } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { FleetAgent, FleetTeam } from '../api/types';
import { Badge, count, duration, Empty, Figure, Icon, Known, KeyTable, money, Panel, percent, pickView, plural, quote, Time, Unknown, useShortcuts, type Column } from '../shared';
import { FiveMarks, marksHelp, markWords, Reasons } from './FiveMarks';
import css from './overview.module.css';

/** The agents of a team that the overview leaves out, summed up. */
type Rest = { of: FleetTeam; rest: NonNullable<FleetTeam['more']> };
type Row = { team: FleetTeam } | { agent: FleetAgent } | Rest;

const columns: Column<Row>[] = [
  { id: 'agent', head: 'Agent', width: 'minmax(148px, 1.2fr)', cell: (r) => 'agent' in r && <Link to={'/agents/$name' as never} params={{ name: r.agent.agent } as never} search={pickView as never} className="truncate">{r.agent.agent || 'no name given'}</Link> },
  { id: 'marks', head: <span title={marksHelp}>O B D I C</span>, width: '142px', cell: (r) => 'agent' in r && <FiveMarks marks={r.agent.marks ?? []} /> },
  { id: 'reason', head: 'Why', width: 'minmax(96px, 2fr)', cell: (r) => 'agent' in r && <Reasons marks={r.agent.marks ?? []} /> },
  {
    id: 'resolved', head: 'Resolved', width: '130px', align: 'right',
    cell: (r) => {
      if (!('agent' in r)) return null;
      const f = r.agent.resolved;
      if (!f || f.value === null || f.value === undefined) return <Unknown why="Nobody reported how its runs ended for their users." />;
      return <span title={`${f.formula}; from ${count(f.n)}`}>{percent(f.value, 0)} {f.low !== undefined && f.low !== null && f.high !== null && f.high !== undefined && <span className="muted">{(f.low * 100).toFixed(0)} to {(f.high * 100).toFixed(0)}</span>}</span>;
    },
  },
  {
    id: 'success', head: 'Not failed', width: '130px', align: 'right',
    cell: (r) => {
      if (!('agent' in r)) return null;
      const f = r.agent.success;
      if (!f || f.value === null || f.value === undefined) return <Unknown why="No run has ended in the period." />;
      return <span title={`${f.formula}; from ${count(f.n)}`}>{percent(f.value, 0)} {f.low !== undefined && f.low !== null && f.high !== null && f.high !== undefined && <span className="muted">{(f.low * 100).toFixed(0)} to {(f.high * 100).toFixed(0)}</span>}</span>;
    },
  },
  { id: 'runs', head: 'Runs', width: '58px', align: 'right', cell: (r) => 'agent' in r && <Figure to="/runs" search={{ q: `agent:${quote(r.agent.agent)}` }}>{count(r.agent.runs)}</Figure> },
  { id: 'running', head: 'Now', width: '44px', align: 'right', cell: (r) => 'agent' in r && (r.agent.running > 0 ? <Figure to="/runs" search={{ q: `agent:${quote(r.agent.agent)} status:running` }}>{count(r.agent.running)}</Figure> : <span className="muted">0</span>) },
  { id: 'p95', head: 'p95', width: '70px', align: 'right', cell: (r) => 'agent' in r && <Known text={duration(r.agent.p95_ms)} why="No run has ended in the period." /> },
  { id: 'cost', head: 'Cost', width: '76px', align: 'right', cell: (r) => 'agent' in r && <Known text={money(r.agent.cost)} why="No price is known for its model calls." /> },
  { id: 'coverage', head: 'Seen', width: '62px', align: 'right', cell: (r) => 'agent' in r && <Known text={percent(r.agent.coverage, 0)} why="No run to measure coverage on." /> },
  { id: 'last', head: 'Last run', width: '92px', align: 'right', cell: (r) => 'agent' in r && <Time at={r.agent.last_run} /> },
];

/** Fleet lists agents by team, worst first, as a table or (v) as a grid. */
export function Fleet({ teams, move }: { teams: FleetTeam[]; move?: React.ReactNode }) {
  const [grid, setGrid] = useState(false);
  const navigate = useNavigate();
  useShortcuts('Fleet', [{ keys: 'v', label: 'Fleet as a table or as a grid', run: () => setGrid((g) => !g) }]);
  const rows = useMemo<Row[]>(() => teams.flatMap((t): Row[] => [{ team: t }, ...(t.agents ?? []).map((agent) => ({ agent })), ...(t.more && t.more.agents > 0 ? [{ of: t, rest: t.more }] : [])]), [teams]);
  const agents = teams.reduce((n, t) => n + (t.agents?.length ?? 0) + (t.more?.agents ?? 0), 0);
  return (
    <Panel
      title="Fleet"
      note={<span title={marksHelp}>{plural(agents, 'agent')} seen in telemetry, worst first. Marks: objective, behaviour, data, identity, cost</span>}
      actions={
        <>
          <ActionIcon aria-label={grid ? 'Show as a table (v)' : 'Show as a grid (v)'} title={grid ? 'Show as a table (v)' : 'Show as a grid (v)'} onClick={() => setGrid(!grid)}>
            <Icon name={grid ? 'runs' : 'columns'} />
          </ActionIcon>
          {move}
        </>
      }
    >
      {grid ? (
        <div className={css.grid}>
          {teams.flatMap((t) => t.agents ?? []).map((a) => (
            <Link key={a.agent} className={css.tile} to={'/agents/$name' as never} params={{ name: a.agent } as never} search={pickView as never}>
              <span className="truncate">{a.agent || 'no name given'}</span>
              <FiveMarks marks={a.marks ?? []} plain />
              <span className="muted truncate">{a.reason || `${count(a.runs)} runs`}</span>
            </Link>
          ))}
        </div>
      ) : (
        <KeyTable
          label="Fleet"
          columns={columns}
          rows={rows}
          rowKey={(r) => ('team' in r ? `team ${r.team.team}` : 'rest' in r ? `rest ${r.of.team}` : `agent ${r.agent.team} ${r.agent.agent}`)}
          heading={(r) =>
            'team' in r ? (
              <div className={css.teamRow}>
                {r.team.team || 'No team'} <span className="muted">{count((r.team.agents?.length ?? 0) + (r.team.more?.agents ?? 0))}</span>
                {(r.team.state === 'bad' || r.team.state === 'warn') && <Badge tone={r.team.state}>{markWords[r.team.state]}</Badge>}
              </div>
            ) : 'rest' in r ? (
              <div className={css.restRow}>
                and {plural(r.rest.agents, 'agent')} more,{' '}
                <Figure to="/agents" search={{ team: r.of.team || undefined }}>
                  {plural(r.rest.runs, 'run')}
                </Figure>
                , {count(r.rest.failed)} failed: nothing of them stands out
              </div>
            ) : undefined
          }
          onOpen={(r) => 'agent' in r && void navigate({ to: '/agents/$name' as never, params: { name: r.agent.agent } as never, search: pickView as never })}
          height={Math.min(520, Math.max(120, rows.length * 38 + 40))}
          empty={<Empty title="No agent was active in this period.">Choose a longer period, or another environment or team.</Empty>}
        />
      )}
    </Panel>
  );
}
