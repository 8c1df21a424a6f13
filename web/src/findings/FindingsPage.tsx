import { Button } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useMay } from '../api/queries';
import type { Finding } from '../api/types';
import { Pick } from '../settings/parts';
import { Badge, Beside, type Column, count, Empty, Icon, KeyTable, Mark, PageBody, PageHeader, Panel, plural, ProblemNote, Tabs, Time, useShortcuts, useWide } from '../shared';
import { useView } from '../state/url';
import { visible } from '../tools/data';
import { order, responseStates, severities, unjudged, useCanaries, useDetectors, useFindings, useResponses, useRules, words } from './data';
import css from './findings.module.css';

const FindingPanel = lazy(() => import('./FindingPanel').then((m) => ({ default: m.FindingPanel })));
const RulesTab = lazy(() => import('./RulesTab').then((m) => ({ default: m.RulesTab })));
const DetectorsTab = lazy(() => import('./DetectorsTab').then((m) => ({ default: m.DetectorsTab })));
const CanariesTab = lazy(() => import('./CanariesTab').then((m) => ({ default: m.CanariesTab })));
const ResponsesTab = lazy(() => import('./ResponsesTab').then((m) => ({ default: m.ResponsesTab })));

const verdict = (f: Finding) =>
  f.verdict ? <Mark level={f.verdict.verdict === 'useful' ? 'good' : 'unknown'} letter={f.verdict.verdict === 'useful' ? 'U' : 'N'} label={f.verdict.verdict} words /> : f.closed_at ? <span className="muted">over</span> : <span className="muted">not judged</span>;

const done = (f: Finding) => {
  const x = (f.responses ?? []).find((r) => r.state === 'in_force') ?? (f.responses ?? [])[0];
  return x ? <Badge tone={x.state === 'in_force' ? 'warn' : undefined} title={x.why}>{`${words(x.contain)}: ${responseStates[x.state]?.label ?? x.state}`}</Badge> : '';
};

const columns: Column<Finding>[] = [
  { id: 'severity', head: 'Severity', width: '120px', cell: (f) => <Mark {...(severities[f.severity] ?? severities.warning!)} words /> },
  { id: 'agent', head: 'Agent', width: 'minmax(150px, 1fr)', cell: (f) => (f.agent ? <span title={f.authenticated ? 'It had proved who it is' : 'Its name is a claim of telemetry'}>{f.agent}{!f.authenticated && <span className="muted"> (claimed)</span>}</span> : <span className="muted">{f.subject}</span>) },
  { id: 'text', head: 'What', width: 'minmax(240px, 3fr)', cell: (f) => <span title={f.text}>{f.text}</span> },
  { id: 'detector', head: 'Detector', width: '126px', cell: (f) => <span className="soft" title={f.detector}>{words(f.detector)}</span> },
  { id: 'seen', head: 'Seen', width: '92px', align: 'right', cell: (f) => <Time at={f.last_seen} /> },
  { id: 'times', head: 'Times', width: '60px', align: 'right', cell: (f) => count(f.count) },
  { id: 'done', head: 'Done', width: 'minmax(110px, .7fr)', cell: done },
  { id: 'verdict', head: 'Verdict', width: '90px', cell: verdict },
];
const narrow = columns.filter((c) => ['severity', 'agent', 'text', 'seen'].includes(c.id));
const phone: Column<Finding>[] = [
  { id: 'severity', head: <span className="muted" title="Severity">S</span>, width: '40px', cell: (f) => <Mark {...(severities[f.severity] ?? severities.warning!)} /> },
  { id: 'text', head: 'What', width: 'minmax(0, 1fr)', cell: (f) => <span title={f.text}><strong>{f.agent}</strong> {f.text}</span> },
  { id: 'seen', head: 'Seen', width: '76px', align: 'right', cell: (f) => <Time at={f.last_seen} /> },
];

const any = (label: string, list: string[]) => [{ value: '', label }, ...list.map((value) => ({ value, label: words(value) }))];

/** FindingsPage: is this worth a person? What nobody judged first; rules, detectors and what follows are beside it. */
export function FindingsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { show = 'findings', finding, detector = '', severity = '', state = 'open' } = useSearch({ strict: false }) as { show?: string; finding?: string; detector?: string; severity?: string; state?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const query = useFindings({ state: state === 'all' ? undefined : state, detector: detector || undefined, severity: severity || undefined, team: view.filter.team, environment: view.filter.environment });
  const detectors = useDetectors();
  const rules = useRules();
  const responses = useResponses();
  const canaries = useCanaries();
  const mayRule = useMay('PutRule');
  const wide = useWide(1700);
  const compact = !useWide(760);
  const rows = order((query.data?.pages ?? []).flatMap((p) => p.items));
  const waiting = rows.filter(unjudged);
  const acting = (responses.data?.items ?? []).filter((x) => x.state === 'in_force');
  const braked = (responses.data?.items ?? []).filter((x) => x.state === 'braked');
  const open = (f: Finding) => set({ show: undefined, finding: f.id });
  const tabs = [
    { id: 'findings', label: 'Findings', n: rows.length },
    { id: 'rules', label: 'Rules', n: rules.data?.items.length },
    { id: 'detectors', label: 'Detectors', n: detectors.data?.items.length },
    { id: 'canaries', label: 'Canaries', n: canaries.data?.items.length },
    { id: 'responses', label: 'What follows', n: responses.data?.items.length },
  ];
  useShortcuts('Findings', [
    { keys: 'n', label: 'The next that nobody judged', run: () => waiting[0] && open(waiting[0]) },
    ...tabs.map((t, i) => ({ keys: String(i + 1), label: `Show: ${t.label}`, run: () => set({ show: t.id === 'findings' ? undefined : t.id }) })),
  ]);
  return (
    <>
      <PageHeader
        title="Findings and rules"
        question="Is this worth a person?"
        answer={
          query.isSuccess && (
            <>
              {waiting.length === 0 ? 'Nothing waits for a verdict' : <strong>{plural(waiting.length, 'finding')} nobody judged</strong>}
              {waiting.some((f) => f.severity === 'critical') && `, ${count(waiting.filter((f) => f.severity === 'critical').length)} critical`}.{' '}
              {acting.length === 0 ? 'No agent is held by a response' : `${plural(acting.length, 'response')} in force`}
              {braked.length > 0 && <>; <strong>{count(braked.length)} held back by the brake</strong></>}.
            </>
          )
        }
        actions={
          <>
            {mayRule && (
              <Button leftSection={<Icon name="plus" size={14} />} onClick={() => set({ show: 'rules', rule: 'new', finding: undefined })}>
                Write a rule
              </Button>
            )}
            <Button variant="filled" disabled={!waiting[0]} onClick={() => waiting[0] && open(waiting[0])}>
              The next to judge
            </Button>
          </>
        }
      />
      <PageBody fill>
        <Tabs tabs={tabs} on={show} onPick={(id) => set({ show: id === 'findings' ? undefined : id, finding: undefined })} />
        <ProblemNote error={query.error} retry={() => void query.refetch()} />
        <Suspense fallback={null}>
          {show === 'rules' ? (
            <RulesTab />
          ) : show === 'detectors' ? (
            <DetectorsTab />
          ) : show === 'canaries' ? (
            <CanariesTab />
          ) : show === 'responses' ? (
            <ResponsesTab />
          ) : (
            <>
              <div className={css.find}>
                <Pick label="State" value={state} options={[{ value: 'open', label: 'open' }, { value: 'closed', label: 'over' }, { value: 'all', label: 'all' }]} onPick={(v) => set({ state: v === 'open' ? undefined : v })} />
                <Pick label="Severity" value={severity} options={any('any', ['critical', 'warning', 'info'])} onPick={(v) => set({ severity: v || undefined })} />
                <Pick label="Detector" value={detector} options={any('any', [...(detectors.data?.items ?? []).map((d) => d.name), ...(rules.data?.items ?? []).map((r) => `rule:${r.name}`), 'unknown_agent', 'ungoverned_action'])} onPick={(v) => set({ detector: v || undefined })} />
              </div>
              <Beside label="The finding" side={finding && <FindingPanel key={finding} id={finding} onClose={() => set({ finding: undefined })} onNext={() => { const next = waiting.find((f) => f.id !== finding); set({ finding: next?.id }); }} />}>
                <Panel>
                  <KeyTable
                    label="Findings"
                    columns={compact ? phone : finding && !wide ? narrow : columns}
                    rows={rows}
                    rowKey={(f) => f.id}
                    active={finding}
                    onActive={(f) => finding && set({ finding: f.id })}
                    onOpen={open}
                    onEnd={() => query.hasNextPage && !query.isFetchingNextPage && void query.fetchNextPage()}
                    height="calc(100dvh - 270px)"
                    autoFocus
                    empty={
                      query.isSuccess && (
                        <Empty title={state === 'open' ? 'Nothing is out of the ordinary.' : 'No finding fits.'}>
                          {state === 'open' ? 'Detectors look at every step. They learn what is usual of an agent from its first twenty runs.' : visible('Change what is shown.')}
                        </Empty>
                      )
                    }
                  />
                </Panel>
              </Beside>
            </>
          )}
        </Suspense>
      </PageBody>
    </>
  );
}
