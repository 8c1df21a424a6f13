import { useQuery } from '@tanstack/react-query';
import { api, Problem } from '../api/client';
import type { List, SourceUse } from '../api/types';
import { Figure, Mark } from '../shared';
import { Causes } from '../sources/Causes';
import { states } from '../sources/data';
import css from '../sources/sources.module.css';
import { Said } from './Text';

const SHOWN = 200;
const order = Object.keys(states);

/** ReadSources says a line a use what the run read and how old it was then, the worst first; nothing when it read nothing. */
export function ReadSources({ run, live, ready, onStep }: { run: string; live: boolean; ready: boolean; onStep: (id: string) => void }) {
  const q = useQuery({
    queryKey: ['run-sources', run],
    queryFn: async ({ signal }) => (await api.get<List<SourceUse>>(`/runs/${encodeURIComponent(run)}/sources`, undefined, signal)).items.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state)),
    enabled: ready,
    refetchInterval: live ? 5000 : false,
    retry: 1,
  });
  const uses = q.data ?? [];
  // Who may not see sources, or has none here, misses nothing on this page.
  if (q.isError && !(q.error instanceof Problem && [403, 404, 503].includes(q.error.status))) {
    return <p className={css.read} role="alert">What it read could not be looked up: {q.error.message}</p>;
  }
  if (uses.length === 0) return null;
  return (
    <section className={css.read} aria-label="What it read" tabIndex={0}>
      <h2>What it read</h2>
      <ul>
        {uses.slice(0, SHOWN).map((u, i) => {
          const documents = (u.documents ?? []).filter((d) => d.newer);
          return (
            <li key={`${u.step_id} ${u.name} ${i}`}>
              <Mark {...(states[u.state] ?? states.unknown!)} words /> <Said text={u.sentence} />{' '}
              <button type="button" className="link" onClick={() => onStep(u.step_id)}>
                its step
              </button>
              {u.source && (
                <>
                  {' '}
                  <Figure to="/sources" search={{ source: u.source }}>
                    the source
                  </Figure>
                </>
              )}
              <Causes causes={u.causes} most={3} />
              {documents.length > 0 && (
                <ul className={css.documents}>
                  {documents.slice(0, 5).map((d) => (
                    <li key={d.id}>
                      <Said text={d.sentence} />
                    </li>
                  ))}
                </ul>
              )}
            </li>
          );
        })}
        {uses.length > SHOWN && <li className="muted">and {uses.length - SHOWN} more</li>}
      </ul>
    </section>
  );
}
