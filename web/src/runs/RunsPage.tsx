import { Link, useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Problem } from '../api/client';
import type { Run } from '../api/types';
import { usePageParams } from '../run/urlState';
import { Dropdown } from '../shared/Dropdown';
import { count, plural } from '../shared/format';
import { useShortcuts } from '../shared/keys';
import { type Column, KeyTable } from '../shared/KeyTable';
import { Empty, PageHeader, ProblemNote } from '../shared/Layout';
import { pickView, useNow } from '../shared/Values';
import { useMay } from '../api/queries';
import { useSetView, useView } from '../state/url';
import { ActivityTabs } from './ActivityTabs';
import { allColumns } from './columns';
import { Difference, MOST, stretch } from './Difference';
import { Facets } from './Facets';
import { cells, type RunsFilter, useAsk, useFields, useRuns, where } from './queries';
import css from './runs.module.css';
import { SearchBox } from './SearchBox';
import { Strip, type Stretch } from './Strip';

/** RunsPage answers what happened. */
export function RunsPage() {
  const view = useView();
  const setView = useSetView();
  const [params, setParams] = usePageParams();
  const navigate = useNavigate();
  const mayRule = useMay('PutRule');
  const fields = useFields();
  const q = params.q ?? '';
  const sort = params.sort ?? 'started';
  const setQ = useCallback((next: string) => setParams({ q: next || undefined }, 'push'), [setParams]);
  const filter: RunsFilter = useMemo(() => ({ q: q || undefined, sort: sort === 'started' ? undefined : sort, ...view.filter }), [q, sort, view.filter]);
  const runs = useRuns(filter, view.live);

  const [selected, setSelected] = useState<ReadonlyMap<string, Run>>(new Map());
  const [active, setActive] = useState<string>();
  const [brush, setBrush] = useState<Stretch | null>(null);
  const [diff, setDiff] = useState<Stretch | 'selected' | null>(null);
  useEffect(() => {
    setSelected(new Map());
    setBrush(null);
    setDiff(null);
  }, [q, view.env, view.team, view.from, view.to]);

  const minute = Math.floor(useNow(30_000) / 30_000);
  const tick = view.live ? minute : 0;
  const whole = where(view, q);
  const totals = useAsk(
    useMemo(
      () => ({ from: 'runs', select: [{ func: 'count', as: 'n' }], where: whole, group_by: ['status'], start: view.from, end: view.live ? undefined : view.to, limit: 20 }),
      // counted again with every tick of a live period
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [whole, view.from, view.to, view.live, tick],
    ),
  );

  const toggle = useCallback(
    (r: Run) =>
      setSelected((old) => {
        const next = new Map(old);
        if (!next.delete(r.id)) next.set(r.id, r);
        return next;
      }),
    [],
  );
  const chosen = (params.cols ?? '').split(',').filter(Boolean);
  const all = useMemo(() => allColumns(view.tz), [view.tz]);
  const shown = all.filter((c) => (chosen.length ? chosen.includes(c.id) : c.standard));
  const choose = (id: string) => {
    const now = shown.map((s) => s.id);
    const next = now.includes(id) ? now.filter((x) => x !== id) : all.map((a) => a.id).filter((x) => x === id || now.includes(x));
    const standard = all.filter((a) => a.standard).map((a) => a.id);
    setParams({ cols: next.join() === standard.join() || next.length === 0 ? undefined : next.join(',') });
  };
  const columns: Column<Run>[] = [
    {
      id: 'select',
      head: <span className={css.hidden}>select</span>,
      width: '34px',
      cell: (r) => <input type="checkbox" className={css.check} checked={selected.has(r.id)} onChange={() => toggle(r)} aria-label={`Select the run ${r.name || r.id}`} tabIndex={-1} />,
    },
    ...shown,
  ];
  const open = useCallback((r: Run) => void navigate({ to: '/runs/$id' as never, params: { id: r.id } as never, search: pickView as never }), [navigate]);
  const activeRun = runs.rows.find((r) => r.id === active);

  useShortcuts('Runs', [
    { keys: '/', label: 'Search', run: () => document.getElementById('runs-search')?.focus() },
    { keys: 'x', label: 'Select the run', run: () => activeRun && toggle(activeRun) },
    { keys: 'd', label: 'What is different', run: () => setDiff(selected.size > 0 ? 'selected' : brush) },
    { keys: 'n', label: 'Show runs that have arrived', run: () => runs.fresh.length > 0 && runs.showFresh() },
    { keys: 'escape', label: 'Clear the selection', run: () => (diff ? setDiff(null) : setSelected(new Map())) },
  ]);

  const searchError = runs.error instanceof Problem && (runs.error.status === 400 || runs.error.status === 422) ? runs.error.message : undefined;
  const narrow = (term: string) => {
    setDiff(null);
    setQ(`${q} ${term}`.trim());
  };
  return (
    <div className={css.page}>
      <PageHeader title="Runs" question="What happened?" answer={<Answer rows={cells(totals.data)} q={q} live={view.live} />} actions={<ActivityTabs />} />
      <div className={css.controls}>
        <SearchBox id="runs-search" value={q} onChange={setQ} fields={fields.data ?? []} label="Search runs" placeholder="Search: agent:refunds cost>0.10 any(kind:tool status:error) or words that were said   ( / )" error={searchError} />
        <Dropdown label="Columns" role="dialog" align="end" className={css.chip} trigger={
            <>
              Columns<span aria-hidden> ▾</span>
            </>
          }>
          {() => (
            <div className={css.facetbox}>
              <div className={css.facetlist}>
                {all.map((c) => (
                  <label key={c.id} className={css.facetrow}>
                    <input type="checkbox" className={css.check} checked={shown.some((s) => s.id === c.id)} onChange={() => choose(c.id)} />
                    <span className="grow">{c.name}</span>
                  </label>
                ))}
              </div>
              {chosen.length > 0 && (
                <button type="button" className={css.textbutton} onClick={() => setParams({ cols: undefined })}>
                  The usual columns
                </button>
              )}
            </div>
          )}
        </Dropdown>
      </div>
      <Facets q={q} onChange={setQ} view={view} fields={fields.data ?? []} />
      <Strip view={view} q={q} tick={tick} brush={brush} onBrush={setBrush} onZoom={(s) => (setBrush(null), setView({ from: new Date(s.from).toISOString(), to: new Date(s.to).toISOString() }))} onDifferent={(s) => setDiff(s)} />
      <div className={css.bar} aria-live="polite">
        {selected.size > 0 ? (
          <>
            <b>{plural(selected.size, 'run')} selected</b>
            <button type="button" className={css.chip} onClick={() => setDiff('selected')}>
              What is different <kbd>d</kbd>
            </button>
            <button type="button" className={css.textbutton} onClick={() => setSelected(new Map())}>
              Clear
            </button>
          </>
        ) : mayRule && !searchError ? (
          <button type="button" className={css.textbutton} title="Be told when a figure of what this search finds is out of bounds; tried on the last 30 days first" onClick={() => void navigate({ to: '/findings' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), show: 'rules', rule: 'new', search: q })) as never })}>
            Save as a rule
          </button>
        ) : null}
        {runs.fresh.length > 0 && (
          <button type="button" className={css.fresh} onClick={runs.showFresh} data-testid="fresh">
            {runs.fresh.length >= 200 ? 'More than 200 new runs' : plural(runs.fresh.length, 'new run')}: show
          </button>
        )}
      </div>
      <div className={css.body}>
        {runs.error && !searchError ? (
          <ProblemNote error={runs.error} retry={runs.refetch} />
        ) : (
          <KeyTable
            label="Runs"
            columns={columns}
            rows={runs.rows}
            rowKey={(r) => r.id}
            onOpen={open}
            sort={sort}
            onSort={(s) => setParams({ sort: s === 'started' ? undefined : s }, 'push')}
            onEnd={runs.more}
            active={active}
            onActive={(r) => setActive(r.id)}
            autoFocus
            empty={runs.pending ? <p className={css.reading}>Reading runs…</p> : searchError ? null : <NoRuns filtered={q !== '' || view.env !== '' || view.team !== ''} onClear={() => (setQ(''), setView({ env: undefined, team: undefined }))} onWiden={view.from === '-30d' ? undefined : () => setView({ from: '-30d', to: undefined })} />}
          />
        )}
        {diff && (
          <Difference
            words={diff === 'selected' ? 'The selected runs' : 'Runs of this stretch'}
            ask={{ query: whole, from: view.from, to: view.live ? undefined : view.to, ...(diff === 'selected' ? { runs: [...selected.keys()].slice(0, MOST) } : stretch(diff)) }}
            onClose={() => setDiff(null)}
            onNarrow={narrow}
          />
        )}
      </div>
    </div>
  );
}

/** Answer says in words what the table holds. */
function Answer({ rows, q, live }: { rows: Record<string, unknown>[]; q: string; live: boolean }) {
  if (rows.length === 0) return null;
  const of = (s: string) => rows.filter((r) => r.status === s).reduce((a, r) => a + Number(r.n ?? 0), 0);
  const total = rows.reduce((a, r) => a + Number(r.n ?? 0), 0);
  const parts = [
    of('running') > 0 && `${count(of('running'))} running`,
    of('waiting') > 0 && `${count(of('waiting'))} waiting`,
    of('stale') > 0 && `${count(of('stale'))} went silent`,
  ].filter(Boolean);
  return (
    <>
      <b className="num">{plural(total, 'run')}</b>
      {q ? ' match' : ''}
      {parts.length > 0 && `: ${parts.join(', ')}`}
      {live ? '' : ' in a period that is over'}.
    </>
  );
}

function NoRuns({ filtered, onClear, onWiden }: { filtered: boolean; onClear: () => void; onWiden?: () => void }) {
  return (
    <Empty
      title={filtered ? 'No run matches' : 'No runs in this period'}
      actions={
        <>
          {filtered && (
            <button type="button" className={css.chip} onClick={onClear}>
              Clear the search and filters
            </button>
          )}
          {onWiden && (
            <button type="button" className={css.chip} onClick={onWiden}>
              Look at the last 30 days
            </button>
          )}
          <Link to={'/connect' as never} search={pickView as never} className={css.chip}>
            Connect an agent
          </Link>
        </>
      }
    >
      {filtered ? 'Nothing in the chosen period, environment and team fulfils the search. A comparison with something unknown is false: write field:unknown to look for what was not reported.' : 'Send OpenTelemetry to port 4318 (or /v1/traces here) and the run appears while it is still going on.'}
    </Empty>
  );
}
