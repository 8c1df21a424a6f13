import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { Dataset, DatasetItem, Evaluation, EvaluationFigures, EvaluationSummary, Evaluator, List } from '../api/types';
import { Badge, Beside, type Column, Empty, Facts, KeyTable, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Snippet, Tabs, Time, useShortcuts, useWide } from '../shared';
import { percent, share, tone, verdictWord } from '../feedback/data';
import css from '../sources/sources.module.css';
import { useView } from '../state/url';
import { visible } from '../tools/data';

const columns: Column<Evaluation>[] = [
  { id: 'at', head: 'When', width: '94px', cell: (x) => <Time at={x.at} /> },
  { id: 'verdict', head: 'Verdict', width: '124px', cell: (x) => <Badge tone={tone(x.verdict)}>{verdictWord(x)}</Badge> },
  { id: 'text', head: 'What was found', width: 'minmax(180px, 2fr)', cell: (x) => visible(x.text) },
  { id: 'evaluator', head: 'By', width: 'minmax(100px, .8fr)', cell: (x) => (x.by ? `${visible(x.by)} for ${x.evaluator}` : x.evaluator) },
  { id: 'agent', head: 'Agent', width: 'minmax(90px, .7fr)', cell: (x) => x.agent || <span className="muted">unknown</span> },
  { id: 'version', head: 'Version', width: 'minmax(70px, .5fr)', cell: (x) => visible(x.version ?? '') },
];
const narrow = columns.filter((c) => ['verdict', 'text'].includes(c.id));

const figures: Column<EvaluationFigures>[] = [
  { id: 'evaluator', head: 'Evaluator', width: 'minmax(110px, 1fr)', cell: (f) => f.evaluator },
  { id: 'agent', head: 'Agent', width: 'minmax(90px, .8fr)', cell: (f) => f.agent || 'unknown' },
  { id: 'version', head: 'Version', width: 'minmax(70px, .6fr)', cell: (f) => visible(f.version) || <span className="muted">none</span> },
  { id: 'passed', head: 'Passed', width: 'minmax(150px, 1fr)', cell: (f) => share(f.passed) },
  { id: 'failed', head: 'Failed', width: '70px', cell: (f) => f.fail },
  { id: 'none', head: 'Nothing to judge', width: '120px', cell: (f) => f.none },
];
const narrowFigures = figures.filter((c) => ['evaluator', 'passed'].includes(c.id));

const shows = ['queue', 'all'] as const;

const Datasets = lazy(() => import('./Datasets').then((m) => ({ default: m.Datasets })));
const Evaluators = lazy(() => import('./Evaluators').then((m) => ({ default: m.Evaluators })));
const Experiments = lazy(() => import('./Experiments').then((m) => ({ default: m.Experiments })));
const ProbablyFailed = lazy(() => import('./ProbablyFailed').then((m) => ({ default: m.ProbablyFailed })));
const BiasPlans = lazy(() => import('./BiasPlans').then((m) => ({ default: m.BiasPlans })));

/** questions are what each part but that of runs answers. */
const questions: Record<string, string> = {
  datasets: 'What would have been right?',
  experiments: 'Does a change help, before users meet it?',
  evaluators: 'What looks at runs, and how far to believe it?',
  bias: 'Does it treat people alike?',
  probable: 'Which runs that nobody judged have probably failed?',
};

/** EvaluationsPage: how good runs were, the cases that say what is right, and pairs that should make no difference. */
export function EvaluationsPage() {
  const navigate = useNavigate();
  const { part = 'runs', dataset, item, plan, kind, evaluator } = useSearch({ strict: false }) as { part?: string; evaluator?: string; dataset?: string; item?: string; plan?: string; kind?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const on = dataset ? 'datasets' : plan ? 'bias' : part;
  const parts = (
    <Tabs
      label="Part"
      tabs={[{ id: 'runs', label: 'Runs' }, { id: 'datasets', label: 'Data sets' }, { id: 'experiments', label: 'Experiments' }, { id: 'evaluators', label: 'Evaluators' }, { id: 'bias', label: 'Bias plans' }, { id: 'probable', label: 'Probably failed' }]}
      on={on}
      onPick={(id) => set({ part: id === 'runs' ? undefined : id, dataset: undefined, item: undefined, plan: undefined, picked: undefined, kind: undefined, evaluator: undefined })}
    />
  );
  if (!(on in questions)) return <Judged parts={parts} />;
  return (
    <>
      <PageHeader title="Evaluations" question={questions[on]} />
      <PageBody>
        {parts}
        <Suspense>
          {on === 'evaluators' && <Evaluators name={evaluator} set={(more) => set({ part: 'evaluators', ...more })} />}
          {on === 'experiments' && <Experiments kind={kind} set={set} />}
          {on === 'bias' && <BiasPlans name={plan} set={(more) => set({ part: 'bias', ...more })} />}
          {on === 'datasets' && <Datasets name={dataset} item={item} set={(more) => set({ part: 'datasets', ...more })} />}
          {on === 'probable' && <ProbablyFailed />}
        </Suspense>
      </PageBody>
    </>
  );
}

/** Judged is how good runs were, what a person should look at, and how far people agree. */
function Judged({ parts }: { parts: ReactNode }) {
  const navigate = useNavigate();
  const view = useView();
  const { show = 'queue', verdict, run, picked } = useSearch({ strict: false }) as { show?: string; verdict?: string; run?: string; picked?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const mayLabel = useMay('LabelRun');
  const maySet = useMay('PutEvaluator');
  const queueing = show === 'queue' && mayLabel && !run;
  const period = { environment: view.env, team: view.team, from: view.from, to: view.live ? undefined : view.to };
  const evaluators = useQuery({ queryKey: ['evaluation', 'evaluators'], queryFn: ({ signal }) => api.get<List<Evaluator>>('/evaluators', undefined, signal), retry: false });
  const sum = useQuery({ queryKey: ['evaluation', 'summary', view.env, view.team, view.filter.from, view.filter.to], queryFn: ({ signal }) => api.get<EvaluationSummary>('/evaluation-summary', period, signal), retry: false });
  const list = useQuery({
    queryKey: ['evaluation', queueing ? 'queue' : 'list', view.env, view.team, view.filter.from, view.filter.to, verdict, run],
    queryFn: ({ signal }) => (queueing ? api.get<List<Evaluation>>('/annotation-queue', { environment: view.env, team: view.team, limit: 100 }, signal) : api.get<List<Evaluation>>('/evaluations', { ...period, verdict, run, limit: 500 }, signal)),
    retry: false,
  });
  const wide = useWide(1500);
  const roomy = useWide(700);
  const rows = list.data?.items ?? [];
  const at = rows.findIndex((x) => x.id === picked);
  const one = at < 0 ? undefined : rows[at];
  const client = useQueryClient();
  const label = useMutation({
    mutationFn: (say: { x: Evaluation; verdict: string; why: string }) => api.post<Evaluation>('/evaluation-labels', { run: say.x.run, evaluator: say.x.evaluator, verdict: say.verdict, why: say.why }),
    onSuccess: () => {
      const next = rows[at + 1];
      set({ picked: next?.id });
      void client.invalidateQueries({ queryKey: ['evaluation'] });
    },
  });
  const say = (v: string, why = '') => one && mayLabel && label.mutate({ x: one, verdict: v, why });
  useShortcuts('Evaluations', [
    { keys: 'x', label: 'The first', run: () => rows[0] && set({ picked: rows[0].id }) },
    { keys: 'y', label: 'This run is good, and the next', run: () => say('pass') },
    { keys: 'shift+y', label: 'This run is bad, and the next', run: () => say('fail') },
  ]);
  const s = sum.data;
  const failed = s?.figures.reduce((n, f) => n + f.fail, 0) ?? 0;
  const judged = s?.figures.reduce((n, f) => n + f.pass + f.unsure + f.fail, 0) ?? 0;
  const none = evaluators.data?.items.length === 0;
  return (
    <>
      <PageHeader
        title="Evaluations"
        question="Are answers right?"
        answer={s && evaluators.data && (none ? 'Nothing looks at runs yet.' : <>{plural(evaluators.data.items.length, 'evaluator')} judged {plural(judged, 'time')} in this period and failed {failed}.{s.agreements.filter((a) => a.with === 'people').map((a) => ` People agree with ${a.evaluator} on ${percent(a.agree.value)} of ${a.n}.`)}</>)}
      />
      <PageBody>
        {parts}
        <ProblemNote error={evaluators.error ?? list.error ?? sum.error ?? label.error} />
        {none && (
          <Panel title="Nothing looks at runs. How to begin" padded actions={maySet && <Button size="compact-xs" variant="filled" onClick={() => set({ part: 'evaluators' })}>Set an evaluator</Button>}>
            <First />
          </Panel>
        )}
        {(!none || rows.length > 0) && (
          <>
            <div className={css.find}>
              {mayLabel && !run && <Tabs label="Show" tabs={shows.map((id) => ({ id, label: id === 'queue' ? 'To look at' : 'All' }))} on={show} onPick={(id) => set({ show: id === 'queue' ? undefined : id, picked: undefined })} />}
              {!queueing && <Tabs label="Verdict" tabs={[{ id: '', label: 'Every verdict' }, { id: 'fail', label: 'Failed' }, { id: 'unsure', label: 'Unsure' }, { id: 'pass', label: 'Passed' }]} on={verdict ?? ''} onPick={(id) => set({ verdict: id || undefined, picked: undefined })} />}
              {run && <Button size="compact-sm" onClick={() => set({ run: undefined })}>Of one run: show all</Button>}
            </div>
            <Beside label="The evaluation" side={one && <One key={one.id} x={one} may={mayLabel} busy={label.isPending} say={say} onClose={() => set({ picked: undefined })} />}>
              <Panel>
                <KeyTable
                  label="Evaluations"
                  columns={(one && !wide) || !roomy ? narrow : columns}
                  rows={rows}
                  rowKey={(x) => x.id}
                  active={picked}
                  onActive={(x) => picked && set({ picked: x.id })}
                  onOpen={(x) => set({ picked: x.id })}
                  height="min(420px, 50dvh)"
                  autoFocus
                  empty={list.isSuccess && <Empty title={queueing ? 'Nothing waits for you.' : 'No evaluation is like that.'}>{queueing ? 'What evaluators are unsure of, what they fail, and a tenth of what they pass comes here.' : 'Take the verdict away, or choose a longer period.'}</Empty>}
                />
              </Panel>
            </Beside>
            {s && s.figures.length > 0 && (
              <Panel title="By evaluator, agent and version" note="with 95 % intervals">
                <KeyTable label="Figures" columns={roomy ? figures : narrowFigures} rows={s.figures} rowKey={(f) => `${f.evaluator} ${f.agent} ${f.version} ${f.environment}`} height="min(260px, 30dvh)" />
              </Panel>
            )}
            {s && s.calibrations.some((c) => c.labelled > 0 || c.kind === 'judge') && (
              <Panel title="How far to believe them" note="each at its revision now, beside people" padded>
                <ul className={css.causes}>
                  {s.calibrations.filter((c) => c.labelled > 0 || c.kind === 'judge').map((c) => (
                    <li key={c.evaluator}>
                      <strong>{c.evaluator}</strong> passed {share(c.passed)} of {c.judged}; people would pass {c.corrected.value === null ? 'unknown: too few labels' : `${percent(c.corrected.value)} (${percent(c.corrected.low)} to ${percent(c.corrected.high)})`}. Kappa {c.kappa.value === null ? 'not defined' : c.kappa.value.toFixed(2)}{c.kappa.low !== null && c.kappa.high !== null && ` (${c.kappa.low.toFixed(2)} to ${c.kappa.high.toFixed(2)})`} of {plural(c.labelled, 'label')}.{c.kind === 'judge' && ` It cost ${c.cost_usd === null ? 'an unknown amount' : `${c.cost_usd.toFixed(4)} USD`}, ${plural(c.tokens, 'token')}${c.cost_unknown > 0 ? `; ${plural(c.cost_unknown, 'answer')} without a price` : ''}.`}
                    </li>
                  ))}
                  {s.refused && <li>{s.refused.evaluator} was not asked: {visible(s.refused.detail)}</li>}
                </ul>
              </Panel>
            )}
            {s && s.agreements.length > 0 && (
              <Panel title="Agreement" note="on runs that both judged" padded>
                <ul className={css.causes}>
                  {s.agreements.map((a) => (
                    <li key={a.evaluator + a.with}>
                      <strong>{a.evaluator}</strong> {a.with === 'people' ? 'and people' : ': people among themselves'} agree on {share(a.agree)}, kappa {a.kappa === null ? 'not defined' : a.kappa.toFixed(2)}.{a.with === 'people' && ` It passed ${a.missed_bad} that people failed, and failed ${a.wrong_bad} that they passed.`}
                    </li>
                  ))}
                </ul>
              </Panel>
            )}
          </>
        )}
      </PageBody>
    </>
  );
}

/** MakeCase makes the run of an evaluation a case of a data set, in one act. */
function MakeCase({ run }: { run: string }) {
  const may = useMay('AddDatasetItem');
  const sets = useQuery({ queryKey: ['evaluation', 'datasets'], queryFn: ({ signal }) => api.get<List<Dataset>>('/datasets', undefined, signal), retry: false, enabled: may });
  const add = useMutation({ mutationFn: (name: string) => api.post<DatasetItem>(`/datasets/${name}/items`, { run, verdict: 'bad' }) });
  const all = sets.data?.items ?? [];
  if (!may || all.length === 0) return null;
  return (
    <>
      <ProblemNote error={add.error} />
      <div className={css.acts}>
        {all.slice(0, 4).map((d) => (
          <Button key={d.name} disabled={add.isPending} onClick={() => add.mutate(d.name)}>Make a case of {d.name}</Button>
        ))}
      </div>
      {add.data && <p role="status">It is {add.data.case} in {add.data.dataset} now.</p>}
    </>
  );
}

function First() {
  const dev = useMe()?.dev;
  const end = `--server ${location.origin}${dev ? '' : ' --token YOUR_TOKEN'}`;
  return (
    <ol className={css.ways}>
      <li>
        Does the answer stand in what was read? Without a model, for each run.
        <Snippet label="command" text={`reeve evaluator set grounded --kind groundedness ${end}`} />
      </li>
      <li>
        Does it speak as the house does, by Vale&apos;s rule files?
        <Snippet label="command" text={`reeve evaluator set house-voice --kind voice --rules styles/house ${end}`} />
      </li>
      <li>
        Does it give away what the user had not given?
        <Snippet label="command" text={`reeve evaluator set no-leaks --kind leak ${end}`} />
      </li>
    </ol>
  );
}

/** One is an evaluation with the places that show it, and what a person says instead. */
function One({ x, may, busy, say, onClose }: { x: Evaluation; may: boolean; busy: boolean; say: (verdict: string, why?: string) => void; onClose: () => void }) {
  const [why, setWhy] = useState('');
  return (
    <Panel title={x.evaluator} note={x.kind} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <p className={css.lead}><Badge tone={tone(x.verdict)}>{verdictWord(x)}</Badge> {visible(x.text)}</p>
      <ul className={css.causes}>
        {x.marks.map((m, i) => (
          <li key={i}>
            <Badge tone={m.good ? 'good' : 'bad'}>{m.good ? 'carried' : 'not'}</Badge> {visible(m.text)}
            <span className={css.path}>{visible(m.says)}{m.evidence && <>: “{visible(m.evidence)}”{m.document && ` in ${visible(m.document)}`}</>}</span>
          </li>
        ))}
      </ul>
      <Facts>
        <dt>Run</dt>
        <dd><Link to={'/runs/$id' as never} params={{ id: x.run } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>Its run</Link></dd>
        <dt>Agent</dt>
        <dd>{x.agent || 'unknown'} {visible(x.version ?? '')}</dd>
        <dt>Score</dt>
        <dd>{x.score === null ? 'none' : x.score.toFixed(2)}</dd>
      </Facts>
      <MakeCase run={x.run} />
      {may && x.source === 'online' && (
        <div>
          <TextInput label="Why (optional)" value={why} onChange={(e) => setWhy(e.currentTarget.value)} maxLength={1000} />
          <div className={css.acts}>
            <Button disabled={busy} onClick={() => say('pass', why)}>It is good</Button>
            <Button disabled={busy} onClick={() => say('fail', why)}>It is bad</Button>
          </div>
        </div>
      )}
    </Panel>
  );
}
