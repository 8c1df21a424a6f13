import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, Problem } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, List, Run, Stop } from '../api/types';
import { Badge, type Column, Cost, count, Duration, Empty, Facts, Figure, KeyTable, PageBody, PageHeader, Panel, percent, pickView, plural, ProblemNote, quote, RunStatus, Tabs, Time, useShortcuts } from '../shared';
import { StopDialog } from '../stop/StopDialog';
import { useView } from '../state/url';
import { ActDialog, type Act } from './ActDialog';
import { AgentKeys } from './AgentKeys';
import css from './agents.module.css';
import { failedRuns, refusedRuns, useMarks, useRefused, useSeenAgents } from './data';
import { RegisterDialog } from './RegisterDialog';
import { AgentState } from './State';
import { EnforceDialog } from '../policies/Simulation';
import { BreakGlass } from './BreakGlass';
import { ChangesOf } from '../changes/ChangeLine';
import { Now, useSummary } from './Summary';
import { UnknownAgents, useUnknownAgents } from './UnknownAgents';
import { MarkList, marksHelp } from '../overview/FiveMarks';
import { Pins } from './Pins';

const AgentIdentity = lazy(() => import('./Identity').then((m) => ({ default: m.AgentIdentity })));
const BehaviourTab = lazy(() => import('./Behaviour').then((m) => ({ default: m.AgentBehaviourTab })));
const History = lazy(() => import('./History').then((m) => ({ default: m.History })));
const GateTab = lazy(() => import('../evaluations/Gate').then((m) => ({ default: m.GateTab })));
const Invocable = lazy(() => import('../evaluations/Invocable').then((m) => ({ default: m.Invocable })));
const Parts = lazy(() => import('./Parts').then((m) => ({ default: m.Parts })));

const tabs = [
  { id: 'now', label: 'Now' },
  { id: 'behaviour', label: 'Behaviour' },
  { id: 'history', label: 'History and versions' },
  { id: 'inventory', label: 'Inventory' },
  { id: 'identity', label: 'Identity' },
  { id: 'gate', label: 'Gate' },
];

const columns: Column<Run>[] = [
  { id: 'status', head: 'State', width: '92px', cell: (r) => <RunStatus status={r.status} failed={r.failed} words /> },
  { id: 'name', head: 'Run', width: 'minmax(160px, 1fr)', cell: (r) => <Link to={'/runs/$id' as never} params={{ id: r.id } as never}>{r.task || r.name || r.id}</Link> },
  { id: 'started', head: 'Started', width: '90px', align: 'right', cell: (r) => <Time at={r.started_at} /> },
  { id: 'duration', head: 'Took', width: '90px', align: 'right', cell: (r) => <Duration ms={r.duration_ms} running={r.status === 'running'} /> },
  { id: 'steps', head: 'Steps', width: '64px', align: 'right', cell: (r) => count(r.step_count) },
  { id: 'cost', head: 'Cost', width: '100px', align: 'right', cell: (r) => <Cost cost={r.cost} partial={r.coverage.unknown_cost_calls} /> },
];

const next: Record<string, { to: string; label: string }> = { draft: { to: 'pilot', label: 'Make it a pilot' }, pilot: { to: 'production', label: 'Take into production' } };

/** AgentPage: may it go on? What it may do, what it does now, and the hand on it. */
export function AgentPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const view = useView();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { rows, query } = useSeenAgents(view, name);
  const refused = useRefused(view, name);
  const found = useQuery({
    queryKey: ['agent', name],
    queryFn: async ({ signal }) => {
      try {
        return await api.get<Agent>(`/agents/${encodeURIComponent(name)}`, undefined, signal);
      } catch (e) {
        if (e instanceof Problem && e.status === 404) return null;
        throw e;
      }
    },
    refetchInterval: 10_000,
  });
  const stops = useQuery({ queryKey: ['stops'], queryFn: ({ signal }) => api.get<List<Stop>>('/stops', { active: true, limit: 1000 }, signal), refetchInterval: 10_000 });
  const runs = useQuery({ queryKey: ['runs', 'agent', name, view.filter], queryFn: ({ signal }) => api.get<List<Run>>('/runs', { ...view.filter, agent: name, limit: 50 }, signal), meta: { live: true } });
  const unknown = (useUnknownAgents().data?.items ?? []).filter((u) => u.name === name);
  const may = { stop: useMay('CreateStop'), contain: useMay('ContainAgent'), release: useMay('ReleaseAgent'), promote: useMay('PromoteAgent'), retire: useMay('RetireAgent'), register: useMay('CreateAgent'), update: useMay('UpdateAgent') };
  const [stopping, setStopping] = useState(false);
  const [registering, setRegistering] = useState(false);
  const [act, setAct] = useState<Act>();
  const [enforcing, setEnforcing] = useState(false);
  const mayEnforce = useMay('EnforceAgent');
  const mayBreak = useMay('BreakGlass');
  const [breaking, setBreaking] = useState(false);
  const mend = useMutation({
    mutationFn: () => api.patch(`/agents/${encodeURIComponent(name)}`, { enforcement: 'enforce', reason: 'the emergency is over' }),
    onSettled: () => {
      for (const key of ['agent', 'agents', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const agent = found.data ?? undefined;
  const summary = useSummary(name, !!agent);
  const stands = useMarks(view, name).data?.find((m) => m.agent === name);
  const alive = agent && agent.lifecycle !== 'retired';
  const { tab = 'now' } = useSearch({ strict: false }) as { tab?: string };
  const show = (id: string) => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, tab: id === 'now' ? undefined : id })) as never, replace: true });
  useShortcuts('Agent', [...(alive && may.stop ? [{ keys: 's', label: `Stop ${name}`, run: () => setStopping(true) }] : []), ...tabs.map((t, i) => ({ keys: String(i + 1), label: `Show: ${t.label}`, run: () => show(t.id) }))]);
  const total = rows.reduce((n, r) => n + r.runs, 0);
  const failed = rows.reduce((n, r) => n + (r.errors ?? 0), 0);
  const stopped = (stops.data?.items ?? []).filter((s) => s.target.kind === 'everything' || (s.target.kind === 'agent' && s.target.value === name) || (s.target.kind === 'team' && s.target.value === agent?.team));
  const step = agent && next[agent.lifecycle];
  const actions = agent ? (
    <>
      {alive && step && may.promote && <Button onClick={() => setAct({ kind: 'promote', to: step.to })}>{step.label}</Button>}
      {alive && agent.enforcement === 'observe' && !agent.observe_till && mayEnforce && <Button onClick={() => setEnforcing(true)}>Enforce</Button>}
      {alive && agent.observe_till && may.update && (
        <Button loading={mend.isPending} onClick={() => mend.mutate()}>
          End the emergency
        </Button>
      )}
      {alive && agent.enforcement === 'enforce' && mayBreak && <Button onClick={() => setBreaking(true)}>Break glass</Button>}
      {alive && may.contain && <Button onClick={() => setAct({ kind: 'contain' })}>Contain</Button>}
      {agent.containment !== 'none' && may.release && <Button onClick={() => setAct({ kind: 'release' })}>Release</Button>}
      {alive && may.retire && <Button onClick={() => setAct({ kind: 'retire' })}>Retire</Button>}
      {alive && may.stop && (
        <Button variant="filled" color="bad" onClick={() => setStopping(true)}>
          Stop
        </Button>
      )}
    </>
  ) : (
    found.isSuccess &&
    may.register &&
    unknown.length === 0 && (
      <Button variant="filled" onClick={() => setRegistering(true)}>
        Register it
      </Button>
    )
  );
  return (
    <>
      <PageHeader title={name} badge={found.isSuccess && <AgentState agent={agent} />} question="May it go on?" answer={found.isSuccess && query.isSuccess && <Verdict agent={agent} stopped={stopped} name={name} total={total} failed={failed} refused={refused} />} actions={actions} />
      <PageBody fill>
        <ProblemNote error={mend.error ?? found.error ?? query.error ?? runs.error ?? stops.error} retry={() => void runs.refetch()} />
        {unknown.length > 0 && <UnknownAgents items={unknown} />}
        {agent && <Tabs tabs={tabs} on={tab} onPick={show} />}
        {agent && tab !== 'now' ? (
          <Suspense fallback={null}>
            {tab === 'behaviour' ? (
              <BehaviourTab name={name} />
            ) : tab === 'history' ? (
              <History name={name} />
            ) : tab === 'gate' ? (
              <GateTab agent={agent} />
            ) : tab === 'inventory' ? (
              <Parts name={name} />
            ) : (
              <>
                <AgentKeys agent={agent} />
                <AgentIdentity name={name} alive={alive} />
              </>
            )}
          </Suspense>
        ) : (
          <div className={css.columns}>
            <Panel title="Newest runs" actions={<Link className="link" to={'/runs' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: `agent:${quote(name)}` })) as never}>All runs</Link>}>
              <KeyTable
                label={`Newest runs of ${name}`}
                columns={columns}
                rows={runs.data?.items ?? []}
                rowKey={(r) => r.id}
                onOpen={(r) => void navigate({ to: '/runs/$id' as never, params: { id: r.id } as never, search: pickView as never })}
                height="calc(100dvh - 270px)"
                autoFocus
                empty={runs.isSuccess && <Empty title="No run in this period.">Choose a longer period.</Empty>}
              />
            </Panel>
            <div className={css.column}>
              {stands && (
                <Panel title="How it stands" note={<span title={marksHelp}>in this period</span>}>
                  <MarkList marks={stands.marks ?? []} />
                </Panel>
              )}
              <ChangesOf agent={name} team={agent?.team} />
              {agent && summary.data && <Now name={name} summary={summary.data} />}
              {agent && <Whose agent={agent} />}
              {agent && alive && <Suspense><Invocable agent={name} /></Suspense>}
            </div>
          </div>
        )}
      </PageBody>
      {breaking && agent && <BreakGlass agent={agent} onClose={() => setBreaking(false)} />}
      {stopping && <StopDialog target={{ kind: 'agent', value: name }} onClose={() => setStopping(false)} />}
      {enforcing && <EnforceDialog what={name} path={`/agents/${encodeURIComponent(name)}/enforce`} onClose={() => setEnforcing(false)} />}
      {act && agent && <ActDialog agent={agent} act={act} onClose={() => setAct(undefined)} />}
      {registering && <RegisterDialog onClose={() => setRegistering(false)} onDone={() => { setRegistering(false); void found.refetch(); }} />}
    </>
  );
}

/** Verdict answers in words whether the agent may go on, and how it has done. */
function Verdict({ agent, stopped, name, total, failed, refused }: { agent: Agent | undefined; stopped: Stop[]; name: string; total: number; failed: number; refused: number | null }) {
  const did =
    total === 0 ? (
      'It has not run in this period.'
    ) : (
      <>
        <Figure to="/runs" search={{ q: `agent:${quote(name)}` }}>
          {plural(total, 'run')}
        </Figure>{' '}
        in this period,{' '}
        <Figure to="/runs" search={{ q: `agent:${quote(name)} ${failedRuns}` }} title="Runs that the door refused are no failures">
          {count(failed)} failed
        </Figure>{' '}
        ({percent(failed / total)}),{' '}
        <Figure to="/runs" search={{ q: `agent:${quote(name)} ${refusedRuns}` }} title="Runs that ended because the door refused what they asked for">
          {refused === null ? '…' : count(refused)} refused
        </Figure>
        .
      </>
    );
  if (!agent) return <>Nobody registered it: it has no owner, no purpose and no limits. {did}</>;
  if (agent.lifecycle === 'retired') return <>No: it was retired, and its calls are refused for good. {did}</>;
  if (stopped.length > 0) {
    return (
      <>
        <strong>No: it is stopped</strong> ({stopped[0]!.reason}, by {stopped[0]!.by}, <Time at={stopped[0]!.created_at} />{stopped[0]!.until && <>, until <Time at={stopped[0]!.until} /></>}). {did}
      </>
    );
  }
  if (agent.containment === 'quarantined') return <>No: it is quarantined. {did}</>;
  if (agent.containment !== 'none') return <>Yes, within limits: it is {agent.containment.replace('_', ' ')}. {did}</>;
  return (
    <>
      Yes, {agent.autonomy.replace('_', ' ')}
      {agent.enforcement === 'observe' ? (agent.observe_till ? <strong>, the glass is broken: nothing is refused until <Time at={agent.observe_till} as="clock" /></strong> : ', in observe: nothing is refused') : ''}. {did}
    </>
  );
}

function Whose({ agent }: { agent: Agent }) {
  const classes = agent.data_classes ?? [];
  const labels = Object.entries(agent.labels ?? {});
  const breaks = agent.standard ?? [];
  return (
    <Panel title="Who it is" padded>
      <Facts>
        <dt>Purpose</dt>
        <dd>{agent.purpose}</dd>
        {(agent.pins ?? []).length > 0 && (
          <>
            <dt>Pinned to</dt>
            <dd>
              <Pins agent={agent} />
            </dd>
          </>
        )}
        <dt>Owner</dt>
        <dd>
          {agent.owner}
          {agent.sponsor && <span className="muted">, sponsor {agent.sponsor}</span>}
        </dd>
        <dt>Team</dt>
        <dd>
          {agent.team} <span className="muted">in {agent.environment}</span>
        </dd>
        <dt>Kind</dt>
        <dd>
          {agent.kind.replace('_', ' ')}, {agent.mode}
        </dd>
        <dt>Autonomy</dt>
        <dd>{agent.autonomy.replace('_', ' ')}</dd>
        <dt>Data</dt>
        <dd>{classes.length > 0 ? classes.map((c) => <Badge key={c}>{c}</Badge>) : <span className="muted">none</span>}</dd>
        <dt>Content kept</dt>
        <dd>{agent.content === 'full' ? 'yes' : 'metadata only'}</dd>
        {labels.length > 0 && (
          <>
            <dt>Labels</dt>
            <dd>{labels.map(([k, v]) => <Badge key={k}>{`${k}=${v}`}</Badge>)}</dd>
          </>
        )}
        <dt>Version</dt>
        <dd>{agent.version ? <code>{agent.version.slice(0, 16)}</code> : <span className="muted">not seen yet</span>}</dd>
        <dt>Standard</dt>
        <dd>{breaks.length === 0 ? 'met' : breaks.map((b) => <div key={b.rule}><Badge tone={b.refused ? 'bad' : 'warn'}>{b.rule}</Badge> {b.text}{b.waived_till && <span className="muted"> (waived until {b.waived_till.slice(0, 10)})</span>}</div>)}</dd>
        <dt>Registered</dt>
        <dd>
          <Time at={agent.created_at} as="day" /> <span className="muted">{agent.origin}, revision {agent.revision}</span>
        </dd>
      </Facts>
    </Panel>
  );
}
