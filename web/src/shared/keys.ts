import { useEffect, useRef, useState, useSyncExternalStore } from 'react';

// Shortcuts are registered while their page is shown. "?" lists exactly what
// is registered, so help cannot differ from what works.

export interface Shortcut {
  /** "j", "shift+e", "ctrl+k", or a sequence: "g r". */
  keys: string;
  label: string;
  run: () => void;
  /** Works while typing in a field too. */
  always?: boolean;
}

interface Group {
  name: string;
  base: boolean;
  list: Shortcut[];
}

let groups: Group[] = [];
const watchers = new Set<() => void>();
let pending = '';
let pendingTimer: ReturnType<typeof setTimeout> | undefined;

function changed() {
  groups = [...groups];
  for (const w of watchers) w();
}

/** keyOf names the key of an event the way shortcuts are written. */
export function keyOf(e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): string {
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key.toLowerCase().replace('arrow', '');
  const named = e.key.length > 1;
  const letter = /^[a-z]$/i.test(e.key);
  return [e.ctrlKey || e.metaKey ? 'ctrl+' : '', e.altKey ? 'alt+' : '', e.shiftKey && (named || letter) ? 'shift+' : '', key === ' ' ? 'space' : key].join('');
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** answers tells whether the control that has the focus does something of its own with a key. */
export function answers(target: EventTarget | null, keys: string): boolean {
  return (keys === 'enter' || keys === 'space') && target instanceof HTMLElement && target.matches('button, a[href], summary');
}

// Closed popovers stay in the page with their role: only what can be seen counts.
function dialogOpen(): boolean {
  for (const d of document.querySelectorAll('[role="dialog"]')) if (d.checkVisibility?.() ?? true) return true;
  return false;
}

function onKey(e: KeyboardEvent) {
  if (e.defaultPrevented || e.isComposing) return;
  const pressed = keyOf(e);
  if (/(^|\+)(shift|control|alt|meta)$/.test(pressed)) return;
  const busy = typing(e.target) || answers(e.target, pressed) || dialogOpen();
  const whole = pending ? `${pending} ${pressed}` : pressed;
  pending = '';
  clearTimeout(pendingTimer);
  let opens = false;
  // The frame's effects run after its page's, so being newer is not enough.
  const order = [...groups].reverse().sort((a, b) => Number(a.base) - Number(b.base));
  for (const g of order) {
    for (const s of g.list) {
      if (busy && !s.always) continue;
      if (s.keys === whole) {
        e.preventDefault();
        s.run();
        return;
      }
      if (s.keys.startsWith(whole + ' ')) opens = true;
    }
  }
  if (opens) {
    pending = whole;
    pendingTimer = setTimeout(() => (pending = ''), 1200);
  }
}

if (typeof window !== 'undefined') window.addEventListener('keydown', onKey);

/**
 * useShortcuts registers a group while the component is shown. The newest group
 * wins; one of the frame itself (base) gives way to any page's.
 */
export function useShortcuts(name: string, list: Shortcut[], base = false): void {
  const latest = useRef(list);
  latest.current = list;
  const shape = list.map((s) => s.keys + '\t' + s.label).join('\n');
  useEffect(() => {
    const group: Group = {
      name,
      base,
      list: latest.current.map((s, i) => ({ ...s, run: () => latest.current[i]?.run() })),
    };
    groups.push(group);
    changed();
    return () => {
      groups = groups.filter((g) => g !== group);
      changed();
    };
  }, [name, shape, base]);
}

/** useGroups is what "?" shows. */
export function useGroups(): Group[] {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => groups,
  );
}

/**
 * useFocusBack gives the focus back to what had it when a dialog that is mounted open goes
 * away: to the page's table, so that j, k and Enter go on. What took it meanwhile keeps it.
 */
export function useFocusBack() {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      });
    },
    [before],
  );
}
