// The lives and the holds that people choose from, the same everywhere.

export interface Choice {
  value: string;
  label: string;
}

const all: Choice[] = [
  { value: '10m', label: '10 minutes' },
  { value: '1h', label: 'an hour' },
  { value: '1d', label: 'a day' },
  { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' },
  { value: '90d', label: '90 days' },
  { value: '365d', label: 'a year' },
];

/** lives are the choices for how long something may be used, in the order given. */
export const lives = (...values: string[]): Choice[] => values.map((v) => all.find((c) => c.value === v) ?? { value: v, label: v });

/** holds are the choices for how long a limit holds, in minutes; '' is without an end. */
export const holds = (endless: string, ...minutes: number[]): Choice[] => [{ value: '', label: endless }, ...minutes.map((m) => ({ value: String(m), label: minutesText(m) }))];

export function minutesText(m: number): string {
  if (m === 60) return 'an hour';
  if (m === 1440) return 'a day';
  return m < 60 ? `${m} minutes` : `${m / 60} hours`;
}

/** untilOf is the moment at which a hold of so many minutes ends; undefined without an end. */
export const untilOf = (minutes: string): string | undefined => (minutes ? new Date(Date.now() + Number(minutes) * 60_000).toISOString() : undefined);
