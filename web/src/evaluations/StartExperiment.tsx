import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, Dataset, Evaluator, Experiment, List } from '../api/types';
import { share } from '../feedback/data';
import { pickView, plural } from '../shared';
import { FormDialog, Pick } from '../settings/parts';
import { baselines } from './cases';
import { InvokeDialog, NotPossible } from './Invocable';
import { useInvocation } from './invoke';

const on = [
  { value: 'golden', label: 'the cases of a data set' },
  { value: 'proof', label: 'its recorded runs, on another model' },
];

/** StartExperiment runs an agent on the cases of a data set, or its recorded runs on another model, and opens what it starts. */
export function StartExperiment({ like, agent: first, onClose }: { like?: Experiment; agent?: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const agents = useQuery({ queryKey: ['agents', 'names'], queryFn: ({ signal }) => api.get<List<Agent>>('/agents', { limit: 500 }, signal) });
  const sets = useQuery({ queryKey: ['datasets'], queryFn: ({ signal }) => api.get<List<Dataset>>('/datasets', undefined, signal) });
  const evaluators = useQuery({ queryKey: ['evaluation', 'evaluators'], queryFn: ({ signal }) => api.get<List<Evaluator>>('/evaluators', undefined, signal), retry: false });
  const before = useQuery({ queryKey: ['evaluation', 'experiments', 'golden'], queryFn: ({ signal }) => api.get<List<Experiment>>('/experiments', { kind: 'golden', limit: 200 }, signal), retry: false });
  const again = like?.kind === 'bias' ? like : undefined; // the same pairs
  const [kind, setKind] = useState(like?.kind === 'proof' ? 'proof' : 'golden');
  const [picked, setAgent] = useState(like?.agent ?? first ?? '');
  const [set, setSet] = useState(like?.dataset ?? '');
  const [version, setVersion] = useState('');
  const [repeats, setRepeats] = useState(String(like?.repeats ?? 1));
  const [by, setBy] = useState<string[]>(like?.evaluators ?? []);
  const [baseline, setBaseline] = useState(like && like.ran > 0 && (like.kind === 'golden' || like.kind === 'bias') ? like.id : '');
  const [model, setModel] = useState(like?.proof?.model ?? '');
  const [runs, setRuns] = useState(String(like?.proof?.runs ?? 50));
  const [note, setNote] = useState('');
  const all = (agents.data?.items ?? []).filter((a) => a.lifecycle !== 'retired');
  const agent = picked || all[0]?.name || '';
  const cases = sets.data?.items ?? [];
  const dataset = set || cases[0]?.name || '';
  const judges = (evaluators.data?.items ?? []).map((e) => e.name);
  const can = again ? [again] : baselines({ id: '', kind: 'golden', dataset, agent }, before.data?.items ?? []);
  const beside = can.some((o) => o.id === baseline) ? baseline : '';
  const invoked = useInvocation(agent);
  const of = cases.find((d) => d.name === dataset);
  const number = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : NaN);
  const tries = number(repeats);
  const mayPut = useMay('PutInvokeTarget');
  const [saying, setSaying] = useState(false);
  // Recorded runs are put to a model: no agent is invoked.
  const impossible = (again || kind === 'golden') && !!invoked.data && !invoked.data.target;
  const start = useMutation({
    mutationFn: () =>
      api.post<Experiment>('/experiments', again
        ? { agent, kind: 'bias', bias: again.bias, repeats: tries, baseline: beside || undefined, note: note.trim() || undefined }
        : kind === 'proof'
          ? { agent, kind, evaluators: by.length > 0 ? by : judges.slice(0, 1), proof: { model: model.trim(), runs: number(runs) }, note: note.trim() || undefined }
          : { agent, dataset, dataset_version: version.trim() ? number(version) : undefined, repeats: tries, evaluators: by, baseline: beside || undefined, note: note.trim() || undefined }),
    onSuccess: (x) => {
      void client.invalidateQueries({ queryKey: ['evaluation'] });
      onClose();
      void navigate({ to: '/evaluations/experiments/$id' as never, params: { id: x.id } as never, search: pickView as never });
    },
  });
  const right = again ? tries > 0 : kind === 'proof' ? model.trim() !== '' && number(runs) > 0 && judges.length > 0 : dataset !== '' && tries > 0 && (version.trim() === '' || number(version) > 0);
  if (saying) return <InvokeDialog agent={agent} onClose={() => setSaying(false)} />; // and back to what was typed
  return (
    <FormDialog title={like ? 'Run it again' : 'Start an experiment'} submit="Start it" size={560} pending={start.isPending} error={start.error ?? agents.error ?? sets.error} onSubmit={() => start.mutate()} onClose={onClose} disabled={!right || agent === '' || impossible}>
      {agents.isSuccess && all.length === 0 && <p>No agent is registered yet: register one on the page Agents.</p>}
      {all.length > 0 && <Pick label="Agent" value={agent} options={all.map((a) => ({ value: a.name, label: a.name }))} onPick={setAgent} />}
      {again ? <p>The same pairs, which differ in {again.bias?.attribute}, are put to it again.</p> : <Pick label="On" value={kind} options={on} onPick={setKind} />}
      {!again && kind === 'golden' && (
        <>
          {sets.isSuccess && cases.length === 0 && <p>There is no data set yet: a run that went wrong becomes a case on its own page, with one act.</p>}
          {cases.length > 0 && <Pick label="Data set" value={dataset} options={cases.map((d) => ({ value: d.name, label: `${d.name} (${plural(d.items, 'case')}, version ${d.version})` }))} onPick={(v) => { setSet(v); setBaseline(''); }} />}
          <TextInput label={`Its version (${of ? `the newest, ${of.version},` : 'the newest'} where empty)`} inputMode="numeric" value={version} onChange={(e) => setVersion(e.currentTarget.value)} />
        </>
      )}
      {!again && kind === 'proof' && (
        <>
          <TextInput label="Model" placeholder="gpt-4o-mini" value={model} onChange={(e) => setModel(e.currentTarget.value)} />
          <TextInput label="Recorded runs, the newest, at most" inputMode="numeric" value={runs} onChange={(e) => setRuns(e.currentTarget.value)} />
        </>
      )}
      {(again || kind === 'golden') && <TextInput label="How often each is run" inputMode="numeric" value={repeats} onChange={(e) => setRepeats(e.currentTarget.value)} />}
      {!again && judges.length > 0 && (
        <Checkbox.Group label="Evaluators that look at each answer" value={by} onChange={setBy}>
          {judges.map((n) => <Checkbox key={n} value={n} label={n} />)}
        </Checkbox.Group>
      )}
      {!again && kind === 'proof' && evaluators.isSuccess && judges.length === 0 && <p>Nothing looks at answers yet: set an evaluator first.</p>}
      {(again || kind === 'golden') && can.length > 0 && <Pick label="Compare with" value={beside} options={[{ value: '', label: 'nothing' }, ...can.map((o) => ({ value: o.id, label: `${new Date(o.at).toISOString().slice(0, 16).replace('T', ' ')} ${o.agent} ${o.agent_version ?? ''}: ${share(o.passed)}` }))]} onPick={setBaseline} />}
      {impossible && (
        <div>
          <NotPossible agent={agent} />
          {mayPut && <Button size="compact-xs" onClick={() => setSaying(true)}>Say how</Button>}
        </div>
      )}
      <TextInput label="Note (optional)" value={note} onChange={(e) => setNote(e.currentTarget.value)} maxLength={1000} />
      <p className="muted">{again || kind === 'golden' ? `${of && !again ? `${plural(of.items * (tries || 0), 'test')}. ` : ''}It is the agent as it is now. Models are called for real, and paid for; tools are answered from recordings.` : 'No agent is invoked and no tool called; the model is paid for. As good takes 38 runs that can be compared, or more.'}</p>
    </FormDialog>
  );
}
