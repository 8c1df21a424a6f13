import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import type { Readiness, SourceReadiness, SourceShare } from '../api/types';
import { Badge, count, Empty, Figure, KeyedTable, Mark, Panel, percent, plural, ProblemNote, Unknown } from '../shared';
import type { CurrentView } from '../state/url';
import { visible } from '../tools/data';
import { Backlog } from './Backlog';
import { shortAge, states } from './data';
import css from './sources.module.css';

const said = (s: SourceShare | null | undefined, why: string) => (s ? <span title={`95 % interval ${percent(s.low)} to ${percent(s.high)}, n = ${count(s.n)}`}>{percent(s.value)} <span className="muted">{count(s.n)}</span></span> : <Unknown why={why} />);

const keyOf = (t: Readiness['topics'][number]) => `${t.by} ${t.id ?? t.topic}`;

const every = (ms: number | null | undefined) => (ms === null || ms === undefined ? <Unknown why="Fewer than three versions of it were seen." /> : shortAge(`${Math.round(ms / 3_600_000)}h`) || `${Math.round(ms / 60_000)}m`);

/** Ready is the readiness map: how far what agents read can be relied on, and what people ask that it does not answer. */
export function Ready({ view, onPick }: { view: CurrentView; onPick: (source: string) => void }) {
  const params = { from: view.from, to: view.to, team: view.team || undefined, environment: view.env || undefined };
  const q = useQuery({ queryKey: ['sources', 'readiness', params], queryFn: ({ signal }) => api.get<Readiness>('/readiness', params, signal), refetchInterval: 30_000 });
  const [about, setAbout] = useState<{ key: string; topic?: string | undefined; task?: string | undefined; name: string }>();
  const r = q.data;
  const grouped = r?.topics.some((t) => t.by === 'topic'); // a task's row is then of what no topic has
  if (!r) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  return (
    <>
      <Panel title="Readiness" note="of the runs of the period">
        <p className={css.readyWords}>
          {r.all_fresh ? (
            <span title={`95 % interval ${percent(r.all_fresh.low)} to ${percent(r.all_fresh.high)}`}>
              <strong>{percent(r.all_fresh.value)}</strong> of {plural(r.all_fresh.n, 'answer')} had sources that were all fresh{r.looked < r.reading ? `, of the newest ${count(r.looked)} that read something` : ''} (<Figure to="/outcomes" search={{ kpi: 'fresh_answers' }}>its course</Figure>).{' '}
            </span>
          ) : (
            'Of no answer it is known whether its sources were all fresh. '
          )}
          {r.unknown > 0 && `${plural(r.unknown, 'run')} read something whose age nobody knows. `}
          {r.coverage !== null && r.coverage !== undefined && <>What is asked is answered with support in {percent(r.coverage)}, by demand.</>}
        </p>
        <KeyedTable
          label="Readiness of sources"
          rows={r.sources}
          rowKey={(s) => s.source.name}
          mark={(s) => (s.source.out_of_use ? 'bad' : s.breaches.length > 0 ? 'warn' : undefined)}
          empty={<Empty small title="No source is known." />}
          fields={[
            { head: 'Source', cell: (s) => <button type="button" className="link" onClick={() => onPick(s.source.name)}>{s.source.name}</button> },
            { head: 'Use', cell: (s) => <Use s={s} /> },
            { head: 'Fresh', cell: (s) => <Mark {...(states[s.source.state] ?? states.unknown!)} words /> },
            { head: 'Made anew every', num: true, cell: (s) => every(s.every_ms) },
            { head: 'Failed checks', num: true, cell: (s) => said(s.error_rate, 'No result of an assertion came in 30 days.') },
            { head: 'Audit', num: true, cell: (s) => <>{said(s.accuracy, 'It was not audited in 90 days.')} {s.plan?.not_possible && <Badge tone="bad" title={s.plan.not_possible}>not possible</Badge>}{s.plan?.running && <Badge>asks now</Badge>}</> },
            { head: 'Runs, fresh for', num: true, cell: (s) => <>{count(s.runs)} {s.runs > 0 && said(s.fresh, 'Its age was not known.')}</> },
            { head: 'Breaks', cell: (s) => (s.breaches.length === 0 ? <span className="muted">nothing</span> : <span title={s.breaches.map((b) => b.text).join('\n')}>{s.breaches.map((b) => <Badge key={b.limit} tone="bad">{b.limit.replaceAll('_', ' ')}</Badge>)}</span>) },
          ]}
        />
      </Panel>
      <Panel title="What is asked" note={r.grouped_by === 'topic' ? 'by topic, and by task where no topic has the run; the largest backlog first' : 'by the task that agents name; the largest backlog first'}>
        <KeyedTable
          label="Coverage of what is asked"
          rows={r.topics.slice(0, 20)}
          rowKey={keyOf}
          empty={<Empty small title="No run is in this period." />}
          fields={[
            { head: 'Asked about', cell: (t) => <button type="button" className="link" aria-pressed={about?.key === keyOf(t)} onClick={() => setAbout(about?.key === keyOf(t) ? undefined : { key: keyOf(t), topic: t.id || (grouped ? 'none' : undefined), task: t.by === 'task' ? t.topic || 'unknown' : undefined, name: t.topic || 'no task' })} title="Its questions without an answer">{visible(t.topic) || 'no task named'}</button> },
            { head: 'By', cell: (t) => t.by },
            { head: 'Runs', num: true, cell: (t) => count(t.asked) },
            { head: 'Answered with support', num: true, cell: (t) => said(t.supported, 'How these runs ended is not known.') },
            { head: 'Not answered', num: true, cell: (t) => (t.backlog > 0 ? <Figure to="/runs" search={{ q: t.records }}>{count(t.backlog)}</Figure> : <span className="muted">0</span>) },
          ]}
        />
      </Panel>
      <Backlog view={view} topic={about?.topic} task={about?.task} name={about?.name} onAll={() => setAbout(undefined)} />
    </>
  );
}

function Use({ s }: { s: SourceReadiness }) {
  const out = s.source.out_of_use;
  return out ? <span title={`${out.reason}${out.until ? `, until ${out.until}` : ''}`}><Badge tone="bad">out of use</Badge></span> : <span className="muted">in use</span>;
}
