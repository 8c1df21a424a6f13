import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import type { Message } from './data';
import { Kind } from './Kind';
import { bodyOf, Data, Parts } from './MessageView';
import { formatPlaces } from './ordinals';
import css from './transcript.module.css';
import page from './run.module.css';
import { formatDuration } from './scale';
import { Said } from './Text';
import { buildTranscript, type Row } from './transcript';
import type { Tree } from './tree';
import { formatMoney, num } from './verdict';

export interface TranscriptProps {
  tree: Tree;
  messages: ReadonlyMap<number, Message>;
  selected: number;
  /** who scrolls: a change with `from` other than the transcript brings the step into sight */
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
  follow: boolean;
  /** the reader may not read content */
  withheld: boolean;
}

const WITHHELD = 'withheld: needs the role reader';

/** Transcript shows what was said, in order, each thing once. */
export function Transcript({ tree, messages, selected, onSelect, onOpen, follow, withheld }: TranscriptProps) {
  const rows = useMemo(() => buildTranscript(tree, messages), [tree, messages]);
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const v = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: (i) => guess(rows[i]!),
    overscan: 6,
    getItemKey: (i) => keyOf(rows[i]!, tree),
  });

  // A step selected elsewhere comes into sight; one selected here is already.
  const mine = useRef(-1);
  const first = useMemo(() => {
    const at = new Map<number, number>();
    rows.forEach((r, k) => {
      if (!at.has(r.step)) at.set(r.step, k);
    });
    return at;
  }, [rows]);
  useEffect(() => {
    if (selected < 0 || mine.current === selected) return;
    mine.current = -1;
    let at = first.get(selected);
    for (let k = tree.rank[selected]!; at === undefined && k < tree.after[selected]!; k++) at = first.get(tree.order[k]!);
    if (at !== undefined) v.scrollToIndex(at, { align: 'start' });
    // The virtualizer is one object for life; rows of a live run must not scroll.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected]);
  useEffect(() => {
    if (follow && rows.length > 0) v.scrollToIndex(rows.length - 1, { align: 'end' });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [follow, rows.length]);

  const select = (i: number) => {
    mine.current = i;
    onSelect(i);
  };
  const toggle = (key: string) =>
    setOpen((o) => {
      const n = new Set(o);
      if (!n.delete(key)) n.add(key);
      return n;
    });

  if (rows.length === 0) return <p className={page.empty}>Nothing was said in this run: it has no model, tool or retrieval steps yet.</p>;
  return (
    <div ref={box} className={page.transcript} tabIndex={0} role="log" aria-label="Transcript" aria-live="off" data-testid="transcript">
      <div style={{ height: v.getTotalSize(), position: 'relative' }}>
        {v.getVirtualItems().map((item) => {
          const row = rows[item.index]!;
          const key = keyOf(row, tree);
          return (
            <div
              key={item.key}
              data-index={item.index}
              ref={v.measureElement}
              className={css.trow}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <RowView
                row={row}
                tree={tree}
                messages={messages}
                withheld={withheld}
                selected={row.step === selected}
                open={open.has(key)}
                rowKey={key}
                onToggle={toggle}
                onSelect={select}
                onOpen={onOpen}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function guess(r: Row): number {
  return r.type === 'message' ? 84 : r.type === 'tool' ? 110 : 30;
}

function keyOf(r: Row, t: Tree): string {
  const id = t.steps[r.step]!.id;
  return r.type === 'message' ? `${id}:m${r.ordinal}${r.out ? 'o' : 'i'}` : `${id}:${r.type}`;
}

interface RowViewProps {
  row: Row;
  tree: Tree;
  messages: ReadonlyMap<number, Message>;
  withheld: boolean;
  selected: boolean;
  open: boolean;
  rowKey: string;
  onToggle: (key: string) => void;
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
}

const RowView = memo(function RowView({ row, tree, messages, withheld, selected, open, rowKey, onToggle, onSelect, onOpen }: RowViewProps) {
  const s = tree.steps[row.step]!;
  const at = formatDuration(tree.start[row.step]!);
  const style = { marginLeft: row.depth * 14 };
  const frame = `${css.turn} ${selected ? css.turnSelected : ''} ${s.status === 'error' ? css.turnFailed : ''}`;
  const list = (ordinals: readonly number[]) =>
    ordinals.map((o) => {
      const m = messages.get(o);
      return m ? (
        <MessageCard key={o} m={m} quiet onStep={onOpen} />
      ) : (
        <p key={o} className={css.quiet}>
          Message {o + 1} {withheld ? WITHHELD : 'was not given with this run.'}
        </p>
      );
    });
  switch (row.type) {
    case 'agent':
      return (
        <button type="button" className={css.agentline} style={style} onClick={() => onSelect(row.step)}>
          <Kind kind="agent" />
          <b>
            <Said text={row.name || 'an agent without a name'} />
          </b>
          {row.fromAgent && (
            <span className={css.quiet}>
              called by <Said text={row.fromAgent} />
            </span>
          )}
          <span className={css.quiet}>at {at}</span>
        </button>
      );
    case 'call':
      return (
        <div className={`${css.callline} ${selected ? css.callSelected : ''}`} style={style}>
          <button type="button" className={css.callhead} onClick={() => onSelect(row.step)} onDoubleClick={() => onOpen(row.step)}>
            <Kind kind="model" />
            <span className={css.callname}>
              <Said text={s.model || s.name} />
            </span>
            <span className={css.quiet}>
              {s.status === 'running' ? 'running' : formatDuration(s.duration_ms)}
              {s.usage?.input_total != null || s.usage?.output_total != null
                ? ` · ${numOr(s.usage?.input_total)} → ${numOr(s.usage?.output_total)} tokens`
                : ''}
              {s.cost?.amount != null ? ` · ${formatMoney(s.cost.amount, s.cost.currency)}` : ''}
            </span>
          </button>
          <span className={css.when}>{at}</span>
          {s.status === 'error' && <ErrorLine s={s} />}
        </div>
      );
    case 'resent':
      return (
        <div style={style} className={css.resent}>
          {row.ordinals.length > 0 && (
            <button type="button" className={css.fold1} aria-expanded={open} onClick={() => onToggle(rowKey)}>
              <span className={open ? page.caretOpen : page.caret} aria-hidden />
              {row.ordinals.length === 1 ? 'message' : 'messages'} {formatPlaces(row.places)} of {row.of} as before
            </button>
          )}
          {row.dropped.length > 0 && (
            <span className={css.dropped}>
              {row.dropped.length} {row.dropped.length === 1 ? 'message' : 'messages'} of the last call no longer sent
            </span>
          )}
          {open && <div className={css.folded}>{list(row.ordinals)}</div>}
        </div>
      );
    case 'earlier':
      return (
        <div style={style} className={css.resent}>
          <button type="button" className={css.fold1} aria-expanded={open} onClick={() => onToggle(rowKey)}>
            <span className={open ? page.caretOpen : page.caret} aria-hidden />
            {row.ordinals.length} earlier messages that this run began with
          </button>
          {open && <div className={css.folded}>{list(row.ordinals)}</div>}
        </div>
      );
    case 'message': {
      const m = messages.get(row.ordinal);
      return (
        <div className={frame} style={style} onClick={() => onSelect(row.step)}>
          {m ? (
            <MessageCard m={m} out={row.out} tools={row.tools} onStep={onOpen} />
          ) : (
            <p className={css.quiet}>Message {row.ordinal + 1} {withheld ? WITHHELD : 'was not given with this run.'}</p>
          )}
        </div>
      );
    }
    case 'tool':
      return (
        <div className={`${frame} ${css.toolrow}`} style={style} onClick={() => onSelect(row.step)}>
          <div className={css.toolhead}>
            <Kind kind={s.kind} />
            <button type="button" className={css.plainbutton} onClick={() => onOpen(row.step)}>
              <Said text={s.tool?.name || s.name} />
            </button>
            {row.inner && <span className={css.quiet}>the same call, one layer down</span>}
            {row.repeat > 1 && <span className={css.again}>{ordinalWord(row.repeat)} time with these arguments</span>}
            <span className={css.quiet}>{s.status === 'running' ? 'running' : formatDuration(s.duration_ms)}</span>
            <span className={css.when}>{at}</span>
          </div>
          {row.inner ? (
            s.status === 'error' && <ErrorLine s={s} />
          ) : (
            <div className={page.sides}>
              <div>
                <div className={css.sidehead}>arguments</div>
                <Bodies ordinals={row.args} messages={messages} withheld={withheld} fallback={s.tool?.arguments} />
              </div>
              <div>
                <div className={css.sidehead}>result</div>
                {s.status === 'error' && <ErrorLine s={s} />}
                {(s.status !== 'error' || row.result.length > 0) && (
                  <Bodies ordinals={row.result} messages={messages} withheld={withheld} fallback={s.tool?.result} running={s.status === 'running'} />
                )}
              </div>
            </div>
          )}
        </div>
      );
    case 'step':
      return (
        <div className={frame} style={style} onClick={() => onSelect(row.step)}>
          <div className={css.toolhead}>
            <Kind kind={s.kind} />
            <button type="button" className={css.plainbutton} onClick={() => onOpen(row.step)}>
              <Said text={s.name} />
            </button>
            <span className={css.quiet}>{s.status === 'running' ? 'running' : formatDuration(s.duration_ms)}</span>
            <span className={css.when}>{at}</span>
          </div>
          {s.status === 'error' && <ErrorLine s={s} />}
          {row.ordinals.map((o) => {
            const m = messages.get(o);
            return m ? <MessageCard key={o} m={m} quiet onStep={onOpen} /> : null;
          })}
        </div>
      );
    case 'silent':
      return (
        <p className={css.silent} style={style}>
          {row.what === 'both'
            ? 'What this call was given and answered was not recorded by its sender.'
            : row.what === 'input'
              ? 'What this call was given was not recorded.'
              : s.status === 'error'
                ? 'It gave no answer.'
                : 'Its answer was not recorded.'}
        </p>
      );
  }
});

function ErrorLine({ s }: { s: Tree['steps'][number] }) {
  return (
    <div className={page.errorline}>
      <b>
        <Said text={s.error?.type || 'error'} />
      </b>{' '}
      <Said text={(s.error?.message ?? '').slice(0, 1000)} />
    </div>
  );
}

function Bodies({
  ordinals,
  messages,
  withheld,
  fallback,
  running = false,
}: {
  ordinals: readonly number[];
  messages: ReadonlyMap<number, Message>;
  withheld: boolean;
  fallback?: string | null;
  running?: boolean;
}) {
  const known = ordinals.map((o) => messages.get(o)).filter((m): m is Message => m !== undefined);
  if (known.length > 0) return known.map((m) => <Data key={m.ordinal} text={bodyOf(m)} />);
  if (fallback) return <Data text={fallback} />;
  return <p className={css.quiet}>{running ? 'not yet' : withheld && ordinals.length > 0 ? WITHHELD : 'not recorded'}</p>;
}

/** MessageCard is one message with who said it. System prompts are folded: they are long and rarely the news. */
export function MessageCard({
  m,
  out = false,
  quiet = false,
  tools,
  onStep,
}: {
  m: Message;
  out?: boolean;
  quiet?: boolean;
  tools?: Map<string, number>;
  onStep?: (i: number) => void;
}) {
  const role = m.role || (m.field === 'output' ? 'assistant' : m.field);
  const system = role === 'system' || role === 'developer' || m.field === 'system';
  const text = system ? bodyOf(m) : '';
  return (
    <div
      className={`${css.card} ${quiet ? css.cardQuiet : ''}`}
      data-role={system ? 'system' : role === 'user' ? 'user' : role === 'assistant' || out ? 'assistant' : role === 'tool' ? 'tool' : 'other'}
    >
      <span className={css.role}>{role}</span>
      <div className={css.cardbody}>
        {system && text.length > 160 ? (
          <details>
            <summary className={css.systemline}>
              <Said text={`${text.slice(0, 140).replace(/\s+/g, ' ')}…`} />
            </summary>
            <Parts m={m} />
          </details>
        ) : (
          <Parts m={m} tools={tools} onStep={onStep} />
        )}
      </div>
    </div>
  );
}

function ordinalWord(n: number): string {
  return n === 2 ? 'second' : n === 3 ? 'third' : `${n}th`;
}

function numOr(x: number | null | undefined): string {
  return x == null ? '?' : num(x);
}
