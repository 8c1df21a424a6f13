import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Blast, BlastReach, MapNode } from '../api/types';
import { Said } from '../run/Text';
import { count, Empty, Facts, Figure, Mark, money, Panel, pickView, plural, ProblemNote, Unknown } from '../shared';
import type { Level } from '../shared/Marks';
import { kindWords, markOf, troubles, useBlast } from './data';
import css from './map.module.css';

/** Go is a link to a page of the console by its path, which may hold a search of its own. */
function Go({ path, children }: { path: string; children: React.ReactNode }) {
  const u = new URL(path, 'http://here');
  const own = Object.fromEntries(u.searchParams);
  return (
    <Link to={u.pathname as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), ...own })) as never} className="link">
      {children}
    </Link>
  );
}

/** BlastPanel is one node: what is wrong with it, who depends on it, and how much of the period's work that is. */
export function BlastPanel({ id, node, onPick, onClose }: { id: string; node?: MapNode; onPick: (id: string) => void; onClose: () => void }) {
  const q = useBlast(id);
  const b = q.data;
  const n = b?.node ?? node;
  return (
    <Panel
      title={n ? <>{kindWords[n.kind] ?? n.kind} <Said text={n.name} /></> : 'Not on this map'}
      padded
      actions={
        <Button size="compact-xs" onClick={onClose}>
          Close
        </Button>
      }
    >
      <div className={css.blast} aria-live="polite">
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {n && (
          <ul className={css.list} aria-label="Trouble">
            {n.trouble.map((t, i) => (
              <li key={i}>
                <Mark level={t.level as Level} letter={troubles[t.kind]?.letter ?? '!'} label={troubles[t.kind]?.label ?? t.kind} /> {t.path ? <Go path={t.path}><Said text={t.text} /></Go> : <Said text={t.text} />}
              </li>
            ))}
            {n.trouble.length === 0 && (
              <li>
                <Mark {...markOf(n)} /> No trouble is known.
              </li>
            )}
          </ul>
        )}
        {b && <Reached b={b} onPick={onPick} />}
        {n?.path && (
          <p>
            <Go path={n.path}>{n.kind === 'agent' ? 'The agent' : n.kind === 'source' ? 'The source' : n.kind === 'server' ? 'Upstreams' : 'Tools and models'}</Go>
          </p>
        )}
      </div>
    </Panel>
  );
}

function Reached({ b, onPick }: { b: Blast; onPick: (id: string) => void }) {
  return (
    <>
      <p className={css.text}>
        <Said text={b.text} />
      </p>
      <Facts>
        <dt>Used it itself</dt>
        <dd>
          <Reach r={b.touched} />
        </dd>
        <dt>At risk with it</dt>
        <dd>
          <Reach r={b.at_risk} />
        </dd>
        <dt>Teams to tell</dt>
        <dd>{b.teams.length === 0 ? 'none' : b.teams.map((t) => `${t.team || 'no team'} (${plural(t.agents, 'agent')})`).join(', ')}</dd>
        <dt>Open there</dt>
        <dd>
          {b.incidents.length === 0
            ? 'no incident'
            : b.incidents.map((i, k) => (
                <span key={i.id}>
                  {k > 0 && ', '}
                  <Link to={'/incidents/$id' as never} params={{ id: i.id } as never} search={pickView as never} className="link">
                    incident {count(i.number)}: <Said text={i.title} />
                  </Link>{' '}
                  on {i.on.replace(':', ' ')}
                </span>
              ))}
        </dd>
      </Facts>
      <Hops title="Depends on it" none="Nothing that was seen." list={b.dependents} onPick={onPick} />
      <Hops title="It depends on" none="Nothing that was seen." list={b.dependencies} onPick={onPick} />
    </>
  );
}

function Reach({ r }: { r: BlastReach }) {
  if (r.runs === null) return <Unknown why="No search tells its runs." />;
  return (
    <>
      <Figure to="/runs" search={{ q: r.query }}>
        {plural(r.runs, 'run')}
      </Figure>
      , {count(r.failed ?? 0)} failed; {r.users === null ? 'no run names its user' : plural(r.users, 'user')}
      {r.users !== null && !!r.no_user && ` (${count(r.no_user)} runs name none)`}; {r.cost === null ? 'cost unknown' : money(r.cost)}
      {r.cost !== null && !!r.cost_unknown && ` (of ${count(r.cost_unknown)} runs unknown)`}
    </>
  );
}

function Hops({ title, none, list, onPick }: { title: string; none: string; list: Blast['dependents']; onPick: (id: string) => void }) {
  return (
    <section aria-label={title}>
      <h3 className={css.h3}>
        {title} {list.length > 0 && <span className="muted">{count(list.length)}</span>}
      </h3>
      {list.length === 0 ? (
        <Empty title={none} small />
      ) : (
        <ul className={css.list}>
          {list.slice(0, 60).map((h) => (
            <li key={h.id}>
              <button type="button" className={css.hop} onClick={() => onPick(h.id)}>
                {h.state !== 'good' && <Mark level={h.state as Level} letter="!" label="in trouble" size={13} />}
                <span className="muted">{kindWords[h.kind] ?? h.kind}</span> <Said text={h.name} />
                {h.distance > 1 && <span className="muted"> over {h.distance} edges</span>}
                {h.owner && <span className="muted"> · {h.owner}</span>}
              </button>
            </li>
          ))}
          {list.length > 60 && <li className="muted">and {count(list.length - 60)} more</li>}
        </ul>
      )}
    </section>
  );
}
