import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMay } from '../api/queries';
import { pickView } from '../shared';

/** cel writes a figure as CEL has numbers of that kind: with a point. */
export function cel(v: number): string {
  const s = String(Number(v.toPrecision(3)));
  return /[.e]/.test(s) ? s : `${s}.0`;
}

/** bound is the condition that what a chart shows now is just within: its interval's worse end. */
export function bound(k: { value?: number | null; low?: number | null; high?: number | null; direction?: string }): string {
  const [limit, sign] = k.direction === 'up' ? [k.low ?? k.value, '<'] : [k.high ?? k.value, '>'];
  return typeof limit === 'number' ? `value ${sign} ${cel(limit)} && records >= 20.0` : 'value > 10.0 && records >= 20.0';
}

/** SaveAsRule makes a rule of what a chart shows, tried on the last 30 days before it is kept. */
export function SaveAsRule({ kpi, search, figure, table, when, agent, window }: { kpi?: string; search?: string; figure?: string; table?: string; when?: string; agent?: string; window?: string }) {
  const may = useMay('PutRule');
  const navigate = useNavigate();
  if (!may) return null;
  return (
    <Button size="compact-xs" title="Be told when this figure is out of bounds; tried on the last 30 days first" onClick={() => void navigate({ to: '/findings' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), show: 'rules', rule: 'new', kpi, search, figure, table, when, agent, window })) as never })}>
      Save as a rule
    </Button>
  );
}
