import type { Stretch } from './diff';
import css from './words.module.css';

/** Words shows how a text changed: what went is struck out, what came is marked, by colour and by sign. */
export function Words({ words }: { words: readonly (Omit<Stretch, 'change'> & { change: string })[] }) {
  return (
    <span className={css.words}>
      {words.map((w, i) => (w.change === 'added' ? <ins key={i}>{w.text}</ins> : w.change === 'removed' ? <del key={i}>{w.text}</del> : <span key={i}>{w.text}</span>))}
    </span>
  );
}

const marks: Record<string, string> = {
  control: 'a control character',
  bidi: 'a character that turns the direction of reading',
  invisible: 'a character that is drawn as nothing',
  tag: 'a tag character: invisible text',
  mixed: 'letters of different scripts in one word: they may only look alike',
  space: 'an unusual space',
  stacked: 'marks stacked on one letter',
  invalid: 'bytes that are no text',
  bracket: 'a bracket that could be taken for a mark of ours',
  cut: 'the rest is not shown here',
};

/** Shown is text that somebody hostile may have written: never a link, an image or markup, and what hides or misleads in it is marked. */
export function Shown({ text, mono = true }: { text: { pieces: { text: string; kind?: string }[] | null } | null | undefined; mono?: boolean }) {
  if (!text) return null;
  return (
    <span className={css.shown} data-mono={mono || undefined} dir="ltr">
      {(text.pieces ?? []).map((p, i) =>
        p.kind ? (
          <mark key={i} data-kind={p.kind} title={marks[p.kind] ?? p.kind}>
            {p.text}
          </mark>
        ) : (
          <span key={i}>{p.text}</span>
        ),
      )}
    </span>
  );
}
