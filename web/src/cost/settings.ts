import type { CostCentre, CostRate, CostSettings } from '../api/types';

/** Draft is the form's words: numbers as they were typed. */
export interface Draft {
  currency: string;
  zone: string;
  hour: string;
  rates: { currency: string; from: string; dollars: string }[];
  centres: Required<CostCentre>[];
  channel: string;
  to: string;
  day: string;
}

export const draftOf = (s: CostSettings): Draft => ({
  currency: s.currency,
  zone: s.zone,
  hour: s.people_hour ? String(s.people_hour) : '',
  rates: s.rates.map((r) => ({ ...r, dollars: String(r.dollars) })),
  centres: s.centres.map((c) => ({ centre: c.centre, team: c.team ?? '', agent: c.agent ?? '', environment: c.environment ?? '' })),
  channel: s.report.channel ?? '',
  to: (s.report.to ?? []).join(', '),
  day: String(s.report.day ?? 1),
});

// What is no number is sent as one that the server refuses, with its place.
const number = (text: string, empty = 0) => (text.trim() === '' ? empty : Number.isFinite(Number(text.replace(',', '.'))) ? Number(text.replace(',', '.')) : -1);

/** settingsOf is what a draft says, as the next revision of what was read. */
export function settingsOf(d: Draft, read: Pick<CostSettings, 'revision'>) {
  const to = d.to.split(/[,;\s]+/).filter(Boolean);
  return {
    currency: d.currency.trim().toUpperCase(), zone: d.zone.trim(), people_hour: number(d.hour), revision: read.revision,
    rates: d.rates.map((r) => ({ currency: r.currency.trim().toUpperCase(), from: r.from.trim(), dollars: number(r.dollars) })),
    centres: d.centres.map((c) => ({ centre: c.centre.trim(), team: c.team.trim(), agent: c.agent.trim(), environment: c.environment.trim() })),
    report: d.channel ? { channel: d.channel, to, day: number(d.day, 1) } : {},
  };
}

/** placeOf is where in the form a refusal belongs: "rates.1.from"; '' at its end. */
export function placeOf(message: string): string {
  const at = /^(rates|centres|report\.to)\[(\d+)\](?:\.(\w+))?/.exec(message);
  if (at) return at[1] === 'report.to' ? 'to' : [at[1], at[2], at[3] ?? (at[1] === 'rates' ? 'from' : 'centre')].join('.');
  if (/^report\.day/.test(message)) return 'day';
  if (/^report(\.channel)?\b/.test(message)) return 'channel';
  if (/^(currency|figures cannot be shown)\b/.test(message)) return 'currency';
  if (/^(zone|there is no zone)\b/.test(message)) return 'zone';
  return /^hour\b/.test(message) ? 'hour' : '';
}

const rateText = (r: Pick<CostRate, 'currency' | 'from' | 'dollars'>) => `a ${r.currency} at ${r.dollars} USD from ${r.from}`;
const centreText = (c: CostCentre) => `${c.centre} for ${[c.team && `team ${c.team}`, c.agent && `agent ${c.agent}`, c.environment].filter(Boolean).join(', ') || 'everything'}`;

/** changesOf says in words what is other than it was, so that nothing goes unseen. */
export function changesOf(was: CostSettings, is: ReturnType<typeof settingsOf>): string[] {
  const out: string[] = [];
  const say = (what: string, a: unknown, b: unknown) => a !== b && out.push(`${what}: ${a || 'none'} becomes ${b || 'none'}`);
  say('Currency', was.currency, is.currency);
  say('Zone', was.zone, is.zone);
  say('An hour of people', was.people_hour, is.people_hour);
  const lists = (what: string, a: string[], b: string[]) => {
    for (const x of a) if (!b.includes(x)) out.push(`${what} goes: ${x}`);
    for (const x of b) if (!a.includes(x)) out.push(`${what} comes: ${x}`);
  };
  lists('Rate', was.rates.map(rateText), is.rates.map(rateText));
  const [before, after] = [was.centres.map(centreText), is.centres.map(centreText)];
  lists('Cost centre', before, after);
  if (before.length === after.length && before.every((x) => after.includes(x)) && before.join('\n') !== after.join('\n')) out.push('Cost centres: another comes first');
  say("The report's channel", was.report.channel ?? '', is.report.channel ?? '');
  if (is.report.channel) {
    say('The report goes to', (was.report.to ?? []).join(', '), (is.report.to ?? []).join(', '));
    if (was.report.channel) say('The report goes out on day', was.report.day ?? 1, is.report.day);
  }
  return out;
}

/** currentRates is the newest rate of each currency that holds on a day. */
export function currentRates(rates: CostRate[], day: string): CostRate[] {
  const out = new Map<string, CostRate>();
  for (const r of [...rates].sort((a, b) => a.from.localeCompare(b.from))) if (r.from <= day) out.set(r.currency, r);
  return [...out.values()];
}
