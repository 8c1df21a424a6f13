import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api, type Params } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Mood, MoodList, Topic, TopicList, TopicPage, TopicRun } from '../api/types';
import { Badge, Beside, type Column, count, Empty, Facts, Figure, KeyTable, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Tabs, Time, useShortcuts, useWide } from '../shared';
import { percent, share } from '../feedback/data';
import css from '../sources/sources.module.css';
import { useView } from '../state/url';
import { visible } from '../tools/data';

const usd = (x: number | null) => (x === null ? 'unknown' : `$${x.toFixed(4)}`);
const drifts: Record<string, string> = { more: 'more than before', less: 'less than before' };

const columns: Column<Topic>[] = [
  { id: 'title', head: 'Topic', width: 'minmax(170px, 1.6fr)', cell: (t) => <>{visible(t.title)} {t.drift && <Badge tone={t.drift === 'more' ? 'warn' : undefined}>{drifts[t.drift]}</Badge>}</> },
  { id: 'runs', head: 'Runs', width: '70px', cell: (t) => t.runs },
  { id: 'demand', head: 'Demand', width: '80px', cell: (t) => percent(t.demand.value) },
  { id: 'unanswered', head: 'Unanswered', width: 'minmax(150px, 1fr)', cell: (t) => share(t.unanswered) },
  { id: 'resolved', head: 'Resolved', width: 'minmax(150px, 1fr)', cell: (t) => share(t.resolved) },
  { id: 'satisfied', head: 'Satisfied', width: 'minmax(140px, 1fr)', cell: (t) => share(t.satisfied) },
  { id: 'cost', head: 'A run', width: '90px', cell: (t) => usd(t.cost_per_run) },
];
const narrow = columns.filter((c) => ['title', 'runs', 'demand'].includes(c.id));

const signs: Record<string, string> = { re_ask: 'asked again', correction: 'corrected', human: 'wanted a person', words: 'angry words', abandoned: 'gave up' };

function signText(m: Mood): string {
  const counts = new Map<string, number>();
  for (const s of m.signs) counts.set(s.kind, (counts.get(s.kind) ?? 0) + 1);
  return [...counts].map(([k, n]) => (signs[k] ?? k) + (n > 1 ? ` (${n})` : '')).join(', ');
}

const moodColumns: Column<Mood>[] = [
  { id: 'at', head: 'When', width: '84px', cell: (m) => <Time at={m.at} /> },
  { id: 'score', head: 'Frustration', width: '130px', cell: (m) => <Badge tone={m.frustrated ? 'bad' : undefined}>{m.score.toFixed(2)}{m.frustrated && ' frustrated'}</Badge> },
  { id: 'signs', head: 'Signs', width: 'minmax(180px, 2fr)', cell: (m) => signText(m) },
  { id: 'agent', head: 'Agent', width: 'minmax(100px, 1fr)', cell: (m) => m.agent || <span className="muted">unknown</span> },
  { id: 'runs', head: 'Runs', width: '70px', cell: (m) => m.runs },
];
const narrowMoods = moodColumns.filter((c) => ['score', 'signs'].includes(c.id));

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;

/** TopicsPage: what people ask for, what of it goes well, and who loses patience. */
export function TopicsPage() {
  const navigate = useNavigate();
  const view = useView();
  const { show = 'topics', picked } = useSearch({ strict: false }) as { show?: string; picked?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const period = { environment: view.env, team: view.team, from: view.from, to: view.live ? undefined : view.to };
  const key = [view.env, view.team, view.filter.from, view.filter.to];
  const topics = useQuery({ queryKey: ['topic', 'list', ...key], queryFn: ({ signal }) => api.get<TopicList>('/topics', period, signal), retry: false, refetchInterval: 15_000 });
  const moods = useQuery({ queryKey: ['topic', 'moods', ...key], queryFn: ({ signal }) => api.get<MoodList>('/moods', { ...period, limit: 200 }, signal), retry: false, refetchInterval: 15_000 });
  const wide = useWide(1500);
  const roomy = useWide(700);
  const rows = topics.data?.items ?? [];
  const sessions = moods.data?.items ?? [];
  const moody = show === 'moods';
  const one = rows.find((t) => t.id === picked);
  const session = sessions.find((m) => m.session === picked);
  useShortcuts('Topics', [{ keys: 'x', label: 'The first', run: () => set({ picked: moody ? sessions[0]?.session : rows[0]?.id }) }]);
  const f = moods.data?.frustrated;
  const lost = rows.filter((t) => t.unanswered.value !== null).sort((a, b) => b.unanswered.value! * b.runs - a.unanswered.value! * a.runs)[0];
  const seen = topics.data?.coverage;
  return (
    <>
      <PageHeader
        title="Topics"
        question="What do people ask for?"
        answer={topics.data && (rows.length === 0 ? (seen && seen.waiting > 0 ? `Prompts are being read: ${plural(seen.waiting, 'run')} of what arrived still wait.` : 'Too few prompts are alike to say.') : <>{plural(rows.length, 'topic')} in this period.{lost && (lost.unanswered.value ?? 0) > 0 && ` Least answered for its demand: ${lost.title}, ${share(lost.unanswered)}.`}{f?.value != null && ` Of ${plural(f.n, 'session')}, ${percent(f.value)} lost patience.`}</>)}
      />
      <PageBody>
        <ProblemNote error={topics.error ?? moods.error} />
        <div className={css.find}>
          <Tabs label="Show" tabs={[{ id: 'topics', label: 'Topics' }, { id: 'moods', label: 'Lost patience' }]} on={show} onPick={(id) => set({ show: id === 'topics' ? undefined : id, picked: undefined })} />
        </div>
        <Beside label={moody ? 'The session' : 'The topic'} side={moody ? session && <Session m={session} onClose={() => set({ picked: undefined })} /> : one && <One key={one.id} t={one} period={period} onClose={() => set({ picked: undefined })} />}>
          <Panel>
            {moody ? (
              <KeyTable label="Sessions" columns={(session && !wide) || !roomy ? narrowMoods : moodColumns} rows={sessions} rowKey={(m) => `${m.team} ${m.environment} ${m.session}`} active={picked} onOpen={(m) => set({ picked: m.session })} height="min(520px, 60dvh)" empty={moods.isSuccess && <Empty title="No sign of lost patience.">Who asks again, corrects, wants a person or gives up comes here.</Empty>} />
            ) : (
              <KeyTable label="Topics" columns={(one && !wide) || !roomy ? narrow : columns} rows={rows} rowKey={(t) => t.id} active={picked} onActive={(t) => picked && set({ picked: t.id })} onOpen={(t) => set({ picked: t.id })} height="min(520px, 60dvh)" autoFocus empty={topics.isSuccess && <Empty title="No topic yet.">Three prompts that ask for nearly the same make one.{seen && seen.waiting > 0 && ' They are still being read; this page looks again by itself.'}</Empty>} />
            )}
          </Panel>
        </Beside>
        {!moody && topics.data && topics.data.ungrouped.runs > 0 && <p className="muted">{plural(topics.data.ungrouped.runs, 'run')} asked for what too few others did.</p>}
        {seen && seen.skipped + seen.failed + seen.waiting > 0 && <p className="muted">Since the start {plural(seen.runs, 'run')} were looked at; {count(seen.waiting)} wait, {count(seen.skipped)} were left out since too many came at once, {count(seen.failed)} could not be read.</p>}
      </PageBody>
    </>
  );
}

/** One is a topic with its agents, what is typically asked, and its unanswered runs. */
function One({ t, period, onClose }: { t: Topic; period: Params; onClose: () => void }) {
  const client = useQueryClient();
  const may = useMay('NameTopic');
  const [name, setName] = useState(t.name ?? '');
  const page = useQuery({ queryKey: ['topic', 'one', t.id, period], queryFn: ({ signal }) => api.get<TopicPage>(`/topics/${t.id}`, period, signal), retry: false });
  const lost = useQuery({ queryKey: ['topic', 'runs', t.id, period], queryFn: ({ signal }) => api.get<List<TopicRun>>(`/topics/${t.id}/runs`, { ...period, unanswered: true, limit: 8 }, signal), retry: false });
  const call = useMutation({ mutationFn: () => api.put<Topic>(`/topics/${t.id}/name`, { name, revision: t.revision }), onSuccess: () => void client.invalidateQueries({ queryKey: ['topic'] }) });
  return (
    <Panel title={visible(t.title)} note={t.words.join(' ')} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={page.error ?? lost.error ?? call.error} />
      <Facts>
        <dt>Runs</dt>
        <dd><Figure to="/runs" search={{ q: `topic:${t.id}` }} title="Its runs">{t.runs}</Figure> in {plural(t.sessions, 'session')}, {percent(t.demand.value)} of all{t.before !== null && `, ${percent(t.before)} in the period before`}</dd>
        <dt>Unanswered</dt>
        <dd>{share(t.unanswered)}</dd>
        <dt>Resolved</dt>
        <dd>{t.resolved.n > 0 ? <Figure to="/runs" search={{ q: `topic:${t.id} outcome:resolved,verified_resolved,implied_resolved` }} title="Its runs that were resolved">{share(t.resolved)}</Figure> : share(t.resolved)}</dd>
        <dt>Satisfied</dt>
        <dd>{share(t.satisfied)}</dd>
        <dt>Cost</dt>
        <dd>{usd(t.cost_usd)}, {usd(t.cost_per_run)} a run</dd>
      </Facts>
      {page.data && page.data.agents.length > 0 && (
        <ul className={css.causes}>
          {page.data.agents.map((a) => <li key={a.agent}><strong>{a.agent || 'unknown'}</strong> <Figure to="/runs" search={{ q: `topic:${t.id} agent:${a.agent ? JSON.stringify(a.agent) : 'unknown'}` }} title="Its runs about this">{plural(a.runs, 'run')}</Figure>, resolved {share(a.resolved)}</li>)}
        </ul>
      )}
      {page.data && page.data.examples.length > 0 && (
        <ul className={css.causes} aria-label="Typically asked">
          {page.data.examples.map((x) => <li key={x.run}><Link className="link" to={'/runs/$id' as never} params={{ id: x.run } as never} search={keep}>{x.text ? `“${visible(x.text)}”` : 'A typical run'}</Link></li>)}
        </ul>
      )}
      {lost.data && lost.data.items.length > 0 && (
        <ul className={css.causes} aria-label="Not answered">
          {lost.data.items.map((r) => <li key={r.run}><Link className="link" to={'/runs/$id' as never} params={{ id: r.run } as never} search={keep}>{r.outcome ? `A run that was ${r.outcome.replaceAll('_', ' ')}` : r.asked_again ? 'A run whose user asked again' : 'A run that was not answered'}</Link> <Time at={r.at} /></li>)}
        </ul>
      )}
      {may && (
        <form onSubmit={(e) => { e.preventDefault(); call.mutate(); }}>
          <TextInput label="Call it" value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={120} placeholder={t.title} />
          <div className={css.acts}><Button type="submit" disabled={call.isPending || name === (t.name ?? '')}>Name the topic</Button></div>
        </form>
      )}
    </Panel>
  );
}

/** Session is one session with the signs of its mood, each with its run. */
function Session({ m, onClose }: { m: Mood; onClose: () => void }) {
  return (
    <Panel title="The session" note={m.score.toFixed(2)} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ul className={css.causes}>
        {m.signs.map((s, i) => (
          <li key={i}><Link className="link" to={'/runs/$id' as never} params={{ id: s.run } as never} search={keep}>{signs[s.kind] ?? s.kind}</Link>{s.cosine ? ` (${s.cosine.toFixed(2)} alike)` : ''} <Time at={s.at} /></li>
        ))}
      </ul>
    </Panel>
  );
}
