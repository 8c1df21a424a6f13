import type { ReactNode } from 'react';
import css from './shared.module.css';

// State is said three ways at once: a letter, a shape and a colour, so that
// nobody needs to tell red from green.

export type Level = 'good' | 'warn' | 'bad' | 'info' | 'idle' | 'unknown';

const fill: Record<Level, string> = {
  good: 'var(--r-good)',
  warn: 'var(--r-warn)',
  bad: 'var(--r-bad)',
  info: 'var(--r-info)',
  idle: 'var(--r-idle)',
  unknown: 'var(--r-unknown-bg)',
};

// One shape a level, drawn in 16 x 16.
const shape: Record<Level, ReactNode> = {
  good: <circle cx="8" cy="8" r="7.5" />,
  info: <circle cx="8" cy="8" r="7.5" />,
  idle: <rect x="1" y="1" width="14" height="14" rx="2.5" />,
  warn: <path d="M8 .7c.5 0 1 .3 1.3.8l6.2 11.2c.6 1-.2 2.3-1.3 2.3H1.8C.7 15-.1 13.7 .5 12.7L6.7 1.5C7 1 7.5 .7 8 .7z" />,
  bad: <path d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z" />,
  unknown: <rect x="1" y="1" width="14" height="14" rx="7" />,
};

/** Mark is one state: letter, shape, colour, and its words for those who cannot see it. */
export function Mark({ level, letter, label, words, size = 16 }: { level: Level; letter: string; label: string; words?: boolean; size?: number }) {
  const unknown = level === 'unknown';
  return (
    <span className={css.mark} title={words ? undefined : label}>
      <svg width={size} height={size} viewBox="0 0 16 16" role={words ? undefined : 'img'} aria-label={words ? undefined : label} aria-hidden={words ? true : undefined}>
        <g fill={fill[level]} stroke={unknown ? 'var(--r-unknown)' : 'none'} strokeDasharray={unknown ? '2 2' : undefined}>
          {shape[level]}
        </g>
        <text x="8" y={level === 'warn' ? 13 : 11.4} textAnchor="middle" fontSize={level === 'warn' ? 8.5 : 9.5} fontWeight="600" fill={unknown ? 'var(--r-text-2)' : 'var(--r-on-fill)'}>
          {letter}
        </text>
      </svg>
      {words && <span className={css.markWord}>{label}</span>}
    </span>
  );
}

const statuses: Record<string, { level: Level; letter: string; label: string }> = {
  running: { level: 'info', letter: 'R', label: 'running' },
  waiting: { level: 'warn', letter: 'W', label: 'waiting' },
  done: { level: 'good', letter: 'D', label: 'done' },
  stale: { level: 'unknown', letter: 'S', label: 'stale' },
};

/** RunStatus shows how a run stands; a run whose root failed says so. */
export function RunStatus({ status, failed, words }: { status: string; failed?: boolean; words?: boolean }) {
  const s = failed && status === 'done' ? { level: 'bad' as const, letter: 'F', label: 'failed' } : (statuses[status] ?? { level: 'unknown' as const, letter: '?', label: status || 'unknown' });
  return <Mark {...s} words={words} />;
}

const outcomes: Record<string, { level: Level; letter: string; label: string }> = {
  resolved: { level: 'good', letter: 'R', label: 'resolved' },
  verified_resolved: { level: 'good', letter: 'V', label: 'verified resolved' },
  implied_resolved: { level: 'good', letter: 'R', label: 'implied resolved' },
  contained: { level: 'info', letter: 'C', label: 'contained' },
  deflected: { level: 'idle', letter: 'D', label: 'deflected' },
  escalated: { level: 'idle', letter: 'E', label: 'escalated' },
  abandoned: { level: 'warn', letter: 'A', label: 'abandoned' },
  failed: { level: 'bad', letter: 'F', label: 'failed' },
};

/** Outcome shows how a run ended for its user; null is unknown, or assumed to be failed when the run ended in error. */
export function Outcome({ outcome, failed, words = true }: { outcome: string | null | undefined; failed?: boolean; words?: boolean }) {
  if (!outcome && failed) return <Mark {...outcomes.failed!} label="failed (assumed)" words={words} />;
  const o = (outcome && outcomes[outcome]) || { level: 'unknown' as const, letter: '?', label: outcome || 'outcome unknown' };
  return <Mark {...o} words={words} />;
}

/** Badge is a short fact beside a name. */
export function Badge({ tone, title, children }: { tone?: 'good' | 'warn' | 'bad' | 'info' | 'accent'; title?: string; children: ReactNode }) {
  return (
    <span className={css.badge} data-tone={tone} title={title}>
      {children}
    </span>
  );
}
