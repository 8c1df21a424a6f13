import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { api } from '../api/client';
import type { Different, DifferentItem, DifferentMeasure } from '../api/types';
import { Icon } from '../shared/icons';
import { count, duration, money, percent, plural } from '../shared/format';
import css from './runs.module.css';
import { quote } from './searchText';

/** Selection is what is set against the other runs: a search, a stretch of time or runs by their ids, among those of a search and a period. */
export interface Selection {
  selection?: string;
  selected_from?: string;
  selected_to?: string;
  runs?: string[];
  query?: string;
  from?: string;
  to?: string;
}

/** MOST is how many runs can be named one by one; the server refuses more. */
export const MOST = 1000;

/** stretch is a selection by time, ms since 1970. */
export const stretch = (s: { from: number; to: number }): Selection => ({ selected_from: new Date(s.from).toISOString(), selected_to: new Date(s.to).toISOString() });

export interface DifferenceProps {
  /** what the selected runs are called: "The selected runs" */
  words: string;
  ask: Selection;
  onClose: () => void;
  /** narrows the search to a value */
  onNarrow: (term: string) => void;
}

/** Difference is Contrast in a column of the page. */
export function Difference({ words, ask, onClose, onNarrow }: DifferenceProps) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), []);
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
      <Contrast words={words} ask={ask} onNarrow={onNarrow} />
    </aside>
  );
}

/** Contrast sets a selection against the other runs of its search, and says how many stand behind each figure. */
export function Contrast({ words, ask, onNarrow }: { words: string; ask: Selection; onNarrow: (term: string) => void }) {
  const read = useQuery({ queryKey: ['difference', ask], queryFn: ({ signal }) => api.post<Different>('/runs/different', { ...ask, limit: 40 }, signal), staleTime: Infinity, retry: false });
  const d = read.data;
  if (read.isPending) return <p className="muted">Reading the other runs…</p>;
  if (!d) return <p role="alert">{read.error?.message}</p>;
  const figures = d.measures.filter((m) => m.selected > 0 && m.rest > 0);
  return (
    <>
      <p className={css.diffwords}>
        {words} ({count(d.selected)}) against {count(d.rest)} other {d.rest === 1 ? 'run' : 'runs'}
        {d.truncated ? ', the newest of those' : ''} that match the search. <b>{verdict(d)}</b>
      </p>
      {d.items.length > 0 && <Table list={d.items} d={d} onNarrow={onNarrow} />}
      {figures.length > 0 && (
        <table className={css.numbers}>
          <caption>Measures, where known</caption>
          <thead>
            <tr>
              <th scope="col">measure</th>
              <th scope="col">selected, median</th>
              <th scope="col">others, median</th>
              <th scope="col">p95</th>
              <th scope="col">known for</th>
            </tr>
          </thead>
          <tbody>
            {figures.map((m) => (
              <tr key={m.name} data-clear={m.clear || undefined}>
                <th scope="row">
                  {m.name.replace('_ms', '').replaceAll('_', ' ')}
                  {m.clear && <span title="The two sides differ beyond chance (by their ranks)"> ●</span>}
                </th>
                <td>{figure(m, m.median)}</td>
                <td>{figure(m, m.rest_median)}</td>
                <td>
                  {figure(m, m.p95)} / {figure(m, m.rest_p95)}
                </td>
                <td>
                  {count(m.selected)} / {count(m.rest)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {d.unread.length > 0 && <p className="muted">Not compared, since it could not be read in time: {d.unread.map((u) => u.replaceAll('_', ' ')).join(', ')}.</p>}
    </>
  );
}

/** verdict says in a sentence what came of it. */
export function verdict(d: Different): string {
  if (d.selected === 0 || d.rest === 0) return 'There is nothing to compare with.';
  const clear = d.measures.some((m) => m.clear);
  if (d.items.length > 0) return `${plural(d.items.length, 'attribute')} set${d.items.length === 1 ? 's' : ''} ${d.selected === 1 ? 'it' : 'them'} apart beyond chance.`;
  if (clear) return 'Measures differ beyond chance.';
  return d.selected < 8 ? `With ${count(d.selected)} selected, chance explains whatever differs.` : 'Nothing sets them apart beyond chance.';
}

function Table({ list, d, onNarrow }: { list: DifferentItem[]; d: Different; onNarrow: (term: string) => void }) {
  return (
    <table className={css.diffs}>
      <caption>Beyond chance, the strongest first</caption>
      <tbody>
        {list.map((i) => {
          const term = termOf(i);
          return (
            <tr key={`${i.name} ${i.value}`}>
              <th scope="row">
                <span className="muted">{i.name.replaceAll('_', ' ')}</span>{' '}
                {term ? (
                  <button type="button" className={css.narrow} title="Narrow the search to this" onClick={() => onNarrow(term)}>
                    {i.value}
                  </button>
                ) : (
                  <b>{i.value}</b>
                )}
              </th>
              <td>
                <span className={css.pair} title={`selected: ${i.selected} of ${d.selected}; others: ${i.rest} of ${d.rest}; difference ${percent(i.low, 0)} to ${percent(i.high, 0)}`}>
                  <i data-side="a" style={{ width: `${i.share * 100}%` }} />
                  <i data-side="b" style={{ width: `${i.rest_share * 100}%` }} />
                </span>
              </td>
              <td className="num">
                {percent(i.share, 0)} <span className="muted">/ {percent(i.rest_share, 0)}</span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

// What lies beside runs, and the hour of the day, has no field in the search.
const beside = ['prompt', 'policy', 'source_version', 'hour'];

/** termOf is the search for runs that have a value; undefined where there is none. */
export function termOf(d: Pick<DifferentItem, 'name' | 'value'>): string | undefined {
  if (beside.includes(d.name)) return undefined;
  if (d.name.startsWith('label:')) {
    const key = d.name.slice(6);
    return `label.${/^[\w.-]+$/.test(key) ? key : `"${key.replace(/["\\]/g, '\\$&')}"`}:${quote(d.value)}`;
  }
  return `${d.name}:${quote(d.value)}`;
}

function figure(m: DifferentMeasure, v: number | null): string {
  if (v === null) return 'unknown';
  if (m.name === 'duration_ms') return duration(v) ?? 'unknown';
  if (m.name === 'cost') return money(v) ?? 'unknown';
  return count(v) ?? 'unknown';
}
