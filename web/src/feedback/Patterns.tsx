import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import type { FeedbackPattern, FeedbackPatterns } from '../api/types';
import { Badge, type Column, Empty, Figure, KeyTable, Panel, pickView, ProblemNote, useWide } from '../shared';
import css from '../sources/sources.module.css';
import { useView } from '../state/url';
import { visible } from '../tools/data';
import { share } from './data';

/** name says what a pattern is. */
export function patternName(p: Pick<FeedbackPattern, 'kind' | 'name' | 'then'>): string {
  const n = visible(p.name ?? '');
  switch (p.kind) {
    case 'tool': return `used ${n}`;
    case 'then': return `${n}, then ${visible(p.then ?? '')}`;
    case 'tool_error':
    case 'model_error': return `${n} failed`;
    case 'loop': return `${n} again and again`;
    case 'model': return `asked ${n}`;
    case 'slow': return `slow ${n}`;
    case 'nothing_found': return `${n} found nothing`;
    case 'handoff': return 'another agent took part';
    case 'person': return 'a person took part';
    case 'many_steps': return 'many steps';
    default: return p.kind;
  }
}

const points = (x: number | null | undefined) => (x === null || x === undefined ? 'unknown' : `${x > 0 ? '+' : ''}${Math.round(100 * x)}`);

const columns: Column<FeedbackPattern>[] = [
  { id: 'what', head: 'In the run', width: 'minmax(170px, 1.4fr)', cell: (p) => <>{patternName(p)} {p.found && <Badge tone={(p.diff.value ?? 0) > 0 ? 'bad' : 'good'}>beyond chance</Badge>}</> },
  { id: 'with', head: 'Unhappy with it', width: 'minmax(140px, 1fr)', cell: (p) => share(p.with) },
  { id: 'without', head: 'Without', width: 'minmax(140px, 1fr)', cell: (p) => share(p.without) },
  { id: 'diff', head: 'Difference in points', width: 'minmax(140px, 1fr)', cell: (p) => `${points(p.diff.value)} (${points(p.diff.low)} to ${points(p.diff.high)})` },
];
const narrow = columns.filter((c) => ['what', 'diff'].includes(c.id));

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;

/** Patterns compares what users thought of an agent's runs with and without each pattern of steps. */
export function Patterns({ agent, agents, picked, onPick, onAgent }: { agent?: string; agents: string[]; picked?: string; onPick: (pattern?: string) => void; onAgent: (agent: string) => void }) {
  const view = useView();
  const [asked, setAsked] = useState(false);
  const roomy = useWide(700);
  const on = asked || picked !== undefined;
  const q = useQuery({
    queryKey: ['feedback', 'patterns', view.env, view.team, view.filter.from, view.filter.to, agent],
    queryFn: ({ signal }) => api.get<FeedbackPatterns>('/feedback-patterns', { environment: view.env, team: view.team, from: view.from, to: view.live ? undefined : view.to, agent }, signal),
    retry: false,
    enabled: on && !!agent,
  });
  const x = q.data;
  const key = (p: FeedbackPattern) => [p.kind, p.name, p.then].filter(Boolean).join(' ');
  const one = x?.items.find((p) => key(p) === picked);
  return (
    <Panel title="Steps that go with unhappy users" note="an association, not a cause" padded>
      {!agent ? (
        <>
          <p className={css.lead}>Of which agent? Runs of different agents differ in more than their steps.</p>
          <div className={css.acts}>{agents.slice(0, 8).map((a) => <Button key={a} size="compact-sm" onClick={() => { onAgent(a); setAsked(true); }}>Of {visible(a)}</Button>)}</div>
        </>
      ) : !on ? (
        <>
          <p className={css.lead}>Compares the share of unhappy users of runs with and without a tool, an error, a loop, a refusal and more: one run a user, the newest thousand.</p>
          <div className={css.acts}><Button size="compact-sm" onClick={() => setAsked(true)}>Compare the steps of {visible(agent)}</Button></div>
        </>
      ) : (
        <>
          <ProblemNote error={q.error} retry={() => void q.refetch()} />
          {q.isPending && <p className={css.lead} role="status">Its runs are read.</p>}
          {x && <p className={css.lead} role="status">{x.possible ? `Nothing can be compared: ${visible(x.possible)}.` : visible(x.says)}{x.unread > 0 && ` The steps of ${x.unread} are gone.`}{x.more && ' Older ones were left out.'}</p>}
          {x && x.items.length > 0 && (
            <KeyTable label="Patterns of steps" columns={roomy ? columns : narrow} rows={x.items} rowKey={key} active={picked} onOpen={(p) => onPick(key(p))} height="min(320px, 40dvh)" empty={<Empty small title="No pattern was tested." />} />
          )}
          {one && (
            <div>
              <h3>{patternName(one)}</h3>
              <p className={css.lead}>
                {share(one.with)} of those with it were unhappy, {share(one.without)} without: {points(one.diff.value)} points, {points(one.diff.low)} to {points(one.diff.high)}; p {one.p.toPrecision(2)} alone{one.found ? ', beyond chance with all patterns taken together' : ', which chance alone may bring among so many'}.
                {one.search && <> <Figure to="/runs" search={{ q: one.search }}>All runs with it</Figure></>}
              </p>
              <Runs title="Runs with it, those of unhappy users first" ids={one.runs} />
              <Runs title="Runs without it" ids={one.others} />
              <div className={css.acts}><Button size="compact-sm" onClick={() => onPick(undefined)}>Close the pattern</Button></div>
            </div>
          )}
        </>
      )}
    </Panel>
  );
}

function Runs({ title, ids }: { title: string; ids: string[] }) {
  return (
    <>
      <p>{title}:</p>
      <ul className={css.causes} aria-label={title}>
        {ids.slice(0, 8).map((id) => <li key={id}><Link className="link" to={'/runs/$id' as never} params={{ id } as never} search={keep}>{id.slice(0, 16)}…</Link></li>)}
      </ul>
    </>
  );
}
