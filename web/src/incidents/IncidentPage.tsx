import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { WhatDiffers } from '../runs/WhatDiffers';
import { FormDialog } from '../settings/parts';
import { count, Empty, Facts, Mark, PageBody, PageHeader, Panel, plural, ProblemNote, quote, Tabs, Time, Unknown, useShortcuts } from '../shared';
import { visible } from '../tools/data';
import { Acts } from './Acts';
import { evidenceLink, kindWords, severities, states, useIncident, type IncidentDetail, type IncidentEntry } from './data';
import { Edit } from './Edit';
import css from './incidents.module.css';
import { Signals } from './Signals';
import { Runbooks } from './Runbooks';
import { Tasks } from './Tasks';

const IncidentWhy = lazy(() => import('../why/IncidentWhy'));
const Review = lazy(() => import('./Review').then((m) => ({ default: m.Review })));
const Lessons = lazy(() => import('./Lessons').then((m) => ({ default: m.Lessons })));
const Touched = lazy(() => import('./Records').then((m) => ({ default: m.Touched })));

const next: Record<string, { verb: string; label: string; key: string }[]> = {
  open: [
    { verb: 'acknowledge', label: 'Acknowledge', key: 'a' },
    { verb: 'mitigate', label: 'Mitigated', key: 'm' },
    { verb: 'resolve', label: 'Resolve', key: 'r' },
  ],
  acknowledged: [
    { verb: 'mitigate', label: 'Mitigated', key: 'm' },
    { verb: 'resolve', label: 'Resolve', key: 'r' },
  ],
  mitigated: [
    { verb: 'resolve', label: 'Resolve', key: 'r' },
    { verb: 'reopen', label: 'Open again', key: 'o' },
  ],
  resolved: [{ verb: 'reopen', label: 'Open again', key: 'o' }],
  reviewed: [{ verb: 'reopen', label: 'Open again', key: 'o' }],
};

/** since are the runs of an incident's agents from when it opened to when it fell quiet, among those of the week before. */
export function since(i: Pick<IncidentDetail, 'agents' | 'opened_at' | 'quiet_at' | 'last_at' | 'resolved_at'>, now = Date.now()) {
  const over = i.quiet_at ?? i.resolved_at;
  return {
    query: `agent:${i.agents.map(quote).join(',')}`,
    from: new Date(Date.parse(i.opened_at) - 7 * 86_400_000).toISOString(),
    to: new Date(Math.max(over ? Date.parse(over) : now, Date.parse(i.last_at)) + 1000).toISOString(),
    selected_from: i.opened_at,
  };
}

/** IncidentPage is one incident: how it stands, what happened, why its signals are here, whom it touches, what is done about it, and the review. */
export function IncidentPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { part = 'timeline' } = useSearch({ strict: false }) as { part?: string };
  const navigate = useNavigate();
  const client = useQueryClient();
  const q = useIncident(id);
  const may = useMay('AcknowledgeIncident');
  const [noting, setNoting] = useState(false);
  const [editing, setEditing] = useState(false);
  const again = () => {
    for (const key of ['incident', 'incidents', 'overview']) void client.invalidateQueries({ queryKey: [key] });
  };
  const act = useMutation({ mutationFn: (verb: string) => api.post(`/incidents/${encodeURIComponent(id)}/${verb}`, {}), onSettled: again });
  const i = q.data;
  const steps = may && i ? (next[i.state] ?? []) : [];
  useShortcuts('The incident', [
    ...steps.map((s) => ({ keys: s.key, label: s.label, run: () => act.mutate(s.verb) })),
    ...(may ? [{ keys: 'w', label: 'Write a note', run: () => setNoting(true) }, { keys: 'e', label: 'Change owner, severity, kind', run: () => setEditing(true) }] : []),
  ]);
  if (!i) return <PageBody>{q.error ? <ProblemNote error={q.error} retry={() => void q.refetch()} /> : <p className="muted">Reading the incident…</p>}</PageBody>;
  const pick = (to: string) => void navigate({ to: '.', search: ((old: object) => ({ ...old, part: to === 'timeline' ? undefined : to })) as never, replace: true });
  return (
    <>
      <PageHeader
        title={`Incident ${i.number}: ${visible(i.title)}`}
        badge={<Mark {...(states[i.state] ?? states.merged!)} words />}
        answer={<Sentence i={i} />}
        actions={
          may && (
            <>
              {steps.map((s, n) => (
                <Button key={s.verb} variant={n === 0 ? 'filled' : 'default'} loading={act.isPending && act.variables === s.verb} onClick={() => act.mutate(s.verb)}>
                  {s.label}
                </Button>
              ))}
              <Button onClick={() => setNoting(true)}>Note</Button>
            </>
          )
        }
      />
      <PageBody>
        <ProblemNote error={act.error} />
        {i.merged_into && (
          <p className={css.none}>
            It is part of <Link to={`/incidents/${i.merged_into}` as never}>another incident</Link>.
          </p>
        )}
        <Tabs
          label="Show"
          tabs={[
            { id: 'timeline', label: 'Timeline', n: (i.timeline ?? []).length },
            { id: 'why', label: 'Why' },
            { id: 'signals', label: 'Signals', n: i.signals },
            { id: 'touched', label: 'Touched' },
            { id: 'review', label: 'Review' },
          ]}
          on={part}
          onPick={pick}
        />
        <Suspense fallback={null}>
          {part === 'why' && <IncidentWhy id={i.id} />}
          {part === 'signals' && <Signals i={i} may={may} onDone={again} />}
          {part === 'touched' && <Touched i={i} may={may} onDone={again} />}
          {part === 'review' && <Review i={i} may={may} onDone={again} />}
          {part === 'review' && <Lessons i={i} />}
        </Suspense>
        {part === 'timeline' && (
          <div className={css.halves}>
            <Panel title="Timeline" note="each sentence with its record">
              <Timeline entries={i.timeline ?? []} />
            </Panel>
            <div className={css.column}>
              <Panel title="How it stands" padded actions={<>{i.agents.length > 0 && <WhatDiffers label="What is different" words={`Runs of ${i.agents.length === 1 ? 'its agent' : 'its agents'} since it began`} ask={since(i)} />}{may && <Button size="compact-xs" onClick={() => setEditing(true)}>Change</Button>}</>}>
                <Standing i={i} />
              </Panel>
              <Acts i={i} may={may} onDone={again} />
              <Runbooks i={i} may={may} onDone={again} />
              <Tasks i={i} may={may} onDone={again} />
            </div>
          </div>
        )}
      </PageBody>
      {noting && <NoteDialog id={id} onClose={() => setNoting(false)} onDone={again} />}
      {editing && <Edit i={i} onClose={() => setEditing(false)} onDone={again} />}
    </>
  );
}

function Sentence({ i }: { i: IncidentDetail }) {
  const agents = i.agents ?? [];
  return (
    <>
      Since <Time at={i.opened_at} />, {plural(i.signals, 'signal')} of {agents.length === 0 ? 'no agent that is known' : agents.length <= 3 ? agents.join(', ') : plural(agents.length, 'agent')}
      {i.firing === 0 ? '; none fires any more' : `; ${count(i.firing)} still ${i.firing === 1 ? 'fires' : 'fire'}`}.{' '}
      {i.people === null || i.people === undefined ? 'How many people it touches is unknown.' : `${plural(i.people, 'person', 'people')} touched.`} {i.owner ? `${i.owner} has it.` : 'Nobody has it.'}
    </>
  );
}

function Standing({ i }: { i: IncidentDetail }) {
  const rows: [string, React.ReactNode][] = [
    ['Severity', <Mark key="s" {...(severities[i.severity] ?? severities.info!)} words />],
    ['Kind', i.kind ? kindWords[i.kind] : <Unknown why="Nobody said which kind it is." />],
    ['Shares', i.cause ? <span title={i.cause_text}>{i.cause.kind} <strong>{visible(i.cause.value)}</strong>: {i.cause_text}</span> : <Unknown why="Its signals share nothing beyond one agent." />],
    ['Owner', i.owner || <span className="muted">nobody</span>],
    ['Lead', i.lead || <span className="muted">nobody</span>],
    ['Communications', i.communications || <span className="muted">nobody</span>],
    ['Team', i.team || <Unknown />],
    ['Acknowledged', i.acknowledged_at ? <><Time at={i.acknowledged_at} /> by {i.acknowledged_by}</> : <span className="muted">not yet</span>],
    ...(i.mitigated_at ? ([['Mitigated', <Time key="m" at={i.mitigated_at} />]] as [string, React.ReactNode][]) : []),
    ...(i.resolved_at ? ([['Resolved', <Time key="r" at={i.resolved_at} />]] as [string, React.ReactNode][]) : []),
    ['Agents', (i.agents ?? []).length === 0 ? <Unknown /> : <span>{(i.agents ?? []).slice(0, 12).map((a, n) => <span key={a}>{n > 0 && ', '}<Link to={`/agents/${a}` as never}>{a}</Link></span>)}{(i.agents ?? []).length > 12 && ` and ${(i.agents ?? []).length - 12} more`}</span>],
  ];
  return (
    <Facts>
      {rows.map(([k, v]) => (
        <div key={k} style={{ display: 'contents' }}>
          <dt>{k}</dt>
          <dd>{v}</dd>
        </div>
      ))}
    </Facts>
  );
}

/** Timeline is what happened, the earliest first; each sentence leads to its record. */
export function Timeline({ entries }: { entries: readonly IncidentEntry[] }) {
  if (entries.length === 0) return <Empty small title="Nothing is on record yet." />;
  return (
    <ol className={css.timeline}>
      {entries.map((e, n) => {
        const link = evidenceLink(e.evidence, e.at);
        return (
          <li key={n} data-person={e.person ? '' : undefined}>
            <Time at={e.at} as="clock" />
            <span>
              {visible(e.text)}
              {e.person && <span className="muted">, {e.person}</span>}{' '}
              {link ? (
                <Link to={link.to as never} search={(link.search ?? {}) as never}>
                  {e.evidence?.kind}
                </Link>
              ) : (
                e.evidence && <code title={e.evidence.id}>{e.evidence.kind}</code>
              )}
              {e.detail && <small>{visible(e.detail)}</small>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function NoteDialog({ id, onClose, onDone }: { id: string; onClose: () => void; onDone: () => void }) {
  const [note, setNote] = useState('');
  const add = useMutation({
    mutationFn: () => api.post(`/incidents/${encodeURIComponent(id)}/notes`, { note }),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  return (
    <FormDialog title="Write a note" submit="Add to the timeline" pending={add.isPending} error={add.error} disabled={note.trim() === ''} onSubmit={() => add.mutate()} onClose={onClose}>
      <Textarea data-autofocus label="Note" value={note} rows={4} maxLength={2000} onChange={(e) => setNote(e.currentTarget.value)} />
    </FormDialog>
  );
}
