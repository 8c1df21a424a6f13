import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { percent, plural, ProblemNote, Time } from '../shared';
import { Said } from '../run/Text';
import { useRunWhy, useSuspects, type Suspect, type Suspects as Answer } from './data';
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
        {q.data.suspects.length > 0 && <Suspects run={run} list={q.data.suspects} onStep={onStep} />}
        <p>
          <a className="link" href={`/api/v1/runs/${encodeURIComponent(run)}/why?format=prov`} download={`${run}.prov.json`}>
            W3C PROV-JSON
          </a>
        </p>
      </WhyView>
    </div>
  );
}

/** Suspects are the steps at which the run may have gone wrong first. A person names the one where it did, which moves the order of such runs. */
function Suspects({ run, list, onStep }: { run: string; list: Suspect[]; onStep: (id: string) => void }) {
  const [all, setAll] = useState(false);
  const client = useQueryClient();
  const may = useMay('JudgeSuspects');
  const q = useSuspects(run, true);
  const judge = useMutation({
    mutationFn: (step: string) => api.post<Answer>(`/runs/${encodeURIComponent(run)}/suspects/judge`, { step_id: step }),
    onSettled: () => {
      for (const key of ['run-suspects', 'run-why']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const items = q.data?.items.length ? q.data.items : list;
  const said = q.data?.verdict;
  const learned = q.data?.learned;
  return (
    <section aria-label="Suspects">
      <h2>At which step it may have gone wrong first</h2>
      {said && (
        <p className={css.reasons}>
          {said.by} named {said.kind} <Said text={said.step_name} /> <Time at={said.at} />{said.reason && `: ${said.reason}`}.
        </p>
      )}
      <ol className={css.causes}>
        {items.slice(0, all ? 20 : 5).map((s) => {
          const named = said?.step_id === s.step_id;
          return (
            <li key={s.step_id + s.reasons.join()}>
              <button type="button" className={css.cause} onClick={() => onStep(s.step_id)}>
                <span className={css.share}>{percent(s.p)}</span> <span className="muted">{s.kind}</span> <Said text={s.name} />
              </button>
              <span className={css.reasons}>{s.reasons.join('; ') || 'by where it stands'}</span>
              {may && (
                <Button size="compact-xs" variant={named ? 'filled' : 'default'} aria-pressed={named} disabled={judge.isPending} onClick={() => judge.mutate(named ? '' : s.step_id)}>
                  {named ? 'Take it back' : 'It went wrong here'}
                </Button>
              )}
            </li>
          );
        })}
      </ol>
      {!all && items.length > 5 && <Button size="compact-xs" onClick={() => setAll(true)}>Show {items.length - 5} more</Button>}
      <ProblemNote error={judge.error ?? q.error} />
      {learned && (
        <details>
          <summary>The order is learned from {plural(learned.verdicts, 'verdict')} of team {learned.team}</summary>
          {learned.changes.length === 0 ? (
            <p className={css.reasons}>No weight moved by more than .05.</p>
          ) : (
            <ul className={css.causes} aria-label="Weights that moved">
              {learned.changes.slice(0, 12).map((c) => (
                <li key={c.evidence}>
                  <Said text={c.evidence} /> <span className={css.reasons}>{c.shipped.toFixed(2)} as shipped, {c.now.toFixed(2)} now</span>
                </li>
              ))}
            </ul>
          )}
        </details>
      )}
    </section>
  );
}
