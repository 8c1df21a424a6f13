import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List } from '../api/types';
import { Beside, count, Empty, KeyedTable, Mark, Meter, PageBody, PageHeader, Panel, percent, plural, ProblemNote, Unknown, useShortcuts } from '../shared';
import { useView } from '../state/url';
import { figure, states, wanted, windowText, worst, type Objective } from './data';
import css from './objectives.module.css';

const One = lazy(() => import('./ObjectivePanel').then((m) => ({ default: m.ObjectivePanel })));
const Dialog = lazy(() => import('./ObjectiveDialog').then((m) => ({ default: m.ObjectiveDialog })));

/** Left is what is left of a budget, as a bar and in words. */
export function Left({ o }: { o: Objective }) {
  const left = o.status.left;
  if (typeof left !== 'number') return <Unknown why={o.status.why || 'Nothing was counted.'} />;
  return (
    <span className={css.left}>
      <Meter label={`${percent(Math.max(0, left), 0)} of the budget is left`} parts={[{ share: Math.max(0, left), tone: left <= 0 ? 'bad' : left < 0.25 ? 'warn' : 'good' }]} />
      <span className="num">{percent(left, 0)}</span>
    </span>
  );
}

/** ObjectivesPage: how much room is left, and what spent it. */
export function ObjectivesPage() {
  const view = useView();
  const navigate = useNavigate();
  const may = useMay('PutObjective');
  const { objective = '' } = useSearch({ strict: false }) as { objective?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const [edit, setEdit] = useState<Objective | 'new'>();
  const q = useQuery({ queryKey: ['objectives'], queryFn: ({ signal }) => api.get<List<Objective>>('/objectives', undefined, signal), refetchInterval: 15_000 });
  const items = (q.data?.items ?? []).filter((o) => (!view.team || !o.team || o.team === view.team) && (!view.env || !o.environment || o.environment === view.env)).sort(worst);
  const chosen = items.find((o) => o.name === objective);
  const of = (...s: string[]) => items.filter((o) => s.includes(o.status.state)).length;
  useShortcuts('Objectives', [
    { keys: 'x', label: 'The worst', run: () => items[0] && set({ objective: items[0].name }) },
    ...(may ? [{ keys: 'n', label: 'Set an objective', run: () => setEdit('new') }] : []),
  ]);
  const bad = of('spent', 'missed');
  const words = [bad > 0 && `${plural(bad, 'objective')} missed`, of('burning') > 0 && `${count(of('burning'))} burning fast`, of('frozen', 'no_data') > 0 && `${count(of('frozen', 'no_data'))} that nobody can tell`].filter(Boolean);
  return (
    <>
      <PageHeader
        title="Objectives"
        question="How much room is left?"
        answer={q.isSuccess && (items.length === 0 ? 'Nobody has said how good is good enough.' : words.length === 0 ? `All ${plural(items.length, 'objective')} are kept.` : `${words.join(', ')}, of ${count(items.length)}.`)}
        actions={
          may && (
            <Button size="compact-sm" variant="filled" onClick={() => setEdit('new')}>
              Set an objective
            </Button>
          )
        }
      />
      <PageBody width={1560}>
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        <Beside
          label="The objective"
          side={
            chosen ? (
              <Suspense>
                <One key={chosen.name} name={chosen.name} onEdit={() => setEdit(chosen)} onClose={() => set({ objective: undefined })} />
              </Suspense>
            ) : undefined
          }
        >
          <Panel title="Objectives" note="worst first; the budget is what may still go wrong">
            <KeyedTable
              label="Objectives"
              rows={items}
              rowKey={(o) => o.name}
              mark={(o) => (o.status.state === 'spent' || o.status.state === 'missed' ? 'bad' : o.status.state === 'burning' ? 'warn' : undefined)}
              empty={
                q.isSuccess && (
                  <Empty title="No objective is set.">
                    <p>
                      An objective says what a figure should come to, such as 95 % of refunds resolved. What may go wrong until then is its budget: how fast that burns says whether somebody has to get up, and an agent whose budget is spent can be narrowed until it recovers.
                    </p>
                    <p>
                      Set one here, by <code>reeve objective add</code>, or read your OpenSLO files with <code>reeve apply</code>.
                    </p>
                  </Empty>
                )
              }
              fields={[
                { head: 'State', cell: (o) => <Mark {...(states[o.status.state] ?? states.waiting!)} words /> },
                {
                  head: 'Objective',
                  cell: (o) => (
                    <button type="button" className="link" aria-pressed={o.name === objective} onClick={() => set({ objective: o.name === objective ? undefined : o.name })} title={o.text || o.name}>
                      {o.title}
                    </button>
                  ),
                },
                { head: 'Of', cell: (o) => o.agent || o.team || 'all agents' },
                { head: 'Wanted', cell: (o) => <span title={o.kpi_title || o.kpi}>{wanted(o)}</span> },
                {
                  head: 'Is',
                  num: true,
                  cell: (o) =>
                    figure(o, o.status.value) === undefined ? (
                      <Unknown why={o.status.why || 'Nothing was counted.'} />
                    ) : (
                      <span title={`of ${count(o.status.n)}, ${figure(o, o.status.low)} to ${figure(o, o.status.high)}`}>{figure(o, o.status.value)}</span>
                    ),
                },
                { head: 'Budget left', cell: (o) => <Left o={o} /> },
                { head: 'Over', cell: (o) => windowText(o) },
              ]}
            />
          </Panel>
        </Beside>
      </PageBody>
      {edit && (
        <Suspense>
          <Dialog objective={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} onDone={(name) => set({ objective: name })} />
        </Suspense>
      )}
    </>
  );
}
