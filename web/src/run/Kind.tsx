import { lookOf } from './kinds';
import css from './run.module.css';

/** Kind is a step's kind as a coloured letter. */
export function Kind({ kind }: { kind: string }) {
  const l = lookOf(kind);
  return (
    <span className={css.kind} style={{ '--kind': `var(${l.color})` } as React.CSSProperties} title={l.name} aria-label={l.name} role="img">
      {l.letter}
    </span>
  );
}
