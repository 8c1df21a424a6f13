import { useSyncExternalStore } from 'react';

export type DialogName = 'palette' | 'help';

let current: DialogName | undefined;
const watchers = new Set<() => void>();

function set(d: DialogName | undefined) {
  current = d;
  for (const w of watchers) w();
}

/** dialogs opens the shell's dialogs from anywhere: buttons, shortcuts, empty states. */
export const dialogs = { open: (d: DialogName) => set(d), close: () => set(undefined) };

export function useDialog(): DialogName | undefined {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => current,
  );
}
