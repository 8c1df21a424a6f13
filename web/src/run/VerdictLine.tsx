import type { Run } from '../api/types';
import { Said } from './Text';
import type { Bit, Target, Verdict } from './verdict';
import css from './verdict.module.css';

interface Props {
  run: Run;
  said: Verdict;
  go: (to: Target) => void;
  /** onWhy opens the answer to why; absent while it is open. */
  onWhy: (() => void) | undefined;
}

/** VerdictLine says in a sentence how the run stands, and the figures it rests on. */
export function VerdictLine({ run, said, go, onWhy }: Props) {
  return (
    <div className={css.verdict} data-testid="verdict">
      <p className={css.headline}>
        {said.headline.map((b, i) => (
          <BitView key={i} b={b} go={go} />
        ))}
      </p>
      <p className={css.verdictfacts}>
        {(run.failed || ['failed', 'escalated', 'abandoned'].includes(run.outcome ?? '')) && onWhy && (
          <span className={css.fact}>
            <button type="button" className={css.bitlink} title="What it stands on, and what speaks against it (y)" onClick={onWhy}>
              Why?
            </button>
          </span>
        )}
        {said.facts.map((f, i) => (
          <span key={i} className={css.fact}>
            {f.map((b, k) => (
              <BitView key={k} b={b} go={go} />
            ))}
          </span>
        ))}
      </p>
    </div>
  );
}

function BitView({ b, go }: { b: Bit; go: (to: Target) => void }) {
  const tone = b.tone ? css[`tone-${b.tone}`] : undefined;
  if (b.to)
    return (
      <button type="button" className={`${css.bitlink} ${tone ?? ''}`} onClick={() => go(b.to!)}>
        <Said text={b.text} />
      </button>
    );
  return tone ? (
    <span className={tone}>
      <Said text={b.text} />
    </span>
  ) : (
    <Said text={b.text} />
  );
}
