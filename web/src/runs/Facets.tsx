import { useMemo, useState } from 'react';
import { Dropdown } from '../shared/Dropdown';
import { compact, count } from '../shared/format';
import { Said } from '../run/Text';
import type { CurrentView } from '../state/url';
import { cells, useAsk, where } from './queries';
import css from './runs.module.css';
import { type SearchField, terms, toggleValue, valuesOf, withTerm, withoutTerm } from './searchText';

/** The facets offered, and the dimension that counts them. */
const FACETS: [field: string, name: string, dimension: string][] = [
  ['status', 'Status', 'status'],
  ['outcome', 'Outcome', 'outcome'],
  ['agent', 'Agent', 'agent'],
  ['error_type', 'Error', 'error_type'],
  ['model', 'Model', 'model'],
  ['tool', 'Tool', 'tool'],
  ['version', 'Version', 'version'],
  ['task', 'Task', 'task'],
];

export interface FacetsProps {
  q: string;
  onChange: (q: string) => void;
  view: CurrentView;
  fields: readonly SearchField[];
}

/** Facets are the search's terms as chips: what is set can be taken out, what is not can be picked from what occurs. */
export function Facets({ q, onChange, view, fields }: FacetsProps) {
  const others = useMemo(() => terms(q).filter((t) => !FACETS.some(([f]) => f === t.field && !t.negated && t.op === ':')), [q]);
  const failed = valuesOf(q, 'failed').includes('true');
  return (
    <div className={css.facets}>
      <button type="button" className={css.chip} aria-pressed={failed} onClick={() => onChange(withTerm(q, 'failed', failed ? [] : ['true']))}>
        Failed
      </button>
      {FACETS.map(([field, name, dimension]) => (
        <Facet key={field} field={field} name={name} dimension={dimension} q={q} onChange={onChange} view={view} fields={fields} />
      ))}
      {others
        .filter((t) => t.field !== 'failed')
        .map((t) => (
          <span key={t.from} className={css.chipOn}>
            <code>{t.text.length > 60 ? `${t.text.slice(0, 58)}…` : t.text}</code>
            <button type="button" aria-label={`Remove ${t.text}`} onClick={() => onChange(withoutTerm(q, t))}>
              ×
            </button>
          </span>
        ))}
    </div>
  );
}

function Facet({ field, name, dimension, q, onChange, view, fields }: FacetsProps & { field: string; name: string; dimension: string }) {
  const on = valuesOf(q, field);
  const words = on.length > 2 ? `${on.length} chosen` : on.join(', ');
  return (
    <span className={on.length ? css.chipOn : css.chipWrap}>
      <Dropdown
        label={on.length ? `${name} ${words}` : name}
        role="dialog"
        className={on.length ? css.chipText : css.chip}
        trigger={
          <>
            {name}
            {on.length > 0 && <b> {words}</b>}
            <span aria-hidden> ▾</span>
          </>
        }
      >
        {() => <Values field={field} name={name} dimension={dimension} q={q} onChange={onChange} view={view} fields={fields} />}
      </Dropdown>
      {on.length > 0 && (
        <button type="button" aria-label={`Any ${name.toLowerCase()}`} onClick={() => onChange(withTerm(q, field, []))}>
          ×
        </button>
      )}
    </span>
  );
}

/** Values counts what occurs of a field in the search without it, and lets them be chosen. */
function Values({ field, name, dimension, q, onChange, view, fields }: FacetsProps & { field: string; name: string; dimension: string }) {
  const [typed, setTyped] = useState('');
  const on = valuesOf(q, field);
  const without = withTerm(q, field, []);
  const asked = useAsk({
    from: 'runs',
    select: [{ func: 'count', as: 'n' }],
    where: where(view, without),
    group_by: [dimension],
    start: view.from,
    end: view.to === 'now' ? undefined : view.to,
    order_by: '-n',
    limit: 200,
  });
  const counted = cells(asked.data).map((r) => ({ value: r[dimension] === null || r[dimension] === '' ? 'unknown' : String(r[dimension]), n: Number(r.n ?? 0) }));
  const known = fields.find((f) => f.name === field && f.scope !== 'step')?.values ?? [];
  const list = [...counted];
  for (const v of [...on, ...(asked.isError || field === 'status' || field === 'outcome' ? known : [])])
    if (!list.some((x) => x.value === v)) list.push({ value: v, n: asked.isError ? NaN : 0 });
  const shown = list.filter((x) => x.value.toLowerCase().includes(typed.toLowerCase())).slice(0, 100);
  return (
    <div className={css.facetbox}>
      {list.length > 8 && (
        <input className={css.facetfind} value={typed} onChange={(e) => setTyped(e.target.value)} placeholder={`Find a ${name.toLowerCase()}`} aria-label={`Find a ${name.toLowerCase()}`} />
      )}
      <div className={css.facetlist}>
        {shown.map((x) => (
          <label key={x.value} className={css.facetrow}>
            <input type="checkbox" className={css.check} checked={on.includes(x.value)} onChange={() => onChange(toggleValue(q, field, x.value))} aria-label={x.value} />
            <span className="grow">
              <Said text={x.value} />
            </span>
            <span className="num muted" title={Number.isNaN(x.n) ? undefined : `${count(x.n)} runs`}>
              {Number.isNaN(x.n) ? '' : compact(x.n)}
            </span>
          </label>
        ))}
        {shown.length === 0 && <p className="muted">{asked.isPending ? 'Counting…' : asked.isError ? asked.error.message : 'None occurs in this period.'}</p>}
      </div>
      {asked.isError && shown.length > 0 && <p className="muted">Could not be counted: {asked.error.message}</p>}
    </div>
  );
}
