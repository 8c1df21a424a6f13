import { Link } from '@tanstack/react-router';
import type { Run } from '../api/types';
import { Said } from '../run/Text';
import { clock, count, day, full } from '../shared/format';
import type { Column } from '../shared/KeyTable';
import { Outcome, RunStatus } from '../shared/Marks';
import { Cost, Duration, pickView, Tokens, Unknown, usageTotal } from '../shared/Values';
import css from './runs.module.css';

/** A column that can be chosen. */
export interface RunColumn extends Column<Run> {
  name: string;
  standard: boolean;
}

/** allColumns are the columns in their order; tz is the page's zone, wide whether there is room for longer texts. */
export function allColumns(tz: string): RunColumn[] {
  return [
    { id: 'status', name: 'Status', standard: true, head: 'status', width: '88px', cell: (r) => <RunStatus status={r.status} failed={r.failed} words /> },
    {
      id: 'started',
      name: 'Started',
      standard: true,
      head: 'started',
      width: '108px',
      sort: 'started',
      cell: (r) => {
        const t = Date.parse(r.started_at);
        return (
          <time className="num" dateTime={r.started_at} title={full(t, tz)}>
            {day(t, tz) === day(Date.now(), tz) ? (
              clock(t, tz, 's')
            ) : (
              <>
                <span className="muted">{day(t, tz)}</span> {clock(t, tz)}
              </>
            )}
          </time>
        );
      },
    },
    {
      id: 'agent',
      name: 'Agent',
      standard: true,
      head: 'agent',
      width: 'minmax(118px, 1fr)',
      cell: (r) =>
        r.agent ? (
          <span className={css.agent}>
            <Said text={r.agent} />
          </span>
        ) : (
          <Unknown why="No agent was named." />
        ),
    },
    {
      id: 'name',
      name: 'Run',
      standard: true,
      head: 'run',
      width: 'minmax(120px, 1.5fr)',
      cell: (r) => (
        <Link to={'/runs/$id' as never} params={{ id: r.id } as never} search={pickView as never} className={css.runlink}>
          <Said text={r.name || r.task || r.id} />
        </Link>
      ),
    },
    {
      id: 'error',
      name: 'Error',
      standard: true,
      head: 'error',
      width: 'minmax(84px, 0.9fr)',
      cell: (r) =>
        r.failed || r.error_type ? (
          <span className={css.errtag} data-tone={r.failed ? 'bad' : 'warn'} title={r.error_type || 'error without a type'}>
            <Said text={r.error_type || 'error'} />
          </span>
        ) : null,
    },
    { id: 'outcome', name: 'Outcome', standard: true, head: 'outcome', width: '122px', cell: (r) => (r.outcome || (r.failed && (r.status === 'done' || r.status === 'stale')) ? <Outcome outcome={r.outcome} failed={r.failed} /> : r.status === 'done' ? <Unknown why="It ended without saying whether it helped." /> : null) },
    { id: 'duration', name: 'Duration', standard: true, head: 'duration', width: '88px', align: 'right', sort: 'duration', cell: (r) => <Duration ms={r.duration_ms} running={r.status === 'running' || r.status === 'waiting'} /> },
    { id: 'steps', name: 'Steps', standard: true, head: 'steps', width: '60px', align: 'right', sort: 'steps', cell: (r) => count(r.step_count) },
    { id: 'errors', name: 'Failed steps', standard: true, head: 'failed', width: '60px', align: 'right', sort: 'errors', cell: (r) => (r.error_count > 0 ? <span className={css.bad}>{count(r.error_count)}</span> : <span className="muted">0</span>) },
    {
      id: 'tokens',
      name: 'Tokens',
      standard: true,
      head: 'tokens',
      width: '74px',
      align: 'right',
      sort: 'tokens',
      cell: (r) => (r.model_calls === 0 && usageTotal(r.usage) === null ? <span className="muted">none</span> : <Tokens n={usageTotal(r.usage)} />),
    },
    { id: 'cost', name: 'Cost', standard: true, head: 'cost', width: '100px', align: 'right', sort: 'cost', cell: (r) => (r.model_calls === 0 && r.cost.amount === null ? <span className="muted">none</span> : <Cost cost={nothingKnown(r) ? { ...r.cost, amount: null } : r.cost} partial={r.coverage?.unknown_cost_calls} />) },
    { id: 'models', name: 'Models', standard: false, head: 'models', width: 'minmax(110px, 0.8fr)', cell: (r) => <Many of={r.models} /> },
    { id: 'tools', name: 'Tools', standard: false, head: 'tools', width: 'minmax(110px, 0.8fr)', cell: (r) => <Many of={r.tools} /> },
    { id: 'session', name: 'Session', standard: false, head: 'session', width: 'minmax(90px, 0.6fr)', cell: (r) => (r.session ? <Said text={r.session} /> : null) },
    { id: 'user', name: 'User', standard: false, head: 'user', width: 'minmax(80px, 0.5fr)', cell: (r) => (r.user ? <Said text={r.user} /> : null) },
    { id: 'version', name: 'Version', standard: false, head: 'version', width: '90px', cell: (r) => (r.version ? <Said text={r.version} /> : null) },
    { id: 'task', name: 'Task', standard: false, head: 'task', width: 'minmax(90px, 0.6fr)', cell: (r) => (r.task ? <Said text={r.task} /> : null) },
    { id: 'environment', name: 'Environment', standard: false, head: 'environment', width: '100px', cell: (r) => r.environment ?? null },
    { id: 'team', name: 'Team', standard: false, head: 'team', width: '100px', cell: (r) => r.team ?? null },
    { id: 'mode', name: 'Mode', standard: false, head: 'mode', width: '100px', cell: (r) => r.mode ?? null },
    { id: 'model_calls', name: 'Model calls', standard: false, head: 'model calls', width: '90px', align: 'right', cell: (r) => count(r.model_calls) },
    { id: 'tool_calls', name: 'Tool calls', standard: false, head: 'tool calls', width: '86px', align: 'right', cell: (r) => count(r.tool_calls) },
    {
      id: 'coverage',
      name: 'Seen',
      standard: false,
      head: 'seen',
      width: '86px',
      align: 'right',
      cell: (r) => {
        const c = r.coverage;
        if (!c || c.model_calls === 0) return <span className="muted">–</span>;
        const known = c.model_calls - c.unknown_usage_calls;
        return (
          <span className="num" title={`${known} of ${c.model_calls} model calls reported their tokens${c.root_seen ? '' : '; the root step has not arrived'}`}>
            {count(known)}/{count(c.model_calls)}
          </span>
        );
      },
    },
    { id: 'dialect', name: 'Dialect', standard: false, head: 'dialect', width: '110px', cell: (r) => <Many of={r.dialects} /> },
  ];
}

/** nothingKnown: zero is the sum of no known part, which is not a cost. */
function nothingKnown(r: Run): boolean {
  return r.cost.amount === 0 && (r.coverage?.unknown_cost_calls ?? 0) > 0;
}

function Many({ of }: { of: string[] | null | undefined }) {
  if (!of || of.length === 0) return null;
  return (
    <span title={of.join(', ')}>
      <Said text={of[0]!} />
      {of.length > 1 && <span className="muted"> +{of.length - 1}</span>}
    </span>
  );
}
