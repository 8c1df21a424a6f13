import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useRef } from 'react';
import { where } from '../agents/data';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Invoice, List, Reconciliation } from '../api/types';
import { Badge, count, Empty, Icon, KeyedTable, Mark, money, PageBody, PageHeader, Panel, percent, plural, ProblemNote, Unknown, useShortcuts } from '../shared';
import { Sure } from '../settings/parts';
import { useView } from '../state/url';
import { Rerates } from './Rerates';
import css from './cost.module.css';
import { Ahead, Depends, Files, Idle, Saved } from './Ahead';
import { Settings } from './Settings';
import { dimensions, Split, useSplit } from './Split';

const Proofs = lazy(() => import('../evaluations/Proofs').then((m) => ({ default: m.Proofs })));

const Drills = lazy(() => import('./Drills').then((m) => ({ default: m.Drills })));

const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'unknown'; letter: string; label: string }> = {
  agrees: { level: 'good', letter: '=', label: 'agrees' },
  more: { level: 'warn', letter: '+', label: 'we counted more' },
  less: { level: 'warn', letter: '−', label: 'we counted less' },
  invoice_only: { level: 'bad', letter: '!', label: 'not seen here' },
  ours_only: { level: 'warn', letter: '?', label: 'not billed there' },
  unknown: { level: 'unknown', letter: '?', label: 'cannot be compared' },
};

/** CostPage: who pays for what, and what the provider says of it. */
export function CostPage() {
  const view = useView();
  const navigate = useNavigate();
  const { by = '', invoice, drill } = useSearch({ strict: false }) as { by?: string; invoice?: string; drill?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const on = dimensions.some((d) => d.id === by) ? by : '';
  const split = useSplit(view, (dimensions.find((d) => d.id === on) ?? dimensions[0]!).by);
  const total = split.data?.total;
  const share = total && total.calls > 0 ? total.unpriced / total.calls : 0;
  const file = useRef<HTMLInputElement>(null);
  const mayImport = useMay('ImportInvoice');
  useShortcuts('Cost', mayImport ? [{ keys: 'i', label: 'Import an invoice', run: () => file.current?.click() }] : []);
  return (
    <>
      <PageHeader
        title="Cost"
        question="Who pays for what, and can it be less?"
        answer={
          total &&
          (total.calls === 0 ? (
            'No model was called in this period.'
          ) : (
            <>
              <strong>{total.cost === null || total.cost === undefined ? 'An unknown sum' : money(total.cost, split.data?.currency)}</strong> for {plural(total.calls, 'model call')}.{' '}
              {share > 0 ? `${percent(share)} of the calls have no price and are not in it.` : 'Every call has a price.'}
            </>
          ))
        }
      />
      <PageBody width={1320}>
        <Split on={on} narrowed={where(view)} data={split.data} error={split.error} loaded={split.isSuccess} retry={() => void split.refetch()} onPick={(id) => set({ by: id || undefined })} />
        <Ahead view={view} />
        <Depends view={view} />
        <Suspense>
          <Drills name={drill} set={(name) => set({ drill: name })} />
        </Suspense>
        <Saved view={view} />
        <Suspense>
          <Proofs />
        </Suspense>
        <Idle />
        <Files />
        <Settings />
        <Rerates from={view.from} to={view.to} />
        <Invoices file={file} may={mayImport} open={invoice} onOpen={(id) => set({ invoice: id })} />
      </PageBody>
    </>
  );
}

/** Invoices are what providers bill, each held against what was counted here. */
function Invoices({ file, may, open, onOpen }: { file: React.RefObject<HTMLInputElement | null>; may: boolean; open?: string; onOpen: (id?: string) => void }) {
  const client = useQueryClient();
  const seen = useMay('ListInvoices');
  const q = useQuery({ queryKey: ['invoices'], queryFn: ({ signal }) => api.get<List<Invoice>>('/cost/invoices', undefined, signal), enabled: seen, retry: false });
  const again = () => void client.invalidateQueries({ queryKey: ['invoices'] });
  const take = useMutation({
    mutationFn: async (f: File) => api.post<Invoice>('/cost/invoices', { name: f.name, text: await f.text() }),
    onSuccess: (i) => {
      again();
      void client.invalidateQueries({ queryKey: ['reconciliation', i.id] });
      onOpen(i.id);
    },
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.delete(`/cost/invoices/${id}`),
    onSuccess: () => {
      again();
      onOpen(undefined);
    },
  });
  if (!seen) return null;
  const items = q.data?.items ?? [];
  return (
    <Panel
      title="What providers bill"
      note="held against what was counted here, by day and model"
      actions={
        may && (
          <>
            <input ref={file} type="file" className="unseen" tabIndex={-1} aria-label="Invoice or usage export" accept=".json,.csv,.txt" onChange={(e) => { const f = e.currentTarget.files?.[0]; if (f) take.mutate(f); e.currentTarget.value = ''; }} />
            <Button size="compact-xs" loading={take.isPending} leftSection={<Icon name="plus" size={13} />} onClick={() => file.current?.click()}>
              Import an invoice
            </Button>
          </>
        )
      }
    >
      <ProblemNote error={q.error ?? take.error ?? remove.error} />
      <KeyedTable
        label="Invoices"
        rows={items}
        rowKey={(i) => i.id}
        mark={(i) => (i.id === open ? 'good' : undefined)}
        empty={q.isSuccess && <Empty small title="No invoice was imported.">OpenAI's and Anthropic's usage and cost exports, FOCUS and Amazon's report as CSV, or a table with date, model and cost.</Empty>}
        fields={[
          { head: 'Invoice', cell: (i) => <Button size="compact-xs" variant={i.id === open ? 'filled' : 'default'} aria-pressed={i.id === open} onClick={() => onOpen(i.id === open ? undefined : i.id)}>{i.name}</Button> },
          { head: 'Format', cell: (i) => i.format },
          { head: 'Days', cell: (i) => (i.first_day === i.last_day ? i.first_day : `${i.first_day} to ${i.last_day}`) },
          { head: 'Lines', num: true, cell: (i) => count(i.lines) },
          { head: 'Actions', end: true, cell: (i) => may && <Sure label="Delete" sure="Delete now" pending={remove.isPending && remove.variables === i.id} onDo={() => remove.mutate(i.id)} /> },
        ]}
      />
      {open && items.some((i) => i.id === open) && <Reconciled id={open} />}
    </Panel>
  );
}

function Reconciled({ id }: { id: string }) {
  const q = useQuery({ queryKey: ['reconciliation', id], queryFn: ({ signal }) => api.get<Reconciliation>(`/cost/invoices/${id}`, undefined, signal), retry: false });
  const r = q.data;
  if (!r) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  const sum = (v: number | null | undefined, currency = 'USD') => (v === null || v === undefined ? <Unknown why="That side says nothing of it." /> : money(v, currency));
  return (
    <section aria-label={`Reconciliation of ${r.invoice.name}`} className={css.rec}>
      <p className={css.words}>
        {r.amount !== null && r.amount !== undefined ? <>Billed {money(r.amount, r.currency)}, counted here {sum(r.ours)}; the difference of what both have is <strong>{sum(r.difference)}</strong>. </> : <>It has usage and no money: tokens are compared. </>}
        {count(r.agreeing)} of {plural(r.agreeing + r.other, 'row')} agree within a hundredth.
      </p>
      <KeyedTable
        label="Rows of the reconciliation"
        rows={r.rows}
        rowKey={(x) => `${x.day}\t${x.model}`}
        mark={(x) => (x.state === 'agrees' ? undefined : x.state === 'invoice_only' ? 'bad' : 'warn')}
        fields={[
          { head: 'Day', cell: (x) => x.day },
          { head: 'Model', cell: (x) => x.model || <span className="muted">none named</span> },
          { head: 'State', cell: (x) => <span title={(x.why ?? []).join('; ')}><Mark {...(states[x.state] ?? states.unknown!)} words /></span> },
          { head: 'Invoice', num: true, cell: (x) => sum(x.amount, r.currency) },
          { head: 'Here', num: true, cell: (x) => sum(x.ours) },
          { head: 'Difference', num: true, cell: (x) => (x.difference === null || x.difference === undefined ? '' : <>{money(x.difference)} {x.share !== null && x.share !== undefined && <Badge>{percent(x.share)}</Badge>}</>) },
          { head: 'Input tokens', num: true, cell: (x) => pair(x.invoice_input_tokens, x.ours_input_tokens) },
          { head: 'Output tokens', num: true, cell: (x) => pair(x.invoice_output_tokens, x.ours_output_tokens) },
        ]}
      />
    </section>
  );
}

const pair = (theirs: number | null | undefined, ours: number | null | undefined) =>
  theirs === null || theirs === undefined ? (ours === null || ours === undefined ? '' : <span className="muted">{count(ours)} here</span>) : theirs === ours ? count(theirs) : `${count(theirs)} / ${ours === null || ours === undefined ? 'none' : count(ours)}`;
