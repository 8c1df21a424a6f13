import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, OutcomeEvidence, OutcomeRule, OutcomeRules, OutcomeRuleTrial } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { count, Empty, Facts, Figure, Icon, KeyedTable, Outcome, PageBody, PageHeader, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { useEnvironments, useTeams } from '../shell/TopBar';
import { shortAge } from '../sources/data';
import { visible } from '../tools/data';
import { Ways } from './OutcomesPage';
import { aboutOf, ends, modes, saysOf, triedOf } from './settling';
import css from './settling.module.css';

/** Settling: by what outcomes are decided: the windows, the rules, and evidence whose run is not there yet. */
export function Settling() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { rule } = useSearch({ strict: false }) as { rule?: string };
  const set = (name?: string) => void navigate({ to: '.', search: ((old: object) => ({ ...old, rule: name })) as never, replace: true });
  const may = useMay('PutOutcomeRule');
  const q = useQuery({ queryKey: ['outcome-rules'], queryFn: ({ signal }) => api.get<OutcomeRules>('/outcome-rules', undefined, signal), refetchInterval: 30_000, retry: false });
  const drop = useMutation({
    mutationFn: (name: string) => api.delete(`/outcome-rules/${encodeURIComponent(name)}?reason=${encodeURIComponent('deleted in the console')}`),
    onSettled: () => void client.invalidateQueries({ queryKey: ['outcome-rules'] }),
  });
  const all = q.data?.items ?? [];
  const chosen = all.find((r) => r.name === rule);
  useShortcuts('Outcomes', may ? [{ keys: 'n', label: 'Write a rule about outcomes', run: () => set('new') }] : []);
  const waiting = useQuery({ queryKey: ['outcome-evidence', 'waiting'], queryFn: ({ signal }) => api.get<List<OutcomeEvidence>>('/outcome-evidence', { waiting: true, limit: 200 }, signal), refetchInterval: 5000, retry: false });
  const waits = waiting.data?.items.length ?? 0;
  return (
    <>
      <PageHeader
        title="Outcomes and KPIs"
        question="By what are they decided?"
        answer={q.data && waiting.data && `${all.length === 0 ? 'No rule says' : all.length === 1 ? 'One rule says' : `${count(all.length)} rules say`} how runs end; ${waits === 0 ? 'no evidence waits for its run' : `${waiting.data.next ? 'more than ' : ''}${plural(waits, 'piece')} of evidence ${waits === 1 ? 'waits' : 'wait'} for ${waits === 1 ? 'its' : 'their'} run`}.`}
      />
      <PageBody width={1560}>
        <Ways on="settling" />
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {q.data && (
          <Panel title="When runs are settled" note="after their last news; set by outcomes in the configuration" padded>
            <Facts>
              {modes.map((m) => [
                <dt key={`${m.id} window`}>{m.id}</dt>,
                <dd key={m.id}>
                  {shortAge(q.data.windows[m.id])} <span className="muted">{m.about}</span>
                </dd>,
              ])}
            </Facts>
            <p className={css.note}>A person, an event of a downstream system and the user are believed at once. A rule, a judge, the agent's own word and what the run shows count once the window has passed, in this order.</p>
          </Panel>
        )}
        <Panel
          title="Rules about outcomes"
          note="what you know of runs that nobody says"
          actions={
            may && (
              <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => set('new')}>
                Write a rule
              </Button>
            )
          }
        >
          <ProblemNote error={drop.error} />
          <KeyedTable
            label="Rules about outcomes"
            rows={all}
            rowKey={(r) => r.name}
            mark={(r) => (r.name === rule ? 'good' : undefined)}
            empty={
              q.isSuccess && (
                <Empty small title="Nobody wrote a rule.">
                  A rule says of the runs that a search finds how they ended (a refund was issued: resolved), or how long they may take. {!may && 'Who has the role developer or responder writes them.'}
                </Empty>
              )
            }
            fields={[
              { head: 'Rule', width: '170px', title: (r) => r.text || r.name, cell: (r) => <strong>{r.name}</strong> },
              { head: 'Of runs', width: '320px', title: (r) => r.where, cell: (r) => <Figure to="/runs" search={{ q: r.where }} title="Open the runs that it finds"><code>{r.where}</code></Figure> },
              { head: 'It says', cell: (r) => saysOf(r) },
              { head: 'Team', cell: (r) => [r.team, r.environment].filter(Boolean).join(', ') || <span className="muted">all</span> },
              { head: 'Changed', cell: (r) => <><Time at={r.updated_at} /> <span className="muted">by {visible(r.by)}, revision {r.revision}{r.reason && `: ${visible(r.reason)}`}</span></> },
              {
                head: 'Actions',
                end: true,
                cell: (r) =>
                  may && (
                    <>
                      <Button size="compact-xs" aria-label={`Change ${r.name}`} onClick={() => set(r.name)}>
                        Change
                      </Button>
                      <Sure label="Delete" sure="Delete it" pending={drop.isPending && drop.variables === r.name} onDo={() => drop.mutate(r.name)} />
                    </>
                  ),
              },
            ]}
          />
        </Panel>
        <Waiting items={waiting.data?.items} error={waiting.error} />
      </PageBody>
      {may && rule && (rule === 'new' || chosen) && <RuleDialog key={rule} rule={chosen} onClose={() => set(undefined)} />}
    </>
  );
}

/** Waiting is evidence that came before its run, or whose run never came. */
function Waiting({ items, error }: { items?: OutcomeEvidence[]; error: unknown }) {
  return (
    <Panel title="Evidence that waits for its run" note="looked for again and again, for 30 days">
      <ProblemNote error={error} />
      <KeyedTable
        label="Evidence that waits"
        rows={items ?? []}
        rowKey={(e) => e.id}
        mark={(e) => (e.look_at ? undefined : 'warn')}
        empty={
          items && (
            <Empty small title="All evidence found its run.">
              A downstream system says how a run ended with POST /api/v1/outcome-evidence, or <code>reeve outcome report --key order_id=4711 --source orders resolved</code>; it may come before the run.
            </Empty>
          )
        }
        fields={[
          { head: 'Source', cell: (e) => <>{visible(e.source)} <span className="muted">{e.kind}{e.sender_id && `, ${visible(e.sender_id)}`}</span></> },
          { head: 'Says', cell: (e) => <Outcome outcome={e.outcome} /> },
          { head: 'Of', width: '260px', title: (e) => aboutOf(e), cell: (e) => <code>{visible(aboutOf(e))}</code> },
          { head: 'Team', cell: (e) => [e.team, e.environment].filter(Boolean).join(', ') || <span className="muted">all</span> },
          { head: 'Text', width: '220px', title: (e) => e.text, cell: (e) => visible(e.text ?? '') },
          { head: 'Came', cell: (e) => <Time at={e.received_at} /> },
          { head: 'Looked for next', cell: (e) => (e.look_at ? <Time at={e.look_at} /> : <span title="Its run did not come within 30 days">no more</span>) },
        ]}
      />
    </Panel>
  );
}

function RuleDialog({ rule, onClose }: { rule?: OutcomeRule; onClose: () => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const environments = useEnvironments();
  const [name, setName] = useState(rule?.name ?? '');
  const [where, setWhere] = useState(rule?.where ?? '');
  const [outcome, setOutcome] = useState(rule ? (rule.outcome ?? '') : 'resolved');
  const [deadline, setDeadline] = useState(shortAge(rule?.deadline));
  const [stuck, setStuck] = useState(shortAge(rule?.stuck));
  const [team, setTeam] = useState(rule?.team ?? '');
  const [environment, setEnvironment] = useState(rule?.environment ?? '');
  const [text, setText] = useState(rule?.text ?? '');
  const [reason, setReason] = useState('');
  const body = { where: where.trim(), outcome, deadline: deadline.trim(), stuck: stuck.trim(), team, environment };
  const trial = useMutation({ mutationFn: () => api.post<OutcomeRuleTrial>('/outcome-rules/try', { name: rule?.name, ...body }) });
  const save = useMutation({
    mutationFn: () => api.put<OutcomeRule>(`/outcome-rules/${encodeURIComponent(name.trim())}`, { ...body, text, reason, revision: rule?.revision ?? 0 }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['outcome-rules'] });
      onClose();
    },
  });
  const of = (now: string, known: string[]) => [{ value: '', label: 'all' }, ...[...new Set([...(now ? [now] : []), ...known])].map((v) => ({ value: v, label: v }))];
  const says = outcome !== '' || body.deadline !== '' || body.stuck !== '';
  return (
    <FormDialog title={rule ? `Change ${rule.name}` : 'Write a rule about outcomes'} submit="Keep" pending={save.isPending} error={save.error ?? trial.error} disabled={!name.trim() || !body.where || !says} onSubmit={() => save.mutate()} onClose={onClose} size={680}>
      {!rule && <TextInput label="Name" description="a-z, 0-9 and hyphens" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />}
      <Textarea label="Of which runs" description="A search, as on the page Runs" data-autofocus={rule ? true : undefined} autosize minRows={2} spellCheck={false} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} value={where} onChange={(e) => setWhere(e.currentTarget.value)} placeholder="task:refund any(kind:tool name:issue_refund status:ok)" />
      <div className={css.two}>
        <Pick label="They ended" value={outcome} options={[{ value: '', label: 'it does not say' }, ...ends.map((v) => ({ value: v, label: v }))]} onPick={setOutcome} />
        <TextInput label="In words" description="Stands beside what it decided" value={text} onChange={(e) => setText(e.currentTarget.value)} />
        <TextInput label="Late after" description="From start to end, like 72h; empty: never" value={deadline} onChange={(e) => setDeadline(e.currentTarget.value)} />
        <TextInput label="Stuck after" description="Without any news, like 4h; empty: never" value={stuck} onChange={(e) => setStuck(e.currentTarget.value)} />
        <Pick label="Team" value={team} options={of(team, teams)} onPick={setTeam} />
        <Pick label="Environment" value={environment} options={of(environment, environments)} onPick={setEnvironment} />
        <TextInput label="Why" description="It is recorded" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      </div>
      <div>
        <Button loading={trial.isPending} disabled={!body.where || !says} onClick={() => trial.mutate()}>
          Try it on the last 30 days
        </Button>
      </div>
      {trial.data && <Tried t={trial.data} outcome={outcome} limit={body.deadline !== '' || body.stuck !== ''} />}
      <p className={css.note}>It counts for runs that are settled from now on; what is settled stays as it is.</p>
    </FormDialog>
  );
}

/** Tried says what a rule would have said, with the runs of which it changes something. */
function Tried({ t, outcome, limit }: { t: OutcomeRuleTrial; outcome: string; limit: boolean }) {
  const said = triedOf(t, outcome, limit);
  return (
    <div className={css.trial} role="status">
      <strong>{said.lead}</strong> {said.rest.join(' ')}
      {t.runs.length > 0 && (
        <ul>
          {t.runs.map((r) => (
            <li key={r.run_id}>
              <Figure to="/runs/$id" params={{ id: r.run_id }}>{visible(r.agent)}{r.task && `, ${visible(r.task)}`}</Figure> <Time at={r.started_at} />:{' '}
              {r.now !== r.then && <><Outcome outcome={r.now} /> now, <Outcome outcome={r.then} /> by it</>} {r.late}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
