import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Erasure, List, Retention, RetentionPreview, RetentionRule } from '../api/types';
import { bytes, count, Empty, Facts, Icon, KeyedTable, Mark, PageHeader, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { useEnvironments, useTeams } from '../shell/TopBar';
import { FormDialog, Pick } from './parts';
import { Remaps } from './Remaps';
import css from './settings.module.css';

const days = (n: number) => (n === 0 ? 'for good' : plural(n, 'day'));
const kinds: Record<string, string> = { content: 'What was said', runs: 'Whole runs' };

/** RetentionPage: what is kept, for how long, and how a person is erased. */
export function RetentionPage() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['retention'], queryFn: ({ signal }) => api.get<Retention>('/retention', undefined, signal), refetchInterval: 10_000, retry: false });
  const may = useMay('PutRetention');
  const [edit, setEdit] = useState<RetentionRule | 'new'>();
  const [erase, setErase] = useState(false);
  const again = () => void client.invalidateQueries({ queryKey: ['retention'] });
  const remove = useMutation({ mutationFn: (r: RetentionRule) => api.delete(`/retention?${new URLSearchParams({ kind: r.kind, environment: r.environment ?? '', team: r.team ?? '', reason: 'dropped on the page Retention' })}`), onSettled: again });
  useShortcuts('Retention', may ? [{ keys: 'n', label: 'Say how long something is kept', run: () => setEdit('new') }, { keys: 'e', label: 'Erase a person', run: () => setErase(true) }] : []);
  const k = q.data;
  const rows: RetentionRule[] = k ? [...k.rules, { kind: 'runs', days: k.runs_days, by: 'the configuration', reason: '', at: '' }, { kind: 'content', days: k.content_days || k.runs_days, by: 'the configuration', reason: k.content_days ? '' : 'with its run', at: '' }] : [];
  return (
    <>
      <PageHeader
        title="Retention"
        question="What is kept, and for how long?"
        answer={k?.text}
        actions={
          may && (
            <>
              <Button onClick={() => setErase(true)}>Erase a person</Button>
              <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setEdit('new')}>
                Say how long
              </Button>
            </>
          )
        }
      />
      <div className={css.wide}>
        <ProblemNote error={q.error ?? remove.error} retry={() => void q.refetch()} />
        {k && (
          <Panel padded>
            <Facts>
              <dt>The store</dt>
              <dd>
                {bytes(k.bytes)}
                {k.oldest ? <>, back to <Time at={k.oldest} as="day" /></> : ', empty'}
                {k.max_bytes > 0 && `; above ${bytes(k.max_bytes)} the oldest days go`}
              </dd>
              <dt>Last pass</dt>
              <dd>{k.last ? <><Time at={k.last.at} />: {k.last.error || (k.last.rows + k.last.days + k.last.bytes === 0 ? 'nothing was too old' : `${plural(k.last.days, 'day')} and ${plural(k.last.runs, 'run')} went, ${bytes(k.last.bytes)}`)}</> : 'none since the start'}</dd>
            </Facts>
          </Panel>
        )}
        <Panel>
          <KeyedTable
            label="Rules of retention"
            rows={rows}
            rowKey={(r) => `${r.kind} ${r.environment ?? ''} ${r.team ?? ''} ${r.by}`}
            fields={[
              { head: 'What', cell: (r) => kinds[r.kind] ?? r.kind },
              { head: 'Team', cell: (r) => r.team || <span className="muted">any</span> },
              { head: 'Environment', cell: (r) => r.environment || <span className="muted">any</span> },
              { head: 'Kept', cell: (r) => days(r.days) },
              { head: 'Why', cell: (r) => <>{r.reason}<span className={css.under}>{r.by}{r.at && <>, <Time at={r.at} /></>}</span></> },
              {
                head: 'Actions',
                end: true,
                cell: (r) =>
                  may &&
                  r.at && (
                    <>
                      <Button size="compact-xs" onClick={() => setEdit(r)}>
                        Change
                      </Button>
                      <Button size="compact-xs" loading={remove.isPending && remove.variables === r} onClick={() => remove.mutate(r)}>
                        Drop
                      </Button>
                    </>
                  ),
              },
            ]}
          />
        </Panel>
        <Erasures />
        <Remaps />
      </div>
      {edit && <RuleDialog rule={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} onDone={again} />}
      {erase && <EraseDialog onClose={() => setErase(false)} />}
    </>
  );
}

function RuleDialog({ rule, onClose, onDone }: { rule?: RetentionRule; onClose: () => void; onDone: () => void }) {
  const teams = useTeams();
  const environments = useEnvironments();
  const [kind, setKind] = useState(rule?.kind ?? 'content');
  const [team, setTeam] = useState(rule?.team ?? '');
  const [environment, setEnvironment] = useState(rule?.environment ?? '');
  const [age, setAge] = useState(rule ? String(rule.days) : '30');
  const [reason, setReason] = useState('');
  const n = /^\d+$/.test(age.trim()) ? Number(age) : undefined;
  const body = { kind, team, environment, days: n ?? -1 };
  const preview = useQuery({ queryKey: ['retention', 'preview', body], queryFn: () => api.post<RetentionPreview>('/retention/preview', body), enabled: n !== undefined, retry: false });
  const save = useMutation({ mutationFn: () => api.put('/retention', { ...body, reason }), onSuccess: () => (onDone(), onClose()) });
  const any = (list: readonly string[]) => [{ value: '', label: 'any' }, ...list.map((v) => ({ value: v, label: v }))];
  return (
    <FormDialog title="How long is it kept?" submit="Keep it so long" error={save.error} pending={save.isPending} disabled={n === undefined || reason.trim() === ''} onClose={onClose} onSubmit={() => save.mutate()}>
      <Pick label="What" value={kind} options={Object.entries(kinds).map(([value, label]) => ({ value, label }))} onPick={setKind} />
      <Pick label="Team" value={team} options={any(teams)} onPick={setTeam} />
      <Pick label="Environment" value={environment} options={any(environments)} onPick={setEnvironment} />
      <TextInput label="Days" description="0 is for good" inputMode="numeric" value={age} onChange={(e) => setAge(e.currentTarget.value)} data-autofocus />
      <TextInput label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      <p role="status">{preview.error ? (preview.error as Error).message : preview.data ? preview.data.text : 'Counting…'}{preview.data && preview.data.back > 0 && ` ${plural(preview.data.back, 'run')} that would go now would stay.`}</p>
    </FormDialog>
  );
}

const erasables: Record<string, { title: string; label: string; hint: string }> = {
  user: { title: 'a person', label: 'User', hint: 'As telemetry and calls name them' },
  session: { title: 'a session', label: 'Session', hint: 'As senders name it: all of its runs' },
  run: { title: 'a run', label: 'Run', hint: 'Its id, run_…' },
};

function EraseDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [of, setOf] = useState('user');
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const look = useMutation({ mutationFn: () => api.post<Erasure>('/erasures', { [of]: name.trim(), dry_run: true }) });
  const act = useMutation({ mutationFn: () => api.post<Erasure>('/erasures', { [of]: name.trim(), reason }), onSuccess: () => void client.invalidateQueries({ queryKey: ['erasures'] }) });
  const shown = act.data ?? look.data;
  return (
    <FormDialog
      title={`Erase ${erasables[of]!.title}`}
      submit={act.data ? 'Done' : look.data ? 'Erase it for good' : 'Look what there is'}
      error={act.error ?? look.error}
      pending={look.isPending || act.isPending}
      disabled={name.trim() === '' || (!!look.data && !act.data && reason.trim() === '')}
      onClose={onClose}
      onSubmit={() => (act.data ? onClose() : look.data ? act.mutate() : look.mutate())}
    >
      {!look.data && <Pick label="What" value={of} options={Object.entries(erasables).map(([value, x]) => ({ value, label: x.title }))} onPick={setOf} />}
      <TextInput label={erasables[of]!.label} description={erasables[of]!.hint} value={name} disabled={!!look.data} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
      {look.data && !act.data && <TextInput label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} autoFocus />}
      {shown && (
        <div role="status">
          <p>{shown.text}</p>
          <ul>
            {shown.parts.map((p) => (
              <li key={p.part}>
                <b>{p.part}</b>: {p.error ? `failed: ${p.error}` : p.erased !== null ? `${count(p.erased)} erased` : p.holds !== null ? `${count(p.holds)} there` : 'cannot tell beforehand'}
                {p.left > 0 && p.part !== 'backups' && `, ${count(p.left)} left`}. <span className="muted">{p.note}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </FormDialog>
  );
}

function Erasures() {
  const may = useMay('ListErasures');
  const q = useQuery({ queryKey: ['erasures'], queryFn: ({ signal }) => api.get<List<Erasure>>('/erasures', undefined, signal), enabled: may, retry: false });
  if (!may) return null;
  return (
    <Panel title="Erasures">
      <ProblemNote error={q.error} />
      <KeyedTable
        label="Erasures"
        rows={q.data?.items ?? []}
        rowKey={(e) => e.id ?? e.at}
        empty={q.isSuccess && <Empty title="Nobody asked to be erased." small>A receipt says what each part did, and not of whom.</Empty>}
        fields={[
          { head: 'When', cell: (e) => <><Time at={e.at} /><span className={css.under}>{e.id}</span></> },
          { head: 'State', cell: (e) => (e.whole ? <Mark level="good" letter="W" label="whole" words /> : <Mark level="warn" letter="L" label="something is left" words />) },
          { head: 'Of', cell: (e) => erasables[e.of]?.title ?? e.of },
          { head: 'By', cell: (e) => <>{e.by}<span className={css.under}>{e.reason}</span></> },
          { head: 'Erased', num: true, cell: (e) => count(e.parts.reduce((n, p) => n + (p.erased ?? 0), 0)) },
        ]}
      />
    </Panel>
  );
}
