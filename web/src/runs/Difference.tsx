import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { api } from '../api/client';
import type { List, Run } from '../api/types';
import { Icon } from '../shared/icons';
import { count, duration, money, percent } from '../shared/format';
import { type Comparison, compareRuns, type Difference as Diff } from './compare';
import { cells, useAsk, type RunsFilter } from './queries';
import css from './runs.module.css';
import { quote } from './searchText';

const SAMPLE = 1000;

export interface DifferenceProps {
  /** what the selected runs are called: "4 selected runs" */
  words: string;
  /** the runs selected by hand, or the stretch that holds them */
  selected: Run[] | { from: number; to: number };
  filter: RunsFilter;
  where: string;
  onClose: () => void;
  /** narrows the search to a value */
  onNarrow: (term: string) => void;
}

/** Difference sets the selection against the other runs of the search, and says how many stand behind each figure. */
export function Difference({ words, selected, filter, where, onClose, onNarrow }: DifferenceProps) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), []);
  const stretch = Array.isArray(selected) ? null : selected;
  const read = useQuery({
    queryKey: ['difference', filter, stretch, Array.isArray(selected) ? selected.map((r) => r.id).sort() : null],
    queryFn: async ({ signal }) => {
      const base = { ...filter, sort: undefined };
      if (Array.isArray(selected)) {
        const ids = new Set(selected.map((r) => r.id));
        const all = (await api.get<List<Run>>('/runs', { ...base, limit: SAMPLE }, signal)).items ?? [];
        return { a: selected, b: all.filter((r) => !ids.has(r.id)) };
      }
      const a = { ...base, from: new Date(selected.from).toISOString(), to: new Date(selected.to).toISOString() };
      const half = SAMPLE / 2;
      const [inside, before, after] = await Promise.all([
        api.get<List<Run>>('/runs', { ...a, limit: SAMPLE }, signal),
        api.get<List<Run>>('/runs', { ...base, to: a.from, limit: half }, signal),
        api.get<List<Run>>('/runs', { ...base, from: a.to, limit: half }, signal),
      ]);
      return { a: inside.items ?? [], b: [...(before.items ?? []), ...(after.items ?? [])] };
    },
    staleTime: Infinity,
  });
  const totals = useAsk({ from: 'runs', select: [{ func: 'count', as: 'n' }], where, start: filter.from, end: filter.to });
  const total = Number(cells(totals.data)[0]?.n ?? NaN);
  const c: Comparison | null = useMemo(() => (read.data ? compareRuns(read.data.a, read.data.b) : null), [read.data]);
  const clear = c?.differences.filter((d) => d.clear) ?? [];
  const rest = c?.differences.filter((d) => !d.clear && Math.abs(d.shareA - d.shareB) >= 0.1).slice(0, 12) ?? [];
  return (
    <aside
      ref={box}
      className={css.difference}
      aria-label="What is different"
      tabIndex={-1}
      onKeyDown={(e) => {
        if (e.key === 'Escape') {
          e.stopPropagation();
          onClose();
        }
      }}
      data-testid="difference"
    >
      <header>
        <h2>What is different</h2>
        <button type="button" className={css.iconbutton} onClick={onClose} aria-label="Close">
          <Icon name="close" />
        </button>
      </header>
      {read.isPending && <p className="muted">Reading the other runs…</p>}
      {read.isError && <p role="alert">{read.error.message}</p>}
      {c && (
        <>
          <p className={css.diffwords}>
            {words} ({count(c.nA)}) against {count(c.nB)} other {c.nB === 1 ? 'run' : 'runs'}
            {Number.isFinite(total) && total > c.nA + c.nB ? `, the newest of ${count(total - c.nA)}` : ''} that match the search.{' '}
            {c.nA === 0 || c.nB === 0 ? (
              <b>There is nothing to compare with.</b>
            ) : clear.length === 0 && !c.numbers.some((n) => n.clear) ? (
              <b>{c.nA < 8 ? `With ${count(c.nA)} on one side, chance could explain every difference below.` : 'No difference stands out from chance.'}</b>
            ) : (
              <b>
                {clear.length > 0 ? `${count(clear.length)} ${clear.length === 1 ? 'feature differs' : 'features differ'}` : 'Measures differ'} beyond chance (99 %).
              </b>
            )}
          </p>
          {clear.length > 0 && <Table list={clear.slice(0, 15)} c={c} onNarrow={onNarrow} caption="Beyond chance" />}
          <table className={css.numbers}>
            <caption>Measures, where known</caption>
            <thead>
              <tr>
                <th scope="col"> </th>
                <th scope="col">selected, median</th>
                <th scope="col">others, median</th>
                <th scope="col">p95</th>
                <th scope="col">known for</th>
              </tr>
            </thead>
            <tbody>
              {c.numbers.map((n) => (
                <tr key={n.field} data-clear={n.clear || undefined}>
                  <th scope="row">
                    {n.field}
                    {n.clear && <span title="Differs beyond chance (99 %)"> ●</span>}
                  </th>
                  <td>{figure(n.field, n.medianA)}</td>
                  <td>{figure(n.field, n.medianB)}</td>
                  <td>
                    {figure(n.field, n.p95A)} / {figure(n.field, n.p95B)}
                  </td>
                  <td>
                    {count(n.nA)} / {count(n.nB)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {rest.length > 0 && <Table list={rest} c={c} onNarrow={onNarrow} caption="Could be chance" />}
        </>
      )}
    </aside>
  );
}

function Table({ list, c, onNarrow, caption }: { list: Diff[]; c: Comparison; onNarrow: (term: string) => void; caption: string }) {
  return (
    <table className={css.diffs}>
      <caption>{caption}</caption>
      <tbody>
        {list.map((d) => (
          <tr key={`${d.field} ${d.value}`}>
            <th scope="row">
              <span className="muted">{d.field.replace('_', ' ')}</span>{' '}
              <button type="button" className={css.narrow} title="Narrow the search to this" onClick={() => onNarrow(termOf(d))}>
                {d.value}
              </button>
            </th>
            <td>
              <span className={css.pair} title={`selected: ${d.a} of ${c.nA}; others: ${d.b} of ${c.nB}; difference ${percent(d.low, 0)} to ${percent(d.high, 0)}`}>
                <i data-side="a" style={{ width: `${d.shareA * 100}%` }} />
                <i data-side="b" style={{ width: `${d.shareB * 100}%` }} />
              </span>
            </td>
            <td className="num">
              {percent(d.shareA, 0)} <span className="muted">/ {percent(d.shareB, 0)}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function termOf(d: Diff): string {
  if (d.field === 'version') {
    const at = d.value.lastIndexOf(' ');
    return `agent:${quote(d.value.slice(0, at))} version:${quote(d.value.slice(at + 1))}`;
  }
  if (d.field === 'error_type') return d.value === 'none' ? 'errors:0' : d.value === 'error without a type' ? 'errors>0 error_type:unknown' : `error_type:${quote(d.value)}`;
  return `${d.field}:${d.value === 'unknown' ? 'unknown' : quote(d.value)}`;
}

function figure(field: string, v: number | null): string {
  if (v === null) return 'unknown';
  if (field === 'duration') return duration(v) ?? 'unknown';
  if (field === 'cost') return money(v) ?? 'unknown';
  return count(v) ?? 'unknown';
}
