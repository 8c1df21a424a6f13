import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, Dataset, DatasetItem, Experiment, Gate, GateCheck, List } from '../api/types';
import type { components } from '../api/openapi';
import { Badge, Empty, pickView, Panel, plural, ProblemNote, Time } from '../shared';
import { ActDialog } from '../agents/ActDialog';
import { FormDialog, Pick } from '../settings/parts';
import { Invocable } from './Invocable';
import { useInvocation } from './invoke';
import css from '../sources/sources.module.css';
import own from './gate.module.css';
import { visible } from '../tools/data';

type GateCases = components['schemas']['GateCases'];
type GateChanges = components['schemas']['GateChanges'];

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;
const outcomes: Record<string, 'good' | 'bad' | 'warn'> = { passed: 'good', refused: 'bad', overridden: 'warn' };

/** GateTab: may this version go into production? Each line from records as they are now. */
export function GateTab({ agent }: { agent: Agent }) {
  const client = useQueryClient();
  const name = agent.name;
  const path = `/agents/${encodeURIComponent(name)}/gate`;
  const gate = useQuery({ queryKey: ['gate', name], queryFn: ({ signal }) => api.get<Gate>(path, undefined, signal), refetchInterval: 5000 });
  const may = { run: useMay('StartExperiment'), set: useMay('PutGateSet'), promote: useMay('PromoteAgent') };
  const [naming, setNaming] = useState(false);
  const [promoting, setPromoting] = useState(false);
  const run = useMutation({
    mutationFn: () => api.post<Experiment>('/experiments', { agent: name, dataset: gate.data?.dataset }),
    onSettled: () => void client.invalidateQueries({ queryKey: ['gate', name] }),
  });
  const g = gate.data;
  const can = useInvocation(name);
  const failed = g?.checks.filter((c) => !c.passed) ?? [];
  return (
    <div className={own.two}>
      <Panel
        title="The gate"
        note={g && <>of {g.version ? 'its version' : 'no version that is known'}, since <Time at={g.from} /></>}
        padded
        actions={
          <>
            {may.run && g?.dataset && <Button size="compact-xs" loading={run.isPending} disabled={!can.data?.target} title={can.data?.why} onClick={() => run.mutate()}>Run its cases</Button>}
            {may.promote && agent.lifecycle === 'pilot' && <Button size="compact-xs" variant="filled" onClick={() => setPromoting(true)}>Take into production</Button>}
          </>
        }
      >
        <ProblemNote error={gate.error ?? run.error} />
        {g && <p role="status">{g.passed ? 'It passes all of the list.' : `It does not pass: ${failed.map((c) => c.name).join(', ')}.`}</p>}
        {run.data && <p className="muted" role="status">An experiment was started with {plural(run.data.tasks, 'task')}: <Link className="link" to={'/evaluations/experiments/$id' as never} params={{ id: run.data.id } as never} search={keep}>follow it</Link></p>}
        <ul className={css.causes}>{g?.checks.map((c) => <Line key={c.name} c={c} />)}</ul>
      </Panel>
      <div className={own.stack}>
        <Invocable agent={name} />
        <Panel title="Its cases" padded actions={may.set && <Button size="compact-xs" onClick={() => setNaming(true)}>{g?.dataset ? 'Another data set' : 'Name a data set'}</Button>}>
          {g?.dataset ? (
            <>
              <p>It has to pass each case of <Link className="link" to={'/evaluations' as never} search={{ part: 'datasets', dataset: g.dataset } as never}>{g.dataset}</Link>, at least {plural(g.least ?? 0, 'case')} of those that security saw.</p>
              {g.cases && <Seen agent={name} c={g.cases} />}
            </>
          ) : (
            <p>No data set is its gate yet. Runs become cases on their own page, with one act.</p>
          )}
        </Panel>
        <Panel title="Before" padded>
          {g && (g.records ?? []).length === 0 && <Empty title="Nobody asked yet." />}
          <ul className={css.causes}>
            {g?.records?.map((r) => (
              <li key={r.id}>
                <Badge tone={outcomes[r.outcome] ?? 'warn'}>{r.outcome}</Badge> <Time at={r.at} /> {r.by && <>by {visible(r.by)}: </>}{visible(r.reason ?? '')}
                {r.failed.length > 0 && <span className={css.path}>not passed: {r.failed.join(', ')}</span>}
              </li>
            ))}
          </ul>
        </Panel>
      </div>
      {naming && <NameSet agent={name} was={g?.dataset} least={g?.least} onClose={() => setNaming(false)} />}
      {promoting && (
        <ActDialog
          agent={agent}
          act={{ kind: 'promote', to: 'production' }}
          onClose={() => {
            setPromoting(false);
            void client.invalidateQueries({ queryKey: ['gate', name] });
          }}
        />
      )}
    </div>
  );
}

const what: Record<string, { tone: 'good' | 'bad' | 'warn'; says: string }> = {
  added: { tone: 'good', says: 'new' },
  changed: { tone: 'warn', says: 'changed' },
  removed: { tone: 'bad', says: 'taken out' },
  passing: { tone: 'warn', says: 'came and went' },
};

const caseText = (i: DatasetItem) => (i.withdrawn ? 'withdrawn with its person' : [i.input.at(-1)?.content, i.expected && `expects “${i.expected}”`, i.contains.length > 0 && `with ${i.contains.join(', ')}`, i.absent.length > 0 && `without ${i.absent.join(', ')}`, i.consent === 'refused' && 'refused: it is not run'].filter(Boolean).join(', '));

/** Seen says which cases security saw, shows what became of them since, and approves them. */
function Seen({ agent, c }: { agent: string; c: GateCases }) {
  const client = useQueryClient();
  const may = { look: useMay('ListGateChanges'), approve: useMay('ApproveGate') };
  const path = `/agents/${encodeURIComponent(agent)}/gate/cases`;
  const changes = useQuery({ queryKey: ['gate', agent, 'cases', c.version, c.approved_version], queryFn: ({ signal }) => api.get<GateChanges>(path, undefined, signal), enabled: may.look && c.version !== c.approved_version, retry: false });
  const approve = useMutation({
    mutationFn: (version: number) => api.post<Gate>(path, { version }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['gate', agent] }),
  });
  const list = changes.data?.items ?? [];
  return (
    <>
      {c.approved_version === 0 ? (
        <p><Badge tone="bad">not approved</Badge> Nobody of security has seen its {plural(c.cases, 'case')}.</p>
      ) : (
        <p>
          {visible(c.approved_by ?? '') || 'Somebody'} approved {plural(c.approved_cases, 'case')} of version {c.approved_version}{c.approved_at && <>, <Time at={c.approved_at} /></>}.{' '}
          {c.changed > 0 && <><Badge tone="bad">approve again</Badge> {plural(c.changed, 'case')} changed or went since. </>}
          {c.withdrawn > 0 && <><Badge tone="bad">approve again</Badge> {plural(c.withdrawn, 'case')} went with {c.withdrawn === 1 ? 'its person' : 'their persons'}. </>}
          {c.added > 0 && `${plural(c.added, 'case')} came since, and ${c.added === 1 ? 'needs' : 'need'} no approval.`}
        </p>
      )}
      {c.silent > 0 && <p><Badge tone="warn">says nothing</Badge> {plural(c.silent, 'case')} {c.silent === 1 ? 'has' : 'have'} neither words nor an expected answer.</p>}
      <ProblemNote error={approve.error ?? changes.error} />
      {list.length > 0 && (
        <ul className={css.causes} aria-label="What became of its cases">
          {list.map((x) => (
            <li key={x.case}>
              <Badge tone={what[x.what]?.tone ?? 'warn'}>{what[x.what]?.says ?? x.what}</Badge> {x.is ? visible(caseText(x.is)) : x.was && visible(caseText(x.was))}
              {x.is && x.was && <span className={css.path}>was: {visible(caseText(x.was))}</span>}
            </li>
          ))}
          {changes.data?.more && <li className="muted">and others: look at the data set&apos;s versions, then reeve gate approve {agent}</li>}
        </ul>
      )}
      {may.approve && changes.data && changes.data.version > 0 && changes.data.version === c.version && !changes.data.more && c.version !== c.approved_version && (
        <div className={css.acts}>
          <Button size="compact-xs" loading={approve.isPending} onClick={() => approve.mutate(changes.data.version)}>Approve its cases</Button>
        </div>
      )}
    </>
  );
}

/** Line is one check, with what fails it. */
function Line({ c }: { c: GateCheck }) {
  return (
    <li>
      <Badge tone={c.passed ? 'good' : 'bad'}>{c.passed ? 'passes' : 'not yet'}</Badge> <strong>{c.name}</strong> {visible(c.text)}
      {(c.run || c.about) && (
        <span className={css.path}>
          {c.run && <Link className="link" to={'/runs/$id' as never} params={{ id: c.run } as never} search={keep}>The run that fails it</Link>} {c.about && <About id={c.about} />}
        </span>
      )}
    </li>
  );
}

/** About leads to the record that a check is about. */
function About({ id }: { id: string }) {
  if (id.startsWith('inc_')) return <Link className="link" to={'/incidents/$id' as never} params={{ id } as never} search={keep}>The incident</Link>;
  if (id.startsWith('apr_')) return <Link className="link" to={'/inbox' as never} search={keep}>What waits in the inbox</Link>;
  if (id.startsWith('xpr_')) return <Link className="link" to={'/evaluations/experiments/$id' as never} params={{ id } as never} search={keep}>The experiment</Link>;
  return <>{visible(id)}</>;
}

/** NameSet says on whose cases an agent has to pass. */
function NameSet({ agent, was, least, onClose }: { agent: string; was?: string | undefined; least?: number | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const sets = useQuery({ queryKey: ['datasets'], queryFn: ({ signal }) => api.get<List<Dataset>>('/datasets', undefined, signal) });
  const all = sets.data?.items ?? [];
  const [dataset, setDataset] = useState(was ?? '');
  const [number, setNumber] = useState(String(least || 5));
  const put = useMutation({
    mutationFn: () => api.put<Gate>(`/agents/${encodeURIComponent(agent)}/gate/dataset`, { dataset: dataset || all[0]?.name, least: Number(number) }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['gate', agent] });
      onClose();
    },
  });
  return (
    <FormDialog title="On whose cases it has to pass" submit="Name it" pending={put.isPending} error={put.error ?? sets.error} onSubmit={() => put.mutate()} onClose={onClose} disabled={all.length === 0 || !(Number(number) > 0)}>
      {sets.isSuccess && all.length === 0 && <p>There is no data set yet: make one on <Link className="link" to={'/evaluations' as never} search={{ part: 'datasets' } as never}>Evaluations</Link>.</p>}
      {all.length > 0 && <Pick label="Data set" value={dataset || all[0]!.name} options={all.map((d) => ({ value: d.name, label: `${d.name} (${plural(d.items, 'case')})` }))} onPick={setDataset} />}
      <TextInput label="Cases that it has to have" inputMode="numeric" value={number} onChange={(e) => setNumber(e.currentTarget.value)} />
      <p className="muted">Another data set later, or fewer cases, is security&apos;s to say.</p>
    </FormDialog>
  );
}
