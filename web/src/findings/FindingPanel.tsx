import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Finding } from '../api/types';
import { WhatDiffers } from '../runs/WhatDiffers';
import { FormDialog } from '../settings/parts';
import { Badge, count, duration, Facts, Mark, Panel, pickView, plural, ProblemNote, quote, Time, useShortcuts } from '../shared';
import { responseStates, severities, useFinding, words } from './data';
import css from './findings.module.css';

export function useAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['findings', 'finding', 'detectors', 'responses', 'response-policies', 'rules', 'agents', 'agent', 'overview']) void client.invalidateQueries({ queryKey: [key] });
  };
}

/** FindingPanel is one finding: what was expected, what was seen, the evidence, and the verdict. */
export function FindingPanel({ id, onClose, onNext }: { id: string; onClose: () => void; onNext?: () => void }) {
  const q = useFinding(id);
  const again = useAgain();
  const mayJudge = useMay('JudgeFinding');
  const mayRevert = useMay('FalseAlarm');
  const [alarm, setAlarm] = useState(false);
  const f = q.data;
  const held = (f?.responses ?? []).filter((x) => x.state === 'in_force');
  const judge = useMutation({
    mutationFn: (verdict: string) => api.post<Finding>(`/findings/${encodeURIComponent(id)}/judge`, { verdict, reason: '' }),
    onSuccess: (_, verdict) => verdict && onNext?.(),
    onSettled: again,
  });
  useShortcuts('The finding', [
    ...(mayJudge ? [{ keys: 'u', label: 'Useful', run: () => judge.mutate('useful') }, { keys: 'x', label: 'Noise', run: () => judge.mutate('noise') }] : []),
    ...(mayRevert && held.length > 0 ? [{ keys: 'f', label: 'False alarm: take back what was done', run: () => setAlarm(true) }] : []),
  ]);
  if (!f) return <Panel padded><ProblemNote error={q.error} /></Panel>;
  const runs = f.runs ?? [];
  const steps = f.steps ?? [];
  return (
    <div className={css.stack}>
      <Panel title={f.agent || f.subject || words(f.detector)} note={words(f.detector)} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
        <p className={css.lead}>
          <Mark {...(severities[f.severity] ?? severities.warning!)} words />: {f.text}.{' '}
          {f.authenticated ? <Badge tone="good" title="Each record that led here named an agent that had proved who it is">authenticated</Badge> : <Badge tone="warn" title="Telemetry names the agent; nothing acts on that">claimed</Badge>}
        </p>
        <Facts>
          {f.expected && <><dt>Expected</dt><dd>{f.expected}</dd></>}
          {f.seen && <><dt>Seen</dt><dd><strong>{f.seen}</strong></dd></>}
          {f.why && <><dt>How rare</dt><dd>{f.why}</dd></>}
          {f.agent && <><dt>Agent</dt><dd><Link to={'/agents/$name' as never} params={{ name: f.agent } as never}>{f.agent}</Link>{f.version && ` ${f.version}`}{f.task && `, task ${f.task}`}</dd></>}
          <dt>Seen</dt><dd>{plural(f.count, 'time')}, first <Time at={f.first_seen} />, last <Time at={f.last_seen} />{f.lag_ms !== null && f.lag_ms !== undefined && <span className="muted">; found {duration(f.lag_ms)} after the record came</span>}</dd>
          {f.incident && <><dt>Incident</dt><dd><Link to={`/incidents/${f.incident}` as never}>The incident that it is part of</Link></dd></>}
          {f.closed_at && <><dt>Over</dt><dd><Time at={f.closed_at} /></dd></>}
        </Facts>
        <div className={css.acts}>
          {mayJudge && (
            <>
              <Button variant={f.verdict?.verdict === 'useful' ? 'filled' : 'default'} loading={judge.isPending} onClick={() => judge.mutate(f.verdict?.verdict === 'useful' ? '' : 'useful')}>Useful</Button>
              <Button variant={f.verdict?.verdict === 'noise' ? 'filled' : 'default'} loading={judge.isPending} onClick={() => judge.mutate(f.verdict?.verdict === 'noise' ? '' : 'noise')}>Noise</Button>
            </>
          )}
          {mayRevert && held.length > 0 && <Button variant="filled" color="bad" onClick={() => setAlarm(true)}>False alarm: release {f.agent}</Button>}
          {(f.measure === 'canary' || f.detector === 'canary_silent') && <Link to={'/findings' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'canaries', model: f.subject })) as never}>What its canary was answered</Link>}
          {f.path && <Link to={f.path as never}>Deal with it there</Link>}
          {runs.length > 0 && f.agent && <WhatDiffers label="What is different" words={`The finding's runs`} ask={{ runs, query: `agent:${quote(f.agent)}`, from: new Date(Date.parse(f.first_seen) - 7 * 86_400_000).toISOString(), to: new Date(Date.parse(f.last_seen) + 3_600_000).toISOString() }} />}
        </div>
        {f.verdict && <p className="muted">{f.verdict.by} called it {f.verdict.verdict} <Time at={f.verdict.at} />{f.verdict.reason && `: ${f.verdict.reason}`}. Press again to take it back.</p>}
        <ProblemNote error={judge.error} />
      </Panel>
      {(f.responses ?? []).length > 0 && (
        <Panel title="What followed" padded>
          {(f.responses ?? []).map((x) => (
            <p key={x.id} className={css.lead}>
              <Mark {...(responseStates[x.state] ?? responseStates.would!)} words />: {words(x.contain)} by {x.policy}{x.until && <> until <Time at={x.until} as="clock" /></>}{x.took_ms !== null && x.took_ms !== undefined && <span className="muted">, {duration(x.took_ms)} after the record came</span>}{x.why && <span className="muted">: {x.why}</span>}{x.ended_at && <span className="muted">; {x.ended_by} <Time at={x.ended_at} />: {x.reason}</span>}
            </p>
          ))}
        </Panel>
      )}
      <Panel title="Evidence" note={runs.length + steps.length === 0 ? 'none is kept' : `${plural(runs.length, 'run')}, ${plural(steps.length, 'step')}`} padded>
        <ul className={css.ids}>
          {runs.map((r) => (
            <li key={r}>
              <Link to={'/runs/$id' as never} params={{ id: r } as never}>{r}</Link>
            </li>
          ))}
          {steps.map((s) => (
            <li key={s}>{runs.length > 0 ? <Link to={'/runs/$id' as never} params={{ id: runs[runs.length - 1]! } as never} search={{ step: s } as never}>{s}</Link> : s}</li>
          ))}
        </ul>
      </Panel>
      {alarm && <FalseAlarm f={f} n={held.length} onClose={() => setAlarm(false)} />}
    </div>
  );
}

function FalseAlarm({ f, n, onClose }: { f: Finding; n: number; onClose: () => void }) {
  const again = useAgain();
  const [reason, setReason] = useState('');
  const act = useMutation({ mutationFn: () => api.post(`/findings/${encodeURIComponent(f.id)}/false-alarm`, { reason }), onSuccess: onClose, onSettled: again });
  return (
    <FormDialog title={`False alarm: release ${f.agent}`} submit="Take it back" pending={act.isPending} error={act.error} disabled={!reason.trim()} onSubmit={() => act.mutate()} onClose={onClose}>
      <p>This calls the finding noise and takes back {n === 1 ? 'what' : `the ${count(n)} things`} Reeve did because of it. What a person had set before comes back.</p>
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
