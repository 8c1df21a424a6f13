import { ActionIcon, Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMay } from '../api/queries';
import { pickView } from '../shared';
import { Icon } from '../shared/icons';

/** cel writes a figure as CEL has numbers of that kind, with a point, rounded up or down to three digits. */
export function cel(v: number, up = true): string {
  const step = 10 ** (Math.floor(Math.log10(Math.abs(v) || 1)) - 2);
  const s = String(Number(((up ? Math.ceil : Math.floor)(v / step - (up ? 1e-9 : -1e-9)) * step).toPrecision(3)));
  return /[.e]/.test(s) ? s : `${s}.0`;
}

/** bound is the condition that what a chart shows now is just within: its interval's worse end. */
export function bound(k: { value?: number | null; low?: number | null; high?: number | null; direction?: string }): string {
  const [limit, sign] = k.direction === 'up' ? [k.low ?? k.value, '<'] : [k.high ?? k.value, '>'];
  return typeof limit === 'number' ? `value ${sign} ${cel(limit, sign === '>')} && records >= 20.0` : 'value > 10.0 && records >= 20.0';
}

/** boundKPI is the condition that a KPI's whole interval leaves the one it has now: chance alone seldom does that. */
export function boundKPI(k: { value?: number | null; low?: number | null; high?: number | null; direction?: string }): string {
  if (typeof k.low !== 'number' || typeof k.high !== 'number') return bound(k);
  return k.direction === 'up' ? `high < ${cel(k.low, false)} && records >= 20.0` : `low > ${cel(k.high)} && records >= 20.0`;
}

/** SaveAsRule makes a rule of what a chart shows, tried on the last 30 days before it is kept; small where there is no room for words. */
export function SaveAsRule({ kpi, search, figure, of, table, when, agent, window, team, environment, small }: { small?: boolean; kpi?: string; search?: string; figure?: string; of?: string; table?: string; when?: string; agent?: string; window?: string; team?: string; environment?: string }) {
  const may = useMay('PutRule');
  const navigate = useNavigate();
  if (!may) return null;
  // Rules never count tests, and what computes by itself names no modes of runs.
  const found = search?.replaceAll('-run.mode:test', '').trim();
  const title = 'Be told when this figure is out of bounds; tried on the last 30 days first';
  const go = () => void navigate({ to: '/findings' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), show: 'rules', rule: 'new', kpi, search: found, figure, share: of, table, when, agent, window, ofTeam: team, ofEnvironment: environment })) as never });
  if (small) {
    return (
      <ActionIcon size={18} aria-label="Save as a rule" title={title} onClick={go}>
        <Icon name="bell" size={12} />
      </ActionIcon>
    );
  }
  return (
    <Button size="compact-xs" title={title} onClick={go}>
      Save as a rule
    </Button>
  );
}
