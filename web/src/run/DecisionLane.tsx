import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api } from '../api/client';
import { useFollow } from '../api/queries';
import type { Decision, List } from '../api/types';
import { pickView } from '../shared';
import css from './lane.module.css';
import page from './run.module.css';
import type { Scale, View } from './scale';
import type { Tree } from './tree';
import { num } from './verdict';

/** useRunDecisions reads what the door decided about a run: told by events, and once a second while a call is in flight. */
export function useRunDecisions(run: string, live: boolean) {
  const follow = useFollow(1000);
  return useQuery({
    queryKey: ['run-decisions', run],
    queryFn: ({ signal }) => api.get<List<Decision>>(`/runs/${encodeURIComponent(run)}/decisions`, { limit: 1000 }, signal),
    refetchInterval: (s) => (!live ? false : s.state.data?.items.some((d) => d.result === 'pending') ? 1000 : follow),
    retry: 1,
  });
}

const tone = (d: Decision) => (d.result === 'cut' ? 'deny' : d.verdict);

/** Decisions is the lane of what the door decided about this run, on the run's own axis. */
export function Decisions({ run, live, tree, scale, view, onSelect }: { run: string; live: boolean; tree: Tree; scale: Scale; view: View; onSelect: (i: number) => void }) {
  const q = useRunDecisions(run, live);
  const all = useMemo(() => [...(q.data?.items ?? [])].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)), [q.data]);
  const marks = useMemo(() => {
    const at = (d: Decision) => (scale.u(Date.parse(d.at) - tree.baseMs) - view.from) / (view.to - view.from);
    return all.map((d) => ({ d, x: at(d) })).filter((m) => m.x >= -0.01 && m.x <= 1.01);
  }, [all, scale, tree, view]);
  const step = (d: Decision) => (d.step_id ? tree.index.get(d.step_id) : undefined);
  const counts = { hold: all.filter((d) => d.verdict === 'hold').length, deny: all.filter((d) => d.verdict === 'deny').length, cut: all.filter((d) => d.result === 'cut').length, would: all.filter((d) => !d.enforced && d.would !== 'allow').length };
  const said = [counts.deny > 0 && `${num(counts.deny)} denied`, counts.hold > 0 && `${num(counts.hold)} held`, counts.cut > 0 && `${num(counts.cut)} cut`, counts.would > 0 && `${num(counts.would)} would be refused`].filter(Boolean).join(', ');
  const worst = all.find((d) => tone(d) === 'deny') ?? all.find((d) => d.verdict === 'hold');
  return (
    <section className={css.behaviour} aria-label="Decisions">
      <div className={css.behaviourname}>
        <h2>Decisions</h2>
        {q.isError ? (
          <p className={page.quiet}>They could not be read.</p>
        ) : all.length === 0 ? (
          <p className={page.quiet}>{q.isPending ? 'Reading.' : 'None: this run did not pass the door.'}</p>
        ) : (
          <p className={page.quiet}>
            {num(all.length)} {q.data?.next ? 'and more ' : ''}proposed{said ? ': ' : ', all let through'}
            {worst ? (
              <Link className={page.link} to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', decision: worst.id })) as never}>
                {said}
              </Link>
            ) : (
              said
            )}
          </p>
        )}
      </div>
      <div className={css.behaviourlane} data-time="lane">
        {marks.length > 0 && (
          <svg className={css.behaviourcanvas} preserveAspectRatio="none" role="group" aria-label="Decisions along the run">
            {marks.slice(0, 500).map(({ d, x }) => (
              <g key={d.id} className={css.decision} data-verdict={tone(d)} onClick={() => step(d) !== undefined && onSelect(step(d)!)}>
                <title>{`${d.verdict}${d.enforced ? '' : ` (observe, would ${d.would})`}: ${d.resource}, ${d.result}${d.reasons?.[0] ? `; ${d.reasons[0].text}` : ''}`}</title>
                <rect x={`${x * 100}%`} y={tone(d) === 'allow' ? 26 : tone(d) === 'hold' ? 14 : 4} width="4" height={tone(d) === 'allow' ? 14 : tone(d) === 'hold' ? 26 : 36} rx="1" />
              </g>
            ))}
          </svg>
        )}
      </div>
    </section>
  );
}
