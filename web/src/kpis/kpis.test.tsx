import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { Split } from './KPIsPage';

afterEach(cleanup);

const group = (name: string, n: number) => ({ name, value: 0.5, low: 0.4, high: 0.6, n, coverage: 1 });
const show = (k: Parameters<typeof Split>[0]['k']) =>
  render(
    <MantineProvider>
      <Split k={k} by="agent" />
    </MantineProvider>,
  );

describe('a KPI by agent', () => {
  it('says in words that there are more than are shown', () => {
    show({ unit: 'share', groups: [group('clerk', 40), group('tester', 30)], cut: true, group_count: 2312 });
    expect(screen.getByText(/Only the 2 with the most records are shown of 2,312/)).toBeTruthy();
    expect(screen.getAllByText('clerk').length).toBeGreaterThan(0);
  });
  it('says nothing when all are shown', () => {
    show({ unit: 'share', groups: [group('clerk', 40)], cut: false, group_count: 1 });
    expect(screen.queryByText(/most records/)).toBeNull();
  });
  it('says why none is known, in place of a table', () => {
    show({ unit: 'share', groups: [{ name: '', value: null, low: null, high: null, n: 0, coverage: null, why: 'x' }], cut: false, group_count: 1, groups_why: 'there are more values of agent than can be told apart: ask for a shorter period' });
    expect(screen.getByText(/By agent it is unknown: there are more values of agent than can be told apart/)).toBeTruthy();
    expect(screen.queryByRole('table')).toBeNull();
  });
});
