import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Change, List, Run } from '../api/types';
import { plural } from '../shared';
import { ChangeLine } from './ChangeLine';
import css from './changes.module.css';

const day = 24 * 3_600_000;

/** Before are the changes of the day before a run, and during it, that may show in it. Nothing is shown where there was none. */
export function Before({ run }: { run: Pick<Run, 'id' | 'agent' | 'environment' | 'team' | 'started_at' | 'ended_at'> }) {
  const start = Date.parse(run.started_at);
  const end = run.ended_at ? Date.parse(run.ended_at) : undefined;
  const q = useQuery({
    queryKey: ['changes', 'run', run.id, run.ended_at],
    queryFn: ({ signal }) =>
      api.get<List<Change>>('/changes', { agent: run.agent || undefined, environment: run.environment || undefined, from: new Date(start - day).toISOString(), to: end ? new Date(end + 1).toISOString() : undefined, limit: 100 }, signal),
    staleTime: 60_000,
    retry: false,
  });
  const all = (q.data?.items ?? []).filter((c) => c.agent === run.agent || !c.team || c.team === run.team);
  if (all.length === 0) return null;
  const during = all.filter((c) => Date.parse(c.at) >= start).length;
  return (
    <details className={css.before} aria-label="Changes before it">
      <summary>
        {plural(all.length, 'change')} in the day before it{during > 0 && `, ${during} while it ran`}
      </summary>
      <ul className={css.lines}>
        {all.slice(0, 20).map((c) => <ChangeLine key={c.id} change={c} />)}
      </ul>
    </details>
  );
}
