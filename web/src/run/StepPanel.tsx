import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import type { Cost, Step, Usage } from '../api/types';
import { pickView } from '../shared';
import type { CriticalPath } from './critical';
import { Kind } from './Kind';
import { Data, pretty } from './MessageView';
import { parseRanges, expandRanges } from './ordinals';
import { useStep } from './queries';
import css from './step.module.css';
import page from './run.module.css';
import { formatDuration } from './scale';
import { Said } from './Text';
import { MessageCard } from './Transcript';
import { historyChange, previousCall } from './transcript';
import type { Tree } from './tree';
import { basisWords, formatMoney, num } from './verdict';
import { repairWords } from './Waterfall';

const FLAGS: Record<string, string> = {
  start_missing: 'Its sender gave no start time; the other edge or the time of receipt stands in.',
  end_before_start: 'It ended before it started; it is kept as a point without length.',
  clamped_time: 'Its time lay outside what is kept; it was moved to the nearest time that is. The attribute reeve.time.sent says what was sent.',
  clock_skew: 'Its clock was more than a minute ahead of ours.',
  self_parent: 'It named itself as its parent; that was dropped.',
  bad_id: 'An id had the wrong length and was replaced or dropped.',
  truncated: 'A value was longer than the limit and was cut.',
  invalid_utf8: 'Some text was not valid UTF-8; those bytes were replaced.',
  bad_index: 'A numbered attribute was out of range and was dropped.',
  agent_guessed: 'No agent was named; the name of the service stands in.',
  secret_dropped: 'A value that looked like a credential was dropped before storing.',
  content_withheld: 'Its sender withheld the content.',
  generated: 'Made by the demo’s generator, not by an agent.',
  cycle: 'Its parents form a circle; it is shown as a root.',
  usage_exclusive: 'Its sender counted input tokens without the cache; the total was made whole.',
  usage_mismatch: 'The usage it reported differs from the sum of the calls below it.',
};

const SOURCES: Record<string, string> = {
  gateway: 'seen by the gateway',
  provider: 'reported by the provider',
  sdk: 'reported by the agent’s SDK',
  inferred: 'inferred from its neighbours',
};

export interface StepPanelProps {
  run: string;
  tree: Tree;
  selected: number;
  critical: CriticalPath | null;
  onSelect: (i: number) => void;
}

/** StepPanel shows everything that is known of the selected step. */
export function StepPanel({ run, tree, selected, critical, onSelect }: StepPanelProps) {
  const light = tree.steps[selected] as Step | undefined;
  const q = useStep(run, light?.id, light?.revision);
  if (!light)
    return (
      <p className={page.empty}>
        Select a step to see what it was given, what it gave back, what it cost and what its sender said. ↑ and ↓ move through the steps.
      </p>
    );
  const s: Step = q.data && q.data.id === light.id ? { ...light, ...q.data } : light;
  const loaded = q.data?.id === light.id;
  const own = critical ? critical.own[selected]! : 0;
  const parent = tree.parent[selected]!;
  const before = s.kind === 'model' ? previousCall(tree, selected) : -1;
  return (
    <div className={page.panel} tabIndex={0} role="region" aria-label="Step" data-testid="step-panel">
      <header className={css.steptitle}>
        <Kind kind={s.kind} />
        <h2>
          <Said text={s.kind === 'tool' ? s.tool?.name || s.name : s.name} />
        </h2>
        <span className={`${css.pill} ${s.status === 'error' ? css.pillBad : s.status === 'running' ? css.pillLive : css.pillGood}`}>{s.status}</span>
        <span className={css.bigtime}>
          {s.status === 'running' ? `running for ${formatDuration(tree.end[selected]! - tree.start[selected]!)}` : formatDuration(s.duration_ms)}
        </span>
      </header>
      {s.status === 'error' && (
        <div className={css.errorbox} role="note">
          <b>
            <Said text={s.error?.type || 'error without a type'} />
          </b>
          {s.error?.message ? <Data text={s.error.message} /> : <p className={page.quiet}>Its sender did not describe the error.</p>}
        </div>
      )}
      {q.isError && <p className={page.errorline}>The step’s details could not be read: {q.error.message}</p>}

      <dl className={css.facts}>
        <Fact name="started">
          <span title={s.started_at}>{clock(tree.baseMs + tree.start[selected]!)}</span>{' '}
          <span className={page.quiet}>{formatDuration(tree.start[selected]!)} into the run</span>
        </Fact>
        {s.ttft_ms != null && <Fact name="first token">after {formatDuration(s.ttft_ms)}</Fact>}
        {own > 0 && (
          <Fact name="critical path">
            {formatDuration(own)} of it{' '}
            <span className={page.quiet}>({Math.round((own / Math.max(critical!.length, 0.001)) * 100)} % of the path)</span>
          </Fact>
        )}
        {s.agent && (
          <Fact name="agent">
            <Said text={s.agent} />
            {s.version && <span className={page.quiet}> {s.version}</span>}
          </Fact>
        )}
        {(s.model || s.provider) && (
          <Fact name="model">
            <Said text={s.model || 'unknown'} />
            {s.provider && (
              <span className={page.quiet}>
                {' '}
                at <Said text={s.provider} />
              </span>
            )}
            {s.model_requested && s.model_requested !== s.model && (
              <span className={page.quiet}>
                {' '}
                (asked for <Said text={s.model_requested} />)
              </span>
            )}
          </Fact>
        )}
        {s.finish_reason && (
          <Fact name="stopped because">
            <Said text={s.finish_reason} />
            {/length|max_tokens/.test(s.finish_reason) && <span className={css.warn}> its answer was cut at the token limit</span>}
          </Fact>
        )}
        {s.tool?.call_id && (
          <Fact name="call id">
            <code>
              <Said text={s.tool.call_id} />
            </code>
          </Fact>
        )}
        {parent >= 0 && (
          <Fact name="inside">
            <button type="button" className={page.link} onClick={() => onSelect(parent)}>
              <Said text={tree.steps[parent]!.name} />
            </button>
          </Fact>
        )}
        {s.service && (
          <Fact name="service">
            <Said text={s.service} />
          </Fact>
        )}
        {s.source && <Fact name="known from">{SOURCES[s.source] ?? s.source}</Fact>}
        {s.decision_id && (
          <Fact name="decision">
            <Link className={page.link} to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', decision: s.decision_id })) as never}>
              <code>{s.decision_id}</code>
            </Link>
          </Fact>
        )}
      </dl>

      {(s.kind === 'model' || s.kind === 'embedding' || s.usage?.input_total != null || s.usage?.output_total != null) && (
        <section>
          <h3 className={css.h3}>Tokens and cost</h3>
          <Tokens u={s.usage} />
          <Money c={s.cost} counted={s.counted} kind={s.kind} />
        </section>
      )}

      {(s.kind === 'tool' || s.kind === 'mcp' || s.tool) && (
        <section>
          <div className={page.sides}>
            <div>
              <h3 className={css.h3}>Arguments</h3>
              {s.tool?.arguments ? <Data text={s.tool.arguments} /> : <Nothing loaded={loaded} what="The arguments were" refs={s.message_refs?.arguments ?? s.message_refs?.input} />}
            </div>
            <div>
              <h3 className={css.h3}>Result</h3>
              {s.tool?.result ? (
                <Data text={s.tool.result} />
              ) : (
                <Nothing loaded={loaded} what="The result was" refs={s.message_refs?.result ?? s.message_refs?.output} />
              )}
            </div>
          </div>
        </section>
      )}

      {s.kind === 'model' && <History s={s} before={before} tree={tree} onSelect={onSelect} loaded={loaded} />}
      {s.kind !== 'model' && !s.tool && s.input && s.input.length > 0 && <Messages title="Given" list={s.input} />}
      {!s.tool && s.output && s.output.length > 0 && <Messages title={s.kind === 'model' ? 'Answer' : 'Returned'} list={s.output} />}
      {s.kind === 'model' && loaded && !s.output?.length && (
        <section>
          <h3 className={css.h3}>Answer</h3>
          <p className={page.quiet}>{s.status === 'running' ? 'Not yet.' : s.message_refs?.output ? 'withheld: needs the role reader' : 'The answer was not recorded by its sender.'}</p>
        </section>
      )}
      {s.documents && s.documents.length > 0 && <Messages title="Documents" list={s.documents} />}
      {s.tools_offered && s.tools_offered.length > 0 && (
        <details className={css.section}>
          <summary>{s.tools_offered.length === 1 ? '1 tool offered' : `${s.tools_offered.length} tools offered`}</summary>
          {s.tools_offered.map((m) => (
            <MessageCard key={m.ordinal} m={m} quiet />
          ))}
        </details>
      )}

      {((s.flags && s.flags.length > 0) || (tree.repair[selected]! & ~8) !== 0) && (
        <section>
          <h3 className={css.h3}>What is odd about it</h3>
          <ul className={css.flags}>
            {s.flags?.map((f) => (
              <li key={f}>{FLAGS[f] ?? f}</li>
            ))}
            {(tree.repair[selected]! & ~8) !== 0 && repairWords(tree.repair[selected]!) ? <li>Here {repairWords(tree.repair[selected]!)}.</li> : null}
          </ul>
        </section>
      )}
      <Raw s={s} loaded={loaded} />
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

// Nothing says why a body is not there: what is referred to and did not come is
// withheld from this reader.
function Nothing({ loaded, what, refs }: { loaded: boolean; what: string; refs?: string }) {
  return <p className={page.quiet}>{!loaded ? 'Reading…' : refs ? 'withheld: needs the role reader' : `${what} not recorded.`}</p>;
}

function Messages({ title, list }: { title: string; list: NonNullable<Step['input']> }) {
  return (
    <section>
      <h3 className={css.h3}>{title}</h3>
      {list.map((m, i) => (
        <MessageCard key={`${m.ordinal}.${i}`} m={m} out={m.field === 'output'} />
      ))}
    </section>
  );
}

/** History shows what is new in a call's messages and folds the rest. */
function History({ s, before, tree, onSelect, loaded }: { s: Step; before: number; tree: Tree; onSelect: (i: number) => void; loaded: boolean }) {
  const change = useMemo(
    () => historyChange(before >= 0 ? tree.steps[before]!.message_refs?.input : undefined, s.message_refs?.input),
    [before, tree, s.message_refs],
  );
  const input = s.input ?? [];
  const fresh = before >= 0 && change.kept > 0 ? input.filter((m) => change.added.includes(m.ordinal)) : input;
  const kept = before >= 0 && change.kept > 0 ? input.filter((m) => !change.added.includes(m.ordinal)) : [];
  const dropped = change.dropped.length;
  return (
    <section>
      <h3 className={css.h3}>Given</h3>
      {before >= 0 && (
        <p className={page.quiet}>
          Against{' '}
          <button type="button" className={page.link} onClick={() => onSelect(before)}>
            its last call
          </button>
          : {change.added.length} new, {change.kept} as before
          {dropped > 0 ? <b className={css.warn}>, {dropped} no longer sent</b> : ''}.
        </p>
      )}
      {s.system && s.system.length > 0 && s.system.map((m) => <MessageCard key={`s${m.ordinal}`} m={{ ...m, role: m.role || 'system' }} />)}
      {kept.length > 0 && (
        <details className={css.section}>
          <summary>{kept.length} messages as before</summary>
          {kept.map((m, i) => (
            <MessageCard key={`k${m.ordinal}.${i}`} m={m} quiet />
          ))}
        </details>
      )}
      {fresh.length > 6 ? (
        <>
          <details className={css.section}>
            <summary>{fresh.length - 3} earlier messages</summary>
            {fresh.slice(0, -3).map((m, i) => (
              <MessageCard key={`e${m.ordinal}.${i}`} m={m} quiet />
            ))}
          </details>
          {fresh.slice(-3).map((m, i) => (
            <MessageCard key={`f${m.ordinal}.${i}`} m={m} />
          ))}
        </>
      ) : (
        fresh.map((m, i) => <MessageCard key={`f${m.ordinal}.${i}`} m={m} />)
      )}
      {loaded && input.length === 0 && !s.system?.length && (
        <p className={page.quiet}>
          {expandRanges(parseRanges(s.message_refs?.input), 10).length > 0
            ? 'withheld: needs the role reader'
            : 'What the call was given was not recorded by its sender.'}
        </p>
      )}
      {!loaded && <p className={page.quiet}>Reading…</p>}
    </section>
  );
}

/** Tokens draws usage as a whole with its parts: nothing is counted twice and what is unknown is hatched. */
export function Tokens({ u }: { u: Usage | undefined }) {
  const most = Math.max(u?.input_total ?? 0, u?.output_total ?? 0, 1);
  return (
    <div className={css.tokens}>
      <TokenBar
        name="input"
        total={u?.input_total}
        most={most}
        parts={[
          ['cache_read', 'from cache', u?.input_cache_read],
          ['cache_write', 'written to cache', u?.input_cache_write],
        ]}
        rest="uncached"
      />
      <TokenBar name="output" total={u?.output_total} most={most} parts={[['reasoning', 'reasoning', u?.output_reasoning]]} rest="visible" />
    </div>
  );
}

function TokenBar({
  name,
  total,
  parts,
  rest,
  most,
}: {
  name: string;
  total: number | null | undefined;
  parts: [string, string, number | null | undefined][];
  rest: string;
  most: number;
}) {
  if (total == null)
    return (
      <div className={css.tokenrow}>
        <span className={css.tokenname}>{name}</span>
        <span className={css.tokentrack}>
          <i className={css.unknownbar} />
        </span>
        <span>unknown: not reported</span>
      </div>
    );
  const known = parts.filter((p): p is [string, string, number] => p[2] != null);
  const sum = known.reduce((a, p) => a + p[2], 0);
  const left = Math.max(0, total - sum);
  return (
    <div className={css.tokenrow}>
      <span className={css.tokenname}>{name}</span>
      <span className={css.tokentrack} style={{ width: `${Math.max(2, (total / most) * 100)}%` }}>
        {known.map(([k, , n]) => (n > 0 ? <i key={k} data-part={k} style={{ flexGrow: n }} /> : null))}
        {left > 0 && <i data-part="rest" style={{ flexGrow: left }} />}
      </span>
      <span>
        <b>{num(total)}</b>
        {known.length > 0 && (
          <>
            {' = '}
            {num(left)} {rest}
            {known.map(([, words, n]) => ` + ${num(n)} ${words}`)}
          </>
        )}
      </span>
    </div>
  );
}

function Money({ c, counted, kind }: { c: Cost | undefined; counted: boolean | undefined; kind: string }) {
  return (
    <p className={css.money}>
      {c?.amount != null ? (
        <>
          <b>{formatMoney(c.amount, c.currency)}</b> {basisWords(c.basis)}
          {c.price && (
            <>
              {' '}
              <code>
                <Said text={c.price} />
              </code>
            </>
          )}
        </>
      ) : (
        <span className={css.unknowntext}>
          Cost unknown{kind === 'model' ? ': no price is known for this model, or its tokens were not reported' : ''}.
        </span>
      )}
      {counted === false && c?.amount != null && <span className={page.quiet}> Not added to the run: a call below it already counts.</span>}
    </p>
  );
}

function Raw({ s, loaded }: { s: Step; loaded: boolean }) {
  const ids: [string, string | undefined][] = [
    ['step', s.id],
    ['parent', s.parent_id ?? undefined],
    ['trace', s.trace_id],
    ['span', s.span_id],
    ['response', s.response_id],
    ['dialect', s.dialect ? `${s.dialect}, table version ${s.map_version ?? '?'}` : undefined],
    ['scope', s.scope],
    ['revision', s.revision === undefined ? undefined : String(s.revision)],
    ['links', s.links?.join(' ')],
  ];
  return (
    <details className={css.section}>
      <summary>Raw</summary>
      <table className={css.kv}>
        <tbody>
          {ids.map(([k, v]) =>
            v ? (
              <tr key={k}>
                <th scope="row">{k}</th>
                <td>
                  <Said text={v} />
                </td>
              </tr>
            ) : null,
          )}
        </tbody>
      </table>
      <Pairs title="Attributes" of={s.attributes} loaded={loaded} />
      <Pairs title="Resource" of={s.resource} loaded={loaded} />
      {s.events && s.events.length > 0 && (
        <>
          <h4 className={css.h4}>Events</h4>
          {s.events.map((e, i) => (
            <details key={i} className={css.section}>
              <summary>
                {clock(Date.parse(e.at))} <Said text={e.name} />
              </summary>
              <Pairs title="" of={e.attributes} loaded />
            </details>
          ))}
        </>
      )}
      <h4 className={css.h4}>As JSON</h4>
      <details className={css.section}>
        <summary>The whole record</summary>
        <Data text={pretty(JSON.stringify(s))} />
      </details>
    </details>
  );
}

function Pairs({ title, of, loaded }: { title: string; of: Record<string, unknown> | undefined; loaded: boolean }) {
  const keys = Object.keys(of ?? {}).sort();
  return (
    <>
      {title && <h4 className={css.h4}>{title}</h4>}
      {keys.length === 0 ? (
        <p className={page.quiet}>{loaded ? 'None.' : 'Reading…'}</p>
      ) : (
        <table className={css.kv}>
          <tbody>
            {keys.map((k) => (
              <tr key={k}>
                <th scope="row">
                  <Said text={k} />
                </th>
                <td>
                  <Data text={typeof of![k] === 'string' ? (of![k] as string) : JSON.stringify(of![k])} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** clock writes a time of day with milliseconds, in the browser's zone. */
export function clock(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  const d = new Date(ms);
  const p = (x: number, n = 2) => String(x).padStart(n, '0');
  return `${p(d.getHours())}:${p(d.getMinutes())}:${p(d.getSeconds())}.${p(d.getMilliseconds(), 3)}`;
}
