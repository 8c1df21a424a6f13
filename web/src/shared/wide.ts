import { useSyncExternalStore } from 'react';

/** useWide says whether the window is at least so many pixels wide, and says it anew when that changes. */
export function useWide(px: number): boolean {
  const query = `(min-width: ${px}px)`;
  return useSyncExternalStore(
    (w) => {
      const m = matchMedia(query);
      m.addEventListener('change', w);
      return () => m.removeEventListener('change', w);
    },
    () => matchMedia(query).matches,
  );
}
