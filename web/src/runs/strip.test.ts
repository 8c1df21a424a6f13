import { expect, it } from 'vitest';
import { bars } from './strip';

// What a person or a downstream system confirmed once fell among the unknown ones.
it('counts each outcome under the name that the overview gives it', () => {
  const hour = 3_600_000;
  const row = (outcome: string | null, n: number, status = 'done', failed = false) => ({ time: new Date(hour).toISOString(), outcome, status, failed, n });
  const [, second] = bars(
    [row('verified_resolved', 60), row('resolved', 300), row('implied_resolved', 47), row('contained', 5), row('deflected', 4), row('escalated', 3), row('abandoned', 2), row('failed', 6), row('unknown', 8), row('unknown', 1, 'done', true), row(null, 9, 'running')],
    0,
    2 * hour,
    hour,
  );
  expect(second!.n).toEqual({ verified: 60, assumed: 347, contained: 5, deflected: 4, escalated: 3, abandoned: 2, failed: 7, unknown: 8, running: 9 });
  expect(second!.total).toBe(445);
});
