import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, Evaluator, Experiment, List } from '../api/types';
import { Badge, Empty, Figure, KeyedTable, Panel, percent, plural, ProblemNote, Time, Unknown } from '../shared';
import { FormDialog, Pick } from '../settings/parts';
import { visible } from '../tools/data';

const points = (v: number | null | undefined) => (typeof v === 'number' ? `${v > 0 ? '+' : ''}${(100 * v).toFixed(1)}` : '');
const usd = (v: number | null | undefined) => (typeof v === 'number' ? `${v.toPrecision(3)} USD` : undefined);

const least = 38; // pairs without which 5 points are within the interval, whatever they say

/** Proofs: recorded runs on a cheaper model, what that saves, and whether its answers are as good. */
export function Proofs() {
  const may = useMay('StartExperiment');
  const [making, setMaking] = useState(false);
  const list = useQuery({ queryKey: ['evaluation', 'proofs'], queryFn: ({ signal }) => api.get<List<Experiment>>('/experiments', { kind: 'proof', limit: 20 }, signal), refetchInterval: 5000, retry: false });
  const rows = list.data?.items ?? [];
  return (
    <Panel title="Cheaper models, by replay" note="the first conversation of recorded runs on another model, each compared with itself" actions={may && <Button size="compact-xs" onClick={() => setMaking(true)}>Try a cheaper model</Button>}>
      <ProblemNote error={list.error} />
      <KeyedTable
        label="Proofs of cheaper models"
        rows={rows}
        rowKey={(x) => x.id}
        empty={list.isSuccess && <Empty title="No cheaper model was tried." small>Recorded runs are put to another model, priced both ways, and evaluators look at both answers.</Empty>}
        fields={[
          { head: 'When', cell: (x) => <Figure to="/evaluations/experiments/$id" params={{ id: x.id }} title="Each run of it"><Time at={x.at} /></Figure> },
          { head: 'Agent', cell: (x) => x.agent },
          { head: 'Model', cell: (x) => visible(x.proof?.model ?? '') },
          { head: 'Runs', num: true, cell: (x) => (x.state === 'done' ? <span title={x.says}>{x.proves?.compared ?? 0} of {(x.proves?.compared ?? 0) + (x.proves?.unknown ?? 0)}</span> : <span title={x.why}>{x.state}</span>) },
          { head: 'It cost', num: true, cell: (x) => usd(x.proves?.before) ?? <Unknown why="A model of it has no price." /> },
          { head: 'Would cost', num: true, cell: (x) => usd(x.proves?.now) ?? <Unknown why="A model of it has no price." /> },
          {
            head: 'Quality, in points',
            cell: (x) => {
              const q = x.proves?.quality;
              if (typeof q?.value !== 'number') return <Unknown why="No run could be compared." />;
              return (
                <>
                  {points(q.value)} ({points(q.low)} to {points(q.high)}) {(q.low ?? -1) > -0.05 ? <Badge tone="good">as good</Badge> : (q.high ?? 1) < 0 ? <Badge tone="bad">worse</Badge> : <Badge tone="warn">{(x.proves?.compared ?? 0) < least ? `not known: ${least} runs are needed` : 'not known yet'}</Badge>}
                </>
              );
            },
          },
          { head: 'By', cell: (x) => x.evaluators.join(', ') },
        ]}
      />
      {making && <Try onClose={() => setMaking(false)} />}
    </Panel>
  );
}

function Try({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const agents = useQuery({ queryKey: ['agents', 'names'], queryFn: ({ signal }) => api.get<List<Agent>>('/agents', { limit: 500 }, signal) });
  const evaluators = useQuery({ queryKey: ['evaluation', 'evaluators'], queryFn: ({ signal }) => api.get<List<Evaluator>>('/evaluators', undefined, signal) });
  const names = (agents.data?.items ?? []).map((a) => a.name);
  const judges = (evaluators.data?.items ?? []).map((e) => e.name);
  const [agent, setAgent] = useState('');
  const [by, setBy] = useState('');
  const [model, setModel] = useState('');
  const [runs, setRuns] = useState('50');
  const start = useMutation({
    mutationFn: () => api.post<Experiment>('/experiments', { agent: agent || names[0], kind: 'proof', evaluators: [by || judges[0]], proof: { model: model.trim(), runs: Number(runs) } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['evaluation', 'proofs'] });
      onClose();
    },
  });
  const none = evaluators.isSuccess && judges.length === 0;
  return (
    <FormDialog title="Try a cheaper model" submit="Try it" pending={start.isPending} error={start.error ?? agents.error ?? evaluators.error} onSubmit={() => start.mutate()} onClose={onClose} disabled={model.trim() === '' || names.length === 0 || judges.length === 0 || !(Number(runs) > 0)}>
      {names.length > 0 && <Pick label="Agent" value={agent || names[0]!} options={names.map((n) => ({ value: n, label: n }))} onPick={setAgent} />}
      <TextInput label="Model" data-autofocus placeholder="gpt-4o-mini" value={model} onChange={(e) => setModel(e.currentTarget.value)} />
      {judges.length > 0 && <Pick label="Evaluator that looks at both answers" value={by || judges[0]!} options={judges.map((n) => ({ value: n, label: n }))} onPick={setBy} />}
      {none && <p>Nothing looks at answers yet: set an evaluator first, on the page Evaluations.</p>}
      <TextInput label="Recorded runs, the newest, at most" inputMode="numeric" value={runs} onChange={(e) => setRuns(e.currentTarget.value)} />
      <p className="muted">{plural(Number(runs) || 0, 'run')} are paid for at that model. No agent is invoked and no tool called; {percent(0.05, 0)} fewer passes is the most that counts as good, which takes {least} runs that can be compared, or more. Of a run, its first conversation is.</p>
    </FormDialog>
  );
}
