import { Link } from '@tanstack/react-router';
import type { Change } from '../api/types';
import { Badge, Panel, plural, ProblemNote, Time, pickView } from '../shared';
import { visible } from '../tools/data';
import css from './changes.module.css';
import { useChanges } from './data';

const tones: Record<string, 'good' | 'warn' | 'bad' | 'info' | undefined> = { succeeded: 'good', failed: 'bad', running: 'info', pending: 'info' };

export function Status({ status }: { status?: string }) {
  return status ? <Badge tone={tones[status]}>{status}</Badge> : null;
}

/** ChangeLine is a change in a line: when, what, by whom. */
export function ChangeLine({ change: c }: { change: Change }) {
  return (
    <li className={css.line}>
      <span className={css.when}><Time at={c.at} /></span>
      <span>
        <Badge>{c.kind}</Badge>{' '}
        <Link to={'/changes' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), change: c.id })) as never}>{visible(c.title)}</Link> <Status status={c.status} />
        {c.by && <span className="muted"> by {visible(c.by)}</span>}
        {c.text && <span className="muted"> {visible(c.text.split('\n')[0]!)}</span>}
      </span>
    </li>
  );
}

/** ChangesOf are the changes of the period that may show in how an agent behaves: its own, and those that are about no agent. */
export function ChangesOf({ agent, team }: { agent: string; team?: string }) {
  const q = useChanges(agent);
  const all = (q.data?.items ?? []).filter((c) => c.agent === agent || !c.team || c.team === team);
  return (
    <Panel title="Changes that may show" note={q.isSuccess ? plural(all.length, 'change') : undefined} padded>
      <ProblemNote error={q.error} />
      {q.isSuccess && all.length === 0 && <p className="muted" style={{ margin: 0 }}>Nothing was changed in this period, as far as Reeve was told.</p>}
      <ul className={css.lines}>
        {all.slice(0, 5).map((c) => <ChangeLine key={c.id} change={c} />)}
      </ul>
      {all.length > 5 && <Link to={'/changes' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: agent })) as never}>All {all.length}</Link>}
    </Panel>
  );
}
