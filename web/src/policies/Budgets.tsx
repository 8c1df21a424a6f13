import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Budget, List } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, Empty, Icon, money, Panel, plural, ProblemNote, Time } from '../shared';
import { useTeams } from '../shell/TopBar';
import css from './policies.module.css';
import form from '../settings/settings.module.css';

const amount = (b: Budget, n: number) => (b.unit === 'money' ? (money(n, b.currency || 'USD') ?? String(n)) : `${count(n)} ${b.unit}`);
const of = (all: string[]) => all.map((v) => ({ value: v, label: v }));

/** Budgets: what may be spent, what is, and what is held back for calls in flight. */
export function Budgets() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['budgets'], queryFn: ({ signal }) => api.get<List<Budget>>('/budgets', undefined, signal), refetchInterval: 10_000 });
  const may = useMay('PutBudget');
  const [edit, setEdit] = useState<Budget | 'new'>();
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/budgets/${encodeURIComponent(name)}`), onSettled: () => void client.invalidateQueries({ queryKey: ['budgets'] }) });
  const items = q.data?.items ?? [];
  const make = may && (
    <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setEdit('new')}>
      Set a budget
    </Button>
  );
  return (
    <Panel title="Budgets" note={plural(items.length, 'budget')} actions={make}>
      <ProblemNote error={q.error ?? remove.error} />
      {q.isSuccess && items.length === 0 ? (
        <Empty title="There is no budget." actions={make}>Agents may spend without bound. A budget holds back the most a call can cost before it is made, and refuses what would go over.</Empty>
      ) : (
        <div className={css.scroll} tabIndex={0} role="region" aria-label="Table of budgets">
          <table className={css.table}>
            <thead>
              <tr>
                <th>Budget</th>
                <th>Counts for</th>
                <th style={{ width: '28%' }}>Spent</th>
                <th>Limit</th>
                <th>Period</th>
                <th>Beyond it</th>
                <th>
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((b) => {
                const share = b.limit > 0 ? (b.spent + b.reserved) / b.limit : 0;
                return (
                  <tr key={b.name}>
                    <td>
                      {b.name} {b.team && <Badge>{b.team}</Badge>}
                    </td>
                    <td>{b.match === '*' ? `each ${b.scope}, alone` : `${b.scope} ${b.match}`}</td>
                    <td>
                      {b.match === '*' ? (
                        <span className="muted">each {b.scope} has its own</span>
                      ) : (
                        <>
                          {amount(b, b.spent)} {b.reserved > 0 && <span className="muted">and {amount(b, b.reserved)} in flight</span>}
                          <span className={css.meter} role="img" aria-label={`${Math.round(share * 100)} % of ${b.name}`}>
                            <span style={{ width: `${Math.min(100, share * 100)}%` }} data-over={share >= 1 || undefined} />
                          </span>
                        </>
                      )}
                    </td>
                    <td className="num">{amount(b, b.limit)}</td>
                    <td>
                      {b.period === 'total' ? 'in total' : `a ${b.period}`}
                      {b.resets_at && (
                        <span className="muted">
                          , anew <Time at={b.resets_at} />
                        </span>
                      )}
                    </td>
                    <td>{b.hard ? <Badge tone="bad">refuses</Badge> : <Badge tone="warn">warns</Badge>}</td>
                    <td className={css.end}>
                      {may && (
                        <span style={{ display: 'inline-flex', gap: 4 }}>
                          <Button size="compact-xs" onClick={() => setEdit(b)}>
                            Change
                          </Button>
                          <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === b.name} onDo={() => remove.mutate(b.name)} />
                        </span>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {edit && <BudgetDialog budget={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
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
