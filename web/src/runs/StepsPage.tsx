import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { Problem } from '../api/client';
import type { Cell } from '../api/types';
import { Kind } from '../run/Kind';
import { Said } from '../run/Text';
import { usePageParams } from '../run/urlState';
import { compact, count, duration, money, percent, plural } from '../shared/format';
import { useShortcuts } from '../shared/keys';
import { type Column, KeyTable } from '../shared/KeyTable';
import { SaveAsRule } from '../findings/SaveAsRule';
import { Empty, PageHeader, ProblemNote } from '../shared/Layout';
import { pickView, Unknown, useNow } from '../shared/Values';
import { useView } from '../state/url';
import { ActivityTabs } from './ActivityTabs';
import { cells, useAsk, useFields, where } from './queries';
import css from './runs.module.css';
import { SearchBox } from './SearchBox';
import { quote } from './searchText';
import { WhatDiffers } from './WhatDiffers';

const BY: [string, string][] = [
  ['tool', 'tool'],
  ['model', 'model'],
  ['kind', 'kind'],
  ['agent', 'agent'],
  ['provider', 'provider'],
  ['error_type', 'error type'],
  ['user', 'user'],
  ['version', 'version'],
  ['environment', 'environment'],
  ['team', 'team'],
];

type Row = Record<string, Cell>;

/** StepsPage counts steps by what they called: which tools fail, which models are slow, where the money goes. */
export function StepsPage() {
  const view = useView();
  const [params, setParams] = usePageParams();
  const navigate = useNavigate();
  const fields = useFields();
  const by = BY.some(([b]) => b === params.by) ? params.by! : 'tool';
  const q = params.q ?? '';
  const sort = params.sort ?? 'n';
  const tick = Math.floor(useNow(15_000) / 15_000);
  const scoped = useMemo(() => {
    // A table by tool is about tool steps; models have steps of their own.
    const kind = by === 'tool' ? 'kind:tool,mcp' : by === 'model' || by === 'provider' ? 'kind:model' : '';
    return where(view, [kind && !/\bkind:/.test(q) ? kind : '', q && kind && /\bor\b/i.test(q) ? `(${q})` : q].filter(Boolean).join(' '));
  }, [view, q, by]);
  const asked = useAsk(
    useMemo(
      () => ({
        from: 'steps',
        select: [
          { func: 'count', as: 'n' },
          { func: 'sum', field: 'errors', as: 'errors' },
          { func: 'p50', field: 'duration_ms', as: 'p50' },
          { func: 'p95', field: 'duration_ms', as: 'p95' },
          { func: 'sum', field: 'input_tokens', as: 'input' },
          { func: 'sum', field: 'output_tokens', as: 'output' },
          { func: 'sum', field: 'cost', as: 'cost' },
        ],
        where: scoped,
        group_by: [by],
        start: view.from,
        end: view.live ? undefined : view.to,
        order_by: '-n',
        limit: 500,
      }),
      // asked again with every tick of a live period
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [scoped, by, view.from, view.to, view.live, view.live ? tick : 0],
    ),
  );
  const rows = useMemo(() => {
    const list = cells(asked.data);
    const desc = !sort.startsWith('-');
    const key = sort.replace(/^-/, '');
    const value = (r: Row) => (key === 'share' ? Number(r.errors ?? 0) / Math.max(1, Number(r.n ?? 0)) : r[key] === null || r[key] === undefined ? -1 : Number(r[key]));
    return list.sort((a, b) => (desc ? value(b) - value(a) : value(a) - value(b)));
  }, [asked.data, sort]);
  const most = Math.max(1, ...rows.map((r) => Number(r.p95 ?? 0)));
  const [active, setActive] = useState<string>();
  // the search for the runs that have a step of a row
  const runsOf = useCallback(
    (r: Row) => {
      const v = r[by];
      const term = `${by}:${v === null || v === '' ? 'unknown' : quote(String(v))}`;
      return `any(${[by === 'tool' ? 'kind:tool,mcp' : by === 'model' ? 'kind:model' : '', term, q && /\bor\b/i.test(q) ? `(${q})` : q].filter(Boolean).join(' ')})`;
    },
    [by, q],
  );
  const open = useCallback((r: Row) => void navigate({ to: '/runs' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), q: runsOf(r) })) as never }), [runsOf, navigate]);
  useShortcuts('Steps', [{ keys: '/', label: 'Search', run: () => document.getElementById('steps-search')?.focus() }]);
  const words = BY.find(([b]) => b === by)![1];
  const columns: Column<Row>[] = [
    {
      id: 'value',
      head: words,
      width: 'minmax(180px, 2fr)',
      cell: (r) => {
        const v = r[by];
        if (v === null || v === undefined || v === '') return <Unknown why={`These steps name no ${words}.`} />;
        return (
          <span className="row">
            {by === 'kind' && <Kind kind={String(v)} />}
            <span className={css.agent}>
              <Said text={String(v)} />
            </span>
          </span>
        );
      },
    },
    { id: 'n', head: 'steps', width: '90px', align: 'right', sort: 'n', cell: (r) => count(Number(r.n ?? 0)) },
    { id: 'errors', head: 'failed', width: '80px', align: 'right', sort: 'errors', cell: (r) => (Number(r.errors ?? 0) > 0 ? <span className={css.bad}>{count(Number(r.errors))}</span> : <span className="muted">0</span>) },
    { id: 'share', head: 'of them', width: '80px', align: 'right', sort: 'share', cell: (r) => (Number(r.errors ?? 0) > 0 ? percent(Number(r.errors) / Math.max(1, Number(r.n))) : <span className="muted">0 %</span>) },
    { id: 'p50', head: 'p50', width: '90px', align: 'right', sort: 'p50', cell: (r) => duration(num(r.p50)) ?? <Unknown why="No step of these has ended." /> },
    {
      id: 'p95',
      head: 'p95',
      width: '110px',
      align: 'right',
      sort: 'p95',
      cell: (r) =>
        num(r.p95) === null ? (
          <Unknown why="No step of these has ended." />
        ) : (
          <span className={css.cellbar}>
            {duration(num(r.p95))}
            <i style={{ width: `${(Number(r.p95) / most) * 100}%` }} />
          </span>
        ),
    },
    { id: 'input', head: 'tokens in', width: '90px', align: 'right', sort: 'input', cell: (r) => compact(num(r.input)) ?? (by === 'tool' ? <span className="muted">–</span> : <Unknown />) },
    { id: 'output', head: 'out', width: '80px', align: 'right', sort: 'output', cell: (r) => compact(num(r.output)) ?? (by === 'tool' ? <span className="muted">–</span> : <Unknown />) },
    { id: 'cost', head: 'cost', width: '90px', align: 'right', sort: 'cost', cell: (r) => money(num(r.cost)) ?? (by === 'tool' ? <span className="muted">–</span> : <Unknown why="No price is known for these." />) },
    { id: 'differs', head: <span className={css.hidden}>what is different</span>, width: '34px', cell: (r) => <WhatDiffers words={`Runs with such a step`} about={String(r[by] || `steps without a ${words}`)} ask={{ selection: runsOf(r) }} /> },
  ];
  const total = rows.reduce((a, r) => a + Number(r.n ?? 0), 0);
  const failed = rows.reduce((a, r) => a + Number(r.errors ?? 0), 0);
  const searchError = asked.error instanceof Problem && (asked.error.status === 400 || asked.error.status === 422) ? asked.error.message : undefined;
  return (
    <div className={css.page}>
      <PageHeader
        title="Steps"
        question="What do they call, how often does it fail, how long does it take?"
        answer={
          asked.isSuccess ? (
            <>
              <b className="num">{plural(total, 'step')}</b>, {failed > 0 ? `${count(failed)} failed (${percent(failed / Math.max(1, total))})` : 'none failed'}
              <span className="muted">
                {' '}
                · {asked.data.source === 'rollups' ? 'from rollups' : `${compact(asked.data.scanned)} rows read`} in {duration(asked.data.took_ms)}
              </span>
            </>
          ) : undefined
        }
        actions={
          <>
            {asked.isSuccess && total > 0 && <SaveAsRule search={scoped} table="steps" />}
            <ActivityTabs />
          </>
        }
      />
      <div className={css.controls}>
        <label className={css.field}>
          by{' '}
          <select className={css.select} value={by} onChange={(e) => setParams({ by: e.target.value === 'tool' ? undefined : e.target.value }, 'push')}>
            {BY.map(([b, name]) => (
              <option key={b} value={b}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <SearchBox
          id="steps-search"
          value={q}
          onChange={(next) => setParams({ q: next || undefined }, 'push')}
          fields={(fields.data ?? []).filter((f) => f.scope === 'step').map((f) => ({ ...f, scope: 'run' }))}
          label="Search steps"
          placeholder="Search steps: status:error duration>2s agent:refunds   ( / )"
          error={searchError}
        />
      </div>
      <div className={css.body}>
        {asked.error && !searchError ? (
          <ProblemNote error={asked.error} retry={() => void asked.refetch()} />
        ) : (
          <KeyTable
            label={`Steps by ${words}`}
            columns={columns}
            rows={rows}
            rowKey={(r) => String(r[by])}
            onOpen={open}
            sort={sort}
            onSort={(s) => setParams({ sort: s === 'n' ? undefined : s })}
            active={active}
            onActive={(r) => setActive(String(r[by]))}
            autoFocus
            empty={asked.isPending ? <p className={css.reading}>Counting steps…</p> : searchError ? null : <Empty title="No steps match">No step in the chosen period fulfils the search. Widen the period above, or look at another kind of step.</Empty>}
          />
        )}
      </div>
    </div>
  );
}

function num(v: Cell | undefined): number | null {
  return v === null || v === undefined ? null : Number(v);
}
