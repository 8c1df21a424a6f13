import { ProblemNote, percent } from '../shared';
import { Said } from '../run/Text';
import { useRunWhy, type Suspect } from './data';
import css from './why.module.css';
import { WhyView } from './WhyView';

/** RunWhy is the run page's answer to why. */
export default function RunWhy({ run, live, onStep }: { run: string; live: boolean; onStep: (id: string) => void }) {
  const q = useRunWhy(run, live);
  if (q.isPending) return <p className={css.quiet}>Asking the records…</p>;
  if (q.isError) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  return (
    <div className={css.panel} tabIndex={0} role="region" aria-label="Why it ended so">
      <WhyView why={q.data} onStep={onStep}>
        {q.data.suspects.length > 0 && <Suspects list={q.data.suspects} onStep={onStep} />}
        <p>
          <a className="link" href={`/api/v1/runs/${encodeURIComponent(run)}/why?format=prov`} download={`${run}.prov.json`}>
            W3C PROV-JSON
          </a>
        </p>
      </WhyView>
    </div>
  );
}

/** Suspects are the steps at which the run may have gone wrong first. */
function Suspects({ list, onStep }: { list: Suspect[]; onStep: (id: string) => void }) {
  return (
    <section aria-label="Suspects">
      <h2>At which step it may have gone wrong first</h2>
      <ol className={css.causes}>
        {list.slice(0, 5).map((s) => (
          <li key={s.step_id}>
            <button type="button" className={css.cause} onClick={() => onStep(s.step_id)}>
              <span className={css.share}>{percent(s.p)}</span> <span className="muted">{s.kind}</span> <Said text={s.name} />
            </button>
            <span className={css.reasons}>{s.reasons.join('; ') || 'by where it stands'}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
