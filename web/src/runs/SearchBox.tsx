import { useEffect, useId, useMemo, useRef, useState } from 'react';
import css from './runs.module.css';
import { complete, type SearchField } from './searchText';

export interface SearchBoxProps {
  value: string;
  onChange: (q: string) => void;
  fields: readonly SearchField[];
  placeholder: string;
  label: string;
  error?: string;
  id?: string;
}

/** SearchBox takes the search language: it completes fields and their known values, and searches on Enter. */
export function SearchBox({ value, onChange, fields, placeholder, label, error, id }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  useEffect(() => setText(value), [value]);
  const c = useMemo(() => complete(text, Math.min(caret, text.length), fields), [text, caret, fields]);
  const shown = open && c.items.length > 0;

  const place = (to: number) =>
    requestAnimationFrame(() => {
      input.current?.setSelectionRange(to, to);
      setCaret(to);
    });
  const take = (k: number) => {
    const item = c.items[k];
    if (!item) return;
    const tail = item.done ? ' ' : '';
    const next = text.slice(0, c.from) + item.insert + tail + text.slice(c.to).replace(/^\s/, '');
    const to = c.from + item.insert.length + tail.length;
    setText(next);
    setAt(-1);
    setOpen(!item.done);
    place(to);
    if (item.done) onChange(next.trim());
  };
  return (
    <div className={css.search} role="search">
      <svg width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" aria-hidden>
        <path d="M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5 14 14" />
      </svg>
      <input
        ref={input}
        id={id}
        value={text}
        placeholder={placeholder}
        aria-label={label}
        role="combobox"
        aria-expanded={shown}
        aria-controls={shown ? listId : undefined}
        aria-autocomplete="list"
        aria-activedescendant={shown && at >= 0 ? `${listId}-${at}` : undefined}
        aria-invalid={error ? true : undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        onChange={(e) => {
          setText(e.target.value);
          setCaret(e.target.selectionStart ?? e.target.value.length);
          setOpen(true);
          setAt(-1);
        }}
        onSelect={(e) => setCaret(e.currentTarget.selectionStart ?? 0)}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          if (text.trim() !== value) onChange(text.trim());
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown' && shown) {
            setAt((at + 1) % c.items.length);
            e.preventDefault();
          } else if (e.key === 'ArrowUp' && shown) {
            setAt(at <= 0 ? c.items.length - 1 : at - 1);
            e.preventDefault();
          } else if (e.key === 'Tab' && shown && !e.shiftKey && (at >= 0 || text.slice(c.from, c.to) !== '')) {
            take(Math.max(0, at));
            e.preventDefault();
          } else if (e.key === 'Enter') {
            if (shown && at >= 0) take(at);
            else {
              setOpen(false);
              onChange(text.trim());
            }
            e.preventDefault();
          } else if (e.key === 'Escape') {
            if (shown) setOpen(false);
            else input.current?.blur();
            e.stopPropagation();
          } else if (e.key === ' ' && e.ctrlKey) {
            setOpen(true);
            e.preventDefault();
          }
        }}
      />
      {text !== '' && (
        <button
          type="button"
          className={css.clear}
          aria-label="Clear the search"
          onClick={() => {
            setText('');
            onChange('');
            input.current?.focus();
          }}
        >
          ×
        </button>
      )}
      {shown && (
        <ul id={listId} role="listbox" aria-label="Completions" className={css.completions}>
          {c.items.map((item, k) => (
            <li
              key={item.insert}
              id={`${listId}-${k}`}
              role="option"
              aria-selected={k === at}
              onPointerDown={(e) => {
                e.preventDefault();
                take(k);
              }}
            >
              <code>{item.label}</code>
              <span>{item.detail}</span>
            </li>
          ))}
        </ul>
      )}
      {error && (
        <p className={css.searchError} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
