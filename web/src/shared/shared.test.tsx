import { MantineProvider } from '@mantine/core';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as f from './format';
import { KeyTable } from './KeyTable';
import { answers, keyOf, useShortcuts } from './keys';
import { bucketFor, instant, periodLabel, shiftBack, span } from './period';
import { Unknown } from './Values';

afterEach(cleanup);

describe('format', () => {
  it('never turns unknown into a figure', () => {
    for (const v of [null, undefined, Number.NaN]) {
      for (const write of [f.count, f.compact, f.duration, f.money, f.percent, f.bytes]) expect(write(v)).toBeUndefined();
    }
    expect(f.points(0.5, null)).toBeUndefined();
  });
  it.each([
    [0, '0'], [999, '999'], [1000, '1k'], [12_418, '12.4k'], [999_950, '1M'], [3_100_000, '3.1M'], [-2500, '-2.5k'],
  ])('compact %d', (n, want) => expect(f.compact(n)).toBe(want));
  it.each([
    [0, '0 ms'], [0.4, '400 µs'], [8.25, '8.3 ms'], [840, '840 ms'], [999.9, '1.00 s'], [3210, '3.21 s'], [59_970, '1 min 00 s'], [245_000, '4 min 05 s'], [7_800_000, '2 h 10 min'], [200_000_000, '2 d 7 h'],
  ])('duration %d', (n, want) => expect(f.duration(n)).toBe(want));
  it.each([
    [0, '$0.00'], [0.00042, '$0.000420'], [0.1, '$0.100'], [0.0123, '$0.0123'], [1204.5, '$1,205'],
  ])('money %d', (n, want) => expect(f.money(n)).toBe(want));
  it('gives the Wilson interval', () => {
    const [low, high] = f.wilson(81, 100)!;
    expect(low).toBeCloseTo(0.722, 2);
    expect(high).toBeCloseTo(0.875, 2);
    expect(f.wilson(0, 0)).toBeUndefined();
  });
});

describe('period', () => {
  const now = Date.parse('2026-03-10T12:00:00Z');
  it('resolves bounds', () => {
    expect(instant('now', now)).toBe(now);
    expect(instant('-15m', now)).toBe(now - 900_000);
    expect(instant('2026-03-10T11:00Z', now)).toBe(now - 3600_000);
    for (const bad of ['', 'yesterday', '-5y', '-', '1', '--1h']) expect(instant(bad, now)).toBeUndefined();
  });
  it('puts a reversed period right', () => expect(span('now', '-1h', now)).toEqual({ from: now - 3600e3, to: now }));
  it('shifts back by the period, a day, a week', () => {
    expect(shiftBack('-1h', 'now', 'previous', now)).toEqual({ from: '2026-03-10T10:00:00.000Z', to: '2026-03-10T11:00:00.000Z' });
    expect(shiftBack('-1h', 'now', 'week', now).to).toBe('2026-03-03T12:00:00.000Z');
  });
  it('picks a round bucket', () => {
    expect(bucketFor(24 * 3600e3).text).toBe('15m');
    expect(bucketFor(3600e3).text).toBe('1m');
    expect(bucketFor(365 * 86400e3).text).toBe('24h');
  });
  it('says a period in words', () => {
    expect(periodLabel('-24h', 'now')).toBe('Last 24 hours');
    expect(periodLabel('-90m', 'now')).toBe('Last 90 minutes');
  });
});

it('names keys the way shortcuts are written', () => {
  const key = (key: string, more = {}) => keyOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  expect(key('k', { metaKey: true })).toBe('ctrl+k');
  expect(key('?', { shiftKey: true })).toBe('?');
  expect(key('E', { shiftKey: true })).toBe('shift+e');
  expect(key('ArrowDown')).toBe('down');
});

it('leaves Enter to the control that has the focus', () => {
  const run = vi.fn();
  function Page() {
    useShortcuts('Page', [
      { keys: 'enter', label: 'Open', run },
      { keys: 'a', label: 'Confirm', run },
    ]);
    return (
      <>
        <button type="button">Decline</button>
        <p tabIndex={-1}>words</p>
      </>
    );
  }
  render(<Page />);
  const button = screen.getByRole('button');
  expect(fireEvent.keyDown(button, { key: 'Enter' }), 'the browser goes on to press the button').toBe(true);
  expect(run).not.toHaveBeenCalled();
  expect(fireEvent.keyDown(screen.getByText('words'), { key: 'Enter' })).toBe(false);
  fireEvent.keyDown(button, { key: 'a' });
  expect(run).toHaveBeenCalledTimes(2);
  expect(answers(button, 'space')).toBe(true);
});

it('shows unknown hatched and with its reason', () => {
  render(<Unknown why="No usage was reported." />);
  const el = screen.getByTitle('No usage was reported.');
  expect(el.className).toContain('hatch');
  expect(el.textContent).toBe('unknown');
});

it('runs a table by keyboard, passing over headings', () => {
  const open = vi.fn();
  const rows = ['# team', 'one', 'two'];
  render(
    <MantineProvider>
      <KeyTable label="Rows" columns={[{ id: 'a', head: 'A', width: '1fr', cell: (r: string) => r }]} rows={rows} rowKey={(r) => r} onOpen={open} heading={(r) => (r.startsWith('#') ? r : undefined)} height={300} />
    </MantineProvider>,
  );
  const grid = screen.getByRole('grid');
  fireEvent.keyDown(grid, { key: 'j' });
  fireEvent.keyDown(grid, { key: 'Enter' });
  expect(open).toHaveBeenLastCalledWith('one');
  fireEvent.keyDown(grid, { key: 'End' });
  fireEvent.keyDown(grid, { key: 'Enter' });
  expect(open).toHaveBeenLastCalledWith('two');
});
