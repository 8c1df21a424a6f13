import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, useState, type ReactNode } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { AgentFeedback, Feedback, ToldFeedback } from '../api/types';
import { Badge, Beside, type Column, count, Empty, Facts, KeyTable, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Snippet, Tabs, Time, useShortcuts, useWide } from '../shared';
import { Pick, Sure } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { Patterns } from './Patterns';
import { percent, said, share, tone, useFeedback, useSummary } from './data';

const columns: Column<Feedback>[] = [
  { id: 'at', head: 'When', width: '100px', cell: (f) => <Time at={f.at} /> },
  { id: 'verdict', head: 'Says', width: '104px', cell: (f) => <Badge tone={tone(f.verdict)}>{said(f)}</Badge> },
  { id: 'comment', head: 'In words', width: 'minmax(180px, 2fr)', cell: (f) => (f.comment ? visible(f.comment) : <span className="muted">{f.erased ? 'erased' : f.has_comment ? 'for readers' : 'none'}</span>) },
  { id: 'agent', head: 'Agent', width: 'minmax(90px, .7fr)', cell: (f) => f.agent || <span className="muted">{f.run ? 'unknown' : 'run not known yet'}</span> },
  { id: 'version', head: 'Version', width: 'minmax(70px, .5fr)', cell: (f) => visible(f.version ?? '') },
  { id: 'source', head: 'From', width: 'minmax(80px, .6fr)', cell: (f) => <span title={f.verified ? undefined : 'Its sender proved nothing: a page of an allowed origin said so.'}>{visible(f.source)}{f.verified ? '' : ' (not verified)'}</span> },
];
const narrow = columns.filter((c) => ['verdict', 'comment'].includes(c.id));

const agentColumns: Column<AgentFeedback>[] = [
  { id: 'agent', head: 'Agent', width: 'minmax(110px, 1fr)', cell: (a) => a.agent || 'unknown' },
  { id: 'version', head: 'Version', width: 'minmax(70px, .6fr)', cell: (a) => visible(a.version) || <span className="muted">none</span> },
  { id: 'satisfied', head: 'Content', width: 'minmax(150px, 1fr)', cell: (a) => share(a.satisfaction) },
  { id: 'bounds', head: 'If all had answered', width: 'minmax(150px, 1fr)', cell: (a) => (a.worst === null ? 'unknown' : `${a.adjusted === null ? '' : `about ${percent(a.adjusted)}, `}${percent(a.worst)} to ${percent(a.best)}`) },
  { id: 'rate', head: 'Answered', width: 'minmax(130px, 1fr)', cell: (a) => share(a.response_rate) },
];
const narrowAgents = agentColumns.filter((c) => ['agent', 'satisfied'].includes(c.id));

/** FeedbackPage: what people said of runs, who said nothing, and what it was about. */
export function FeedbackPage() {
  const navigate = useNavigate();
  const { q = '', verdict = '', agent, feedback, pattern } = useSearch({ strict: false }) as { q?: string; verdict?: string; agent?: string; feedback?: string; pattern?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const list = useFeedback(agent, verdict || undefined, q.trim() || undefined);
  const sum = useSummary(agent);
  const wide = useWide(1500);
  const roomy = useWide(700);
  const find = useRef<HTMLInputElement>(null);
  const rows = list.data?.items ?? [];
  const s = sum.data;
  const n = s ? s.all.positive + s.all.neutral + s.all.negative + s.all.other : 0;
  const none = s && n === 0 && s.unmatched === 0 && rows.length === 0 && !q && !verdict && !agent;
  useShortcuts('Feedback', [
    { keys: 'f', label: 'Find in what was said', run: () => find.current?.focus() },
    { keys: 'x', label: 'The newest', run: () => rows[0] && set({ feedback: rows[0].id }) },
    { keys: 'v', label: 'Only what is bad, or all', run: () => set({ verdict: verdict === 'negative' ? undefined : 'negative' }) },
  ]);
  return (
    <>
      <PageHeader
        title="Feedback"
        question="What do people say?"
        answer={s && (n === 0 ? 'Nobody said anything of a run in this period, as far as Reeve was told.' : <>{share(s.all.satisfaction)} of those who said something were content. {percent(s.all.response_rate.value)} of {plural(s.all.runs, 'run')} have an answer: with the silent ones it may be {percent(s.all.worst)} to {percent(s.all.best)}.{s.unmatched > 0 && ` ${count(s.unmatched)} have no run yet.`}</>)}
      />
      <PageBody>
        <ProblemNote error={sum.error ?? list.error} retry={() => void list.refetch()} />
        {none && <Panel title="Nobody has said anything. How people can" padded><First /></Panel>}
        {s && !none && (
          <>
            {s.themes.length > 0 && (
              <Panel title="What bad ones have in common" note="words that several of them share" padded>
                <ul className={css.causes}>
                  {s.themes.map((t) => (
                    <li key={t.words}>
                      <Button size="compact-sm" aria-pressed={q === t.words} onClick={() => set({ q: q === t.words ? undefined : t.words, verdict: q === t.words ? undefined : 'negative' })}>{visible(t.words)}, {t.count} times</Button>{' '}
                      <span className="muted">{visible(t.example)}</span>
                    </li>
                  ))}
                </ul>
              </Panel>
            )}
            <div className={css.find}>
              <Tabs label="Verdict" tabs={[{ id: '', label: 'All' }, { id: 'negative', label: 'Bad', n: s.all.negative }, { id: 'neutral', label: 'Neither', n: s.all.neutral }, { id: 'positive', label: 'Good', n: s.all.positive }]} on={verdict} onPick={(id) => set({ verdict: id || undefined })} />
              {agent && <Button size="compact-sm" onClick={() => set({ agent: undefined, pattern: undefined })}>Of {agent} only: show all</Button>}
              <TextInput ref={find} type="search" aria-label="Find in what was said" placeholder="A word of the comment" value={q} onChange={(e) => set({ q: e.currentTarget.value || undefined })} />
            </div>
            <Beside label="The feedback" side={feedback && <One key={feedback} found={rows.find((f) => f.id === feedback)} onClose={() => set({ feedback: undefined })} />}>
              <Panel>
                <KeyTable
                  label="Feedback"
                  columns={(feedback && !wide) || !roomy ? narrow : columns}
                  rows={rows}
                  rowKey={(f) => f.id}
                  active={feedback}
                  onActive={(f) => feedback && set({ feedback: f.id })}
                  onOpen={(f) => set({ feedback: f.id })}
                  height="min(420px, 50dvh)"
                  autoFocus
                  empty={list.isSuccess && <Empty title="Nobody said anything like that.">Take the word or the verdict away.</Empty>}
                />
              </Panel>
            </Beside>
            <Patterns agent={agent} agents={[...new Set(s.agents.filter((a) => a.agent && a.answered > 0).map((a) => a.agent))]} picked={pattern} onPick={(p) => set({ pattern: p })} onAgent={(a) => set({ agent: a })} />
            <Panel title="By agent and version" note="with 95 % intervals">
              <KeyTable label="Agents" columns={roomy ? agentColumns : narrowAgents} rows={s.agents} rowKey={(a) => `${a.agent} ${a.version} ${a.environment}`} onOpen={(a) => set({ agent: a.agent })} height="min(260px, 30dvh)" />
            </Panel>
          </>
        )}
      </PageBody>
    </>
  );
}

function First() {
  const dev = useMe()?.dev;
  const token = dev ? '' : ' --token YOUR_TOKEN';
  return (
    <ol className={css.ways}>
      <li>
        Put two buttons into the page that shows answers.
        <Snippet label="command" text={`reeve feedback form set shop --server ${location.origin}${token} --origin https://shop.example`} />
      </li>
      <li>
        Or send a link with each answer, by mail or chat.
        <Snippet label="link" text={`reeve feedback link --server ${location.origin}${token} --trace TRACE`} />
      </li>
      <li>
        Or tell it from your own code.
        <Snippet label="request" text={`curl -sS ${location.origin}/api/v1/feedback${dev ? '' : " \\\n  -H 'Authorization: Bearer YOUR_TOKEN'"} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"trace":"TRACE","kind":"thumb","value":0,"comment":"wrong order"}'`} />
      </li>
      <li>Langfuse scores, Datadog feedback and OpenTelemetry evaluations come with their traces; Slack and Pendo are registered with <code>reeve feedback source add</code>.</li>
    </ol>
  );
}

/** One is a feedback in full, with its run a press away. */
function One({ found: f, onClose }: { found?: Feedback; onClose: () => void }) {
  const may = useMay('TellFeedback');
  const mayShow = useMay('SetFeedbackStatus');
  if (!f) return <Panel title="Not in this list" padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>It may be of another period, or another filter.</Panel>;
  const about = f.about.trace ? `trace ${f.about.trace}` : f.about.join_key ? `join key ${f.about.join_key}` : f.about.session ? `session ${f.about.session}` : f.about.run_key ? `run ${f.about.run_key}` : f.about.run;
  const facts: [string, ReactNode][] = [
    ['When', <Time at={f.at} as="day" />],
    ['Run', f.run ? <><Link to={'/runs/$id' as never} params={{ id: f.run } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>Its run</Link> <span className="muted">found by its {(f.joined_by ?? '').replace('_', ' ')}</span></> : <span className="muted">nobody told of it yet</span>],
    ['About', visible(about ?? '')],
    ['Agent', f.agent ? <Link to={'/agents/$name' as never} params={{ name: f.agent } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>{f.agent}</Link> : <span className="muted">unknown</span>],
    ['Version', visible(f.version ?? '') || <span className="muted">none</span>],
    ['Run had errors', f.failed === null ? <span className="muted">unknown</span> : f.failed ? 'yes' : 'no'],
    ['From', `${f.giver === 'system' ? 'a system' : 'a user'}, by ${f.source}${f.verified ? '' : ', which proved nothing'}`],
    ['Cut out', f.redacted.length > 0 ? f.redacted.join(', ') : <span className="muted">nothing</span>],
    ['May be used to train', f.consent === null ? <span className="muted">not asked</span> : f.consent ? 'yes' : 'no'],
  ];
  return (
    <Panel title={said(f)} note={f.name ? visible(f.name) : f.kind} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <p className={css.lead}>{f.comment ? visible(f.comment) : <span className="muted">{f.erased ? 'What was said was erased.' : f.has_comment ? 'What was said is for those who may read content.' : 'Without words.'}</span>}</p>
      <Facts>
        {facts.map(([k, v]) => (
          <div key={k} style={{ display: 'contents' }}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </div>
        ))}
      </Facts>
      {f.told.map((t) => <p key={t.at}>Told <Time at={t.at} /> by {visible(t.by)}: {visible(t.text)}</p>)}
      {f.contact && may && <Tell id={f.id} />}
      {f.watched_till && <Shown f={f} may={mayShow} />}
    </Panel>
  );
}

const states = [{ value: 'open', label: 'nothing is said yet' }, { value: 'working', label: 'is being worked on' }, { value: 'corrected', label: 'was corrected' }];

/** Shown is what a person without an address sees, by their link, of what became of it. */
function Shown({ f, may }: { f: Feedback; may: boolean }) {
  const client = useQueryClient();
  const [state, setState] = useState(f.status?.state ?? 'working');
  const [text, setText] = useState(f.status?.text ?? '');
  const again = () => void client.invalidateQueries({ queryKey: ['feedback'] });
  const show = useMutation({ mutationFn: () => api.put<Feedback>(`/feedback/${f.id}/status`, { state, text }), onSettled: again });
  const revoke = useMutation({ mutationFn: () => api.delete(`/feedback/${f.id}/status`), onSettled: again });
  return (
    <form onSubmit={(e) => { e.preventDefault(); show.mutate(); }}>
      <p>They left no address and see what became of it by a link, until <Time at={f.watched_till!} as="day" />{f.status ? <>. Now: it {states.find((s) => s.value === f.status!.state)?.label}.</> : '. Nobody said anything yet.'}</p>
      <ProblemNote error={show.error ?? revoke.error} />
      {may && (
        <>
          <Pick label="It" value={state} options={states} onPick={setState} />
          <TextInput label="In your words" value={text} onChange={(e) => setText(e.currentTarget.value)} maxLength={4000} />
          <div className={css.acts}><Button type="submit" disabled={show.isPending}>Show them this</Button><Sure label="End their link" sure="End it: it shows nothing any more" pending={revoke.isPending} onDo={() => revoke.mutate()} /></div>
          {show.isSuccess && <p role="status">They see it now.</p>}
        </>
      )}
    </form>
  );
}

/** Tell notes what the person was told, and shows where to tell them. */
function Tell({ id }: { id: string }) {
  const [text, setText] = useState('');
  const [done, setDone] = useState<ToldFeedback>();
  const [error, setError] = useState<unknown>();
  const tell = () => api.post<ToldFeedback>(`/feedback/${id}/tell`, { text }).then((d) => { setDone(d); setText(''); setError(undefined); }, setError);
  return (
    <form onSubmit={(e) => { e.preventDefault(); void tell(); }}>
      <ProblemNote error={error} />
      <TextInput label="Tell them what became of it" value={text} onChange={(e) => setText(e.currentTarget.value)} maxLength={4000} required />
      <div className={css.acts}><Button type="submit">Note it and show their address</Button></div>
      {done && <p role="status">It is noted. Their address: <a className="link" href={`mailto:${encodeURIComponent(done.contact)}`}>{visible(done.contact)}</a></p>}
    </form>
  );
}
