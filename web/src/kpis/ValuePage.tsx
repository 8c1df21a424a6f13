import { Button, TextInput } from '@mantine/core';
import '../theme/forms';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Assumption, List, ValueAssumptions, ValueLedger } from '../api/types';
import { count, Empty, Facts, Figure, KeyedTable, money, PageBody, PageHeader, Panel, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { useView } from '../state/url';
import { visible } from '../tools/data';
import css from './kpis.module.css';

const nothing: Assumption = { value: 0, low: 0, high: 0 };
const harms = ['failed', 'abandoned', 'escalated', 'deflected'];

/** Row is one assumption as the form has it. */
interface Row {
  name: string;
  about: string;
  is: Assumption;
}

const taskName = (t: string) => (t === '' ? 'any other task' : visible(t));

/** rowsOf lists assumptions as the server names them in its sensitivity. */
function rowsOf(a: ValueAssumptions | null | undefined): Row[] {
  const tasks = a?.tasks ?? { '': { minutes: nothing, money: nothing } };
  return [
    { name: 'hour', about: "An hour of people's time", is: a?.hour ?? nothing },
    ...Object.keys(tasks).sort().flatMap((t) => [
      { name: `tasks.${t}.minutes`, about: `Minutes saved by a resolved run: ${taskName(t)}`, is: tasks[t]!.minutes },
      { name: `tasks.${t}.money`, about: `Money beside them: ${taskName(t)}`, is: tasks[t]!.money },
    ]),
    ...harms.map((h) => ({ name: `harm.${h}`, about: `Harm of a run that ends ${h}`, is: a?.harm?.[h] ?? nothing })),
  ];
}

/** assumptionsOf is what the form's rows say. */
function assumptionsOf(rows: Row[], source: string, reason: string, version: number) {
  const out = { hour: nothing, tasks: {} as Record<string, { minutes: Assumption; money: Assumption }>, harm: {} as Record<string, Assumption>, source, reason, version };
  for (const r of rows) {
    if (r.name === 'hour') out.hour = r.is;
    else if (r.name.startsWith('harm.')) out.harm[r.name.slice(5)] = r.is;
    else {
      const at = r.name.lastIndexOf('.');
      const task = r.name.slice(6, at);
      out.tasks[task] ??= { minutes: nothing, money: nothing };
      out.tasks[task]![r.name.slice(at + 1) as 'minutes' | 'money'] = r.is;
    }
  }
  return out;
}

/** ValuePage: what is it worth? Value less models, people and harm, with what each assumption moves. */
export function ValuePage() {
  const view = useView();
  const [edits, setEdits] = useState(false);
  const scope = { from: view.from, to: view.to, environment: view.env || undefined, team: view.team || undefined };
  const q = useQuery({ queryKey: ['value', scope], queryFn: ({ signal }) => api.get<ValueLedger>('/value', scope, signal), refetchInterval: 60_000, placeholderData: (old) => old });
  const may = useMay('PutAssumptions');
  const l = q.data;
  const m = (v: number | null | undefined) => money(v, l?.currency) ?? 'unknown';
  // Minutes are named so; all else that is assumed is money.
  const assumed = (name: string, v: number) => (name.endsWith('.minutes') ? `${v} min` : m(v));
  const has = l && l.assumptions && typeof l.net === 'number';
  useShortcuts('Value', may ? [{ keys: 'e', label: 'Change the assumptions', run: () => setEdits(true) }] : []);
  return (
    <>
      <PageHeader
        title="Value"
        question="What is it worth?"
        answer={
          l &&
          (has ? (
            <>
              <strong>{m(l.net)}</strong> net, between {m(l.low)} and {m(l.high)} as the assumptions may be off; {plural(l.valued, 'run')} of {count(l.runs)} with a known outcome are worth something{l.unknown > 0 && `, of ${count(l.unknown)} the outcome is unknown`}.
            </>
          ) : (
            'Nobody has said what runs are worth.'
          ))
        }
      />
      <PageBody width={1560}>
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {has && (
          <>
            <Panel title="The ledger" note={`by version ${l.assumptions!.version} of the assumptions: ${visible(l.assumptions!.source)}`} padded>
              <Facts>
                <dt>Value</dt>
                <dd>{m(l.value)}</dd>
                <dt>Less models</dt>
                <dd>
                  {m(l.cost)} {l.priced < l.runs && <span className="muted">without {plural(l.runs - l.priced, 'run')} whose cost is not known</span>}
                </dd>
                <dt>Less people</dt>
                <dd>{m(l.people)}</dd>
                <dt>Less harm</dt>
                <dd>{m(l.harm)}</dd>
                <dt>Net</dt>
                <dd>
                  <strong>{m(l.net)}</strong> <span className="muted">{m(l.low)} to {m(l.high)}</span>
                </dd>
              </Facts>
            </Panel>
            <Panel title="What each assumption moves" note="net value with that one alone as low, and as high, as it may be; the largest first">
              <KeyedTable
                label="Sensitivity"
                rows={l.sensitivity.filter((s) => s.net_low !== s.net_high).slice(0, 30)}
                rowKey={(s) => s.name}
                mark={(s) => (Math.min(s.net_low, s.net_high) < 0 && Math.max(s.net_low, s.net_high) > 0 ? 'warn' : undefined)}
                empty={<Empty small title="None moves it.">Each low is its high, or nothing that they are about happened.</Empty>}
                fields={[
                  { head: 'Assumption', cell: (s) => rowsOf(l.assumptions).find((r) => r.name === s.name)?.about ?? visible(s.name) },
                  { head: 'From', num: true, cell: (s) => assumed(s.name, s.low) },
                  { head: 'To', num: true, cell: (s) => assumed(s.name, s.high) },
                  { head: 'Net at low', num: true, cell: (s) => m(s.net_low) },
                  { head: 'Net at high', num: true, cell: (s) => m(s.net_high) },
                ]}
              />
            </Panel>
            <Panel title="By task and outcome">
              <KeyedTable
                label="Lines of the ledger"
                rows={l.lines}
                rowKey={(x) => `${x.task}\t${x.outcome}`}
                empty={<Empty small title="No run of this period has a known outcome." />}
                fields={[
                  { head: 'Task', cell: (x) => (x.task ? visible(x.task) : <Unknown why="Its runs name no task." />) },
                  { head: 'Outcome', cell: (x) => x.outcome },
                  { head: 'Runs', num: true, cell: (x) => <Figure to="/runs" search={{ q: x.records }} title="Open the records behind it">{count(x.runs)}</Figure> },
                  { head: 'Value', num: true, cell: (x) => m(x.value) },
                  { head: 'Models', num: true, cell: (x) => m(x.cost) },
                  { head: 'Minutes of people', num: true, cell: (x) => count(Math.round(x.people_minutes)) },
                  { head: 'Harm', num: true, cell: (x) => m(x.harm) },
                ]}
              />
            </Panel>
          </>
        )}
        {l && (edits || !l.assumptions) && may && <Assume key={l.assumptions?.version ?? 0} now={l.assumptions} currency={l.currency || 'USD'} onDone={() => setEdits(false)} />}
        {l && l.assumptions && !edits && may && (
          <div>
            <Button size="compact-sm" variant="default" onClick={() => setEdits(true)}>
              Change the assumptions
            </Button>
          </div>
        )}
        {l && !l.assumptions && !may && <Empty title="There is no ledger yet.">A developer of all teams says what a resolved run of each task is worth.</Empty>}
        <Versions currency={l?.currency || 'USD'} />
      </PageBody>
    </>
  );
}

/** Assume is the form for the next version of the assumptions. */
function Assume({ now, currency, onDone }: { now: ValueAssumptions | null | undefined; currency: string; onDone: () => void }) {
  const client = useQueryClient();
  const [rows, setRows] = useState(() => rowsOf(now));
  const [source, setSource] = useState(now?.source ?? '');
  const [reason, setReason] = useState('');
  const [task, setTask] = useState('');
  const save = useMutation({
    mutationFn: () => api.put<ValueAssumptions>('/value/assumptions', assumptionsOf(rows.map((r) => ({ ...r, is: { low: number(r, 'low'), value: number(r, 'value'), high: number(r, 'high') } })), source, reason, now?.version ?? 0)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['value'] });
      void client.invalidateQueries({ queryKey: ['value-versions'] });
      onDone();
    },
  });
  const [typed, setTyped] = useState<Record<string, string>>({});
  const said = (r: Row, part: keyof Assumption) => typed[`${r.name} ${part}`] ?? String(r.is[part]);
  // What is no number is refused by the server, as a negative one is.
  const number = (r: Row, part: keyof Assumption) => (said(r, part).trim() === '' || Number.isNaN(Number(said(r, part))) ? -1 : Number(said(r, part)));
  const add = () => {
    const t = task.trim();
    if (t && !rows.some((r) => r.name === `tasks.${t}.minutes`)) setRows([...rows.slice(0, 1), { name: `tasks.${t}.minutes`, about: `Minutes saved by a resolved run: ${t}`, is: nothing }, { name: `tasks.${t}.money`, about: `Money beside them: ${t}`, is: nothing }, ...rows.slice(1)]);
    setTask('');
  };
  const field = (r: Row, part: keyof Assumption) => <TextInput size="xs" w={90} inputMode="decimal" aria-label={`${r.about}, ${part}`} value={said(r, part)} onChange={(e) => { const v = e.currentTarget.value; setTyped((old) => ({ ...old, [`${r.name} ${part}`]: v })); }} />;
  return (
    <Panel title={now ? `The next version, after ${now.version}` : 'What runs are worth'} note={`each with how low and how high it may be, money in ${currency}; the old version stays`} padded>
      <form
        className={css.assume}
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <ProblemNote error={save.error} />
        <KeyedTable
          label="Assumptions"
          rows={rows}
          rowKey={(r) => r.name}
          fields={[
            { head: 'Assumption', cell: (r) => r.about },
            { head: 'Low', cell: (r) => field(r, 'low') },
            { head: 'Value', cell: (r) => field(r, 'value') },
            { head: 'High', cell: (r) => field(r, 'high') },
          ]}
        />
        <div className={css.fields}>
          <TextInput size="xs" label="A task of its own" value={task} onChange={(e) => setTask(e.currentTarget.value)} />
          <Button size="xs" variant="default" disabled={!task.trim()} onClick={add}>
            Add the task
          </Button>
        </div>
        <div className={css.fields}>
          <TextInput size="xs" label="Where they are from" required withAsterisk={false} value={source} onChange={(e) => setSource(e.currentTarget.value)} />
          <TextInput size="xs" label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <Button size="xs" type="submit" loading={save.isPending}>
            Put them in force
          </Button>
          {now && (
            <Button size="xs" variant="default" onClick={onDone}>
              Leave
            </Button>
          )}
        </div>
      </form>
    </Panel>
  );
}

/** Versions are the assumptions that were in force. */
function Versions({ currency }: { currency: string }) {
  const q = useQuery({ queryKey: ['value-versions'], queryFn: ({ signal }) => api.get<List<ValueAssumptions>>('/value/assumptions', undefined, signal) });
  const all = q.data?.items ?? [];
  if (all.length === 0) return <ProblemNote error={q.error} />;
  return (
    <Panel title="Versions of the assumptions">
      <KeyedTable
        label="Versions"
        rows={all}
        rowKey={(a) => String(a.version)}
        fields={[
          { head: 'Version', num: true, cell: (a) => a.version },
          { head: 'From', cell: (a) => visible(a.source) },
          { head: 'Hour', num: true, cell: (a) => `${money(a.hour.value, currency)} (${money(a.hour.low, currency)} to ${money(a.hour.high, currency)})` },
          { head: 'Tasks', num: true, cell: (a) => Object.keys(a.tasks ?? {}).length },
          { head: 'By', cell: (a) => visible(a.by ?? '') },
          { head: 'At', cell: (a) => <Time at={a.at} /> },
          { head: 'Reason', cell: (a) => visible(a.reason ?? '') },
        ]}
      />
    </Panel>
  );
}
