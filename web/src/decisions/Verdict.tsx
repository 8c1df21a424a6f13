import type { Decision } from '../api/types';
import { Badge, Mark } from '../shared';

const verdicts: Record<string, { level: 'good' | 'warn' | 'bad'; letter: string }> = {
  allow: { level: 'good', letter: 'A' },
  hold: { level: 'warn', letter: 'H' },
  deny: { level: 'bad', letter: 'D' },
};

/** Verdict is what was decided, and what enforcing would have given where that differs. */
export function Verdict({ d }: { d: Pick<Decision, 'verdict' | 'would' | 'enforced'> }) {
  const v = verdicts[d.verdict] ?? { level: 'bad' as const, letter: 'D' };
  return (
    <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
      <Mark {...v} label={d.verdict} words />
      {!d.enforced && d.would !== d.verdict && (
        <Badge tone={d.would === 'deny' ? 'bad' : 'warn'} title="In observe: it was let through, and enforcing would have given this.">
          would {d.would}
        </Badge>
      )}
    </span>
  );
}

const results: Record<string, 'good' | 'bad' | 'warn' | 'info' | undefined> = { ok: 'good', error: 'bad', cut: 'bad', timeout: 'warn', unknown: 'warn', pending: 'info', denied: undefined };
const words: Record<string, string> = { pending: 'in flight', denied: 'not forwarded', cut: 'cut', ok: 'ok', error: 'error', timeout: 'timeout', unknown: 'unknown: lost in a crash' };

/** Outcome is how the decided action went on. */
export function DecisionResult({ result }: { result: string }) {
  return (
    <Badge tone={results[result]} title={words[result]}>
      {result === 'pending' ? 'in flight' : result === 'denied' ? 'not forwarded' : result}
    </Badge>
  );
}
