import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Dataset, DatasetItem, List, Replay, Run } from '../api/types';
import { Badge, pickView, plural, ProblemNote } from '../shared';
import { FormDialog, Pick } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;

/** RunActs are what is made of a run: a case of a data set, and a replay. */
export function RunActs({ run }: { run: Run }) {
  const mayCase = useMay('AddDatasetItem');
  const mayReplay = useMay('ReplayRun');
  const [open, setOpen] = useState<'case' | 'replay'>();
  if (run.mode === 'test' || !run.agent) return null;
  return (
    <>
      {mayCase && <Button size="compact-sm" onClick={() => setOpen('case')}>Make a case</Button>}
      {mayReplay && <Button size="compact-sm" onClick={() => setOpen('replay')}>Replay</Button>}
      {open === 'case' && <MakeCase run={run} onClose={() => setOpen(undefined)} />}
      {open === 'replay' && <ReplayDialog run={run} onClose={() => setOpen(undefined)} />}
    </>
  );
}

/** MakeCase makes a run a case, and leads on to the gate of its agent. */
function MakeCase({ run, onClose }: { run: Run; onClose: () => void }) {
  const sets = useQuery({ queryKey: ['datasets'], queryFn: ({ signal }) => api.get<List<Dataset>>('/datasets', undefined, signal) });
  const all = sets.data?.items ?? [];
  const [name, setName] = useState('');
  const [fresh, setFresh] = useState('');
  const [expected, setExpected] = useState('');
  const add = useMutation({
    mutationFn: async () => {
      let set = name || all[0]?.name || '';
      if (all.length === 0) {
        set = fresh.trim();
        await api.put(`/datasets/${encodeURIComponent(set)}`, { team: run.team, environment: run.environment });
      }
      return api.post<DatasetItem>(`/datasets/${encodeURIComponent(set)}/items`, { run: run.id, verdict: 'bad', expected: expected.trim() || undefined });
    },
  });
  return (
    <FormDialog title="Make a case of this run" submit={add.data ? 'Done' : 'Make it'} pending={add.isPending} error={add.error ?? sets.error} onSubmit={() => (add.data ? onClose() : add.mutate())} onClose={onClose} disabled={!sets.isSuccess || (all.length === 0 && fresh.trim() === '')}>
      {add.data ? (
        <p role="status">
          It is {add.data.case} in {add.data.dataset} now. <Link className="link" to={'/agents/$name' as never} params={{ name: run.agent } as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), tab: 'gate' })) as never}>The gate of {run.agent}</Link>
        </p>
      ) : (
        <>
          {all.length > 0 && <Pick label="Data set" value={name || all[0]!.name} options={all.map((d) => ({ value: d.name, label: `${d.name} (${plural(d.items, 'case')})` }))} onPick={setName} />}
          {sets.isSuccess && all.length === 0 && <TextInput label="Name of a new data set" data-autofocus value={fresh} onChange={(e) => setFresh(e.currentTarget.value)} />}
          <Textarea label="What would have been right (optional)" autosize minRows={2} value={expected} onChange={(e) => setExpected(e.currentTarget.value)} />
          <p className="muted">Personal data and secrets are cut out before it is kept.</p>
        </>
      )}
    </FormDialog>
  );
}

/** ReplayDialog puts the run's first model step to another model or with other words. */
function ReplayDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const [model, setModel] = useState('');
  const [prompt, setPrompt] = useState('');
  const [system, setSystem] = useState('');
  const go = useMutation({
    mutationFn: () => api.post<Replay>(`/runs/${run.id}/replay`, { model: model.trim() || undefined, prompt: prompt.trim() || undefined, system: system.trim() || undefined }),
  });
  const r = go.data;
  return (
    <FormDialog title="Replay" submit={r ? 'Again' : 'Replay'} size={640} pending={go.isPending} error={go.error} onSubmit={() => go.mutate()} onClose={onClose}>
      <p>Its model is asked again, as a test. Tools answer from this run&apos;s recording; the first other call ends it.</p>
      <TextInput label="Model (as it was where empty)" data-autofocus value={model} onChange={(e) => setModel(e.currentTarget.value)} />
      <Textarea label="Other instructions (optional)" autosize minRows={1} maxRows={6} value={system} onChange={(e) => setSystem(e.currentTarget.value)} />
      <Textarea label="In place of the user's words (optional)" autosize minRows={1} maxRows={6} value={prompt} onChange={(e) => setPrompt(e.currentTarget.value)} />
      {r && (
        <div role="status">
          {r.stopped && <p><Badge tone="warn">stopped</Badge> {visible(r.why ?? '')}: <code>{visible(r.stopped.name)} {visible(r.stopped.arguments)}</code></p>}
          {!r.stopped && r.why && <p><Badge tone="warn">no answer</Badge> {visible(r.why)}</p>}
          {r.left && Object.keys(r.left).length > 0 && (
            <p>
              <Badge tone="warn">left out</Badge> {Object.entries(r.left).map(([what, n]) => `${n} ${what}`).join(', ')}: the model was asked another thing than it was.
            </p>
          )}
          <ul className={css.causes}>
            {r.turns.map((t, i) => (
              <li key={i}>
                {t.text ? <>{visible(t.model)}: {visible(t.text)}</> : <>{visible(t.model)} calls {t.calls.map((c) => c.name).join(', ')}</>}
              </li>
            ))}
            {r.was && <li>It was: {visible(r.was)}</li>}
          </ul>
          <p className="muted">
            {r.shared !== null && `${Math.round(100 * r.shared)} % of the words are shared. `}
            {r.cost === null ? 'Its cost is unknown. ' : `It cost ${r.cost.toFixed(5)} USD. `}
            {r.test_run && <Link className="link" to={'/runs/$id' as never} params={{ id: r.test_run } as never} search={keep}>Its own run</Link>}
          </p>
        </div>
      )}
      <ProblemNote error={undefined} />
    </FormDialog>
  );
}
