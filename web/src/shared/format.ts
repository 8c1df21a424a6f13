// Figures in words. Each function takes null or undefined for unknown and
// answers undefined then: the caller shows <Unknown/>, never 0 and never "-".

export type Maybe = number | null | undefined;

const known = (n: Maybe): n is number => n !== null && n !== undefined && Number.isFinite(n);

const grouped = new Intl.NumberFormat('en-US');

/** count writes a whole number with thousands grouped: 12,418. */
export function count(n: Maybe): string | undefined {
  return known(n) ? grouped.format(Math.round(n)) : undefined;
}

/** compact writes a count in at most four characters and a letter: 12.4k, 3.1M. */
export function compact(n: Maybe): string | undefined {
  if (!known(n)) return undefined;
  const a = Math.abs(n);
  if (a < 1000) return Number.isInteger(n) ? String(n) : n.toFixed(1);
  for (const [size, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const) {
    if (a >= size * 0.9995) {
      const v = n / size;
      return (Math.abs(v) < 99.95 ? v.toFixed(1) : v.toFixed(0)).replace(/\.0$/, '') + letter;
    }
  }
  return String(n);
}

/** duration writes milliseconds for people: 840 ms, 3.2 s, 4 min 05 s, 2 h 10 min. */
export function duration(ms: Maybe): string | undefined {
  if (!known(ms)) return undefined;
  if (ms < 0) return '0 ms';
  if (ms < 1) return ms === 0 ? '0 ms' : `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1).replace(/\.0$/, '') : Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 59.95) return `${s < 9.995 ? s.toFixed(2) : s.toFixed(1)} s`;
  const total = Math.round(s);
  if (total < 3600) return `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, '0')} s`;
  const min = Math.round(s / 60);
  if (min < 48 * 60) return `${Math.floor(min / 60)} h ${String(min % 60).padStart(2, '0')} min`;
  return `${Math.floor(min / 1440)} d ${Math.floor((min % 1440) / 60)} h`;
}

/** money writes an amount with enough digits to tell small ones apart. */
export function money(amount: Maybe, currency = 'USD'): string | undefined {
  if (!known(amount)) return undefined;
  const a = Math.abs(amount);
  const digits = a === 0 ? 2 : a < 0.001 ? 6 : a < 0.1 ? 4 : a < 10 ? 3 : a < 1000 ? 2 : 0;
  const s = new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(amount);
  return currency === 'USD' ? `$${s}`.replace('$-', '-$') : `${s} ${currency}`;
}

/** percent writes a share of 0..1. */
export function percent(share: Maybe, digits = 1): string | undefined {
  return known(share) ? `${(share * 100).toFixed(digits)}\u00a0%` : undefined;
}

/** points writes the difference of two shares in percentage points. */
export function points(now: Maybe, before: Maybe): string | undefined {
  if (!known(now) || !known(before)) return undefined;
  const d = (now - before) * 100;
  if (Math.abs(d) < 0.05) return 'as before';
  return `${Math.abs(d).toFixed(1)} points ${d < 0 ? 'under' : 'over'}`;
}

export function bytes(n: Maybe): string | undefined {
  if (!known(n)) return undefined;
  if (n < 1000) return `${n} B`;
  for (const [size, unit] of [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']] as const) {
    if (n >= size * 0.9995) {
      const v = n / size;
      return `${v < 99.95 ? v.toFixed(1) : v.toFixed(0)} ${unit}`;
    }
  }
  return `${n} B`;
}

/** ago writes how long ago something was. */
export function ago(at: number, now: number): string {
  const s = Math.round((now - at) / 1000);
  if (s < -1) return `in ${ahead(-s)}`;
  if (s < 5) return 'now';
  return `${ahead(s)} ago`;
}

function ahead(s: number): string {
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

/** wilson is the 95 % interval of a proportion; undefined without a sample. */
export function wilson(hits: number, n: number): [number, number] | undefined {
  if (n <= 0) return undefined;
  const z = 1.96;
  const p = hits / n;
  const mid = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return [Math.max(0, mid - half), Math.min(1, mid + half)];
}

const zoneOf = (tz: string) => (tz === 'local' ? undefined : tz === 'utc' ? 'UTC' : tz);
const cache = new Map<string, Intl.DateTimeFormat>();

function fmt(tz: string, kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = tz + kind;
  let f = cache.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zoneOf(tz), hourCycle: 'h23' });
    cache.set(key, f);
  }
  return f;
}

/** clock writes a time of day, with seconds and milliseconds when asked. */
export function clock(at: number, tz: string, precise: false | 's' | 'ms' = false): string {
  const f = fmt(tz, 'c' + String(precise), { hour: '2-digit', minute: '2-digit', second: precise ? '2-digit' : undefined, fractionalSecondDigits: precise === 'ms' ? 3 : undefined } as Intl.DateTimeFormatOptions);
  return f.format(at);
}

/** day writes a date; its year only when that is not this one. */
export function day(at: number, tz: string): string {
  const thisYear = new Date(at).getFullYear() === new Date().getFullYear();
  return thisYear ? fmt(tz, 'd', { day: 'numeric', month: 'short' }).format(at) : fmt(tz, 'y', { day: 'numeric', month: 'short', year: 'numeric' }).format(at);
}

export function dayClock(at: number, tz: string): string {
  return `${day(at, tz)}, ${clock(at, tz)}`;
}

/** full writes a moment completely, for titles and exports. */
export function full(at: number, tz: string): string {
  const d = fmt(tz, 'f', { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, timeZoneName: 'short' } as Intl.DateTimeFormatOptions);
  return d.format(at);
}

/** plural picks the word: 1 run, 2 runs. */
export function plural(n: number, one: string, many = one + 's'): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** numberWord writes small counts as a sentence does. */
export function numberWord(n: number): string {
  return ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine', 'Ten'][n] ?? String(count(n));
}
