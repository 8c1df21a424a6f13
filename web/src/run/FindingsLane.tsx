import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import { useFollow } from '../api/queries';
import type { Finding, List } from '../api/types';
import { pickView } from '../shared';
import { visible } from '../tools/data';
import css from './lane.module.css';
import page from './run.module.css';
import type { Scale, View } from './scale';
import type { Tree } from './tree';
import { num } from './verdict';

/** Found is the lane of what detectors and rules found of this run, on the run's own axis: each opens its finding. */
export function Found({ run, live, tree, scale, view, onSelect }: { run: string; live: boolean; tree: Tree; scale: Scale; view: View; onSelect: (i: number) => void }) {
  const follow = useFollow(2000);
  const q = useQuery({ queryKey: ['findings', 'run', run], queryFn: ({ signal }) => api.get<List<Finding>>('/findings', { run, limit: 100 }, signal), refetchInterval: live ? follow : false, retry: 1 });
  const all = q.data?.items ?? [];
  const step = (f: Finding) => (f.steps ?? []).map((id) => tree.index.get(id)).find((i) => i !== undefined);
  const marks = all
    .map((f) => {
      const i = step(f);
      const t = i === undefined ? Date.parse(f.first_seen) - tree.baseMs : tree.end[i]!;
      return { f, i, x: (scale.u(t) - view.from) / (view.to - view.from) };
    })
    .filter((m) => m.x >= -0.01 && m.x <= 1.01);
  return (
    <section className={css.behaviour} aria-label="Found">
      <div className={css.behaviourname}>
        <h2>Found</h2>
        {q.isError ? (
          <p className={page.quiet}>It could not be read.</p>
        ) : all.length === 0 ? (
          <p className={page.quiet}>{q.isPending ? 'Reading.' : 'Nothing out of the ordinary.'}</p>
        ) : (
          <p className={page.quiet}>
            <Link className={page.link} to={'/findings' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), state: 'all', finding: all[0]!.id })) as never}>
              {visible(all[0]!.text)}
            </Link>
            {all.length > 1 && ` and ${num(all.length - 1)} more`}
          </p>
        )}
      </div>
      <div className={css.behaviourlane} data-time="lane">
        {marks.length > 0 && (
          <svg className={css.behaviourcanvas} preserveAspectRatio="none" role="group" aria-label="Findings along the run">
            {marks.map(({ f, i, x }) => (
              <g key={f.id} className={css.decision} data-verdict={f.severity === 'info' ? 'hold' : 'deny'} onClick={() => i !== undefined && onSelect(i)}>
                <title>{`${f.severity}: ${f.text}${f.seen ? `; ${f.seen}` : ''}`}</title>
                <rect x={`${Math.min(Math.max(x, 0), 0.995) * 100}%`} y={f.severity === 'critical' ? 4 : 14} width="5" height={f.severity === 'critical' ? 36 : 26} rx="1" />
              </g>
            ))}
          </svg>
        )}
      </div>
    </section>
  );
}
