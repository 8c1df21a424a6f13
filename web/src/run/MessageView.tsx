import { memo, useMemo, useState } from 'react';
import type { Message, Part } from './data';
import css from './transcript.module.css';
import page from './run.module.css';
import { Said } from './Text';

const SHOWN = 1600;

/** Long is text that is cut until somebody asks for the rest. */
export function Long({ text, mono = false, most = SHOWN }: { text: string; mono?: boolean; most?: number }) {
  const [all, setAll] = useState(false);
  const lines = useMemo(() => countLines(text, 400), [text]);
  const cut = !all && (text.length > most * 1.25 || lines > 40);
  const shown = cut ? cutAt(text, most, 32) : text;
  return (
    <div className={mono ? css.mono : css.prose}>
      <Said text={shown} />
      {cut && (
        <>
          {'… '}
          <button type="button" className={page.link} onClick={() => setAll(true)}>
            show all {text.length.toLocaleString('en-GB')} characters
          </button>
        </>
      )}
    </div>
  );
}

function countLines(s: string, most: number): number {
  let n = 1;
  for (let i = s.indexOf('\n'); i >= 0 && n < most; i = s.indexOf('\n', i + 1)) n++;
  return n;
}

function cutAt(s: string, most: number, lines: number): string {
  let at = 0;
  for (let k = 0; k < lines; k++) {
    const next = s.indexOf('\n', at);
    if (next < 0 || next > most) return s.slice(0, most);
    at = next + 1;
  }
  return s.slice(0, at - 1);
}

/** pretty indents text that is JSON and leaves any other as it is. */
export function pretty(text: string): string {
  const c = text.trimStart()[0];
  if ((c !== '{' && c !== '[') || text.length > 400_000) return text;
  try {
    const value: unknown = JSON.parse(text);
    const line = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
    return line.length <= 76 ? line : JSON.stringify(value, null, 2);
  } catch {
    return text;
  }
}

/** Data is a value from outside as indented JSON, or as the text it is. */
export const Data = memo(function Data({ text }: { text: string }) {
  return <Long text={useMemo(() => pretty(text), [text])} mono />;
});

/** Parts are the pieces of a message. Nothing in them is fetched. */
export function Parts({ m, tools, onStep }: { m: Message; tools?: Map<string, number>; onStep?: (i: number) => void }) {
  const parts = m.parts ?? [];
  if (parts.length === 0) return m.raw ? <Data text={m.raw} /> : <p className={css.quiet}>No content was recorded.</p>;
  return (
    <>
      {parts.map((p, i) => (
        <PartView key={i} p={p} at={p.type === 'tool_call' && p.id ? tools?.get(p.id) : undefined} onStep={onStep} />
      ))}
    </>
  );
}

function PartView({ p, at, onStep }: { p: Part; at: number | undefined; onStep?: (i: number) => void }) {
  switch (p.type) {
    case 'text':
      return <Long text={p.text ?? ''} />;
    case 'reasoning':
      return (
        <details className={css.reasoning}>
          <summary>Reasoning{p.text ? `, ${p.text.length.toLocaleString('en-GB')} characters` : ' (withheld by the provider)'}</summary>
          {p.text && <Long text={p.text} />}
        </details>
      );
    case 'tool_call':
      return (
        <div className={css.toolcall}>
          <span className={css.toolarrow} aria-hidden>
            →
          </span>
          {at !== undefined && onStep ? (
            <button type="button" className={page.link} onClick={() => onStep(at)} title="Go to the tool step">
              <Said text={p.name ?? 'tool'} />
            </button>
          ) : (
            <b>
              <Said text={p.name ?? 'tool'} />
            </b>
          )}
          {p.arguments &&
            (at !== undefined ? (
              <code className={css.oneline}>
                <Said text={p.arguments.slice(0, 300)} />
              </code>
            ) : (
              <Data text={p.arguments} />
            ))}
        </div>
      );
    case 'tool_call_response':
      return (
        <div className={css.toolcall}>
          <span className={css.toolarrow} aria-hidden>
            ←
          </span>
          <Data text={p.text ?? p.data ?? ''} />
        </div>
      );
    case 'image':
    case 'document':
      return (
        <div className={css.placeholder}>
          <b>{p.type === 'image' ? 'Image' : 'Document'}</b> {p.mime_type && <Said text={p.mime_type} />} {p.name && <Said text={p.name} />}
          {p.uri && (
            <code className={css.oneline}>
              <Said text={p.uri.slice(0, 200)} />
            </code>
          )}
          {p.data && <span> {Math.round((p.data.length * 3) / 4 / 1024).toLocaleString('en-GB')} kB inline</span>}
          <span className={css.quiet}> not fetched</span>
        </div>
      );
    default:
      return <Data text={p.data ?? p.text ?? JSON.stringify(p)} />;
  }
}

/** bodyOf is a message's content as one text, for arguments and results. */
export function bodyOf(m: Message): string {
  const p = m.parts ?? [];
  if (p.length === 0) return m.raw ?? '';
  return p.map((x) => x.text ?? x.data ?? x.arguments ?? x.uri ?? '').join('\n');
}
