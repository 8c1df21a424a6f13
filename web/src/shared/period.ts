// Periods: relative ("-24h", "now", "today") or RFC 3339 instants.

const units: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

export const presets = [
  { from: '-15m', label: 'Last 15 minutes', short: '15 min' },
  { from: '-1h', label: 'Last hour', short: '1 h' },
  { from: '-6h', label: 'Last 6 hours', short: '6 h' },
  { from: '-24h', label: 'Last 24 hours', short: '24 h' },
  { from: '-3d', label: 'Last 3 days', short: '3 d' },
  { from: '-7d', label: 'Last 7 days', short: '7 d' },
  { from: '-30d', label: 'Last 30 days', short: '30 d' },
] as const;

/** instant resolves a bound to milliseconds since 1970, or undefined when it is none. */
export function instant(text: string | undefined | null, now = Date.now()): number | undefined {
  if (!text) return undefined;
  if (text === 'now') return now;
  const rel = /^-(\d{1,5})([smhdw])$/.exec(text);
  if (rel) return now - Number(rel[1]) * (units[rel[2]!] ?? 0);
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const t = Date.parse(text);
  return Number.isNaN(t) ? undefined : t;
}

export function span(from: string, to: string, now = Date.now()): { from: number; to: number } {
  const b = instant(to, now) ?? now;
  const a = instant(from, now) ?? b - 86400e3;
  return a < b ? { from: a, to: b } : { from: b, to: a };
}

/** shiftBack is the period to compare with: just before, a day or a week earlier. */
export function shiftBack(from: string, to: string, by: 'previous' | 'day' | 'week', now = Date.now()): { from: string; to: string } {
  const p = span(from, to, now);
  const d = by === 'previous' ? p.to - p.from : by === 'day' ? 86400e3 : 7 * 86400e3;
  return { from: new Date(p.from - d).toISOString(), to: new Date(p.to - d).toISOString() };
}

/** bucketFor picks a round bucket that gives about `target` points. */
export function bucketFor(ms: number, target = 96): { text: string; ms: number } {
  const steps: [string, number][] = [
    ['1m', 60e3], ['5m', 300e3], ['15m', 900e3], ['30m', 1800e3], ['1h', 3600e3], ['3h', 3 * 3600e3], ['6h', 6 * 3600e3], ['12h', 12 * 3600e3], ['24h', 86400e3],
  ];
  for (const [text, size] of steps) if (ms / size <= target) return { text, ms: size };
  return { text: '24h', ms: 86400e3 };
}

export function periodLabel(from: string, to: string): string {
  if (to === 'now') {
    const p = presets.find((x) => x.from === from);
    if (p) return p.label;
    const rel = /^-(\d+)([smhdw])$/.exec(from);
    if (rel) return `Last ${rel[1]} ${{ s: 'seconds', m: 'minutes', h: 'hours', d: 'days', w: 'weeks' }[rel[2]!]}`;
  }
  return '';
}
