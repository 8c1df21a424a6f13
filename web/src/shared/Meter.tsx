import css from './shared.module.css';

/** A part of a meter, from the left: parts add up. */
export interface MeterPart {
  share: number;
  tone?: 'good' | 'warn' | 'bad' | 'soft';
}

/** Meter shows a share of a whole; its label says it in words. */
export function Meter({ label, parts }: { label: string; parts: MeterPart[] }) {
  let left = 0;
  return (
    <span className={css.meter} role="img" aria-label={label} title={label}>
      {parts.map((p, i) => {
        const from = left;
        left += p.share;
        return <span key={i} data-tone={p.tone} style={{ left: `${Math.min(100, from * 100)}%`, width: `${Math.max(0, Math.min(100 - from * 100, p.share * 100))}%` }} />;
      })}
    </span>
  );
}
