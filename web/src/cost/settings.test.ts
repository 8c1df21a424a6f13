import { describe, expect, it } from 'vitest';
import type { CostSettings } from '../api/types';
import { changesOf, currentRates, draftOf, placeOf, settingsOf } from './settings';

const read: CostSettings = {
  currency: 'EUR', zone: 'Europe/Vienna', people_hour: 60, revision: 3, at: null,
  rates: [{ currency: 'EUR', from: '2026-01-01', dollars: 1.08 }, { currency: 'EUR', from: '2026-06-01', dollars: 1.1 }],
  centres: [{ centre: '4711', team: 'support' }, { centre: '4712', agent: 'sales-*' }],
  report: { channel: 'mail', to: ['finance@example.com'], day: 2 },
};

describe('settings of cost', () => {
  it('come back from the form as they were read', () => {
    const is = settingsOf(draftOf(read), read);
    expect(is).toMatchObject({ currency: 'EUR', people_hour: 60, revision: 3, rates: read.rates, report: read.report });
    expect(changesOf(read, is)).toEqual([]);
  });
  it('refuse what is no number at the server, never as zero', () => {
    const d = draftOf(read);
    expect(settingsOf({ ...d, hour: 'sixty' }, read).people_hour).toBe(-1);
    expect(settingsOf({ ...d, hour: '60,5' }, read).people_hour).toBe(60.5);
    expect(settingsOf({ ...d, rates: [{ currency: 'eur', from: '2026-01-01', dollars: '' }] }, read).rates).toEqual([{ currency: 'EUR', from: '2026-01-01', dollars: 0 }]);
    expect(settingsOf({ ...d, channel: '' }, read).report).toEqual({});
  });
  it('tell each change in words, also what is lost and what changes places', () => {
    const d = draftOf(read);
    expect(changesOf(read, settingsOf({ ...d, hour: '', rates: d.rates.slice(1), centres: [...d.centres].reverse(), to: 'a@example.com b@example.com', day: '5' }, read))).toEqual([
      'An hour of people: 60 becomes none',
      'Rate goes: a EUR at 1.08 USD from 2026-01-01',
      'Cost centres: another comes first',
      'The report goes to: finance@example.com becomes a@example.com, b@example.com',
      'The report goes out on day: 2 becomes 5',
    ]);
  });
  it('put a refusal at its place', () => {
    for (const [message, place] of [
      ['rates[1].from is a day such as 2026-01-31, not "x"', 'rates.1.from'],
      ['rates[0]: there are two rates of EUR from 2026-01-01', 'rates.0.from'],
      ['centres[2] needs a centre of at most 100 bytes', 'centres.2.centre'],
      ['report.to[0]: "x" is no address', 'to'],
      ['report.day is a day of the month after, 1 to 28', 'day'],
      ['report.channel: there is no channel of kind email called "m"', 'channel'],
      ['report needs a channel of kind mail, and at most 50 addresses', 'channel'],
      ['figures cannot be shown in CHF: it has no rate', 'currency'],
      ['there is no zone "Mars/Base"', 'zone'],
      ['hour is what an hour of people costs, 0 to 1e6', 'hour'],
      ['the settings are at revision 4, not 3', ''],
    ] as const)
      expect(placeOf(message)).toBe(place);
  });
  it('show the rate that holds, not the one to come', () => {
    expect(currentRates(read.rates, '2026-03-01').map((r) => r.dollars)).toEqual([1.08]);
    expect(currentRates(read.rates, '2026-06-01').map((r) => r.dollars)).toEqual([1.1]);
    expect(currentRates(read.rates, '2025-06-01')).toEqual([]);
  });
});
