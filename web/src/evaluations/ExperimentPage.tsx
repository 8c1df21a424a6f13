import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';
import { api, Problem } from '../api/client';
import { useMay } from '../api/queries';
import type { DatasetItem, Experiment, ExperimentResult, List } from '../api/types';
import { share, tone } from '../feedback/data';
import { Badge, Beside, type Column, duration, Empty, Facts, KeyTable, Meter, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Tabs, Time, Unknown, useShortcuts, useWide } from '../shared';
import { Pick, Sure } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { baselines, beside, type Case, casesOf, casesText, moves, question, sideOf, type Than, underway, verdictOf } from './cases';
import { stateTone } from './Experiments';
import { StartExperiment } from './StartExperiment';

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;
const than: Record<Than, { tone?: 'good' | 'bad'; says: string }> = { worse: { tone: 'bad', says: 'passed before' }, better: { tone: 'good', says: 'failed before' }, same: { says: 'as before' }, new: { says: 'not compared' } };
const shows = ['failed', 'all', 'worse', 'better'] as const;

/** ExperimentPage answers which cases of an experiment passed, which did not and why. */
export function ExperimentPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const { with: baseline } = useSearch({ strict: false }) as { with?: string };
  const read = useQuery<Experiment>({
    queryKey: ['evaluation', 'experiment', id, baseline],
    queryFn: ({ signal }) => api.get<Experiment>(`/experiments/${encodeURIComponent(id)}`, { baseline }, signal),
    retry: false,
    placeholderData: (old) => (old?.id === id ? old : undefined),
    refetchInterval: (q) => (underway(q.state.data) ? 1500 : false),
  });
  const back = <Link className="link" to={'/evaluations' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), part: 'experiments' })) as never}>All experiments</Link>;
  if (!read.data) {
    const missing = read.error instanceof Problem && read.error.status === 404;
    return (
      <>
        <PageHeader title={missing ? 'This experiment is not here' : 'Experiment'} />
        <PageBody>
          {missing ? <Empty title="No such experiment is kept." actions={back}>It may be older than 400 days, or of a team that you do not see.</Empty> : read.error ? <><ProblemNote error={read.error} retry={() => void read.refetch()} /><p>{back}</p></> : <p className="muted">Reading the experiment…</p>}
        </PageBody>
      </>
    );
  }
  return <Shown key={id} x={read.data} error={read.error} />;
}

function Shown({ x, error }: { x: Experiment; error: unknown }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const search = useSearch({ strict: false }) as { show?: string; picked?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const may = { start: useMay('StartExperiment'), stop: useMay('StopExperiment') };
  const [starting, setStarting] = useState(false);
  const items = useQuery({
    queryKey: ['datasets', x.dataset, x.dataset_version, 'of'],
    queryFn: ({ signal }) => api.get<List<DatasetItem>>(`/datasets/${encodeURIComponent(x.dataset ?? '')}/items`, { version: x.dataset_version, limit: 1000 }, signal),
    enabled: !!x.dataset,
    retry: false,
    staleTime: 60_000,
  });
  const others = useQuery({ queryKey: ['evaluation', 'experiments', x.kind], queryFn: ({ signal }) => api.get<List<Experiment>>('/experiments', { kind: x.kind, limit: 200 }, signal), retry: false });
  const before = useQuery({ queryKey: ['evaluation', 'experiment', x.baseline, undefined], queryFn: ({ signal }) => api.get<Experiment>(`/experiments/${x.baseline}`, undefined, signal), enabled: !!x.baseline, retry: false, staleTime: 60_000 });
  const asked = useMemo(() => new Map((items.data?.items ?? []).map((i) => [i.id, i])), [items.data]);
  const cases = useMemo(() => casesOf(x.results), [x.results]);
  const old = useMemo(() => casesOf(before.data?.results), [before.data]);
  const differs = useMemo(() => (x.baseline && before.data ? beside(cases, old) : undefined), [cases, old, x.baseline, before.data]);
  const stop = useMutation({
    mutationFn: () => api.post(`/experiments/${x.id}/stop`),
    onSettled: () => void client.invalidateQueries({ queryKey: ['evaluation'] }),
  });
  const bad = cases.filter((c) => c.verdict !== 'passed');
  const of = (t: Than) => cases.filter((c) => differs?.get(c.key) === t);
  // A bias test's other answers are no failures: all of it is shown.
  const usual = bad.length > 0 && x.kind !== 'bias' ? 'failed' : 'all';
  const show = shows.find((s) => s === search.show) ?? usual;
  const rows = show === 'failed' ? bad : show === 'all' ? cases : of(show);
  const one = rows.find((c) => c.key === search.picked);
  const wide = useWide(1500);
  const roomy = useWide(700);
  const live = underway(x);
  useShortcuts('Experiment', [
    { keys: 'x', label: 'The first case', run: () => rows[0] && set({ picked: rows[0].key }) },
    ...(may.start ? [{ keys: 'n', label: 'Run it again', run: () => setStarting(true) }] : []),
  ]);
  const columns: Column<Case>[] = [
    { id: 'verdict', head: 'Result', width: '104px', cell: (c) => <Badge tone={c.verdict === 'passed' ? 'good' : c.verdict === 'none' ? 'warn' : x.kind === 'bias' ? undefined : 'bad'}>{verdictOf(x.kind, c)}{c.tries.length > 1 && ` ${c.passed}/${c.tries.length}`}</Badge> },
    { id: 'asked', head: 'Case', width: 'minmax(150px, 1.5fr)', cell: (c) => visible(question(x, c.item, asked) ?? c.item) },
    ...(x.kind === 'proof' || x.kind === 'drill' ? [{ id: 'side', head: 'Which', width: '110px', cell: (c: Case) => sideOf(x.kind, c.group) }] : []),
    { id: 'why', head: 'Why', width: 'minmax(160px, 1.4fr)', cell: (c) => visible(c.shows.why ?? '') || <span className="muted">{c.shows.forgotten ? 'its texts are gone' : ''}</span> },
    ...(differs ? [{ id: 'than', head: 'Baseline', width: '112px', cell: (c: Case) => { const t = than[differs.get(c.key) ?? 'new']; return <span title="in the baseline, by whether all tries passed">{t.tone ? <Badge tone={t.tone}>{t.says}</Badge> : t.says}</span>; } }] : []),
    { id: 'took', head: 'Took', width: '78px', align: 'right', cell: (c) => duration(c.shows.took_ms) },
  ];
  const narrow = columns.filter((c) => ['verdict', 'asked'].includes(c.id));
  return (
    <>
      <PageHeader
        title={`Experiment of ${x.agent}`}
        question="Which cases pass, and why not?"
        badge={<Badge tone={stateTone(x)}>{x.state}</Badge>}
        answer={<Answer x={x} cases={cases} bad={bad.length} />}
        actions={
          <>
            {live && may.stop && <Sure label="Stop it" sure="Stop it? What it found stays." pending={stop.isPending} onDo={() => stop.mutate()} />}
            {may.start && <Button size="compact-sm" onClick={() => setStarting(true)}>Run it again</Button>}
          </>
        }
      />
      <PageBody>
        <ProblemNote error={error ?? stop.error ?? before.error} />
        {live && (
          <p role="status">
            <Meter label={`${x.ran} of ${plural(x.tasks, 'task')}`} parts={[{ share: x.tasks > 0 ? x.ran / x.tasks : 0, tone: 'good' }]} /> {x.state === 'waiting' ? 'It waits for its turn: experiments run one after the other.' : `${x.ran} of ${plural(x.tasks, 'task')} so far.`}
          </p>
        )}
        <div className={css.two}>
          <Panel title="What was run" padded>
            <Facts>
              <dt>Agent</dt>
              <dd><Link className="link" to={'/agents/$name' as never} params={{ name: x.agent } as never} search={keep}>{x.agent}</Link> {visible(x.agent_version ?? '') || <span className="muted">no version was observed</span>}</dd>
              <dt>Cases</dt>
              <dd>{x.dataset ? <Link className="link" to={'/evaluations' as never} search={((v: Record<string, unknown>) => ({ ...pickView(v), part: 'datasets', dataset: x.dataset })) as never}>{visible(casesText(x))}</Link> : visible(casesText(x))}{x.repeats > 1 && `, each ${x.repeats} times`}</dd>
              <dt>Judged by</dt>
              <dd>{x.evaluators.length > 0 ? x.evaluators.join(', ') : x.kind === 'bias' ? 'the words that are favourable' : 'what the cases expect'}</dd>
              <dt>Started</dt>
              <dd><Time at={x.at} />{x.by && ` by ${visible(x.by)}`}{x.ended_at && `, took ${duration(Date.parse(x.ended_at) - Date.parse(x.at))}`}</dd>
              {x.plan && <><dt>Of the plan</dt><dd><Plan x={x} /></dd></>}
              {x.note && x.kind !== 'audit' && <><dt>Note</dt><dd>{visible(x.note)}</dd></>}
            </Facts>
          </Panel>
          <Compared x={x} others={others.data?.items ?? []} onPick={(baseline) => set({ with: baseline || undefined, picked: undefined, show: undefined })} />
        </div>
        <Tabs
          label="Cases"
          on={show}
          onPick={(next) => set({ show: next === usual ? undefined : next, picked: undefined })}
          tabs={[
            { id: 'failed', label: x.kind === 'bias' ? 'Not favourable' : 'Not passed', n: bad.length },
            { id: 'all', label: 'All', n: cases.length },
            ...(differs ? [{ id: 'worse', label: 'Passed before', n: of('worse').length }, { id: 'better', label: 'Failed before', n: of('better').length }] : []),
          ]}
        />
        <Beside label="The case" side={one && <One key={one.key} x={x} c={one} item={asked.get(one.item)} was={old.find((c) => c.key === one.key)} onClose={() => set({ picked: undefined })} />}>
          <Panel>
            <KeyTable
              label="Cases of the experiment"
              columns={(one && !wide) || !roomy ? narrow : columns}
              rows={rows}
              rowKey={(c) => c.key}
              active={search.picked}
              onActive={(c) => search.picked && set({ picked: c.key })}
              onOpen={(c) => set({ picked: c.key })}
              height="min(420px, 50dvh)"
              autoFocus
              empty={<Empty small title={cases.length === 0 ? (live ? 'No case is through yet.' : 'It has no result.') : 'No case is like that.'}>{cases.length === 0 ? (live ? 'They come in here as they end.' : visible(x.why ?? '')) : 'Choose another list above.'}</Empty>}
            />
          </Panel>
        </Beside>
      </PageBody>
      {starting && <StartExperiment like={x} onClose={() => setStarting(false)} />}
    </>
  );
}

/** Answer is what an experiment came to, in a sentence. */
function Answer({ x, cases, bad }: { x: Experiment; cases: Case[]; bad: number }): ReactNode {
  const ended = !underway(x) && x.state !== 'done' && x.why ? ` It is ${x.state}: ${visible(x.why)}.` : '';
  const invalid = x.invalid > 0 ? ` ${plural(x.invalid, 'try', 'tries')} did not come through the door as tests, and count for nothing.` : '';
  if (x.says) return <>{visible(x.says)}.{invalid}{ended}</>;
  if (x.passed.n === 0) return <>{underway(x) ? 'Nothing is known yet.' : 'It says nothing.'}{invalid}{ended}</>;
  const change = moves(x.against?.change);
  return (
    <>
      {plural(cases.length - bad, 'case')} of {cases.length} passed{x.repeats > 1 && ' every time'}: {share(x.passed)}{x.repeats > 1 && ' of the tries'}.
      {x.pass_hat.length > 1 && ` pass^${x.pass_hat.length} ${x.pass_hat.at(-1)!.toFixed(3)}.`}
      {change && ` ${change} beside its baseline.`}{invalid}{ended}
    </>
  );
}

function Plan({ x }: { x: Experiment }) {
  if (x.kind === 'bias') return <Link className="link" to={'/evaluations' as never} search={((v: Record<string, unknown>) => ({ ...pickView(v), part: 'bias', plan: x.plan })) as never}>{x.plan}</Link>;
  if (x.kind === 'drill') return <Link className="link" to={'/cost' as never} search={((v: Record<string, unknown>) => ({ ...pickView(v), drill: x.plan })) as never}>{x.plan}</Link>;
  const source = /^source (.+)$/.exec(x.plan ?? '')?.[1];
  if (source) return <Link className="link" to={'/sources' as never} search={((v: Record<string, unknown>) => ({ ...pickView(v), source })) as never}>{visible(x.plan ?? '')}</Link>;
  return <>{visible(x.plan ?? '')}</>;
}

/** Compared is an experiment beside another on the same cases, or the two of its pairs. */
function Compared({ x, others, onPick }: { x: Experiment; others: Experiment[]; onPick: (id: string) => void }) {
  const can = baselines(x, others);
  const known = x.baseline && !can.some((o) => o.id === x.baseline) ? [{ value: x.baseline, label: x.baseline }] : [];
  const p = x.kind === 'bias' && !x.against ? x.pairs : x.against;
  const two = x.against ? ['the baseline', 'this one'] : ['a', 'b'];
  return (
    <Panel title={x.kind === 'bias' && !x.against ? 'Between a and b' : 'Beside another'} note={p && 'in pairs, with 95 % interval'} padded>
      {(can.length > 0 || known.length > 0) && <Pick label="Compare with" value={x.baseline ?? ''} options={[{ value: '', label: 'its own baseline, if it has one' }, ...known, ...can.map((o) => ({ value: o.id, label: `${new Date(o.at).toISOString().slice(0, 16).replace('T', ' ')} ${o.agent} ${o.agent_version ?? ''}: ${share(o.passed)}` }))]} onPick={onPick} />}
      {p ? (
        <Facts>
          <dt>Change</dt>
          <dd>{moves(p.change) ?? <Unknown why="No case was run in both." />} {p.pairs > 0 && p.p < 0.05 ? <Badge tone={(p.change.value ?? 0) < 0 ? 'bad' : 'good'}>beyond chance</Badge> : p.pairs > 0 && <Badge>may be chance</Badge>}</dd>
          <dt>Pairs</dt>
          <dd>{p.pairs}: {p.only_first} passed with {two[0]} alone, {p.only_second} with {two[1]} alone (p {p.p.toFixed(3)})</dd>
          {x.baseline && <><dt>Baseline</dt><dd><Link className="link" to={'/evaluations/experiments/$id' as never} params={{ id: x.baseline } as never} search={keep}>Open it</Link></dd></>}
          {x.group_a && x.group_b && <><dt>Favourable</dt><dd>a {share(x.group_a)}, b {share(x.group_b)}</dd></>}
          {typeof x.four_fifths?.value === 'number' && <><dt>Four fifths</dt><dd>{x.four_fifths.value.toFixed(2)} ({x.four_fifths.low?.toFixed(2)} to {x.four_fifths.high?.toFixed(2)})</dd></>}
        </Facts>
      ) : x.proves ? (
        <Facts>
          <dt>Quality</dt>
          <dd>{moves(x.proves.quality) ?? <Unknown why="No run could be compared." />}</dd>
          <dt>Compared</dt>
          <dd>{plural(x.proves.compared, 'run')}, {x.proves.unknown} left out</dd>
          <dt>Cost of a run</dt>
          <dd>{x.proves.before === null || x.proves.now === null ? <Unknown why="A model of it has no price." /> : `${x.proves.before.toPrecision(3)} USD before, ${x.proves.now.toPrecision(3)} now`}</dd>
        </Facts>
      ) : (
        <p className="muted">{can.length > 0 ? 'Choose one that ran on the same cases.' : x.kind === 'golden' ? 'No other experiment ran on these cases yet: run them again after a change, and compare.' : 'It is compared with nothing.'}</p>
      )}
    </Panel>
  );
}

/** One is a case with its tries: what was answered, why it did not pass, and the run behind it. */
function One({ x, c, item, was, onClose }: { x: Experiment; c: Case; item: DatasetItem | undefined; was: Case | undefined; onClose: () => void }) {
  const right = item && [item.expected && `“${item.expected}”`, item.contains.length > 0 && `with ${item.contains.join(', ')}`, item.absent.length > 0 && `without ${item.absent.join(', ')}`].filter(Boolean).join(' ');
  return (
    <Panel title={x.kind === 'proof' ? 'Run' : 'Case'} note={sideOf(x.kind, c.group)} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      {item && <p className={css.lead}>{visible(question(x, c.item, new Map([[c.item, item]])) ?? '')}</p>}
      <Facts>
        {right && <><dt>What is right</dt><dd>{visible(right)}</dd></>}
        {x.dataset && <><dt>Its case</dt><dd><Link className="link" to={'/evaluations' as never} search={((v: Record<string, unknown>) => ({ ...pickView(v), part: 'datasets', dataset: x.dataset, item: c.item })) as never}>in {x.dataset}</Link></dd></>}
        {item?.run && <><dt>Made of</dt><dd><Run id={item.run}>the run it was</Run></dd></>}
      </Facts>
      {c.tries.map((r) => <Try key={`${r.repeat}${r.run}`} x={x} r={r} of={c.tries.length} />)}
      {was && (
        <details className={css.more}>
          <summary>In the baseline: {verdictOf(x.kind, was)}</summary>
          {was.tries.map((r) => <Try key={`${r.repeat}${r.run}`} x={x} r={r} of={was.tries.length} />)}
        </details>
      )}
    </Panel>
  );
}

const Run = ({ id, children }: { id: string; children: ReactNode }) => <Link className="link" to={'/runs/$id' as never} params={{ id } as never} search={keep}>{children}</Link>;

function Try({ x, r, of }: { x: Experiment; r: ExperimentResult; of: number }) {
  return (
    <div className={css.try}>
      <p className={css.lead}>
        <Badge tone={!r.valid ? 'warn' : r.passed ? 'good' : x.kind === 'bias' ? undefined : 'bad'}>{verdictOf(x.kind, { verdict: !r.valid ? 'none' : r.passed ? 'passed' : 'failed' })}</Badge> {of > 1 && `Try ${r.repeat + 1}. `}{visible(r.why ?? '')}
      </p>
      {r.answer ? <blockquote className={css.said}>{visible(r.answer)}</blockquote> : <p className="muted">{r.forgotten ? 'What was said is gone, by age or with the person it was of.' : r.valid && x.kind !== 'proof' ? 'Its answer is with its run, or for those who may read content.' : ''}</p>}
      <ul className={css.causes}>
        {r.checks.map((k) => <li key={k.name}><Badge tone={tone(k.verdict)}>{k.verdict || 'nothing to judge'}</Badge> <strong>{k.name}</strong> {visible(k.text ?? '')}</li>)}
        {r.refused.map((k, i) => <li key={i}><Badge tone="bad">refused</Badge> {visible(k)}</li>)}
      </ul>
      <p className="muted">
        {r.run_id ? <Run id={r.run_id}>{x.kind === 'proof' && r.group === 'a' ? 'The recorded run' : 'The run behind it'}</Run> : x.kind === 'proof' && r.group === 'a' && r.run ? <Run id={r.run}>The recorded run</Run> : 'No run is known of it.'} {plural(r.calls, 'call')} at the door, {duration(r.took_ms)}.
      </p>
    </div>
  );
}
