import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { TextInput } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { AuditRecord, List } from '../api/types';
import { Badge, count, Empty, KeyTable, PageHeader, Panel, ProblemNote, Snippet, Time, useShortcuts, type Column } from '../shared';
import { useView } from '../state/url';
import css from './settings.module.css';

/** said is what a record records: the values after the change, else those before it, with what its body names in the clear. */
export function said(r: AuditRecord): unknown {
  const { body } = r.record;
  if (body === null || typeof body !== 'object') return body;
  // The body holds commitments to the values, which say nothing to a reader.
  const { person: _, before: _b, after: _a, ...rest } = body as Record<string, unknown>;
  const values = r.after ?? r.before;
  return { ...rest, ...(values !== null && typeof values === 'object' ? (values as Record<string, unknown>) : {}) };
}

const columns: Column<AuditRecord>[] = [
  { id: 'seq', head: 'No.', width: '84px', align: 'right', cell: (r) => count(r.seq) },
  { id: 'at', head: 'When', width: '150px', cell: (r) => <Time at={r.at} as="day" /> },
  { id: 'kind', head: 'What', width: '210px', cell: (r) => <Badge>{r.kind}</Badge> },
  { id: 'who', head: 'Who', width: '190px', cell: (r) => r.who || <span className="muted">Reeve itself</span> },
  { id: 'body', head: 'Record', width: 'minmax(260px, 1fr)', cell: (r) => <span className="mono soft">{short(said(r))}</span> },
];

/** short writes a record's body on one line. */
export function short(body: unknown): string {
  if (body === null || typeof body !== 'object') return body === undefined || body === null ? '' : String(body);
  return Object.entries(body as Record<string, unknown>)
    .map(([k, v]) => `${k}=${typeof v === 'object' ? JSON.stringify(v) : String(v)}`)
    .join('  ');
}

/** AuditPage: who changed what, newest first. */
export function AuditPage() {
  const view = useView();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { kind?: string; who?: string; seq?: number };
  const [open, setOpen] = useState<AuditRecord>();
  const q = useInfiniteQuery({
    queryKey: ['audit', view.filter.from, view.filter.to, search.kind, search.who],
    queryFn: ({ signal, pageParam }) => api.get<List<AuditRecord>>('/audit', { from: view.from, to: view.live ? undefined : view.to, kind: search.kind, who: search.who, limit: 200, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => q.data?.pages.flatMap((p) => p.items ?? []) ?? [], [q.data]);
  const more = useCallback(() => {
    if (q.hasNextPage && !q.isFetchingNextPage) void q.fetchNextPage();
  }, [q]);
  const set = (change: Record<string, unknown>) => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, ...change })) as never, replace: true });
  useShortcuts('Audit', [{ keys: 'f', label: 'Filter by what', run: () => document.getElementById('audit-kind')?.focus() }]);
  return (
    <>
      <PageHeader
        title="Audit"
        question="Who changed what?"
        answer={q.isSuccess && (rows.length === 0 ? 'No record in this period.' : `${count(rows.length)}${q.hasNextPage ? ' and more' : ''} records in this period. Each is chained to the one before it.`)}
        actions={
          <>
            <TextInput id="audit-kind" aria-label="What" placeholder="What (kind)" value={search.kind ?? ''} onChange={(e) => set({ kind: e.currentTarget.value || undefined })} />
            <TextInput aria-label="Who" placeholder="Who" value={search.who ?? ''} onChange={(e) => set({ who: e.currentTarget.value || undefined })} />
          </>
        }
      />
      <div className={css.wide} style={{ flex: 1, minHeight: 0 }}>
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {open && (
          <Panel title={`Record ${count(open.seq)}: ${open.kind}`} padded>
            <Snippet text={JSON.stringify({ ...open.record, before: open.before, after: open.after }, null, 2)} label="the record" />
          </Panel>
        )}
        <Panel>
          <KeyTable label="Audit records" columns={columns} rows={rows} rowKey={(r) => String(r.seq)} onOpen={setOpen} onEnd={more} height="calc(100dvh - 190px)" empty={q.isSuccess && <Empty title="No record in this period.">Choose a longer period, or fewer filters.</Empty>} />
        </Panel>
      </div>
    </>
  );
}
