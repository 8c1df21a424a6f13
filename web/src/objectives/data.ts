import type { components } from '../api/openapi';
import { percent } from '../shared/format';
import type { Level } from '../shared/Marks';
import { unitText } from '../overview/SmallChart';

export type Objective = components['schemas']['Objective'];
export type Status = components['schemas']['ObjectiveStatus'];
export type Proposal = components['schemas']['ObjectiveProposal'];

/** states of an objective, the worst first, with the shape that they are drawn in. */
export const states: Record<string, { level: Level; letter: string; label: string }> = {
  spent: { level: 'bad', letter: 'S', label: 'spent' },
  missed: { level: 'bad', letter: 'M', label: 'falls short' },
  burning: { level: 'warn', letter: 'B', label: 'burning' },
  frozen: { level: 'unknown', letter: 'F', label: 'frozen' },
  no_data: { level: 'unknown', letter: '?', label: 'no data' },
  waiting: { level: 'unknown', letter: '?', label: 'not looked at yet' },
  met: { level: 'good', letter: 'K', label: 'kept' },
};

const order = Object.keys(states);

/** worst puts what needs somebody first, then what has least left. */
export const worst = (a: Objective, b: Objective): number => order.indexOf(a.status.state) - order.indexOf(b.status.state) || (a.status.left ?? 1) - (b.status.left ?? 1) || a.name.localeCompare(b.name);

/** wanted is an objective in a few words. */
export function wanted(o: Objective): string {
  const share = percent(o.target);
  const bound = o.direction === 'down' ? 'at most' : 'at least';
  if (typeof o.limit !== 'number') return `${bound} ${share}`;
  if (o.target === 0) return `at most ${o.limit} a run`;
  const limit = unitText(o.unit ?? 'count', o.limit);
  return o.slice ? `${bound} ${limit} in ${share} of ${o.slice} slices` : `${bound} ${limit} in ${share}`;
}

/** figure writes the objective's own value: a share, or events by run. */
export const figure = (o: Objective, v: number | null | undefined): string | undefined => (typeof v !== 'number' ? undefined : o.target === 0 && typeof o.limit === 'number' ? String(Math.round(v * 1000) / 1000) : percent(v));

export const windowText = (o: Objective): string => (o.window.calendar ? `each ${o.window.calendar}${o.window.zone ? `, ${o.window.zone}` : ''}` : `last ${o.window.rolling}`);

export const few = (v: number): string => String(Math.round(v * 10) / 10);
