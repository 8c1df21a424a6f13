import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { MapEdge, MapNode } from '../api/types';
import { Said } from '../run/Text';
import { compact, count, duration, Mark, plural } from '../shared';
import { kindWords, markOf } from './data';
import { boxes, HEIGHT, links, place, readable, step, WIDTH, type Box, type Link } from './layout';
import css from './map.module.css';

/** lineWords says an edge in words. */
export function lineWords(l: { count: number | null; errors: number | null; p95: number | null; edges?: number }): string {
  const parts = [l.count === null ? 'seen; its calls are counted with the agent whose run it was' : plural(l.count, 'time')];
  if (l.errors !== null) parts.push(`${count(l.errors)} failed`);
  if (l.p95 !== null) parts.push(`p95 ${duration(l.p95)}`);
  return parts.join(', ');
}

const letters: Record<string, string> = { agent: 'A', tool: 'T', model: 'M', source: 'R', server: 'S', provider: 'P' };

/** Graph is the drawn map: one button a node, lines between them. What is picked keeps its reach in colour and fades the rest. */
export function Graph({ nodes, edges, picked, reach, found, onPick }: { nodes: MapNode[]; edges: MapEdge[]; picked?: string; reach?: ReadonlySet<string>; found: (n: MapNode) => boolean; onPick: (id: string | undefined) => void }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [focus, setFocus] = useState<string>();
  const box = useRef<HTMLDivElement>(null);
  // Too many to read at once: what was picked is drawn with its reach alone.
  const near = picked && reach && nodes.length > readable;
  const shown = useMemo(() => (near ? nodes.filter((n) => n.id === picked || reach.has(n.id)) : nodes), [near, nodes, picked, reach]);
  const list = useMemo(() => boxes(shown, open), [shown, open]);
  const lines = useMemo(() => links(list, edges), [list, edges]);
  const laid = useMemo(() => place(list, lines), [list, lines]);
  const at = focus !== undefined && laid.at.has(focus) ? focus : picked !== undefined && laid.at.has(picked) ? picked : laid.columns[0]?.[0];
  const isOn = (b: Box) => b.nodes.some((n) => n.id === picked || reach?.has(n.id));
  const onLine = (l: Link) => (picked ? isOn(list.find((b) => b.id === l.from)!) && isOn(list.find((b) => b.id === l.to)!) : false);
  const lit = useMemo(() => new Set(picked ? lines.filter(onLine).map((l) => `${l.from}\t${l.to}`) : []), [lines, picked, reach]); // eslint-disable-line

  useEffect(() => {
    if (focus === undefined) return;
    const el = box.current?.querySelector<HTMLElement>(`[data-box="${CSS.escape(focus)}"]`);
    if (el && document.activeElement?.closest('[data-map]')) el.focus();
  }, [focus]);

  function choose(b: Box) {
    setFocus(b.id);
    if (b.group) setOpen((old) => new Set([...old, b.group!]));
    else onPick(b.id === picked ? undefined : b.id);
  }
  function onKey(e: KeyboardEvent) {
    const dir = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }[e.key] as 'left' | 'right' | 'up' | 'down' | undefined;
    if (!dir || at === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    e.stopPropagation();
    setFocus(step(laid, lines, at, dir));
  }
  return (
    <div className={css.scroll} role="region" aria-label="The map, from agents on the left to what they stand on" onKeyDown={onKey}>
      {(near || open.size > 0) && (
        <p className={css.near}>
          {near ? `Drawn: what the picked one reaches, ${count(shown.length)} of ${count(nodes.length)}.` : `${plural(open.size, 'group')} opened.`}{' '}
          <button type="button" className="link" onClick={() => (near ? onPick(undefined) : setOpen(new Set()))}>
            {near ? 'Draw all' : 'Close them'}
          </button>
        </p>
      )}
      <div ref={box} className={css.graph} data-map style={{ width: laid.width, height: laid.height }}>
        <svg width={laid.width} height={laid.height} aria-hidden>
          {lines.map((l) => {
            const a = laid.at.get(l.from)!;
            const b = laid.at.get(l.to)!;
            const back = b.column <= a.column;
            const [x1, y1, x2, y2] = [back && b.column < a.column ? a.x : a.x + WIDTH, a.y + HEIGHT / 2, back && b.column === a.column ? b.x + WIDTH : back ? b.x + WIDTH : b.x, b.y + HEIGHT / 2];
            const bend = back ? (b.column === a.column ? 34 : -34) : Math.max(24, (x2 - x1) / 2);
            const key = `${l.from}\t${l.to}`;
            const wide = l.count === null ? 1 : Math.min(4, 1 + Math.log10(Math.max(1, l.count)) * 0.6);
            return (
              <g key={key} className={css.line} data-state={l.state} data-fade={(picked && !lit.has(key)) || undefined}>
                <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${back && b.column === a.column ? x2 + bend : x2 - bend} ${y2} ${x2} ${y2}`} strokeWidth={wide} strokeDasharray={l.count === null ? '4 3' : undefined}>
                  <title>{lineWords(l)}</title>
                </path>
                {(l.state === 'bad' || l.state === 'warn') && (
                  <text x={x1 + 8} y={y1 - 3} className={css.letter}>
                    E {l.errors === null ? '' : compact(l.errors)}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
        {list.map((b) => {
          const p = laid.at.get(b.id)!;
          const n = b.nodes.length === 1 && !b.group ? b.nodes[0]! : undefined;
          const sick = b.nodes.filter((x) => x.trouble.length > 0).sort((x, y) => Number(y.state === 'bad') - Number(x.state === 'bad'));
          const mark = markOf(sick[0] ?? b.nodes[0]!);
          const hit = b.nodes.some(found);
          return (
            <button
              key={b.id}
              type="button"
              data-box={b.id}
              data-kind={b.kind}
              data-state={sick[0]?.state ?? 'good'}
              data-fade={(picked && !isOn(b)) || !hit || undefined}
              data-group={b.group ? '' : undefined}
              data-unseen={n?.seen === false || undefined}
              className={css.node}
              tabIndex={b.id === at ? 0 : -1}
              aria-pressed={n ? n.id === picked : undefined}
              title={sick[0]?.trouble.map((t) => t.text).join('\n') || undefined}
              style={{ left: p.x, top: p.y, width: WIDTH, height: HEIGHT }}
              onFocus={() => setFocus(b.id)}
              onClick={() => choose(b)}
            >
              <span className={css.kind} aria-hidden>
                {letters[b.kind]}
              </span>
              <span className="unseen">{b.group ? 'Open the group' : (kindWords[b.kind] ?? b.kind)}</span>
              <span className={css.words}>
                <span className={css.name}>
                  <Said text={b.name} />
                </span>
                <span className={css.small}>{b.group ? (sick.length > 0 ? `${count(sick.length)} in trouble` : 'no trouble known') : smallWords(n!)}</span>
              </span>
              {sick.length > 0 && <Mark {...mark} size={14} />}
            </button>
          );
        })}
      </div>
    </div>
  );
}

function smallWords(n: MapNode): string {
  if (n.kind === 'agent') return n.seen === false ? 'only named by others' : [n.team, n.registered === false && 'not registered', n.runs !== null && `${compact(n.runs)} runs`].filter(Boolean).join(' · ') || 'no run of its own';
  return [n.within, n.calls !== null && `${compact(n.calls)} calls`, n.p95_ms !== null && n.p95_ms > 0 && duration(n.p95_ms)].filter(Boolean).join(' · ') || 'seen';
}
