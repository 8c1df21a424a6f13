import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Said } from '../run/Text';
import { count, Mark, percent, pickView, plural } from '../shared';
import { type IncidentWhy, kinds, nodeStates, recordLink, type Why, type WhyCause, type WhyEvidence, type WhyNode } from './data';
import { drawn, HEIGHT, place, WIDTH } from './layout';
import css from './why.module.css';

type Both = Pick<Why & IncidentWhy, 'known' | 'sentence' | 'causes' | 'possible' | 'unknown' | 'ruled_out' | 'nodes' | 'links' | 'upstream' | 'blast'>;

/** WhyView is the answer to why: a sentence, causes with their reasons, the graph with the evidence of each node, what is unknown, and what was ruled out. */
export function WhyView({ why, onStep, children }: { why: Both; onStep?: (id: string) => void; children?: React.ReactNode }) {
  const causes = why.causes.length ? why.causes : why.possible;
  const [picked, setPicked] = useState<string>();
  const chosen = why.nodes.find((n) => n.id === picked) ?? why.nodes.find((n) => n.id === causes[0]?.node) ?? why.nodes.find((n) => n.state === 'unknown');
  return (
    <div className={css.why} data-testid="why">
      <p className={css.sentence} data-known={why.known || undefined}>
        <Said text={why.sentence} />
      </p>
      {causes.length > 0 && (
        <section aria-label={why.known ? 'Likely causes' : 'Possible causes'}>
          <h2>{why.known ? 'Likely causes' : 'Possible, once what is unknown is known'}</h2>
          <ol className={css.causes}>
            {causes.slice(0, 5).map((c) => (
              <Cause key={c.node} c={c} on={c.node === chosen?.id} onPick={() => setPicked(c.node)} />
            ))}
          </ol>
        </section>
      )}
      <Graph nodes={why.nodes} links={why.links} causes={causes} chosen={chosen} onPick={setPicked} />
      {chosen && <About node={chosen} supply={why.unknown.find((u) => u.node === chosen.id)?.supply} onStep={onStep} />}
      {why.unknown.length > 0 && (
        <section aria-label="Unknown">
          <h2>Unknown</h2>
          <ul className={css.list}>
            {why.unknown.map((u) => (
              <li key={u.node}>
                <Mark {...nodeStates.unknown!} /> <b>{u.kind}</b>
                {u.blocks && ' (may be the cause)'}: <Said text={u.text} />. <span className="muted">What would tell: {u.supply}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {why.upstream.length > 0 && (
        <section aria-label="What it stands on">
          <h2>What it stands on, by figures of all its runs</h2>
          <ol className={css.causes}>
            {why.upstream.slice(0, 5).map((c) => (
              <Cause key={c.node} c={c} />
            ))}
          </ol>
        </section>
      )}
      {why.blast && (
        <section aria-label="Whom it reached">
          <h2>Whom it reached</h2>
          <p>
            <Said text={why.blast.sentence} />; {plural(why.blast.failed, 'of these failed', 'of these failed')}. {why.blast.users == null && 'No run names its user. '}
            {why.blast.records.length > 0 && `${plural(why.blast.records.length, 'record was', 'records were')} changed. `}
            {why.blast.search && (
              <Link to={'/runs' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: why.blast!.search, from: why.blast!.from, to: undefined })) as never} className="link">
                These runs
              </Link>
            )}
          </p>
        </section>
      )}
      {children}
      {why.ruled_out.length > 0 && (
        <details className={css.fine}>
          <summary>Ruled out: {count(why.ruled_out.length)}</summary>
          <ul className={css.list}>
            {why.ruled_out.map((n, k) => (
              <li key={k}>
                <b>{n.kind}</b>: <Said text={n.text} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Cause({ c, on, onPick }: { c: WhyCause; on?: boolean; onPick?: () => void }) {
  const words = (
    <>
      <span className={css.share}>{percent(c.score)}</span> <span className="muted">{c.kind}</span> <Said text={c.name} />
    </>
  );
  return (
    <li>
      {onPick ? (
        <button type="button" className={css.cause} aria-pressed={on} onClick={onPick}>
          {words}
        </button>
      ) : (
        <span className={css.cause}>{words}</span>
      )}
      <span className={css.reasons}>
        <Said text={c.reasons.join('; ')} />
      </span>
    </li>
  );
}

function Graph({ nodes, links, causes, chosen, onPick }: { nodes: WhyNode[]; links: Both['links']; causes: WhyCause[]; chosen?: WhyNode; onPick: (id: string) => void }) {
  const shown = useMemo(() => drawn(nodes, causes), [nodes, causes]);
  const laid = useMemo(() => place(shown, links), [shown, links]);
  const way = new Set(causes[0]?.path);
  if (shown.length < 2) return null;
  return (
    <section aria-label="The graph">
      <div className={css.scroll} tabIndex={0} role="region" aria-label="The graph, from the outcome to what it stands on">
        <div className={css.graph} style={{ width: laid.width, height: laid.height }}>
          <svg width={laid.width} height={laid.height} aria-hidden>
            {laid.links.map((l) => {
              const a = laid.at.get(l.from)!;
              const b = laid.at.get(l.to)!;
              const [x1, y1, x2, y2] = [a.x + WIDTH, a.y + HEIGHT / 2, b.x, b.y + HEIGHT / 2];
              const bend = Math.max(18, (x2 - x1) / 2);
              return (
                <path key={`${l.from} ${l.to}`} className={css.edge} data-way={(way.has(l.from) && way.has(l.to)) || undefined} d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}>
                  <title>{l.how}</title>
                </path>
              );
            })}
          </svg>
          {shown.map((n) => {
            const at = laid.at.get(n.id)!;
            const s = nodeStates[n.state] ?? nodeStates.seen!;
            return (
              <button
                key={n.id}
                type="button"
                className={css.node}
                data-state={n.state}
                data-kind={n.kind}
                aria-pressed={n.id === chosen?.id}
                style={{ left: at.x, top: at.y, width: WIDTH, height: HEIGHT }}
                onClick={() => onPick(n.id)}
                title={n.sentence}
              >
                <span className={css.nodename}>
                  <Mark {...s} size={13} /> <Said text={n.name} />
                </span>
                <span className={css.noderole}>
                  {n.kind === 'outcome' ? 'outcome' : `${n.kind}: ${n.role}`}
                </span>
              </button>
            );
          })}
        </div>
      </div>
      <p className="muted">
        {kinds.map((k) => `${count(nodes.filter((n) => n.kind === k).length)} ${k}`).join(' · ')}
        {shown.length < nodes.length && ` (${count(nodes.length - shown.length)} in order are not drawn)`}
      </p>
    </section>
  );
}

/** About is one node: what is known of it, and the records that this rests on. */
function About({ node, supply, onStep }: { node: WhyNode; supply?: string; onStep?: (id: string) => void }) {
  const s = nodeStates[node.state] ?? nodeStates.seen!;
  return (
    <section className={css.about} aria-label="The chosen node" aria-live="polite">
      <h2>
        <Mark {...s} words /> <span className="muted">{node.kind}</span> <Said text={node.name} />
      </h2>
      <p>
        <Said text={node.sentence} />
        {supply && <span className="muted"> What would tell: {supply}</span>}
      </p>
      {node.kind !== 'outcome' && <p className="muted">version {node.version === null ? 'unknown' : node.version || 'none'}</p>}
      <ul className={css.evidence}>
        {node.evidence.map((e) => (
          <li key={`${e.kind} ${e.id}`}>
            <Record e={e} onStep={onStep} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Record({ e, onStep }: { e: WhyEvidence; onStep?: (id: string) => void }) {
  const to = recordLink(e);
  if (e.kind === 'step' && onStep)
    return (
      <button type="button" className="link" onClick={() => onStep(e.id)}>
        step: <Said text={e.text} />
      </button>
    );
  if (!to)
    return (
      <span>
        {e.kind} <code>{e.id.slice(0, 18)}</code> <Said text={e.text} />
      </span>
    );
  return (
    <Link to={to.to as never} params={to.params as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), ...to.search })) as never} className="link">
      {e.kind}: <Said text={e.text} />
    </Link>
  );
}
