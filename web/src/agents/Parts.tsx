import { Button } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { save } from '../audit/evidence';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Inventory, InventoryChange, InventoryItem, List } from '../api/types';
import { Badge, count, Empty, KeyTable, Panel, plural, ProblemNote, Tabs, Time, type Column } from '../shared';
import css from './history.module.css';

const day = (ago: number) => new Date(Date.now() - ago * 86400e3).toISOString().slice(0, 10);

/** Parts: what an agent was observed to use, unknown parts first, and what differs between two dates. */
export function Parts({ name }: { name: string }) {
  const [show, setShow] = useState('parts');
  const path = `/agents/${encodeURIComponent(name)}/inventory`;
  const bom = useMutation({ mutationFn: () => api.get<unknown>(path, { format: 'cyclonedx' }), onSuccess: (b) => save(`${name}.cdx.json`, JSON.stringify(b, null, 1)) });
  return (
    <>
      <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}>
        <Tabs label="Inventory" tabs={[{ id: 'parts', label: 'What it uses' }, { id: 'changes', label: 'Between two dates' }]} on={show} onPick={setShow} />
        <span className="grow" />
        <Button size="compact-sm" loading={bom.isPending} onClick={() => bom.mutate()}>
          Export CycloneDX
        </Button>
      </div>
      <ProblemNote error={bom.error} />
      {show === 'parts' ? <Now name={name} path={path} /> : <Between path={path} />}
    </>
  );
}

function Now({ name, path }: { name: string; path: string }) {
  const client = useQueryClient();
  const may = useMay('ApproveAgentPart');
  const q = useQuery({ queryKey: ['agent', name, 'inventory'], queryFn: ({ signal }) => api.get<Inventory>(path, undefined, signal), staleTime: 30_000 });
  const approve = useMutation({
    mutationFn: (i: InventoryItem) => api.post(`${path}/approve`, { kind: i.kind, part: i.name, known: !i.known, reason: i.known ? 'no longer known' : 'it belongs to it' }),
    onSettled: () => void client.invalidateQueries({ queryKey: ['agent', name] }),
  });
  const rows = useMemo(() => [...(q.data?.items ?? [])].sort((a, b) => Number(a.known) - Number(b.known) || a.kind.localeCompare(b.kind) || b.seen - a.seen), [q.data]);
  const unknown = rows.filter((r) => !r.known).length;
  const columns: Column<InventoryItem>[] = [
    { id: 'kind', head: 'Kind', width: '92px', cell: (i) => i.kind },
    { id: 'name', head: 'Part', width: 'minmax(150px, 1.6fr)', cell: (i) => <span title={i.name}>{i.name}</span> },
    { id: 'detail', head: 'From', width: 'minmax(100px, 1fr)', cell: (i) => <span className="muted" title={i.detail}>{i.detail}</span> },
    { id: 'seen', head: 'Used', width: '84px', align: 'right', cell: (i) => (i.seen === 0 ? <span className="muted">on offer</span> : count(i.seen)) },
    { id: 'first', head: 'First', width: '118px', cell: (i) => (i.first_seen ? <Time at={i.first_seen} as="day" /> : '') },
    { id: 'last', head: 'Last', width: '104px', cell: (i) => (i.last_seen ? i.run_id ? <Link className="link" to={'/runs/$id' as never} params={{ id: i.run_id } as never}><Time at={i.last_seen} /></Link> : <Time at={i.last_seen} /> : '') },
    {
      id: 'known', head: 'Known', width: '134px', align: 'right',
      cell: (i) =>
        i.known ? (
          <Badge tone="good">known</Badge>
        ) : may ? (
          <Button size="compact-xs" loading={approve.isPending && approve.variables === i} onClick={() => approve.mutate(i)}>
            It belongs to it
          </Button>
        ) : (
          <Badge tone="warn">unknown</Badge>
        ),
    },
  ];
  return (
    <Panel title="What it uses" note={q.isSuccess ? `${plural(rows.length, 'part')}${unknown > 0 ? `, ${count(unknown)} known to nobody` : ''}` : undefined}>
      <ProblemNote error={q.error ?? approve.error} />
      <KeyTable label="Inventory" columns={columns} rows={rows} rowKey={(i) => `${i.kind}\t${i.name}\t${i.detail ?? ''}`} height="calc(100dvh - 300px)" empty={q.isSuccess && <Empty title="Nothing was seen yet.">Prompts, models, tools, servers, sources and peers stand here as soon as a step or a call names them.</Empty>} />
      {(q.data?.left_out ?? 0) > 0 && <p className={css.more}>{plural(q.data!.left_out, 'use')} of parts beyond the 500 of a name are left out.</p>}
    </Panel>
  );
}

const changeColumns: Column<InventoryChange>[] = [
  { id: 'change', head: 'Difference', width: '108px', cell: (c) => (c.change === 'added' ? <span className={css.came}>came</span> : c.change === 'removed' ? <span className={css.gone}>went</span> : <span className="muted">stayed</span>) },
  { id: 'kind', head: 'Kind', width: '92px', cell: (c) => c.kind },
  { id: 'name', head: 'Part', width: 'minmax(150px, 1.6fr)', cell: (c) => <span title={c.name}>{c.name}</span> },
  { id: 'detail', head: 'From', width: 'minmax(90px, 1fr)', cell: (c) => <span className="muted">{c.detail}</span> },
  { id: 'before', head: 'Then', width: '84px', align: 'right', cell: (c) => count(c.before) },
  { id: 'after', head: 'Now', width: '84px', align: 'right', cell: (c) => count(c.after) },
  { id: 'known', head: 'Known', width: '90px', align: 'right', cell: (c) => (c.known ? <Badge tone="good">known</Badge> : <Badge tone="warn">unknown</Badge>) },
];

/** Between two dates: the parts used in the days up to each, and which came and went. */
function Between({ path }: { path: string }) {
  const [from, setFrom] = useState(day(7));
  const [to, setTo] = useState(day(0));
  const [days, setDays] = useState('7');
  const [all, setAll] = useState(false);
  const end = (d: string) => `${d}T23:59:59Z`;
  const good = from !== '' && to !== '' && from < to;
  const q = useQuery({
    queryKey: ['agent', path, 'changes', from, to, days],
    queryFn: ({ signal }) => api.get<List<InventoryChange>>(`${path}/changes`, { from: end(from), to: to >= day(0) ? new Date().toISOString() : end(to), days: Number(days) || 7 }, signal),
    enabled: good,
    placeholderData: keepPreviousData,
  });
  const items = q.data?.items ?? [];
  const differs = items.filter((c) => c.change !== 'same');
  return (
    <Panel title="Between two dates" note={q.isSuccess ? `${plural(items.filter((c) => c.change === 'added').length, 'part')} came, ${count(items.filter((c) => c.change === 'removed').length)} went` : undefined}>
      <div className={css.dates}>
        <label>
          <span className="muted">Then</span>
          <input type="date" value={from} max={to} onChange={(e) => setFrom(e.currentTarget.value)} />
        </label>
        <label>
          <span className="muted">Now</span>
          <input type="date" value={to} min={from} onChange={(e) => setTo(e.currentTarget.value)} />
        </label>
        <label>
          <span className="muted">Days up to each</span>
          <input type="number" min={1} max={90} value={days} style={{ width: 80 }} onChange={(e) => setDays(e.currentTarget.value)} />
        </label>
        <Button size="compact-sm" aria-pressed={all} variant={all ? 'filled' : 'default'} onClick={() => setAll(!all)}>
          What stayed too
        </Button>
      </div>
      {!good && <p className={css.more} role="status">The first date must be before the second.</p>}
      <ProblemNote error={q.error} />
      <KeyTable label="Differences of the inventory" columns={changeColumns} rows={all ? items : differs} rowKey={(c) => `${c.kind}\t${c.name}\t${c.detail ?? ''}`} height="calc(100dvh - 360px)" empty={q.isSuccess && <Empty title="Nothing differs.">It used the same parts in the days up to both dates.</Empty>} />
    </Panel>
  );
}
