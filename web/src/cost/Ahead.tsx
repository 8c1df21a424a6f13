import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { CostFile, CostForecast, Dependency, DependencyShare, IdleAgent, List, MonthlyReport, Savings } from '../api/types';
import { where } from '../agents/data';
import { Badge, Empty, Figure, KeyedTable, Mark, money, Panel, percent, plural, ProblemNote, Tabs, Time, Unknown } from '../shared';
import type { CurrentView } from '../state/url';
import css from './cost.module.css';

/** Ahead is what the month will come to, beside budgets and findings about cost. */
export function Ahead({ view }: { view: CurrentView }) {
  const params = { environment: view.env || undefined, team: view.team || undefined };
  const q = useQuery({ queryKey: ['cost-forecast', params], queryFn: ({ signal }) => api.get<CostForecast>('/cost/forecast', params, signal), refetchInterval: 60_000 });
  const f = q.data;
  if (!f) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  const m = (v: number) => money(v, f.currency);
  return (
    <Panel title="This month" note={`to ${f.to.slice(0, 10)}, whatever period is chosen above`}>
      <p className={css.words}>
        {m(f.spent)} spent until now{f.unpriced > 0 && `, without ${plural(f.unpriced, 'call')} that have no price`}.{' '}
        {f.expected === null || f.expected === undefined ? (
          <>There is no forecast: {f.why}.</>
        ) : (
          <span title={f.method}>
            It will come to <strong>{m(f.expected)}</strong>, between {m(f.low ?? 0)} and {m(f.high ?? 0)} in 95 of 100 cases (learned from {plural(f.days, 'day')}).
          </span>
        )}
      </p>
      {f.budgets.length > 0 && (
        <KeyedTable
          label="Budgets of the month"
          rows={f.budgets}
          rowKey={(b) => b.name}
          mark={(b) => ((b.chance ?? 0) > 0.5 ? 'warn' : undefined)}
          fields={[
            { head: 'Budget', cell: (b) => b.name },
            { head: 'For', cell: (b) => `${b.scope} ${b.match}` },
            { head: 'Spent', num: true, cell: (b) => `${money(b.spent)} of ${money(b.limit)}` },
            { head: 'Expected', num: true, cell: (b) => (b.expected === null || b.expected === undefined ? <Unknown why="Too few days, or a part of what it counts is not yours to see." /> : money(b.expected)) },
            { head: 'Passed with chance', num: true, cell: (b) => (b.chance === null || b.chance === undefined ? '' : percent(b.chance)) },
          ]}
        />
      )}
      {f.anomalies.length > 0 && (
        <KeyedTable
          label="Findings about cost"
          rows={f.anomalies.slice(0, 8)}
          rowKey={(a) => a.id}
          fields={[
            { head: 'Finding', cell: (a) => <Figure to="/findings" search={{ finding: a.id }}>{a.text}</Figure> },
            { head: 'Agent', cell: (a) => a.agent || <Unknown why="No agent was named." /> },
            { head: 'State', cell: (a) => (a.open ? <Badge tone="warn">open</Badge> : <Badge>closed</Badge>) },
            { head: 'Last seen', num: true, cell: (a) => <Time at={a.at} /> },
          ]}
        />
      )}
    </Panel>
  );
}

const kinds = [
  { id: 'providers', label: 'Providers' },
  { id: 'models', label: 'Models' },
  { id: 'regions', label: 'Regions' },
] as const;

/** Depends is what hangs on each provider, model and region, and what an outage would reach. */
export function Depends({ view }: { view: CurrentView }) {
  const [kind, setKind] = useState<'providers' | 'models' | 'regions'>('providers');
  const params = { from: view.from, to: view.to, where: where(view) || undefined };
  const q = useQuery({ queryKey: ['cost-dependency', params], queryFn: ({ signal }) => api.get<Dependency>('/cost/dependency', params, signal), refetchInterval: 60_000 });
  const d = q.data;
  if (!d) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  const rows = d[kind];
  const gone = (s: DependencyShare) => s.deprecated && new Date(s.deprecated).getTime() <= Date.now();
  return (
    <Panel title="What hangs on whom" note={d.calls > 0 ? `two calls picked at random go to the same provider with chance ${d.concentration.toFixed(2)}; evenly spread it were ${d.even.toFixed(2)}` : undefined}>
      <div className={css.words}>
        <Tabs label="Kind" tabs={kinds.map((k) => ({ id: k.id, label: k.label }))} on={kind} onPick={(id) => setKind(id as typeof kind)} />
      </div>
      <KeyedTable
        label={`What hangs on ${kind}`}
        rows={rows}
        rowKey={(s) => `${s.name}\t${s.provider ?? ''}`}
        mark={(s) => (gone(s) ? 'bad' : s.deprecated ? 'warn' : undefined)}
        empty={<Empty small title="No model was called in this period.">What an outage would reach is told from the calls.</Empty>}
        fields={[
          { head: kinds.find((k) => k.id === kind)!.label.slice(0, -1), cell: (s) => (s.name ? <>{s.name} {s.provider && <span className="muted">{s.provider}</span>}</> : <Unknown why={kind === 'regions' ? 'Neither the model’s name nor its upstream says where it is.' : 'The sender named none.'} />) },
          { head: 'Share of calls', num: true, cell: (s) => percent(s.share) },
          { head: 'Cost', num: true, cell: (s) => (s.cost === null || s.cost === undefined ? <Unknown why="No price is known for its calls." /> : money(s.cost, d.currency)) },
          { head: 'An outage reaches', cell: (s) => <span title={s.agents.map((a) => `${a.agent || 'not named'}: ${percent(a.share)} of its calls`).join('\n')}>{plural(s.agents.length, 'agent')}{kind !== 'regions' && `, ${plural(s.runs, 'run')}, ${plural(s.users, 'user')}`}, {s.daily_calls.toFixed(0)} calls a day</span> },
          { head: 'Deprecated', cell: (s) => (s.deprecated ? <Mark level={gone(s) ? 'bad' : 'warn'} letter="D" label={`from ${s.deprecated.slice(0, 10)}`} words /> : <span className="muted">nobody said</span>) },
          { head: 'Instead', cell: (s) => s.fallbacks.join(', ') || <span className="muted">nothing</span> },
        ]}
      />
    </Panel>
  );
}

/** Saved is what could have been saved: looked for when somebody asks, since it reads the calls one by one. */
export function Saved({ view }: { view: CurrentView }) {
  const params = { from: view.from, to: view.to, environment: view.env || undefined, team: view.team || undefined };
  const look = useMutation({ mutationFn: () => api.get<Savings>('/cost/savings', params) });
  const s = look.data;
  return (
    <Panel
      title="What could be saved"
      note="with the runs that show it"
      actions={
        <Button size="compact-xs" loading={look.isPending} onClick={() => look.mutate()}>
          {s ? 'Look again' : 'Look for savings'}
        </Button>
      }
    >
      <ProblemNote error={look.error} />
      {s?.items.map((i) => (
        <section key={i.id} className={css.rec} aria-label={i.title}>
          <p className={css.words}>
            <strong>{i.title}:</strong> {i.at_most && 'at most '}
            {i.figure === null || i.figure === undefined ? 'unknown' : money(i.figure, s.currency)} of {plural(i.calls, 'call')}
            {i.unpriced > 0 && `, without ${plural(i.unpriced, 'call')} that have no price`}. {i.checked > 0 && <>Of the runs below ({money(i.checked, s.currency)}) their messages prove {money(i.proved, s.currency)}. </>}
            <span className="soft">The figure: {i.how}. {i.calls > 0 && <>To do: {i.do}.</>}</span>
          </p>
          {i.runs.length > 0 && (
            <KeyedTable
              label={`Runs behind ${i.title.toLowerCase()}`}
              rows={i.runs.slice(0, 8)}
              rowKey={(r) => r.run}
              fields={[
                { head: 'Run', cell: (r) => <Figure to="/runs/$runId" params={{ runId: r.run }}>{r.run.slice(0, 14)}…</Figure> },
                { head: 'Agent', cell: (r) => r.agent || <Unknown why="The sender named no agent." /> },
                { head: 'Saves', num: true, cell: (r) => money(r.figure, s.currency) },
                { head: 'Shown by', cell: (r) => <><Badge tone={r.proved ? 'good' : undefined}>{r.proved ? 'proved' : 'by length'}</Badge> <span className="soft">{r.what}</span></> },
              ]}
            />
          )}
        </section>
      ))}
      {s && <p className={css.words}>{plural(s.looked, 'call')} looked at{s.cut && '; there are more in the period'}.</p>}
    </Panel>
  );
}

/** Idle are the agents that nobody used for a month. */
export function Idle() {
  const seen = useMay('ListIdleAgents');
  const q = useQuery({ queryKey: ['idle-agents'], queryFn: ({ signal }) => api.get<List<IdleAgent>>('/cost/idle-agents', undefined, signal), enabled: seen, refetchInterval: 300_000 });
  const items = q.data?.items ?? [];
  if (items.length === 0) return <ProblemNote error={q.error} />;
  return (
    <Panel title="Agents that nobody used" note="for 30 days">
      <KeyedTable
        label="Agents that nobody used"
        rows={items}
        rowKey={(a) => a.agent}
        fields={[
          { head: 'Agent', cell: (a) => <Link className="link" to="/agents/$name" params={{ name: a.agent }}>{a.agent}</Link> },
          { head: 'Team', cell: (a) => a.team },
          { head: 'Owner', cell: (a) => a.owner || <Badge tone="warn">nobody</Badge> },
          { head: 'Lifecycle', cell: (a) => a.lifecycle },
          { head: 'Last seen', num: true, cell: (a) => (a.last_seen ? <Time at={a.last_seen} /> : 'never') },
        ]}
      />
    </Panel>
  );
}

function save(name: string, parts: BlobPart[], type: string) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Files are a month as files to hand on. */
export function Files() {
  const months = Array.from({ length: 12 }, (_, i) => {
    const d = new Date();
    return new Date(Date.UTC(d.getFullYear(), d.getMonth() - i, 15)).toISOString().slice(0, 7);
  });
  const [month, setMonth] = useState(months[0]!);
  const [said, say] = useState('');
  const file = useMutation({
    mutationFn: (kind: string) => api.get<CostFile>('/cost/file', { kind, month }),
    onSuccess: (f) => {
      save(f.name, [f.text], f.type);
      say(`${f.name}: ${plural(f.rows, 'row')}, ${money(f.total, f.currency)}${f.unpriced > 0 ? `; ${plural(f.unpriced, 'call')} without a price are not in it` : ''}.`);
    },
  });
  const report = useMutation({
    mutationFn: () => api.get<MonthlyReport>('/cost/report', { month, pdf: true }),
    onSuccess: (r) => {
      save(`cost-${r.month}.pdf`, [Uint8Array.from(atob(r.pdf ?? ''), (c) => c.charCodeAt(0))], 'application/pdf');
      say(`The report of ${r.month} is saved.`);
    },
  });
  return (
    <Panel title="A month as a file" padded>
      <div className={css.files}>
        <label>
          Month{' '}
          <select value={month} onChange={(e) => setMonth(e.currentTarget.value)}>
            {months.map((m) => (
              <option key={m}>{m}</option>
            ))}
          </select>
        </label>
        <Button size="compact-sm" loading={file.isPending && file.variables === 'chargeback'} onClick={() => file.mutate('chargeback')}>Chargeback (CSV)</Button>
        <Button size="compact-sm" loading={file.isPending && file.variables === 'focus'} onClick={() => file.mutate('focus')}>FOCUS 1.2 (CSV)</Button>
        <Button size="compact-sm" loading={report.isPending} onClick={() => report.mutate()}>Report (PDF)</Button>
        <span role="status" className="soft">{said}</span>
      </div>
      <ProblemNote error={file.error ?? report.error} />
    </Panel>
  );
}
