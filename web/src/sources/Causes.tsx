import type { SourceCause } from '../api/types';
import { Time } from '../shared/Values';
import { visible } from '../tools/data';
import css from './sources.module.css';

/** Causes are the jobs that did not do their part, the furthest up first, each with its way to the source. */
export function Causes({ causes, most = 20 }: { causes: readonly SourceCause[] | null | undefined; most?: number }) {
  const all = causes ?? [];
  if (all.length === 0) return null;
  return (
    <ul className={css.causes}>
      {all.slice(0, most).map((c) => (
        <li key={c.path?.join('\n') ?? c.job}>
          because <strong>{visible(c.job)}</strong> {c.state === 'failed' ? 'failed' : `was ${c.state}`} <Time at={c.at} />
          {c.note && <>: {visible(c.note)}</>}
          {c.good_at ? <>; it last completed <Time at={c.good_at} /></> : '; nobody saw it complete'}
          <span className={css.path}>{(c.path ?? []).map(visible).join(' \u203a ')}</span>
        </li>
      ))}
      {all.length > most && <li className="muted">and {all.length - most} more above it</li>}
    </ul>
  );
}
