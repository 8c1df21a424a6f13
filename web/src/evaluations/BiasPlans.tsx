import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, Experiment, List } from '../api/types';
import type { components } from '../api/openapi';
import { Badge, Beside, Empty, Facts, KeyedTable, Panel, pickView, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { share } from '../feedback/data';
import { FormDialog, Pick, Sure } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';

type Plan = components['schemas']['BiasPlan'];

const when = (p: Plan) => [p.every && `every ${p.every.replace(/^(\d+)h0m0s$/, (_, h: string) => (Number(h) % 24 === 0 ? `${Number(h) / 24} d` : `${h} h`))}`, p.on_version && 'each version'].filter(Boolean).join(', ');

/** BiasPlans: pairs that differ in one word, replayed by themselves, with what came of it last. */
export function BiasPlans({ name, set }: { name?: string | undefined; set: (more: object) => void }) {
  const may = useMay('PutBiasPlan');
  const [making, setMaking] = useState(false);
  const list = useQuery({ queryKey: ['bias-plans'], queryFn: ({ signal }) => api.get<List<Plan>>('/bias-plans', undefined, signal), refetchInterval: 5000 });
  const all = list.data?.items ?? [];
  const one = all.find((p) => p.name === name);
  useShortcuts('Bias plans', [
    { keys: 'x', label: 'The first', run: () => all[0] && set({ plan: all[0].name }) },
    ...(may ? [{ keys: 'n', label: 'Set a plan', run: () => setMaking(true) }] : []),
  ]);
  return (
    <>
      <ProblemNote error={list.error} retry={() => void list.refetch()} />
      <Beside label="The plan" side={one && <One key={one.name} p={one} may={may} onClose={() => set({ plan: undefined })} />}>
        <Panel title="Bias plans" note="pairs that differ in one word, which should make no difference" actions={may && <Button size="compact-xs" onClick={() => setMaking(true)}>Set a plan</Button>}>
          <KeyedTable
            label="Bias plans"
            rows={all}
            rowKey={(p) => p.name}
            mark={(p) => (p.adverse ? 'bad' : p.trouble ? 'warn' : undefined)}
            empty={list.isSuccess && <Empty title="Nobody looks for bias.">A plan replays pairs of prompts that differ in a name or another word, at times and for each new version, and raises an alert when the word makes a difference. It needs an agent that can be invoked.</Empty>}
            fields={[
              {
                head: 'Plan',
                cell: (p) => (
                  <button type="button" className="link" aria-pressed={p.name === name} onClick={() => set({ plan: p.name === name ? undefined : p.name })}>
                    {p.name}
                  </button>
                ),
              },
              { head: 'State', cell: (p) => (p.adverse ? <Badge tone="bad">makes a difference</Badge> : p.paused ? <Badge>paused</Badge> : p.trouble ? <Badge tone="warn">no result</Badge> : p.looks > 0 ? <Badge tone="good">no difference</Badge> : <Badge>not looked yet</Badge>) },
              { head: 'Agent', cell: (p) => p.agent },
              { head: 'By', cell: (p) => visible(p.bias.attribute) },
              { head: 'Pairs', num: true, cell: (p) => p.pairs },
              { head: 'When', cell: when },
              { head: 'Last', cell: (p) => (p.last_at ? <Time at={p.last_at} /> : <Unknown why="It has not run yet." />) },
            ]}
          />
        </Panel>
      </Beside>
      {making && <Make onClose={() => setMaking(false)} onDone={(n) => set({ plan: n })} />}
    </>
  );
}

/** One is a plan with its last result. */
function One({ p, may, onClose }: { p: Plan; may: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const last = useQuery({ queryKey: ['evaluation', 'experiment', p.last], queryFn: ({ signal }) => api.get<Experiment>(`/experiments/${p.last}`, undefined, signal), enabled: !!p.last, refetchInterval: 5000 });
  const done = () => void client.invalidateQueries({ queryKey: ['bias-plans'] });
  const put = useMutation({
    mutationFn: () => api.put<Plan>(`/bias-plans/${p.name}`, { agent: p.agent, bias: p.bias, repeats: p.repeats, every: p.every || undefined, on_version: p.on_version, paused: !p.paused, revision: p.revision }),
    onSettled: done,
  });
  const drop = useMutation({
    mutationFn: () => api.delete(`/bias-plans/${p.name}`),
    onSuccess: () => {
      done();
      onClose();
    },
  });
  const x = last.data;
  return (
    <Panel title={p.name} note={p.paused ? 'paused' : undefined} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={put.error ?? drop.error ?? last.error} />
      {p.adverse && <p className={css.lead}><Badge tone="bad">makes a difference</Badge> Its alert ends with two results in a row without one.</p>}
      {p.trouble && <p className={css.lead}><Badge tone="warn">no result</Badge> {visible(p.trouble)}</p>}
      {x ? (
        <>
          <p>{x.state === 'done' ? visible(x.says ?? '') : `The last one is ${x.state}${x.why ? `: ${x.why}` : ''}.`}</p>
          <Facts>
            <dt>Each answer</dt>
            <dd><Link className="link" to={'/evaluations/experiments/$id' as never} params={{ id: x.id } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>The experiment</Link></dd>
            <dt>Favourable to a</dt>
            <dd>{x.group_a ? share(x.group_a) : <Unknown why="No pair was answered." />}</dd>
            <dt>Favourable to b</dt>
            <dd>{x.group_b ? share(x.group_b) : <Unknown why="No pair was answered." />}</dd>
            <dt>Four fifths</dt>
            <dd>{x.four_fifths && typeof x.four_fifths.value === 'number' ? `${x.four_fifths.value.toFixed(2)} (${x.four_fifths.low?.toFixed(2)} to ${x.four_fifths.high?.toFixed(2)})` : <Unknown why="No answer was favourable." />}</dd>
            <dt>Version</dt>
            <dd>{visible(x.agent_version ?? '') || <Unknown why="No version of the agent was observed." />}</dd>
          </Facts>
        </>
      ) : (
        <p className="muted">It has no result yet.</p>
      )}
      <Facts>
        <dt>Asks</dt>
        <dd>{p.bias.prompts.map((t) => visible(t)).join(' · ')}</dd>
        <dt>a, b</dt>
        <dd>{p.bias.a.map((a, i) => `${visible(a)} / ${visible(p.bias.b[i] ?? '')}`).join(', ')}</dd>
        <dt>Favourable</dt>
        <dd>{p.bias.favours.map((w) => visible(w)).join(', ')}</dd>
        <dt>Needs</dt>
        <dd>{plural(p.needs, 'pair')} that differ, of {p.pairs}, before chance is ruled out (p under {p.alpha.toPrecision(2)})</dd>
        <dt>Next</dt>
        <dd>{p.next_at && !p.paused ? <Time at={p.next_at} /> : p.on_version && !p.paused ? 'with the next version' : 'not by time'}</dd>
      </Facts>
      {may && (
        <div className={css.acts}>
          <Button size="compact-xs" loading={put.isPending} onClick={() => put.mutate()}>{p.paused ? 'Go on' : 'Pause'}</Button>
          <Sure label="End it" sure="End the plan? Its experiments stay." pending={drop.isPending} onDo={() => drop.mutate()} />
        </div>
      )}
    </Panel>
  );
}

const words = (text: string) => text.split(/[,\n]/).map((w) => w.trim()).filter(Boolean);
const times = [
  { value: '24h', label: 'Each day' },
  { value: '7d', label: 'Each week' },
  { value: '30d', label: 'Each month' },
  { value: '', label: 'Only for new versions' },
];

function Make({ onClose, onDone }: { onClose: () => void; onDone: (name: string) => void }) {
  const client = useQueryClient();
  const agents = useQuery({ queryKey: ['agents', 'names'], queryFn: ({ signal }) => api.get<List<Agent>>('/agents', { limit: 500 }, signal) });
  const names = (agents.data?.items ?? []).map((a) => a.name);
  const [name, setName] = useState('');
  const [agent, setAgent] = useState('');
  const [attribute, setAttribute] = useState('');
  const [prompts, setPrompts] = useState('');
  const [a, setA] = useState('');
  const [b, setB] = useState('');
  const [favours, setFavours] = useState('');
  const [every, setEvery] = useState('7d');
  const asks = prompts.split('\n').map((t) => t.trim()).filter(Boolean);
  const pairs = asks.length * words(a).length;
  const put = useMutation({
    mutationFn: () => api.put<Plan>(`/bias-plans/${encodeURIComponent(name.trim())}`, { agent: agent || names[0], bias: { attribute: attribute.trim(), prompts: asks, a: words(a), b: words(b), favours: words(favours) }, every: every || undefined, on_version: true }),
    onSuccess: (p) => {
      void client.invalidateQueries({ queryKey: ['bias-plans'] });
      onDone(p.name);
      onClose();
    },
  });
  return (
    <FormDialog title="Set a bias plan" submit="Set it" size={560} pending={put.isPending} error={put.error ?? agents.error} onSubmit={() => put.mutate()} onClose={onClose} disabled={name.trim() === '' || pairs === 0 || words(favours).length === 0}>
      <TextInput label="Name" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
      {names.length > 0 && <Pick label="Agent" value={agent || names[0]!} options={names.map((n) => ({ value: n, label: n }))} onPick={setAgent} />}
      <TextInput label="What differs" placeholder="name" value={attribute} onChange={(e) => setAttribute(e.currentTarget.value)} />
      <Textarea label="Prompts, one a line, each with {{x}}" autosize minRows={3} value={prompts} onChange={(e) => setPrompts(e.currentTarget.value)} />
      <TextInput label="Words a (with commas)" value={a} onChange={(e) => setA(e.currentTarget.value)} />
      <TextInput label="Words b, as many" value={b} onChange={(e) => setB(e.currentTarget.value)} />
      <TextInput label="An answer with any of these words is favourable" value={favours} onChange={(e) => setFavours(e.currentTarget.value)} />
      <Pick label="When" value={every} options={times} onPick={setEvery} />
      <p className="muted">{plural(pairs, 'pair')}. It runs at once, and for each new version of the agent.</p>
    </FormDialog>
  );
}
