import type { Approval, ArgumentField, Origin, PastAnswer } from '../api/types';
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Badge, bytes, count, plural, Shown, Time, useNow, wordDiff, Words } from '../shared';
import css from './approvals.module.css';
import { effects, left, originOf, originsAt, sourceOf, stretches } from './data';

/** Clock counts down to the safe default: when nobody answers, nothing happens. */
export function Clock({ a, size = 34 }: { a: Pick<Approval, 'created_at' | 'expires_at' | 'state'>; size?: number }) {
  const now = useNow(1000);
  const end = Date.parse(a.expires_at);
  const all = Math.max(1, end - Date.parse(a.created_at));
  const rest = Math.max(0, end - now);
  const tone = rest < 60_000 ? 'bad' : rest / all < 0.25 ? 'warn' : 'calm';
  const r = 15;
  const round = 2 * Math.PI * r;
  return (
    <span className={css.clock} data-tone={tone} role="timer" aria-label={`${left(rest)} until it is ${a.state === 'approved' ? 'void' : 'denied'}`} title="When nobody answers, it is denied">
      <svg width={size} height={size} viewBox="0 0 36 36" aria-hidden="true">
        <circle cx="18" cy="18" r={r} className={css.clockBack} />
        <circle cx="18" cy="18" r={r} className={css.clockFront} strokeDasharray={`${(rest / all) * round} ${round}`} transform="rotate(-90 18 18)" />
      </svg>
      <span className="num">{left(rest)}</span>
    </span>
  );
}

/** Origins are the provenance of a value: colour and words. */
export function Origins({ all }: { all: string[] | undefined }) {
  if (!all || all.length === 0) return null;
  return (
    <span className={css.origins}>
      {all.map((o) => {
        const { kind, words } = originOf(o);
        return (
          <span key={o} className={css.origin} data-kind={kind} title={kind === 'tool' ? 'It was first seen in the result of this tool' : kind === 'user' ? 'It stands in what the user asked for' : 'It stands neither in what the user asked for nor in a result'}>
            {words}
          </span>
        );
      })}
    </span>
  );
}

/** Legend names the colours of provenance. */
export function OriginLegend() {
  return (
    <span className={css.origins}>
      <span className={css.origin} data-kind="user">
        said by the user
      </span>
      <span className={css.origin} data-kind="model">
        by the model
      </span>
      <span className={css.origin} data-kind="tool">
        from a tool&apos;s result
      </span>
    </span>
  );
}

const plain = (t: { pieces: { text: string }[] | null } | null | undefined) => (t?.pieces ?? []).map((p) => p.text).join('');

/** What an editor starts with: a text with marks would go out with the marks spelled out, so it is written anew. */
const plainOf = (f: ArgumentField) => (f.value.marked > 0 ? '' : plain(f.value));

/** Fields are the arguments value by value, each with where it comes from; while editing, each is a field and shows its difference. */
export function Fields({ fields, origins, edits, onEdit }: { fields: ArgumentField[]; origins?: Origin[] | null; edits?: Record<string, string>; onEdit?: (path: string, text: string | undefined) => void }) {
  return (
    <dl className={css.fields}>
      {fields.map((f, i) => {
        const typed = edits?.[f.path];
        const was = plain(f.value);
        const from = originsAt(origins, f.path);
        const editable = !!onEdit && !f.value.cut && f.path.startsWith('/');
        return (
          <div key={f.path} data-origin={f.origin?.map((o) => originOf(o).kind).find((k) => k === 'tool') ?? f.origin?.map((o) => originOf(o).kind)[0]}>
            <dt>
              <code>{f.path.replace(/^\//, '').replaceAll('~1', '/').replaceAll('~0', '~') || 'value'}</code>
            </dt>
            <dd>
              {editable ? (
                <>
                  {f.kind === 'flag' ? (
                    <select aria-label={f.path} className={css.input} data-first={i === 0 || undefined} value={typed ?? was} onChange={(e) => onEdit(f.path, e.currentTarget.value === was ? undefined : e.currentTarget.value)}>
                      <option value="true">true</option>
                      <option value="false">false</option>
                    </select>
                  ) : (
                    <textarea aria-label={f.path} className={css.input} data-first={i === 0 || undefined} rows={Math.min(8, Math.max(1, Math.ceil((typed ?? was).length / 70)))} value={typed ?? plainOf(f)} placeholder={f.value.marked > 0 ? 'It has characters that cannot be typed as they are shown: leave it empty to keep it, or write it anew' : undefined} onChange={(e) => onEdit(f.path, e.currentTarget.value === plainOf(f) ? undefined : e.currentTarget.value)} />
                  )}
                  {f.value.marked > 0 && <Shown text={f.value} />}
                  {typed !== undefined && (
                    <div className={css.was}>
                      <Words words={wordDiff(was, typed)} />
                    </div>
                  )}
                </>
              ) : f.was ? (
                <Words words={wordDiff(plain(f.was), was)} />
              ) : from.length > 0 && f.value.marked === 0 && !f.value.cut ? (
                <Traced text={was} origins={from} />
              ) : (
                <Shown text={f.value} />
              )}
              {f.value.cut && <span className="muted"> of {bytes(f.value.bytes)}</span>}
              {f.value.marked > 0 && <Badge tone="warn">{plural(f.value.marked, 'mark')}</Badge>}
            </dd>
            <dd className={css.origins}>
              <Origins all={f.origin} />
              {from.some((o) => o.injected) && <Badge tone="bad" title="A destination that a tool's result gave, and nobody else: the strongest sign of an agent that was talked into something">nobody asked for it</Badge>}
              {from.some((o) => o.first) && <Badge tone="warn" title="This agent never sent anything there">for the first time</Badge>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Traced is a value in which what was named before is coloured by who said it first. */
function Traced({ text, origins }: { text: string; origins: Origin[] }) {
  return (
    <span className={css.traced}>
      {stretches(text, origins).map((s, i) => {
        if (!s.origin) return <span key={i}>{s.text}</span>;
        const { kind, words } = originOf(sourceOf(s.origin));
        return (
          <span key={i} className={css.trace} data-kind={kind} title={`${s.origin.kind} ${words}`}>
            {s.text}
          </span>
        );
      })}
    </span>
  );
}

/** Consequence says in words what it does, and the two or three figures that matter. */
export function Consequence({ a }: { a: Approval }) {
  const e = effects[a.effect] ?? { words: a.effect || 'its effect is unknown: taken as destructive', tone: 'bad' as const };
  const rows: [string, ReactNode][] = [];
  if (a.destination) rows.push(['To', <Shown key="d" text={a.destination} mono={false} />]);
  if (a.amount) rows.push(['Amount', <><Shown key="a" text={a.amount} mono={false} /> {a.currency && <Shown text={a.currency} mono={false} />}</>]);
  rows.push(['Call', <span key="t">{a.tool ? <>tool <strong>{a.tool}</strong> of {a.upstream}</> : a.model ? <>model <strong>{a.model}</strong></> : <strong>{a.resource}</strong>}</span>]);
  return (
    <div className={css.consequence}>
      {rows.map(([k, v]) => (
        <div key={k}>
          <span className={css.label}>{k}</span>
          <span className={css.value}>{v}</span>
        </div>
      ))}
      <div>
        <span className={css.label}>Effect</span>
        <span>
          <Badge tone={e.tone}>{e.words}</Badge> {a.external && <Badge tone="warn" title="Data sent there leaves the house">leaves the house</Badge>} {!a.forwarded && <Badge title="Reeve is only asked; the agent does it itself">done by the agent itself</Badge>}{' '}
          {(a.classes ?? []).map((c) => (
            <Badge key={c}>{c}</Badge>
          ))}
        </span>
      </div>
    </div>
  );
}

/** Quorum shows of each group how many have agreed, and who. */
export function Quorum({ a }: { a: Approval }) {
  return (
    <div className={css.quorum}>
      {(a.groups ?? []).map((g) => (
        <div key={g.name} aria-label={`${g.have} of ${g.count} of ${g.name || 'whoever may approve'}`}>
          <span className={css.pips} aria-hidden="true">
            {Array.from({ length: g.count }, (_, i) => (
              <span key={i} data-on={i < g.have || undefined} />
            ))}
          </span>
          <span>
            {count(g.have)} of {count(g.count)} <span className="muted">{g.name ? `of ${g.name}` : `who may approve for ${a.team}`}</span>
          </span>
        </div>
      ))}
      {(a.votes ?? []).map((v) => (
        <p key={v.person + v.at}>
          {v.name} {({ approve: 'agreed', edit: 'agreed with other arguments', deny: 'denied', takeover: 'took over' } as Record<string, string>)[v.verdict] ?? v.verdict} <Time at={v.at} />
          {v.reason && `: ${v.reason}`} {!v.opened && <Badge tone="warn">without opening it</Badge>} {!v.counts && <Badge title="The arguments were changed afterwards">about other arguments</Badge>}
        </p>
      ))}
    </div>
  );
}

const pastWords: Record<string, string> = { done: 'approved', approved: 'approved', executing: 'approved', denied: 'denied', expired: 'nobody answered', void: 'void', taken: 'taken over', unknown: 'approved, its end is unknown' };

/** Similar is how the like was answered before. */
export function Similar({ all }: { all: PastAnswer[] }) {
  if (all.length === 0) return <p className="muted">Nobody was asked for the like of it before.</p>;
  return (
    <ul className={css.similar}>
      {all.map((p) => (
        <li key={p.id}>
          <Badge tone={p.state === 'denied' ? 'bad' : p.state === 'done' || p.state === 'approved' ? 'good' : undefined}>{pastWords[p.state] ?? p.state}</Badge>
          <span className="grow">
            {(p.by ?? []).join(', ') || 'nobody'}
            {p.reason && <span className="muted">: {p.reason}</span>}
          </span>
          {p.same && <Badge tone="accent">the same arguments</Badge>}
          <Link className="link" to={'/approvals/$id' as never} params={{ id: p.id } as never}>
            <Time at={p.at} />
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** OpenArguments is the lock on approving: what is agreed to has to be seen. */
export function OpenArguments({ size, onOpen }: { size: number; onOpen: () => void }) {
  return (
    <div className={css.locked}>
      <Button size="compact-sm" onClick={onOpen}>
        Open the arguments ({bytes(size)})
      </Button>
      <span className="muted">Approving is locked until they were opened.</span>
    </div>
  );
}
