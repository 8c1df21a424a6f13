import type { ReactNode } from 'react';
import css from './keyed.module.css';

/** Field is a column of a KeyedTable. */
export interface Field<T> {
  head: ReactNode;
  cell: (row: T) => ReactNode;
  /** Figures stand right, in digits of one width. */
  num?: boolean;
  /** The actions of a row: last, right, without a heading that is seen. */
  end?: boolean;
  width?: string;
  /** Text that may be long is cut at this width and whole in its title. */
  title?: (row: T) => string | undefined;
}

/**
 * KeyedTable is the plain table of short lists: settings, limits, receipts. What
 * has many rows, or opens them by keyboard, is a KeyTable. Without rows it shows
 * `empty`. On a narrow screen it scrolls in its own frame.
 */
export function KeyedTable<T>({ label, fields, rows, rowKey, empty, mark }: { label: string; fields: Field<T>[]; rows: T[]; rowKey: (row: T) => string; empty?: ReactNode; mark?: (row: T) => 'good' | 'warn' | 'bad' | undefined }) {
  if (rows.length === 0 && empty) return <>{empty}</>;
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={label}>
      <table className={css.table}>
        <thead>
          <tr>
            {fields.map((f, i) => (
              <th key={i} data-num={f.num || undefined} style={{ width: f.width }}>
                {f.end ? <span className="unseen">{f.head}</span> : f.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <tr key={rowKey(r)} data-mark={mark?.(r)}>
              {fields.map((f, i) => (
                <td key={i} className={f.end ? css.end : undefined} data-num={f.num || undefined} data-cut={f.title ? '' : undefined} title={f.title?.(r)} style={f.title ? { maxWidth: f.width ?? 240 } : undefined}>
                  {f.end ? <span className={css.acts}>{f.cell(r)}</span> : f.cell(r)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
