import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, EvaluationSummary, Evaluator, List, Upstream } from '../api/types';
import type { components } from '../api/openapi';
import { percent, share, tone, verdictWord } from '../feedback/data';
import { Badge, Beside, Empty, Facts, Figure, KeyedTable, Panel, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { FormDialog, Pick, Sure } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { bodyOf, changeOf, formOf, kinds, looksAt, wrong } from './evaluator';

type Calibration = components['schemas']['EvaluatorCalibration'];
type Trial = components['schemas']['EvaluatorTrial'];

const path = (name: string) => `/evaluators/${encodeURIComponent(name)}`;
const kept = '-2160h'; // as long as evaluations are kept: 90 days

const usd = (c: Calibration | undefined) => (!c || c.tokens === 0 ? undefined : c.cost_usd === null ? 'unknown' : `${c.cost_usd.toFixed(4)} USD`);
const kappa = (c: Calibration | undefined) => (typeof c?.kappa.value !== 'number' ? undefined : `${c.kappa.value.toFixed(2)}${c.kappa.low !== null && c.kappa.high !== null ? ` (${c.kappa.low.toFixed(2)} to ${c.kappa.high.toFixed(2)})` : ''}`);

/** Evaluators: what looks at runs, how far to believe it and what it costs; set, changed, switched off and removed. */
export function Evaluators({ name, set }: { name?: string | undefined; set: (more: object) => void }) {
  const may = useMay('PutEvaluator');
  const [open, setOpen] = useState<'new' | Evaluator>();
  const list = useQuery({ queryKey: ['evaluation', 'evaluators'], queryFn: ({ signal }) => api.get<List<Evaluator>>('/evaluators', undefined, signal), retry: false });
  const sum = useQuery({ queryKey: ['evaluation', 'summary', kept], queryFn: ({ signal }) => api.get<EvaluationSummary>('/evaluation-summary', { from: kept }, signal), retry: false, refetchInterval: 10_000 });
  const all = list.data?.items ?? [];
  const of = (n: string) => sum.data?.calibrations.find((c) => c.evaluator === n);
  const one = all.find((e) => e.name === name);
  useShortcuts('Evaluators', [
    { keys: 'x', label: 'The first', run: () => all[0] && set({ evaluator: all[0].name }) },
    ...(may ? [{ keys: 'n', label: 'Set an evaluator', run: () => setOpen('new') }] : []),
  ]);
  const make = may && <Button size="compact-xs" onClick={() => setOpen('new')}>Set an evaluator</Button>;
  return (
    <>
      <ProblemNote error={list.error ?? sum.error} retry={() => void list.refetch()} />
      <Beside label="The evaluator" side={one && <One key={one.name} e={one} c={of(one.name)} refused={sum.data?.refused?.evaluator === one.name ? sum.data.refused.detail : undefined} may={may} onChange={() => setOpen(one)} onClose={() => set({ evaluator: undefined })} />}>
        <Panel title="Evaluators" note="what looks at each run that ends, or at a share of them" actions={make}>
          <KeyedTable
            label="Evaluators"
            rows={all}
            rowKey={(e) => e.name}
            empty={list.isSuccess && <Empty title="Nothing looks at runs." actions={make}>None but a judge needs a model. Begin with groundedness: do answers stand in what was read?</Empty>}
            fields={[
              { head: 'Evaluator', cell: (e) => <button type="button" className="link" aria-pressed={e.name === name} onClick={() => set({ evaluator: e.name === name ? undefined : e.name })}>{e.name}</button> },
              { head: 'State', cell: (e) => (e.off ? <Badge>off</Badge> : <Badge tone="good">on</Badge>) },
              { head: 'Kind', cell: (e) => e.kind },
              { head: 'Looks at', cell: looksAt, title: looksAt, width: '200px' },
              { head: 'Share', num: true, cell: (e) => percent(e.share) },
              { head: 'Passed', cell: (e) => ((of(e.name)?.judged ?? 0) > 0 ? share(of(e.name)!.passed) : <Unknown why="It has judged nothing at this revision." />) },
              { head: 'Kappa', num: true, cell: (e) => kappa(of(e.name)) ?? <Unknown why="Too few of its runs were labelled by people." /> },
              { head: 'Cost so far', num: true, cell: (e) => (e.judge ? (usd(of(e.name)) ?? 'none yet') : 'none') },
            ]}
          />
        </Panel>
      </Beside>
      {open && <Edit was={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} onDone={(n) => set({ evaluator: n })} />}
    </>
  );
}

/** One is an evaluator with how far to believe it, and the hand on it. */
function One({ e, c, refused, may, onChange, onClose }: { e: Evaluator; c: Calibration | undefined; refused: string | undefined; may: boolean; onChange: () => void; onClose: () => void }) {
  const client = useQueryClient();
  const mayDrop = useMay('DeleteEvaluator');
  const done = () => void client.invalidateQueries({ queryKey: ['evaluation'] });
  const turn = useMutation({ mutationFn: () => api.put<Evaluator>(path(e.name), changeOf(e, { off: !e.off })), onSettled: done });
  const drop = useMutation({
    mutationFn: () => api.delete(path(e.name)),
    onSuccess: () => {
      done();
      onClose();
    },
  });
  return (
    <Panel title={e.name} note={e.off ? 'off' : e.kind} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={turn.error ?? drop.error} />
      {refused && <p className={css.lead}><Badge tone="warn">not asked</Badge> {visible(refused)}</p>}
      <Facts>
        <dt>Looks at</dt>
        <dd>{looksAt(e)}, {percent(e.share)} of their runs{e.judge?.after && ` that ${e.judge.after} was unsure of`}</dd>
        <dt>Bands</dt>
        <dd>{kinds.find((k) => k.value === e.kind)?.bands ?? 'It is no longer valid, and looks at nothing.'}</dd>
        <dt>Judged</dt>
        <dd>{c && c.judged > 0 ? <><Figure to="/evaluations" search={{ show: 'all', from: '-90d' }}>{plural(c.judged, 'run')}</Figure>, passed {share(c.passed)}</> : <Unknown why="It has judged nothing at this revision." />}</dd>
        <dt>Kappa with people</dt>
        <dd>{kappa(c) ?? <Unknown why="It is not defined with so few labels." />} of {plural(c?.labelled ?? 0, 'label')}{c && typeof c.corrected.value === 'number' && `; people would pass ${percent(c.corrected.value)} (${percent(c.corrected.low)} to ${percent(c.corrected.high)})`}</dd>
        {e.judge && (
          <>
            <dt>Asks</dt>
            <dd>{visible(e.judge.model)} at {e.judge.upstream}, as {e.judge.agent}, {plural(e.judge.daily || 200, 'time')} a day at most</dd>
            <dt>Cost so far</dt>
            <dd>{usd(c) ?? 'none yet'}{c && c.tokens > 0 && `, ${plural(c.tokens, 'token')}`}{c && c.cost_unknown > 0 && `; ${plural(c.cost_unknown, 'answer')} without a price`}</dd>
          </>
        )}
        {e.when && <><dt>Condition</dt><dd><code>{visible(e.when)}</code></dd></>}
        {e.rules && <><dt>Rule files</dt><dd>{Object.keys(e.rules).map(visible).join(', ')}</dd></>}
        <dt>Changed</dt>
        <dd><Time at={e.updated_at} />, revision {e.revision}</dd>
      </Facts>
      {may && (
        <div className={css.acts}>
          <Button size="compact-xs" onClick={onChange}>Change it</Button>
          <Button size="compact-xs" loading={turn.isPending} onClick={() => turn.mutate()}>{e.off ? 'Switch it on' : 'Switch it off'}</Button>
          {mayDrop && <Sure label="Remove it" sure="Remove it? What it found stays." pending={drop.isPending} onDo={() => drop.mutate()} />}
        </div>
      )}
    </Panel>
  );
}

/** Edit sets or changes an evaluator; it is tried on recent runs before it is kept. */
function Edit({ was, onClose, onDone }: { was: Evaluator | undefined; onClose: () => void; onDone: (name: string) => void }) {
  const client = useQueryClient();
  const [f, setForm] = useState(() => formOf(was));
  const set = (more: Partial<typeof f>) => setForm((old) => ({ ...old, ...more }));
  const judge = f.kind === 'judge';
  const agents = useQuery({ queryKey: ['agents', 'names'], queryFn: ({ signal }) => api.get<List<Agent>>('/agents', { limit: 500 }, signal), enabled: judge });
  const upstreams = useQuery({ queryKey: ['upstreams'], queryFn: ({ signal }) => api.get<List<Upstream>>('/upstreams', undefined, signal), enabled: judge });
  const others = useQuery({ queryKey: ['evaluation', 'evaluators'], queryFn: ({ signal }) => api.get<List<Evaluator>>('/evaluators', undefined, signal), retry: false });
  const bad = wrong(f);
  const put = useMutation({
    mutationFn: () => api.put<Evaluator>(path(f.name), { ...bodyOf(f), share: Number(f.share) / 100, off: was?.off, revision: was?.revision }),
    onSuccess: (e) => {
      void client.invalidateQueries({ queryKey: ['evaluation'] });
      onDone(e.name);
      onClose();
    },
  });
  const attempt = useMutation({ mutationFn: () => api.post<Trial>('/evaluator-trials', { name: f.name, ...bodyOf(f) }) });
  const named = (all: string[], now: string, none: string) => [{ value: '', label: none }, ...[...new Set([...all, ...(now ? [now] : [])])].map((v) => ({ value: v, label: v }))];
  return (
    <FormDialog title={was ? `Change ${was.name}` : 'Set an evaluator'} submit="Keep it" size={640} pending={put.isPending} error={put.error ?? agents.error ?? upstreams.error} onSubmit={() => put.mutate()} onClose={onClose} disabled={!!bad}>
      {!was && <TextInput label="Name" data-autofocus value={f.name} onChange={(e) => set({ name: e.currentTarget.value })} />}
      <Pick label="Kind" value={f.kind} options={kinds} onPick={(kind) => set({ kind })} />
      <p className="muted">Its bands: {kinds.find((k) => k.value === f.kind)?.bands}.</p>
      {f.kind === 'rule' && <Textarea label="Condition (CEL)" autosize minRows={2} placeholder={'size(answer) < 2000 && errors == 0'} description="answer, prompt, documents, agent, version, task, steps, errors, cost" value={f.when} onChange={(e) => set({ when: e.currentTarget.value })} />}
      {f.kind === 'schema' && <Textarea label="Schema (JSON)" autosize minRows={4} maxRows={14} value={f.schema} onChange={(e) => set({ schema: e.currentTarget.value })} />}
      {f.kind === 'voice' && (
        <>
          {f.rules.map((r, i) => {
            const change = (more: Partial<typeof r>) => set({ rules: f.rules.map((x, n) => (n === i ? { ...x, ...more } : x)) });
            return (
              <div key={i} className={css.sheet}>
                <TextInput label={`Rule file ${i + 1}`} value={r.name} onChange={(e) => change({ name: e.currentTarget.value })} />
                <Textarea aria-label={`Rules of file ${i + 1}, as YAML`} autosize minRows={4} maxRows={14} value={r.text} onChange={(e) => change({ text: e.currentTarget.value })} />
                {f.rules.length > 1 && <div><Button size="compact-xs" onClick={() => set({ rules: f.rules.filter((_, n) => n !== i) })}>Take file {i + 1} out</Button></div>}
              </div>
            );
          })}
          <div><Button size="compact-xs" onClick={() => set({ rules: [...f.rules, { name: '', text: '' }] })}>Add a rule file</Button></div>
          <p className="muted">In the form of Vale, as YAML: existence, substitution, occurrence, repetition, capitalization, readability.</p>
        </>
      )}
      {judge && (
        <>
          <div className={css.two}>
            <Pick label="Asks as" value={f.agent} options={named((agents.data?.items ?? []).map((a) => a.name), f.agent, 'choose an agent')} onPick={(agent) => set({ agent })} />
            <Pick label="At" value={f.upstream} options={named((upstreams.data?.items ?? []).filter((u) => u.kind === 'llm' && ['openai', 'anthropic'].includes(u.dialect ?? '')).map((u) => u.name), f.upstream, 'choose an upstream')} onPick={(upstream) => set({ upstream })} />
          </div>
          <TextInput label="Model" placeholder="gpt-4o-mini" value={f.model} onChange={(e) => set({ model: e.currentTarget.value })} />
          <Textarea label="What is good, and what is not" autosize minRows={3} maxRows={12} value={f.prompt} onChange={(e) => set({ prompt: e.currentTarget.value })} description="{{prompt}}, {{documents}} and {{answer}} stand for the texts; what is not named follows." />
          <div className={css.two}>
            <Pick label="Only what was left unsure by" value={f.after} options={named((others.data?.items ?? []).filter((e) => e.kind !== 'judge').map((e) => e.name), f.after, 'all of the share')} onPick={(after) => set({ after })} />
            <TextInput label="Questions a day at most (200 where empty)" inputMode="numeric" value={f.daily} onChange={(e) => set({ daily: e.currentTarget.value })} />
          </div>
          <p className="muted">Each question passes the door, as that agent: its policies, budgets and stops hold, and it is paid for.</p>
        </>
      )}
      <div className={css.two}>
        <TextInput label="Agents (with commas; all where empty)" value={f.agents} onChange={(e) => set({ agents: e.currentTarget.value })} />
        <TextInput label="Share of their runs, in %" inputMode="decimal" value={f.share} onChange={(e) => set({ share: e.currentTarget.value })} />
        <TextInput label="Team (all where empty)" value={f.team} onChange={(e) => set({ team: e.currentTarget.value })} />
        <TextInput label="Environment (all where empty)" value={f.environment} onChange={(e) => set({ environment: e.currentTarget.value })} />
      </div>
      {bad && f.name !== '' && <p className="muted" role="status">{bad}</p>}
      <div>
        <Button loading={attempt.isPending} disabled={!!bad} onClick={() => attempt.mutate()}>{judge ? 'Try it on the newest 5 runs' : 'Try it on the newest 20 runs'}</Button>
      </div>
      <ProblemNote error={attempt.error} />
      {attempt.data && <Came t={attempt.data} />}
    </FormDialog>
  );
}

/** Came is what an evaluator would have said of recent runs. */
function Came({ t }: { t: Trial }) {
  return (
    <div role="status">
      {t.items.length === 0 ? (
        <p>{t.refused ? visible(t.refused.detail) : 'No run of the last 30 days is among those that it would look at, with its texts.'}</p>
      ) : (
        <p>
          Of {plural(t.items.length, 'run')}: {t.pass} pass, {t.unsure} unsure, {t.fail} fail, {t.none} with nothing to judge. {t.tokens > 0 && `It took ${plural(t.tokens, 'token')}, ${t.cost_usd === null ? 'at an unknown cost' : `${t.cost_usd.toFixed(5)} USD`}.`} Nothing of it is kept.{t.refused && ` It was asked no more: ${visible(t.refused.detail)}`}
        </p>
      )}
      {t.gone > 0 && <p className="muted">{plural(t.gone, 'run')} left out: their texts are not kept.</p>}
      <ul className={css.causes} aria-label="What it would say">
        {t.items.slice(0, 20).map((x) => (
          <li key={x.run}>
            <Badge tone={tone(x.verdict)}>{verdictWord(x)}</Badge> <Figure to="/runs/$id" params={{ id: x.run }}>{x.agent || 'a run'}</Figure> {visible(x.text)}{x.score !== null && ` (${x.score.toFixed(2)})`}
            {x.marks.some((m) => !m.good) && <span className={css.path}>{x.marks.filter((m) => !m.good).slice(0, 2).map((m) => visible(`${m.text} ${m.says}`)).join(' · ')}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
