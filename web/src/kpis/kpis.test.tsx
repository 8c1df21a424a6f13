import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { where } from './Behind';
import { Split } from './KPIsPage';

afterEach(cleanup);

vi.mock('@tanstack/react-router', async (real) => ({
  ...(await real<object>()),
  Link: ({ to, search, children, title }: { to: string; search: (old: object) => object; children: React.ReactNode; title?: string }) => (
    <a href={`${to}?${JSON.stringify(search({ env: 'production', kpi: 'old', q: 'old' }))}`} title={title}>
      {children}
    </a>
  ),
}));

const group = (name: string, n: number) => ({ name, value: 0.5, low: 0.4, high: 0.6, n, coverage: 1 });
const show = (more: Partial<Parameters<typeof Split>[0]['k']>) => {
  const k = { id: 'csat', table: 'feedback', unit: 'share', ...more } as Parameters<typeof Split>[0]['k'];
  return render(
    <MantineProvider>
      <Split k={k} by="agent" />
    </MantineProvider>,
  );
};

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

describe('the records behind a figure', () => {
  const links = () => [...document.querySelectorAll('a')].map((a) => a.getAttribute('href'));
  it('are found by the search of each group', () => {
    show({ table: 'decisions', groups: [{ ...group('clerk', 40), records: 'agent:clerk -run.mode:test' }] });
    expect(links()).toEqual(['/decisions?{"env":"production","show":"all","q":"agent:clerk -run.mode:test"}']);
  });
  it('are listed where no search finds them', () => {
    show({ groups: [group('clerk', 40), group('nobody', 0)] });
    expect(links()).toEqual(['/outcomes?{"env":"production","kpi":"csat","records":"feedback","by":"agent","group":"clerk"}']);
  });
  it('have a page each', () => {
    expect(where({ kind: 'feedback', id: 'fb_1' })).toEqual({ to: '/feedback', search: { feedback: 'fb_1' } });
    expect(where({ kind: 'case', id: 'itm_1', dataset: 'golden' })).toEqual({ to: '/evaluations', search: { part: 'datasets', dataset: 'golden', item: 'itm_1' } });
    expect(where({ kind: 'session', id: 's 1' }).params).toEqual({ id: 's 1' });
    expect(where({ kind: 'evaluation', id: 'ev_1' }).search).toEqual({ show: 'all', picked: 'ev_1' });
  });
});
