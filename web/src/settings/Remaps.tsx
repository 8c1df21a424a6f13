import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Remap } from '../api/types';
import { count, Empty, KeyedTable, Mark, Panel, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { Sure } from './parts';
import css from './settings.module.css';

const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'idle' | 'info'; letter: string; label: string }> = {
  planning: { level: 'info', letter: 'R', label: 'reading' },
  planned: { level: 'idle', letter: 'P', label: 'planned' },
  applying: { level: 'info', letter: 'R', label: 'being applied' },
  applied: { level: 'good', letter: 'A', label: 'applied' },
  failed: { level: 'bad', letter: 'X', label: 'failed' },
};
const works = (r: Remap) => r.state === 'planning' || r.state === 'applying';

/** Remaps maps stored telemetry again by today's table: planned, shown, applied. */
export function Remaps() {
  const client = useQueryClient();
  const may = useMay('PlanRemap');
  const [open, setOpen] = useState<string>();
  const q = useQuery({
    queryKey: ['remaps'], queryFn: ({ signal }) => api.get<List<Remap>>('/remaps', undefined, signal), enabled: may, retry: false,
    refetchInterval: (s) => ((s.state.data?.items ?? []).some(works) ? 500 : 10_000),
  });
  const again = () => void client.invalidateQueries({ queryKey: ['remaps'] });
  const plan = useMutation({
    mutationFn: (all: boolean) => api.post<Remap>('/remaps', { all }),
    onSuccess: (r) => {
      setOpen(r.id);
      again();
    },
  });
  const apply = useMutation({ mutationFn: (id: string) => api.post(`/remaps/${id}/apply`), onSettled: again });
  useShortcuts('Retention, mapped again', may ? [{ keys: 'm', label: "Look what today's table makes otherwise", run: () => plan.mutate(false) }] : []);
  if (!may) return null;
  const items = q.data?.items ?? [];
  const shown = items.find((r) => r.id === open);
  return (
    <Panel
      title="Mapped again"
      note="after Reeve learned more of a vocabulary"
      actions={
        <>
          <Button size="compact-xs" loading={plan.isPending && plan.variables} onClick={() => plan.mutate(true)}>Look at everything</Button>
          <Button size="compact-xs" loading={plan.isPending && !plan.variables} onClick={() => plan.mutate(false)}>Look at older steps</Button>
        </>
      }
    >
      <ProblemNote error={q.error ?? plan.error ?? apply.error} />
      <KeyedTable
        label="Times that were mapped again"
        rows={items}
        rowKey={(r) => r.id}
        mark={(r) => (r.state === 'failed' ? 'bad' : r.id === open ? 'good' : undefined)}
        empty={q.isSuccess && <Empty small title="Nothing was mapped again.">Steps keep their attributes. After an update whose table reads more of them, older steps can be read anew: the difference is shown first.</Empty>}
        fields={[
          { head: 'Time', cell: (r) => <Button size="compact-xs" variant={r.id === open ? 'filled' : 'default'} aria-pressed={r.id === open} onClick={() => setOpen(r.id === open ? undefined : r.id)}>{r.from.slice(0, 10)} to {r.to.slice(0, 10)}</Button> },
          { head: 'State', cell: (r) => <span title={r.error}><Mark {...(states[r.state] ?? states.failed!)} words />{works(r) && ` ${r.days_done} of ${plural(r.days, 'day')}, ${plural(r.runs_done, 'run')}`}</span> },
          { head: 'Steps', num: true, cell: (r) => count(r.steps) },
          { head: 'Differ', num: true, cell: (r) => count(r.changed) },
          { head: 'Changed', num: true, cell: (r) => count(r.applied) },
          { head: 'By', cell: (r) => <>{r.person}<span className={css.under}><Time at={r.created_at} /></span></> },
          { head: 'Actions', end: true, cell: (r) => (r.state === 'planned' || r.state === 'failed') && r.changed > 0 && <Sure label="Apply" sure="Apply for good" pending={apply.isPending && apply.variables === r.id} onDo={() => apply.mutate(r.id)} /> },
        ]}
      />
      {shown && !works(shown) && <Difference r={shown} />}
    </Panel>
  );
}

/** Difference is what today's table makes otherwise, by dialect and by field. */
function Difference({ r }: { r: Remap }) {
  return (
    <section aria-label="What differs" className={css.differs}>
      <p className={css.says} role="status">
        {r.state === 'failed' && <>It failed: {r.error}. </>}
        {r.state !== 'failed' && r.failed > 0 && <>{plural(r.failed, 'run')} cannot be read and stay as they are: {r.error}. </>}
        {r.changed === 0 ? (
          <>Nothing differs: today's table makes the same of {plural(r.steps, r.all ? 'step' : 'older step')}.</>
        ) : (
          <>{plural(r.changed, 'step')} of {count(r.steps)} {r.state === 'applied' ? `differed; ${count(r.applied)} were changed` : 'would change'}. What today's table does not find stays; steps that do not differ keep the number of the table that made them.</>
        )}
      </p>
      {r.rows.length > 0 && (
        <KeyedTable
          label="Steps by vocabulary"
          rows={r.rows}
          rowKey={(x) => `${x.dialect} ${x.version}`}
          fields={[
            { head: 'Vocabulary', cell: (x) => x.dialect || <span className="muted">none</span> },
            { head: 'Table', num: true, cell: (x) => <>{x.version} <span className="muted">of {r.version}</span></> },
            { head: 'Steps', num: true, cell: (x) => count(x.steps) },
            { head: 'Differ', num: true, cell: (x) => count(x.changed) },
          ]}
        />
      )}
      {r.fields.length > 0 && (
        <KeyedTable
          label="Fields that differ"
          rows={r.fields.flatMap((f) => f.examples.map((e, i) => ({ ...e, field: f.field, steps: f.steps, i })))}
          rowKey={(x) => `${x.field} ${x.i}`}
          fields={[
            { head: 'Field', cell: (x) => (x.i === 0 ? x.field.replaceAll('_', ' ') : '') },
            { head: 'Steps', num: true, cell: (x) => (x.i === 0 ? count(x.steps) : '') },
            { head: 'Before', cell: (x) => x.before || <span className="muted">nothing</span> },
            { head: 'After', cell: (x) => x.after || <span className="muted">nothing</span> },
            { head: 'For example', cell: (x) => <Link className="link" to={'/runs/$id' as never} params={{ id: x.run } as never} search={{ step: x.step } as never}>{x.name || x.step}</Link> },
          ]}
        />
      )}
    </section>
  );
}
