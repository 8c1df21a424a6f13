import { Link } from '@tanstack/react-router';
import { Panel, pickView, plural, ProblemNote } from '../shared';
import { useIncidentWhy } from './data';
import css from './why.module.css';
import { WhyView } from './WhyView';

/** IncidentWhy is an incident's answer to why, from the runs that its signals name. */
export default function IncidentWhy({ id }: { id: string }) {
  const q = useIncidentWhy(id);
  if (q.isPending) return <p className="muted">Asking the records…</p>;
  if (q.isError) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  const w = q.data;
  return (
    <Panel title="Why" padded>
      <WhyView why={w}>
        <p className={css.runs}>
          {plural(w.run_ids.length, 'run was', 'runs were')} looked at, of {w.of_runs}:{' '}
          {w.run_ids.map((r, k) => (
            <span key={r}>
              {k > 0 && ', '}
              <Link to={'/runs/$id' as never} params={{ id: r } as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), panel: 'why' })) as never} className="link">
                {r.slice(0, 12)}
              </Link>
            </span>
          ))}
        </p>
      </WhyView>
    </Panel>
  );
}
