import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { Icon, type IconName } from './icons';
import css from './dropdown.module.css';

// The browser's own popover gives the top layer, light dismissal and Escape.
// A positioning library would cost 25 kB of the first load for what is a few
// lines here: below its button, or above when there is no room.

export interface DropdownProps {
  /** Said to those who cannot see the button. */
  label: string;
  className?: string;
  trigger: ReactNode;
  /** Where its right edge goes. */
  align?: 'start' | 'end';
  role?: 'menu' | 'dialog';
  title?: string;
  disabled?: boolean;
  children: (close: () => void) => ReactNode;
}

/** Dropdown opens what it holds below its button. */
export function Dropdown({ label, className, trigger, align = 'start', role = 'menu', title, disabled, children }: DropdownProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const toggled = (e: Event) => setOpen((e as ToggleEvent).newState === 'open');
    el.addEventListener('beforetoggle', toggled);
    return () => el.removeEventListener('beforetoggle', toggled);
  }, []);

  // Runs when the content has arrived, and puts it where it fits.
  useLayoutEffect(() => {
    const el = box.current;
    const b = button.current;
    if (!open || !el || !b) return;
    const place = () => {
      const at = b.getBoundingClientRect();
      const w = el.offsetWidth;
      const h = el.offsetHeight;
      const left = align === 'end' ? at.right - w : at.left;
      const below = at.bottom + 4;
      const top = below + h > innerHeight - 6 && at.top - h - 4 > 0 ? at.top - h - 4 : below;
      el.style.left = `${Math.max(6, Math.min(left, innerWidth - w - 6))}px`;
      el.style.top = `${top}px`;
      el.style.maxHeight = `${innerHeight - Math.max(6, top) - 8}px`;
    };
    const frame = requestAnimationFrame(() => {
      place();
      el.querySelector<HTMLElement>('[role^="menuitem"], [data-autofocus], input, button')?.focus();
    });
    const resized = new ResizeObserver(place);
    resized.observe(el);
    addEventListener('resize', place);
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      removeEventListener('resize', place);
    };
  }, [open, align]);

  const close = () => {
    box.current?.hidePopover?.();
    button.current?.focus();
  };

  function onKeyDown(e: KeyboardEvent) {
    if (role !== 'menu') return;
    const items = [...(box.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      items[(to + items.length) % items.length]?.focus();
    } else if (e.key === 'Tab') {
      close();
    } else if (e.key.length === 1 && /\S/.test(e.key)) {
      items.find((i, n) => n > at && i.textContent?.trim().toLowerCase().startsWith(e.key.toLowerCase()))?.focus();
    }
  }

  return (
    <>
      <button ref={button} type="button" className={`${css.trigger} ${className ?? ''}`} aria-label={label} aria-haspopup={role} aria-expanded={open} aria-controls={open ? id : undefined} title={title} disabled={disabled} popoverTarget={id}>
        {trigger}
      </button>
      <div ref={box} id={id} popover="auto" role={role} aria-label={label} className={css.box} data-role={role} onKeyDown={onKeyDown}>
        {open && children(close)}
      </div>
    </>
  );
}

/** MenuItem is one choice of a Dropdown. `checked` makes it one of several. */
export function MenuItem({ icon, checked, onPick, children }: { icon?: IconName; checked?: boolean; onPick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={css.item} role={checked === undefined ? 'menuitem' : 'menuitemradio'} aria-checked={checked} tabIndex={-1} onClick={onPick}>
      {icon && <Icon name={icon} size={14} />}
      <span className={css.text}>{children}</span>
      {checked && <Icon name="check" size={13} />}
    </button>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <div className={css.label} role="presentation">
      {children}
    </div>
  );
}

export function MenuLine() {
  return <div className={css.line} role="separator" />;
}
