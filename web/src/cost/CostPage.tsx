import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useRef } from 'react';
import { api } from '../api/client';
import { aggregate, useMay } from '../api/queries';
import type { Invoice, List, Reconciliation } from '../api/types';
import { where } from '../agents/data';
import { Badge, count, Empty, Figure, Icon, KeyedTable, Mark, money, PageHeader, Panel, percent, plural, ProblemNote, quote, Tabs, Unknown, useShortcuts } from '../shared';
import { Sure } from '../settings/parts';
import { useView } from '../state/url';
import { Rerates } from './Rerates';
import css from './cost.module.css';
import { readCost, unknownShare, type CostRow } from './data';

const tabs = [
  { id: '', label: 'By agent', by: ['agent'] },
  { id: 'model', label: 'By model', by: ['model'] },
  { id: 'day', label: 'By day', by: [] as string[] },
];

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
  const { by = '', invoice } = useSearch({ strict: false }) as { by?: string; invoice?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const tab = tabs.find((t) => t.id === by) ?? tabs[0]!;
  const select = [{ func: 'count', as: 'calls' }, { func: 'sum', field: 'cost', as: 'cost' }, { func: 'sum', field: 'tokens', as: 'tokens' }];
  const ask = (more: string) => aggregate({ from: 'steps', select, group_by: tab.by, ...(tab.id === 'day' ? { bucket: '24h' } : {}), where: where(view, `call:true counted:true ${more}`.trim()), start: view.from, end: view.to, limit: 500 } as never);
  const all = useQuery(ask(''));
  const unpriced = useQuery(ask('cost:unknown'));
  const rows = readCost(all.data, unpriced.data, tab.id || 'agent');
  const total = rows.reduce((n, r) => n + (r.cost ?? 0), 0);
  const calls = rows.reduce((n, r) => n + r.calls, 0);
  const share = unknownShare(rows);
  const file = useRef<HTMLInputElement>(null);
  const mayImport = useMay('ImportInvoice');
  useShortcuts('Cost', mayImport ? [{ keys: 'i', label: 'Import an invoice', run: () => file.current?.click() }] : []);
  const search = (r: CostRow) => ({ q: `${where(view, `call:true ${tab.id === 'model' ? `model:${r.name ? quote(r.name) : 'unknown'}` : `agent:${r.name ? quote(r.name) : 'unknown'}`}`)}` });
  return (
    <>
      <PageHeader
        title="Cost"
        question="Who pays for what, and can it be less?"
        answer={
          all.isSuccess &&
          (calls === 0 ? (
            'No model was called in this period.'
          ) : (
            <>
              <strong>{money(total) ?? 'An unknown sum'}</strong> for {plural(calls, 'model call')}.{' '}
              {share > 0 ? `${percent(share)} of the calls have no price and are not in it.` : 'Every call has a price.'}
            </>
          ))
        }
      />
      <div className={css.body}>
        <ProblemNote error={all.error ?? unpriced.error} retry={() => void all.refetch()} />
        <Tabs tabs={tabs.map((t) => ({ id: t.id, label: t.label }))} on={tab.id} onPick={(id) => set({ by: id || undefined })} />
        <Panel>
          <KeyedTable
            label={`Cost, ${tab.label.toLowerCase()}`}
            rows={rows}
            rowKey={(r) => r.name}
            empty={all.isSuccess && <Empty title="No model was called in this period.">Costs are those of model calls; they appear as the calls arrive.</Empty>}
            fields={[
              { head: tab.id === 'day' ? 'Day (UTC)' : tab.id === 'model' ? 'Model' : 'Agent', cell: (r) => (tab.id === 'day' ? r.name : r.name ? <Figure to="/steps" search={search(r)}>{r.name}</Figure> : <Unknown why={tab.id === 'model' ? 'The sender named no model.' : 'The sender named no agent.'} />) },
              { head: 'Cost', num: true, cell: (r) => (r.cost === null ? <Unknown why="No price is known for its model calls." /> : <>{r.unpriced > 0 ? '≥ ' : ''}{money(r.cost)}</>) },
              { head: 'Share', num: true, cell: (r) => (r.cost === null || total === 0 ? '' : percent(r.cost / total)) },
              { head: 'Calls', num: true, cell: (r) => count(r.calls) },
              { head: 'Without a price', num: true, cell: (r) => (r.unpriced > 0 ? <>{count(r.unpriced)} <span className="muted">{percent(r.unpriced / r.calls)}</span></> : <span className="muted">0</span>) },
              { head: 'Tokens', num: true, cell: (r) => (r.tokens === null ? <Unknown why="No call reported its usage." /> : count(r.tokens)) },
            ]}
          />
        </Panel>
        <Rerates from={view.from} to={view.to} />
        <Invoices file={file} may={mayImport} open={invoice} onOpen={(id) => set({ invoice: id })} />
      </div>
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
