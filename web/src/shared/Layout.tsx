import { ActionIcon, Button } from '@mantine/core';
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { Problem } from '../api/client';
import { Icon } from './icons';
import css from './shared.module.css';

/** PageHeader opens every page: its name, its answer in words, its actions. It sets the window's title. */
export function PageHeader({ title, question, answer, actions, badge }: { title: ReactNode; question?: string; answer?: ReactNode; actions?: ReactNode; badge?: ReactNode }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${ref.current?.textContent || 'Console'} · Reeve`;
  });
  return (
    <header className={css.header}>
      <div className="grow">
        <div className="row">
          <h1 ref={ref}>{title}</h1>
          {badge}
          {question && <span className={css.question}>{question}</span>}
        </div>
        {answer && <div className={css.answer}>{answer}</div>}
      </div>
      {actions && <div className={css.actions}>{actions}</div>}
    </header>
  );
}

/** PageBody is what stands below the header. With fill it takes the height that is left, so that a list in it can scroll by itself; width is the most it takes, in pixels. */
export function PageBody({ fill, width, children }: { fill?: boolean; width?: number; children: ReactNode }) {
  return (
    <div className={css.pageBody} data-fill={fill || undefined} style={{ maxWidth: width }}>
      {children}
    </div>
  );
}

/** Panel is a bordered part of a page with a heading. */
export function Panel({ title, note, actions, padded, className, children }: { title?: ReactNode; note?: ReactNode; actions?: ReactNode; padded?: boolean; className?: string; children?: ReactNode }) {
  const id = useId();
  return (
    <section className={`${css.panel} ${className ?? ''}`} aria-labelledby={title ? id : undefined}>
      {title && (
        <div className={css.panelHead}>
          <h2 id={id}>{title}</h2>
          {note && <span className={css.note}>{note}</span>}
          <span className="grow" />
          {actions}
        </div>
      )}
      <div className={`${css.panelBody} ${padded ? css.padded : ''}`}>{children}</div>
    </section>
  );
}

/** Facts are a few named values: dt and dd, one below the other. */
export function Facts({ padded, children }: { padded?: boolean; children: ReactNode }) {
  return (
    <dl className={css.facts} data-padded={padded || undefined}>
      {children}
    </dl>
  );
}

/** Beside is a list with what was chosen of it at its side; on a narrow window that comes first. */
export function Beside({ side, label, children }: { side: ReactNode; label: string; children: ReactNode }) {
  return (
    <div className={css.beside} data-open={side ? '' : undefined}>
      {children}
      {side && (
        <div className={css.besideSide} tabIndex={0} role="region" aria-label={label}>
          {side}
        </div>
      )}
    </div>
  );
}

/** Empty says why nothing is here and what to do next. */
export function Empty({ title, children, actions, small }: { title: string; children?: ReactNode; actions?: ReactNode; small?: boolean }) {
  return (
    <div className={css.empty} data-small={small || undefined}>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {actions && <div className={css.emptyActions}>{actions}</div>}
    </div>
  );
}

/** ProblemNote shows an answer that said no, its hint and a way to try again. */
export function ProblemNote({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null;
  const p = error instanceof Problem ? error : undefined;
  return (
    <div className={css.problem} data-tone={p?.status === 202 ? 'wait' : undefined} role={p?.status === 202 ? 'status' : 'alert'}>
      <div className="grow">
        {p?.message ?? (error instanceof Error ? error.message : 'Something went wrong.')}
        {p?.hint ? ` ${p.hint}` : ''} {p && p.status !== 202 && <code>{p.code}</code>}
      </div>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** Copy puts text on the clipboard and says so. */
export function Copy({ text, label = 'Copy', size = 24 }: { text: string; label?: string; size?: number }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const t = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(t);
  }, [done]);
  return (
      <ActionIcon size={size} title={done ? 'Copied' : label} aria-label={done ? 'Copied' : label} onClick={() => void copyText(text).then(() => setDone(true))}>
        <Icon name={done ? 'check' : 'copy'} size={14} />
      </ActionIcon>
  );
}

/** copyText works on plain http to another name too, where there is no clipboard API. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Snippet is a command to copy. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div className={css.snippet}>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Copy text={text} label={`Copy ${label}`} />
    </div>
  );
}

/** Keys shows a shortcut: "g r", "ctrl+k". */
export function Keys({ keys }: { keys: string }) {
  return (
    <span>
      {keys.split(' ').map((k, i) => (
        <kbd key={i} className={css.kbd}>
          {k.split('+').join(' + ')}
        </kbd>
      ))}
    </span>
  );
}
