import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Policy } from '../api/types';
import { Badge, count, Empty, Icon, PageBody, PageHeader, Panel, plural, ProblemNote, Tabs, useShortcuts } from '../shared';
import css from './policies.module.css';
import { PolicyEditor } from './PolicyEditor';

const ContentRules = lazy(() => import('./ContentRules').then((m) => ({ default: m.ContentRules })));
const Check = lazy(() => import('./Check').then((m) => ({ default: m.Check })));
const Budgets = lazy(() => import('./Budgets').then((m) => ({ default: m.Budgets })));
const tabs = [
  { id: 'policies', label: 'Policies' },
  { id: 'budgets', label: 'Budgets' },
  { id: 'content', label: 'Content' },
  { id: 'check', label: 'Ask the door' },
];

/** PoliciesPage: who may do what, in observe or enforce, and how much. */
export function PoliciesPage() {
  const navigate = useNavigate();
  const { tab = 'policies', policy } = useSearch({ strict: false }) as { tab?: string; policy?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never });
  const q = useQuery({ queryKey: ['policies'], queryFn: ({ signal }) => api.get<List<Policy>>('/policies', undefined, signal) });
  const may = useMay('PutPolicy');
  const items = q.data?.items ?? [];
  const chosen = policy === 'new' ? undefined : (items.find((p) => p.name === policy) ?? items[0]);
  useShortcuts('Policies', may ? [{ keys: 'n', label: 'Write a policy', run: () => set({ tab: undefined, policy: 'new' }) }] : []);
  const observing = items.filter((p) => p.mode === 'observe').length;
  return (
    <>
      <PageHeader
        title="Policies and limits"
        question="Who may do what?"
        answer={q.data && `${plural(items.length, 'policy', 'policies')}, ${count(items.reduce((n, p) => n + (p.statements?.length ?? 0), 0))} statements; ${observing === 0 ? 'all are enforced' : `${count(observing)} in observe`}. What no statement permits is refused, and the floor holds whatever they say.`}
        actions={
          may && (
            <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => set({ tab: undefined, policy: 'new' })}>
              Write a policy
            </Button>
          )
        }
      />
      <PageBody fill>
        <Tabs tabs={tabs} on={tab} onPick={(id) => set({ tab: id === 'policies' ? undefined : id })} />
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {tab !== 'policies' ? (
          <Suspense fallback={null}>{tab === 'budgets' ? <Budgets /> : tab === 'content' ? <ContentRules /> : <Check />}</Suspense>
        ) : q.isSuccess && items.length === 0 && policy !== 'new' ? (
          <Panel>
            <Empty title="There is no policy.">Nothing is permitted then. Write one, or restore the starter policies with reeve policy put.</Empty>
          </Panel>
        ) : (
          q.isSuccess && (
            <div className={css.split}>
              <nav className={css.list} aria-label="Policies">
                {items.map((p) => (
                  <button key={p.name} type="button" className={css.item} data-on={chosen?.name === p.name || undefined} aria-current={chosen?.name === p.name ? 'true' : undefined} onClick={() => set({ policy: p.name })}>
                    <span className="truncate">{p.name}</span>
                    <span className={css.badges}>
                      {p.guardrail && <Badge tone="accent">guardrail</Badge>}
                      {p.mode === 'observe' && <Badge tone="info">observe</Badge>}
                    </span>
                    <small className="muted truncate">{p.team ? `team ${p.team}` : 'for everybody'}, {plural(p.statements?.length ?? 0, 'statement')}</small>
                  </button>
                ))}
              </nav>
              <PolicyEditor key={policy === 'new' ? 'new' : `${chosen?.name} ${chosen?.revision}`} policy={chosen} onSaved={(name) => set({ policy: name })} />
            </div>
          )
        )}
      </PageBody>
    </>
  );
}
