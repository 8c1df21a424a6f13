import { useQuery } from '@tanstack/react-query';
import { api, Problem } from '../api/client';
import type { Evaluation, Feedback, List } from '../api/types';
import { said, tone } from '../feedback/data';
import { Badge, Figure, Time } from '../shared';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';

/** SaidOfRun is what people and evaluators said of the run; nothing when nobody did. */
export function SaidOfRun({ run }: { run: string }) {
  const feedback = useQuery({ queryKey: ['feedback', 'run', run], queryFn: ({ signal }) => api.get<List<Feedback>>('/feedback', { run, limit: 50 }, signal), retry: false });
  const evaluations = useQuery({ queryKey: ['evaluation', 'run', run], queryFn: ({ signal }) => api.get<List<Evaluation>>('/evaluations', { run, limit: 50 }, signal), retry: false });
  const error = feedback.error ?? evaluations.error;
  if (error && !(error instanceof Problem && [403, 404, 503].includes(error.status))) {
    return <p className={css.read} role="alert">What was said of it could not be looked up: {error.message}</p>;
  }
  const people = feedback.data?.items ?? [];
  const found = (evaluations.data?.items ?? []).filter((x) => x.verdict);
  if (people.length + found.length === 0) return null;
  return (
    <section className={css.read} aria-label="What was said of it" tabIndex={0}>
      <h2>What was said of it</h2>
      <ul>
        {people.map((f) => (
          <li key={f.id}>
            <Badge tone={tone(f.verdict)}>{said(f)}</Badge> {f.comment ? visible(f.comment) : ''} <span className="muted">{f.giver === 'system' ? 'a system' : 'a user'}, <Time at={f.at} /></span>{' '}
            <Figure to="/feedback" search={{ feedback: f.id }}>the feedback</Figure>
          </li>
        ))}
        {found.map((x) => (
          <li key={x.id}>
            <Badge tone={tone(x.verdict)}>{x.verdict}</Badge> {visible(x.text)} <span className="muted">{x.by ? visible(x.by) : x.evaluator}</span>{' '}
            <Figure to="/evaluations" search={{ run, show: 'all', picked: x.id }}>the places</Figure>
          </li>
        ))}
      </ul>
    </section>
  );
}
