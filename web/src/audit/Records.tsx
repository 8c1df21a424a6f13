import { ActionIcon, Button, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AuditRecord, List, Person } from '../api/types';
import { Badge, Beside, Copy, count, Empty, Icon, KeyTable, Panel, ProblemNote, Snippet, Time, type Column } from '../shared';
import { useView } from '../state/url';
import { visible } from '../tools/data';
import css from './audit.module.css';

const object = (v: unknown): v is Record<string, unknown> => v !== null && typeof v === 'object' && !Array.isArray(v);

/** said is what a record records: the values after the change, else those before it, with what its body names in the clear. */
export function said(r: AuditRecord): unknown {
  const { body } = r.record;
  if (!object(body)) return body;
  // The body holds commitments to the values, which say nothing to a reader.
  const { person: _, before: _b, after: _a, ...rest } = body;
  const values = r.after ?? r.before;
  return { ...rest, ...(object(values) ? values : {}) };
}

/** short writes a record's body on one line. */
export function short(body: unknown): string {
  if (!object(body)) return body === undefined || body === null ? '' : String(body);
  return Object.entries(body)
    .map(([k, v]) => `${k}=${typeof v === 'object' ? JSON.stringify(v) : String(v)}`)
    .join('  ');
}

/** changes lists the fields of before and after that differ; all of them where only one side is there. */
export function changes(r: Pick<AuditRecord, 'before' | 'after'>): { field: string; before?: string; after?: string }[] {
  const before = object(r.before) ? r.before : {};
  const after = object(r.after) ? r.after : {};
  const text = (v: unknown) => (v === undefined || v === null || v === '' ? undefined : typeof v === 'string' ? v : JSON.stringify(v));
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .map((field) => ({ field, before: text(before[field]), after: text(after[field]) }))
    .filter((c) => c.before !== c.after);
}

/** Who is the person of a record by name, where the reader may know it; the record itself holds the id, which never changes. */
function Who({ id }: { id: string | undefined }) {
  const may = useMay('ListPeople');
  const people = useQuery({ queryKey: ['people'], queryFn: ({ signal }) => api.get<List<Person>>('/people', { limit: 1000 }, signal), enabled: may && !!id?.startsWith('per_'), staleTime: 60_000 });
  if (!id) return <span className="muted">Reeve itself</span>;
  const person = people.data?.items?.find((p) => p.id === id);
  return person ? <span title={id}>{visible(person.name)}</span> : <>{id}</>;
}

const columns: Column<AuditRecord>[] = [
  { id: 'seq', head: 'No.', width: '84px', align: 'right', cell: (r) => count(r.seq) },
  { id: 'at', head: 'When', width: '130px', cell: (r) => <Time at={r.at} as="day" /> },
  { id: 'kind', head: 'What', width: '190px', cell: (r) => <Badge>{r.kind}</Badge> },
  { id: 'who', head: 'Who', width: '150px', cell: (r) => <Who id={r.who} /> },
  { id: 'body', head: 'Record', width: 'minmax(200px, 1fr)', cell: (r) => <span className="mono soft">{short(said(r))}</span> },
];

/** Records: who changed what, newest first; one opened shows before and after and its place in the chain. */
export function Records() {
  const view = useView();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { kind?: string; who?: string };
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
  return (
    <>
      <ProblemNote error={q.error} retry={() => void q.refetch()} />
      <div className={css.bar}>
        <TextInput id="audit-kind" aria-label="What" placeholder="What (kind)" value={search.kind ?? ''} onChange={(e) => set({ kind: e.currentTarget.value || undefined })} />
        <TextInput aria-label="Who" placeholder="Who" value={search.who ?? ''} onChange={(e) => set({ who: e.currentTarget.value || undefined })} />
        <span className="muted">{q.isSuccess && `${count(rows.length)}${q.hasNextPage ? ' and more' : ''} in this period`}</span>
      </div>
      <Beside label="The record" side={open && <Record r={open} next={rows.find((x) => x.seq === open.seq + 1)} onClose={() => setOpen(undefined)} />}>
        <Panel>
          <KeyTable
            label="Audit records"
            columns={open ? columns.slice(0, 4) : columns}
            rows={rows}
            rowKey={(r) => String(r.seq)}
            active={open ? String(open.seq) : undefined}
            onActive={(r) => open && setOpen(r)}
            onOpen={setOpen}
            onEnd={more}
            height="calc(100dvh - 232px)"
            autoFocus
            empty={q.isSuccess && <Empty title="No record in this period.">Choose a longer period, or fewer filters.</Empty>}
          />
        </Panel>
      </Beside>
    </>
  );
}

/** Record shows what one record changed, and where it hangs in the chain. */
function Record({ r, next, onClose }: { r: AuditRecord; next: AuditRecord | undefined; onClose: () => void }) {
  const diff = changes(r);
  const body = object(r.record.body) ? r.record.body : {};
  const prev = (r.record as { prev?: string }).prev;
  return (
    <Panel
      title={`Record ${count(r.seq)}`}
      note={r.kind}
      padded
      actions={
        <ActionIcon size={22} aria-label="Close" onClick={onClose}>
          <Icon name="close" size={13} />
        </ActionIcon>
      }
    >
      <p>
        <Who id={r.who} />, <Time at={r.at} as="day" />
        {typeof body.reason === 'string' && body.reason && <>: {body.reason}</>}
      </p>
      {diff.length > 0 ? (
        <dl className={css.diff}>
          {diff.map((c) => (
            <div key={c.field}>
              <dt>{c.field}</dt>
              <dd>
                {c.before !== undefined && <del>{c.before}</del>}
                {c.after !== undefined && <ins>{c.after}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p className="muted">{r.before || r.after ? 'No field differs.' : 'It has no values of before and after, or they were erased.'}</p>
      )}
      <ol className={css.chain} aria-label="In the chain">
        <li>
          <span className="muted">{count(r.seq - 1)}</span> <code>{prev ? prev.slice(0, 16) : 'the beginning'}</code>
        </li>
        <li data-here>
          <span>{count(r.seq)}</span> <code>{r.leaf.slice(0, 16)}</code> <Copy text={r.leaf} label="Copy the leaf" size={18} />
        </li>
        <li>
          <span className="muted">{count(r.seq + 1)}</span> <code>{next ? next.leaf.slice(0, 16) : 'not in this list'}</code>
        </li>
      </ol>
      <details>
        <summary>Raw</summary>
        <Snippet text={JSON.stringify({ ...r.record, before: r.before, after: r.after }, null, 2)} label="the record" />
      </details>
      <Button size="compact-xs" onClick={onClose}>
        Close
      </Button>
    </Panel>
  );
}
