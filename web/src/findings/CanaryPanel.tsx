import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Canary } from '../api/types';
import { FormDialog, Sure } from '../settings/parts';
import { Badge, count, Empty, Facts, KeyedTable, Mark, Panel, pickView, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { shortAge } from '../sources/data';
import { visible } from '../tools/data';
import { stateOf } from './CanariesTab';
import { rounds, several, useCanary, type Round } from './data';
import css from './findings.module.css';

/** useCanariesAgain reads canaries again after a change. */
export function useCanariesAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['canaries', 'canary', 'findings']) void client.invalidateQueries({ queryKey: [key] });
  };
}

const inAgents = ((old: Record<string, unknown>) => pickView(old)) as never;

/** CanaryPanel is one canary: whom it asks, what changed, and what it was answered, round by round. */
export function CanaryPanel({ name, onChange, onClose }: { name: string; onChange: (c: Canary) => void; onClose: () => void }) {
  const q = useCanary(name);
  const again = useCanariesAgain();
  const may = useMay('PutCanary');
  const [accepting, setAccepting] = useState(false);
  const path = `/canaries/${encodeURIComponent(name)}`;
  const c = q.data;
  const ask = useMutation({ mutationFn: () => api.post<Canary>(`${path}/ask`, { reason: 'asked in the console' }), onSettled: again });
  const pause = useMutation({ mutationFn: (x: Canary) => api.put<Canary>(path, { team: x.team, environment: x.environment, agent: x.agent, upstream: x.upstream, model: x.model, every: x.every, prompts: x.prompts, off: !x.off, revision: x.revision, reason: x.off ? 'goes on' : 'paused' }), onSettled: again });
  const drop = useMutation({ mutationFn: () => api.delete(`${path}?reason=${encodeURIComponent('deleted in the console')}`), onSuccess: onClose, onSettled: again });
  useShortcuts('The canary', may && c && !c.off ? [{ keys: 'a', label: 'Ask it now', run: () => ask.mutate() }] : []);
  if (!c) return <Panel padded><ProblemNote error={q.error} /></Panel>;
  const asked = rounds(c.prompts, c.answers);
  return (
    <div className={css.stack}>
      <Panel title={c.name} note="canary" padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
        <p className={css.lead}>
          <Mark {...stateOf(c)} words />
          {c.shifts.length === 0 && !c.finding ? (asked.length === 0 ? ': it was not asked yet.' : '. Its first rounds are its normal; from then on each is compared with it.') : <>: {c.finding ? <Link className="link" to={'/findings' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), finding: c.finding })) as never}>the finding</Link> : 'its finding is over'}.</>}
        </p>
        {c.shifts.map((s) => (
          <p key={s.feature + s.text} className={css.lead}>
            <strong>{visible(s.feature)}</strong>: {visible(s.text)} <span className="muted">(distance {s.distance.toFixed(2)}, by chance {s.chance < 1e-4 ? 'in less than 1 of 10,000' : `in ${s.chance.toPrecision(2)}`} of comparisons)</span>
          </p>
        ))}
        <Facts>
          <dt>Asks</dt><dd>{visible(c.model)} at {c.upstream}</dd>
          <dt>As</dt><dd><Link to={'/agents/$name' as never} params={{ name: c.agent } as never} search={inAgents}>{c.agent}</Link> <span className="muted">of {c.team} in {c.environment}</span></dd>
          <dt>Every</dt><dd>{shortAge(c.every)}{c.off ? <>, <Badge>paused</Badge></> : <>, next <Time at={c.due} /></>}</dd>
          <dt>Normal</dt><dd>from <Time at={c.normal_from} as="day" /></dd>
          <dt>Kept by</dt><dd>{c.by}, revision {c.revision}, <Time at={c.updated_at} /></dd>
        </Facts>
        {may && (
          <div className={css.acts}>
            <Button loading={ask.isPending} disabled={c.off} onClick={() => ask.mutate()}>Ask now</Button>
            <Button onClick={() => onChange(c)}>Change</Button>
            <Button loading={pause.isPending} onClick={() => pause.mutate(c)}>{c.off ? 'Go on' : 'Pause'}</Button>
            <Button onClick={() => setAccepting(true)}>This is the new normal</Button>
            <Sure label="Delete" sure="Delete it and its answers" pending={drop.isPending} onDo={() => drop.mutate()} />
          </div>
        )}
        <ProblemNote error={ask.error ?? pause.error ?? drop.error} />
      </Panel>
      <Panel title="Rounds" note={asked.length === 0 ? undefined : `the last ${count(asked.length)}`}>
        <KeyedTable
          label="Rounds"
          rows={asked}
          rowKey={(r) => r.at}
          mark={(r) => (r.answers.some((a) => a.error) ? 'warn' : undefined)}
          empty={<Empty small title="It was not asked yet.">It is asked within half a minute of being due.</Empty>}
          fields={[
            { head: 'When', cell: (r) => <Time at={r.at} as="clock" /> },
            { head: 'Who answered', width: '170px', title: (r) => who(r).join(', '), cell: (r) => who(r).join(', ') || <Unknown why="The provider does not say." /> },
            { head: 'Answered', num: true, cell: (r) => `${count(r.answers.filter((a) => !a.error).length)} of ${count(c.prompts.length)}` },
            { head: 'Tokens', num: true, cell: (r) => tokens(r.answers) },
          ]}
        />
      </Panel>
      {asked[0] && (
        <Panel title="The last answers" note={<Time at={asked[0].at} as="clock" />}>
          <KeyedTable
            label="The last answers"
            rows={asked[0].answers}
            rowKey={(a) => a.prompt}
            mark={(a) => (a.error ? 'warn' : undefined)}
            fields={[
              { head: 'Asked', width: '170px', title: (a) => visible(a.prompt), cell: (a) => visible(a.prompt) },
              { head: 'Answered', width: '170px', title: (a) => visible(a.error || a.text || ''), cell: (a) => (a.error ? <span className="muted">not answered: {visible(a.error)}</span> : visible(a.text ?? '')) },
              { head: 'Took', cell: (a) => (a.decision ? <Link title="Its decision at the door" to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), decision: a.decision })) as never}>{count(a.took_ms)} ms</Link> : '') },
            ]}
          />
        </Panel>
      )}
      {accepting && <Accept c={c} n={asked.length} onClose={() => setAccepting(false)} />}
    </div>
  );
}

/** who are the names and fingerprints under which a round was answered. */
const who = (r: Round) => [...several(r.answers.map((a) => a.model)), ...several(r.answers.map((a) => a.fingerprint))].map(visible);

/** tokens sums what a round's answers counted; unknown where no answer says it. */
function tokens(list: Canary['answers']) {
  const sum = (of: (a: Canary['answers'][number]) => number | null | undefined) => (list.some((a) => typeof of(a) === 'number') ? list.reduce((n, a) => n + (of(a) ?? 0), 0) : undefined);
  const [input, output] = [sum((a) => a.input_tokens), sum((a) => a.output_tokens)];
  if (input === undefined && output === undefined) return <Unknown why="The provider counts none." />;
  return `${input === undefined ? '?' : count(input)}, ${output === undefined ? '?' : count(output)}`;
}

function Accept({ c, n, onClose }: { c: Canary; n: number; onClose: () => void }) {
  const again = useCanariesAgain();
  const [reason, setReason] = useState('');
  const act = useMutation({ mutationFn: () => api.post<Canary>(`/canaries/${encodeURIComponent(c.name)}/accept`, { reason: reason.trim() }), onSuccess: onClose, onSettled: again });
  return (
    <FormDialog title={`${c.name}: this is the new normal`} submit="Take it" pending={act.isPending} error={act.error} disabled={!reason.trim()} onSubmit={() => act.mutate()} onClose={onClose}>
      <p>What answers from now on is learnt anew, in ten rounds. {n > 0 && `The ${plural(n, 'round')} so far stay to be read.`}</p>
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} maxLength={500} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
