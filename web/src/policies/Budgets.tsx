import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Budget, List } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, Empty, Icon, KeyedTable, Meter, money, Panel, plural, ProblemNote, Time } from '../shared';
import { useTeams } from '../shell/TopBar';
import form from '../settings/settings.module.css';

const amount = (b: Budget, n: number) => (b.unit === 'money' ? (money(n, b.currency || 'USD') ?? String(n)) : `${count(n)} ${b.unit}`);
const of = (all: string[]) => all.map((v) => ({ value: v, label: v }));

/** share is how much of a budget is gone, with what is held back for calls in flight; of the fullest where each has its own. */
function shareOf(b: Budget): { spent: number; reserved: number } {
  const of = b.match === '*' ? b.fullest : b;
  return b.limit > 0 && of ? { spent: of.spent / b.limit, reserved: of.reserved / b.limit } : { spent: 0, reserved: 0 };
}

/** Budgets: what may be spent, what is, and what is held back for calls in flight. */
export function Budgets() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['budgets'], queryFn: ({ signal }) => api.get<List<Budget>>('/budgets', undefined, signal), refetchInterval: 10_000 });
  const may = useMay('PutBudget');
  const [edit, setEdit] = useState<Budget | 'new'>();
  const [open, setOpen] = useState<string>();
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/budgets/${encodeURIComponent(name)}`), onSettled: () => void client.invalidateQueries({ queryKey: ['budgets'] }) });
  // The fullest first: what will refuse next.
  const items = [...(q.data?.items ?? [])].sort((a, b) => shareOf(b).spent - shareOf(a).spent || a.name.localeCompare(b.name));
  const shown = items.find((b) => b.name === open);
  const make = may && (
    <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setEdit('new')}>
      Set a budget
    </Button>
  );
  return (
    <>
      <Panel title="Budgets" note={plural(items.length, 'budget')} actions={make}>
        <ProblemNote error={q.error ?? remove.error} />
        <KeyedTable
          label="Table of budgets"
          rows={items}
          rowKey={(b) => b.name}
          mark={(b) => (shareOf(b).spent >= 1 ? (b.hard ? 'bad' : 'warn') : shareOf(b).spent >= 0.8 ? 'warn' : undefined)}
          empty={q.isSuccess && <Empty title="There is no budget." actions={make}>Agents may spend without bound. A budget holds back the most a call can cost before it is made, and refuses what would go over.</Empty>}
          fields={[
            { head: 'Budget', cell: (b) => <>{b.name} {b.team && <Badge>{b.team}</Badge>} {b.built_in && <Badge title="From the configuration; it holds for every pilot">built in</Badge>} {!b.ready && <Badge tone="info" title="Reeve has just started and still reads what was spent">reading</Badge>}</> },
            { head: 'Counts for', cell: (b) => (b.match === '*' ? `each ${b.scope}, alone` : `${b.scope} ${b.match}`) },
            {
              head: 'Spent', width: '30%',
              cell: (b) => {
                const s = shareOf(b);
                const of = b.match === '*' ? b.fullest : b;
                if (!of) return <span className="muted">nobody has spent of it</span>;
                return (
                  <>
                    {b.match === '*' && <span className="muted">fullest: {b.fullest!.key}, </span>}
                    {amount(b, of.spent)} {of.reserved > 0 && <span className="muted">and {amount(b, of.reserved)} in flight</span>}
                    {of.unknown_calls > 0 && <Badge tone="warn" title="Nobody knows what they came to; what was held back for them stays spent">{plural(of.unknown_calls, 'call')} unknown</Badge>}
                    <Meter label={`${Math.round((s.spent + s.reserved) * 100)} % of ${b.name}`} parts={[{ share: s.spent, tone: s.spent >= 1 ? 'bad' : s.spent >= 0.8 ? 'warn' : undefined }, { share: s.reserved, tone: 'soft' }]} />
                  </>
                );
              },
            },
            { head: 'Limit', num: true, cell: (b) => amount(b, b.limit) },
            {
              head: 'Period',
              cell: (b) => (
                <>
                  {b.period === 'total' ? 'in total' : `a ${b.period}`}
                  {b.resets_at && <span className="muted">, anew <Time at={b.resets_at} /></span>}
                </>
              ),
            },
            { head: 'Beyond it', cell: (b) => (b.hard ? <Badge tone="bad">refuses</Badge> : <Badge tone="warn">warns</Badge>) },
            {
              head: 'Actions',
              end: true,
              cell: (b) => (
                <>
                  {b.match === '*' && (
                    <Button size="compact-xs" aria-expanded={open === b.name} onClick={() => setOpen(open === b.name ? undefined : b.name)}>
                      Shares
                    </Button>
                  )}
                  {may && !b.built_in && (
                    <>
                      <Button size="compact-xs" onClick={() => setEdit(b)}>
                        Change
                      </Button>
                      <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === b.name} onDo={() => remove.mutate(b.name)} />
                    </>
                  )}
                </>
              ),
            },
          ]}
        />
      </Panel>
      {shown && <Shares budget={shown} onClose={() => setOpen(undefined)} />}
      {edit && <BudgetDialog budget={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
    </>
  );
}

/** Shares of a budget that gives each its own: the fullest first. */
function Shares({ budget, onClose }: { budget: Budget; onClose: () => void }) {
  const q = useQuery({ queryKey: ['budgets', budget.name], queryFn: ({ signal }) => api.get<Budget>(`/budgets/${encodeURIComponent(budget.name)}`, undefined, signal), refetchInterval: 10_000 });
  const shares = q.data?.shares ?? [];
  return (
    <Panel title={`Shares of ${budget.name}`} note={q.isSuccess ? plural(shares.length, budget.scope) : undefined} actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={q.error} />
      <KeyedTable
        label={`Shares of ${budget.name}`}
        rows={shares.slice(0, 100)}
        rowKey={(s) => s.key}
        empty={q.isSuccess && <p className="muted" style={{ padding: '8px 12px' }}>Nobody has spent of it in this period.</p>}
        fields={[
          { head: budget.scope[0]!.toUpperCase() + budget.scope.slice(1), width: '30%', cell: (s) => s.key || <span className="muted">none named</span> },
          { head: 'Spent', num: true, width: '14%', cell: (s) => amount(budget, s.spent) },
          { head: 'In flight', num: true, width: '14%', cell: (s) => amount(budget, s.reserved) },
          { head: 'Left', num: true, width: '14%', cell: (s) => amount(budget, Math.max(0, budget.limit - s.spent - s.reserved)) },
          { head: 'Of its limit', cell: (s) => <Meter label={`${Math.round(((s.spent + s.reserved) / budget.limit) * 100)} % of ${s.key}`} parts={[{ share: s.spent / budget.limit, tone: s.spent >= budget.limit ? 'bad' : s.spent >= 0.8 * budget.limit ? 'warn' : undefined }, { share: s.reserved / budget.limit, tone: 'soft' }]} /> },
        ]}
      />
    </Panel>
  );
}

function BudgetDialog({ budget, onClose }: { budget: Budget | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const [name, setName] = useState(budget?.name ?? '');
  const [scope, setScope] = useState(budget?.scope ?? 'team');
  const [match, setMatch] = useState(budget?.match ?? '');
  const [unit, setUnit] = useState(budget?.unit ?? 'money');
  const [limit, setLimit] = useState(budget ? String(budget.limit) : '');
  const [period, setPeriod] = useState(budget?.period ?? 'day');
  const [hard, setHard] = useState(budget?.hard ?? true);
  const [team, setTeam] = useState(budget?.team ?? '');
  const save = useMutation({
    mutationFn: () => api.put(`/budgets/${encodeURIComponent(name.trim())}`, { scope, match: match.trim() || '*', unit, limit: Number(limit), period, hard, team, revision: budget?.revision ?? 0 }),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['budgets'] }),
  });
  return (
    <FormDialog title={budget ? `Change ${budget.name}` : 'Set a budget'} submit="Set" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={560} disabled={!(Number(limit) > 0)}>
      <TextInput label="Name" required withAsterisk={false} disabled={!!budget} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
      <div className={form.two}>
        <Pick label="Counts by" value={scope} options={of(['agent', 'user', 'task', 'team'])} onPick={setScope} />
        <TextInput label={`Which ${scope}`} placeholder={`* gives each ${scope} its own`} value={match} onChange={(e) => setMatch(e.currentTarget.value)} />
        <TextInput label={unit === 'money' ? 'Limit, USD' : `Limit, ${unit}`} required withAsterisk={false} inputMode="decimal" value={limit} onChange={(e) => setLimit(e.currentTarget.value.replace(/[^0-9.]/g, ''))} />
        <Pick label="Unit" value={unit} options={of(['money', 'tokens', 'calls'])} onPick={setUnit} />
        <Pick label="Period" value={period} options={[...of(['hour', 'day', 'week', 'month']), { value: 'total', label: 'in total' }]} onPick={setPeriod} />
        <Pick label="Owned by" value={team} options={[{ value: '', label: 'security' }, ...teams.map((t) => ({ value: t, label: `team ${t}` }))]} onPick={setTeam} />
      </div>
      <Checkbox label="Refuse what would go over it (else warn)" checked={hard} onChange={(e) => setHard(e.currentTarget.checked)} />
    </FormDialog>
  );
}
