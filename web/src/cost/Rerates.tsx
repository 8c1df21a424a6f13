import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Rerate } from '../api/types';
import { count, Empty, KeyedTable, Mark, money, Panel, plural, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { Sure } from '../settings/parts';
import css from './cost.module.css';

const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'idle' | 'info'; letter: string; label: string }> = {
  planning: { level: 'info', letter: 'R', label: 'reading' },
  planned: { level: 'idle', letter: 'P', label: 'planned' },
  applying: { level: 'info', letter: 'R', label: 'being applied' },
  applied: { level: 'good', letter: 'A', label: 'applied' },
  undoing: { level: 'info', letter: 'R', label: 'being undone' },
  undone: { level: 'idle', letter: 'U', label: 'undone' },
  failed: { level: 'bad', letter: 'X', label: 'failed' },
};
const works = (r: Rerate) => r.state === 'planning' || r.state === 'applying' || r.state === 'undoing';
const sum = (v: number | null | undefined, currency = 'USD') => (v === null || v === undefined ? <Unknown why="None of these calls has a price." /> : money(v, currency));

/** Rerates prices the calls of the period again: planned, shown, applied, undone. */
export function Rerates({ from, to }: { from: string; to: string }) {
  const client = useQueryClient();
  const seen = useMay('ListRerates');
  const may = useMay('PlanRerate');
  const [open, setOpen] = useState<string>();
  const q = useQuery({
    queryKey: ['rerates'], queryFn: ({ signal }) => api.get<List<Rerate>>('/cost/rerates', undefined, signal), enabled: seen, retry: false,
    refetchInterval: (s) => ((s.state.data?.items ?? []).some(works) ? 500 : false),
  });
  const again = () => void client.invalidateQueries({ queryKey: ['rerates'] });
  const plan = useMutation({
    mutationFn: () => api.post<Rerate>('/cost/rerates', { from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
    onSuccess: (r) => {
      setOpen(r.id);
      again();
    },
  });
  const act = useMutation({ mutationFn: ({ id, verb }: { id: string; verb: 'apply' | 'undo' }) => api.post(`/cost/rerates/${id}/${verb}`), onSettled: again });
  useShortcuts('Cost, prices', may ? [{ keys: 'p', label: 'Price this period again', run: () => plan.mutate() }] : []);
  if (!seen) return null;
  const items = q.data?.items ?? [];
  const shown = items.find((r) => r.id === open);
  return (
    <Panel
      title="Priced again"
      note="after prices changed; costs that their sender gave stay"
      actions={may && <Button size="compact-xs" loading={plan.isPending} onClick={() => plan.mutate()}>Price this period again</Button>}
    >
      <ProblemNote error={q.error ?? plan.error ?? act.error} />
      <KeyedTable
        label="Times that were priced again"
        rows={items}
        rowKey={(r) => r.id}
        mark={(r) => (r.state === 'failed' ? 'bad' : r.id === open ? 'good' : undefined)}
        empty={q.isSuccess && <Empty small title="Nothing was priced again.">Calls are priced when they come. After a price change the period above can be priced anew: the difference is shown first.</Empty>}
        fields={[
          { head: 'Time', cell: (r) => <Button size="compact-xs" variant={r.id === open ? 'filled' : 'default'} aria-pressed={r.id === open} onClick={() => setOpen(r.id === open ? undefined : r.id)}>{r.from.slice(0, 10)} to {r.to.slice(0, 10)}</Button> },
          { head: 'State', cell: (r) => <span title={r.error}><Mark {...(states[r.state] ?? states.failed!)} words />{works(r) && ` ${r.days_done} of ${plural(r.days, 'day')}`}</span> },
          { head: 'Calls', num: true, cell: (r) => count(r.calls) },
          { head: 'Differ', num: true, cell: (r) => count(r.changed) },
          { head: 'Before', num: true, cell: (r) => (r.changed > 0 ? sum(r.before) : '') },
          { head: 'After', num: true, cell: (r) => (r.changed > 0 ? sum(r.after) : '') },
          { head: 'By', cell: (r) => <>{r.person} <Time at={r.created_at} /></> },
          {
            head: 'Actions',
            end: true,
            cell: (r) =>
              may && (
                <>
                  {(r.state === 'planned' || r.state === 'undone') && r.changed > 0 && r.prices === 'in_force' && <Sure label="Apply" sure="Apply now" pending={act.isPending && act.variables.id === r.id} onDo={() => act.mutate({ id: r.id, verb: 'apply' })} />}
                  {r.state === 'applied' && <Sure label="Undo" sure="Undo now" pending={act.isPending && act.variables.id === r.id} onDo={() => act.mutate({ id: r.id, verb: 'undo' })} />}
                </>
              ),
          },
        ]}
      />
      {shown && !works(shown) && (
        <section aria-label="What differs" className={css.rec}>
          <p className={css.words} role="status">
            {shown.changed === 0 ? <>Nothing differs: {plural(shown.calls, 'call')} cost what the prices in force say.</> : <>{plural(shown.changed, 'call')} of {count(shown.calls)} {shown.state === 'applied' ? 'changed' : 'would change'}; {plural(shown.given, 'call')} keep what their sender gave.</>}
          </p>
          <KeyedTable
            label="Models whose calls differ"
            rows={shown.rows}
            rowKey={(x) => `${x.provider}\t${x.model}\t${x.currency}`}
            fields={[
              { head: 'Model', cell: (x) => <>{x.model || <span className="muted">none named</span>}{x.provider && <span className="muted"> {x.provider}</span>}</> },
              { head: 'Differ', num: true, cell: (x) => <>{count(x.changed)} <span className="muted">of {count(x.calls)}</span></> },
              { head: 'Before', num: true, cell: (x) => sum(x.before, x.currency) },
              { head: 'After', num: true, cell: (x) => sum(x.after, x.currency) },
              { head: 'Newly priced', num: true, cell: (x) => count(x.newly_known) },
              { head: 'Without a price now', num: true, cell: (x) => count(x.now_unknown) },
            ]}
          />
        </section>
      )}
    </Panel>
  );
}
