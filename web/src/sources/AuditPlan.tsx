import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api, Problem } from '../api/client';
import { useMay } from '../api/queries';
import type { AuditPlan as Plan, Experiment, List, SourceAudit } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, Figure, KeyedTable, Panel, percent, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { visible } from '../tools/data';
import { sheetOf, shortAge } from './data';
import css from './sources.module.css';

const pathOf = (name: string) => `/sources/${encodeURIComponent(name)}`;

const from: Record<string, (p: Plan) => string> = {
  dataset: (p) => `cases of ${p.dataset}`,
  sheet: (p) => `a sheet of ${plural(p.known, 'question')}`,
  recorded: () => 'what users asked in runs that read it',
  unanswered: () => 'what users asked that was not answered',
};

/** AuditPlan is how a source is audited: what its audits found, and the plan that has an agent asked by itself. */
export function AuditPlan({ source }: { source: string }) {
  const client = useQueryClient();
  const may = useMay('PutAuditPlan');
  const [editing, setEditing] = useState(false);
  const [shown, setShown] = useState<string>();
  const audits = useQuery({ queryKey: ['source', source, 'audits'], queryFn: ({ signal }) => api.get<List<SourceAudit>>(`${pathOf(source)}/audits`, undefined, signal), refetchInterval: 15_000, retry: false });
  const plan = useQuery({
    queryKey: ['source', source, 'plan'],
    queryFn: ({ signal }) => api.get<Plan>(`${pathOf(source)}/audit-plan`, undefined, signal).catch((e: unknown) => { if (e instanceof Problem && e.code === 'source.no_audit_plan') return null; throw e; }),
    refetchInterval: 5000,
    retry: false,
  });
  const again = () => { for (const key of ['sources', 'source']) void client.invalidateQueries({ queryKey: [key] }); };
  const now = useMutation({ mutationFn: () => api.post(`${pathOf(source)}/audit-plan/now`, {}), onSettled: again });
  const end = useMutation({ mutationFn: () => api.delete(`${pathOf(source)}/audit-plan`), onSettled: again });
  useShortcuts('Audits', may ? [{ keys: 'a', label: 'Have an agent asked', run: () => setEditing(true) }] : []);
  const p = plan.data;
  const list = audits.data?.items ?? [];
  return (
    <Panel title="Audits" note="answers held against the truth" padded>
      <ProblemNote error={audits.error ?? plan.error ?? now.error ?? end.error} />
      {p && (
        <p className={css.lead}>
          {p.not_possible ? <Badge tone="bad">not possible</Badge> : p.running ? <Badge>asks now</Badge> : p.paused ? <Badge>paused</Badge> : <Badge tone="good">planned</Badge>}{' '}
          {visible(p.agent)} is asked {count(p.sample)} of {visible((from[p.questions] ?? (() => p.questions))(p))} every {shortAge(p.every)}
          {p.next_at && !p.running && !p.not_possible && <>, next <Time at={p.next_at} /></>}.
          {p.not_possible && ` ${visible(p.not_possible)}.`} {p.trouble && <span className="muted">The last time it came to nothing: {visible(p.trouble)}.</span>}
        </p>
      )}
      {p === null && <p className={css.lead}>No agent is asked by itself.</p>}
      <div className={css.acts}>
        {may && <Button onClick={() => setEditing(true)}>{p ? 'Change the plan' : 'Have an agent asked'}</Button>}
        {may && p && !p.running && !p.paused && <Button loading={now.isPending} onClick={() => now.mutate()}>Ask now</Button>}
        {may && p && <Sure label="End the plan" sure="End it; its audits stay" pending={end.isPending} onDo={() => end.mutate()} />}
      </div>
      {list.length > 0 && (
        <KeyedTable
          label="Audits"
          rows={list.slice(0, 10)}
          rowKey={(a) => a.id}
          fields={[
            { head: 'When', cell: (a) => <Time at={a.at} /> },
            { head: 'Wrong', num: true, cell: (a) => (a.error_rate ? <span title={`95 % interval ${percent(a.error_rate.low)} to ${percent(a.error_rate.high)}, n = ${count(a.error_rate.n)}`}>{percent(a.error_rate.value)} <span className="muted">{percent(a.error_rate.low)} to {percent(a.error_rate.high)}, {count(a.error_rate.n)}</span></span> : <Unknown why="Nothing was answered." />) },
            { head: 'No answer', num: true, cell: (a) => count(a.unanswered ?? 0) },
            { head: 'Against', title: (a) => a.truth, cell: (a) => visible(a.truth) },
            { head: 'Answers', cell: (a) => (a.experiment ? <button type="button" className="link" aria-expanded={shown === a.experiment} onClick={() => setShown(shown === a.experiment ? undefined : a.experiment)}>of {visible(a.agent ?? '')}</button> : <span className="muted">given by {visible(a.by)}</span>) },
          ]}
        />
      )}
      {shown && <Answers experiment={shown} />}
      {editing && <PlanDialog source={source} plan={p ?? undefined} onClose={() => setEditing(false)} onDone={again} />}
    </Panel>
  );
}

/** Answers are those of an audit that were wrong or missing, each with the run of its test. */
function Answers({ experiment }: { experiment: string }) {
  const q = useQuery({ queryKey: ['evaluation', 'experiment', experiment], queryFn: ({ signal }) => api.get<Experiment>(`/experiments/${experiment}`, undefined, signal), retry: false });
  const bad = (q.data?.results ?? []).filter((r) => !r.passed);
  return (
    <>
      <ProblemNote error={q.error} />
      {q.data && (bad.length === 0 ? <p role="status">All {plural(q.data.passed.n, 'answer')} were right. <Figure to="/evaluations/experiments/$id" params={{ id: experiment }}>The experiment</Figure></p> : (
        <ul className={css.causes} aria-label="Wrong or missing answers">
          {bad.slice(0, 20).map((r) => (
            <li key={r.item}>
              {r.run_id ? <Figure to="/runs/$id" params={{ id: r.run_id }}>{visible(r.item)}</Figure> : visible(r.item)}{' '}
              {r.answer ? `answered “${visible(r.answer.slice(0, 300))}”` : <span className="muted">{visible(r.why || 'its answer is with its run, or for those who may read content')}</span>}
            </li>
          ))}
        </ul>
      ))}
    </>
  );
}

const kinds = [
  { value: 'dataset', label: 'cases of a data set' },
  { value: 'sheet', label: 'questions that I write' },
  { value: 'recorded', label: 'what users asked in runs that read it' },
  { value: 'unanswered', label: 'what users asked that was not answered' },
];

function PlanDialog({ source, plan, onClose, onDone }: { source: string; plan?: Plan; onClose: () => void; onDone: () => void }) {
  const [agent, setAgent] = useState(plan?.agent ?? '');
  const [questions, setQuestions] = useState(plan?.questions ?? 'dataset');
  const [dataset, setDataset] = useState(plan?.dataset ?? '');
  const [sheet, setSheet] = useState((plan?.sheet ?? []).map((k) => `${k.question} => ${k.truth}`).join('\n'));
  const [truth, setTruth] = useState(plan?.truth_url ?? '');
  const [inside, setInside] = useState(plan?.allow_private ?? false);
  const [sample, setSample] = useState(String(plan?.sample ?? 50));
  const [every, setEvery] = useState(plan ? shortAge(plan.every) : '7d');
  const [paused, setPaused] = useState(plan?.paused ?? false);
  const asked = questions === 'recorded' || questions === 'unanswered';
  const save = useMutation({
    mutationFn: async () =>
      api.put<Plan>(`${pathOf(source)}/audit-plan`, {
        agent: agent.trim(), questions, dataset: questions === 'dataset' ? dataset.trim() : undefined, sheet: questions === 'sheet' ? sheetOf(sheet) : undefined, truth_url: asked ? truth.trim() : undefined, allow_private: asked && inside ? true : undefined,
        sample: Number(sample) || undefined, every: every.trim() || undefined, paused: paused || undefined, revision: plan?.revision ?? 0,
      }),
    onSuccess: onClose,
    onSettled: onDone,
  });
  return (
    <FormDialog title={`Audits of ${source}`} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={600}>
      <p className="muted">The agent is asked as a test: its tools are answered from recordings or a sandbox, and nothing is written.</p>
      <div className={css.two}>
        <TextInput label="Agent" description="Who is asked" required withAsterisk={false} data-autofocus value={agent} onChange={(e) => setAgent(e.currentTarget.value)} />
        <Pick label="Questions" value={questions} options={kinds} onPick={setQuestions} />
        <TextInput label="How many each time" description="10 to 200, drawn at random" inputMode="numeric" value={sample} onChange={(e) => setSample(e.currentTarget.value)} />
        <TextInput label="How often" description="Like 24h or 7d" value={every} onChange={(e) => setEvery(e.currentTarget.value)} />
      </div>
      {questions === 'dataset' && <TextInput label="Data set" description="Its cases say what is right" required withAsterisk={false} value={dataset} onChange={(e) => setDataset(e.currentTarget.value)} />}
      {questions === 'sheet' && (
        <label className={css.sheet}>
          Questions and their truth
          <textarea rows={6} required value={sheet} onChange={(e) => setSheet(e.currentTarget.value)} placeholder="How long may I return it? => 14 days" />
        </label>
      )}
      {asked && <TextInput label="Where the truth is asked for" description={'POST {"question"} is answered with {"truth"}; needs the role security'} required withAsterisk={false} value={truth} onChange={(e) => setTruth(e.currentTarget.value)} />}
      {asked && <Checkbox label="It may be an address inside the house" checked={inside} onChange={(e) => setInside(e.currentTarget.checked)} />}
      <Checkbox label="Paused" checked={paused} onChange={(e) => setPaused(e.currentTarget.checked)} />
    </FormDialog>
  );
}
