import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { usePrefs } from '../state/prefs';
import { Icon } from './icons';
import css from './shared.module.css';

/** Column of a KeyTable. `width` is a CSS grid track: "90px", "minmax(120px, 1fr)". */
export interface Column<T> {
  id: string;
  head: ReactNode;
  width: string;
  align?: 'left' | 'right';
  /** Sorting by this column is offered under this name. */
  sort?: string;
  cell: (row: T, index: number) => ReactNode;
}

export interface KeyTableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  onOpen?: (row: T) => void;
  /** "started" is descending, "-started" ascending, as the API has it. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** Called when the last rows come into view. */
  onEnd?: () => void;
  /** The height of the scrolled part; without it the table fills its flex parent. */
  height?: number | string;
  active?: string;
  onActive?: (row: T) => void;
  empty?: ReactNode;
  /** A row that is a heading over the next ones: shown across all columns. */
  heading?: (row: T) => ReactNode | undefined;
  /** Focus the table when it appears, so that j and k work at once. */
  autoFocus?: boolean;
}

/** tell gives a cell that is too narrow for its text that text as its title. */
function tell(e: PointerEvent) {
  const cell = (e.target as HTMLElement).closest<HTMLElement>('[role="gridcell"]');
  if (!cell || cell.querySelector('[title]')) return;
  if (cell.scrollWidth > cell.clientWidth) cell.title = cell.innerText;
  else cell.removeAttribute('title');
}

/**
 * KeyTable is the one table of the console: virtual (any number of rows, few
 * DOM nodes), and run by keyboard: j k or arrows, page keys, Home, End, Enter opens.
 */
export function KeyTable<T>({ label, columns, rows, rowKey, onOpen, sort, onSort, onEnd, height, active, onActive, empty, heading, autoFocus }: KeyTableProps<T>) {
  const { density } = usePrefs();
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [own, setOwn] = useState<string>();
  const [quiet, setQuiet] = useState(false);
  const activeKey = active ?? own;
  const rowHeight = density === 'comfortable' ? 38 : 30;
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12, scrollMargin: 0 });
  const tracks = columns.map((c) => c.width).join(' ');
  // Every row is a grid of its own: with one width for all of them their columns meet.
  const minWidth = columns.reduce((sum, c) => sum + Number(/(\d+)px/.exec(c.width)?.[1] ?? 0), 0);
  const at = activeKey === undefined ? -1 : rows.findIndex((r) => rowKey(r) === activeKey);

  useEffect(() => virtual.measure(), [virtual, rowHeight]);
  useEffect(() => {
    // So that j and k work at once; a ring round the whole table would say nothing.
    if (autoFocus) {
      setQuiet(true);
      box.current?.focus({ preventScroll: true });
    }
  }, [autoFocus]);

  const items = virtual.getVirtualItems();
  const last = items[items.length - 1]?.index ?? -1;
  // A row that moved out of sight has no element to point at.
  const drawn = items.some((v) => v.index === at);
  useEffect(() => {
    if (onEnd && rows.length > 0 && last >= rows.length - 15) onEnd();
  }, [last, rows.length, onEnd]);

  function move(to: number) {
    let i = Math.max(0, Math.min(rows.length - 1, to));
    // Headings are passed over, in the direction of the move.
    const step = i >= at ? 1 : -1;
    while (rows[i] !== undefined && heading?.(rows[i]!) !== undefined) i += step;
    const row = rows[i];
    if (row === undefined) return;
    setOwn(rowKey(row));
    onActive?.(row);
    virtual.scrollToIndex(i, { align: 'auto' });
  }

  function onKeyDown(e: KeyboardEvent) {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target !== box.current) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 300) / rowHeight) - 2);
    const moves: Record<string, number> = { j: at + 1, ArrowDown: at + 1, k: at - 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 };
    const to = moves[e.key];
    if (to !== undefined) {
      e.preventDefault();
      move(to);
    } else if (e.key === 'Enter' && at >= 0 && onOpen) {
      e.preventDefault();
      onOpen(rows[at]!);
    }
  }

  return (
    <div
      ref={box}
      className={css.table}
      data-density={density}
      data-quiet={quiet || undefined}
      onBlur={() => setQuiet(false)}
      onPointerOver={tell}
      style={{ height }}
      tabIndex={0}
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-activedescendant={drawn ? `${id}-${at}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div className={css.thead} role="row" style={{ gridTemplateColumns: tracks, minWidth }}>
        {columns.map((c) => {
          const name = c.sort;
          const desc = name !== undefined && sort === name;
          const asc = name !== undefined && sort === '-' + name;
          const aria = desc ? 'descending' : asc ? 'ascending' : undefined;
          return name && onSort ? (
            <div key={c.id} role="columnheader" aria-sort={aria} style={{ height: '100%', minWidth: 0 }}>
              <button type="button" className={css.th} data-align={c.align} style={{ width: '100%' }} onClick={() => onSort(desc ? '-' + name : name)}>
                {c.head}
                {(desc || asc) && <Icon name={desc ? 'down' : 'up'} size={11} />}
              </button>
            </div>
          ) : (
            <div key={c.id} role="columnheader" className={css.th} data-align={c.align}>
              {c.head}
            </div>
          );
        })}
      </div>
      {rows.length === 0 ? (
        <div role="row">
          <div role="gridcell">{empty}</div>
        </div>
      ) : (
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative', minWidth }}>
          {items.map((v) => {
            const row = rows[v.index]!;
            const key = rowKey(row);
            const over = heading?.(row);
            if (over !== undefined) {
              return (
                <div key={key} id={`${id}-${v.index}`} role="row" aria-rowindex={v.index + 2} className={css.trow} style={{ transform: `translateY(${v.start}px)`, display: 'block' }}>
                  <div role="gridcell" aria-colspan={columns.length} style={{ height: '100%' }}>
                    {over}
                  </div>
                </div>
              );
            }
            return (
              <div
                key={key}
                id={`${id}-${v.index}`}
                role="row"
                aria-rowindex={v.index + 2}
                aria-selected={key === activeKey}
                className={css.trow}
                data-active={key === activeKey || undefined}
                data-opens={onOpen ? '' : undefined}
                style={{ transform: `translateY(${v.start}px)`, gridTemplateColumns: tracks, minWidth }}
                onClick={(e) => {
                  if ((e.target as HTMLElement).closest('a,button,input')) return;
                  move(v.index);
                  if (onOpen && !window.getSelection()?.toString()) onOpen(row);
                }}
              >
                {columns.map((c) => (
                  <div key={c.id} role="gridcell" className={css.td} data-align={c.align}>
                    {c.cell(row, v.index)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}
