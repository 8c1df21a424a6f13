import { useSyncExternalStore } from 'react';

// What one person likes on this device. Not in the URL: a link must not
// change how its reader's console looks.

export type Density = 'compact' | 'comfortable';

interface Prefs {
  density: Density;
  nav: 'open' | 'closed';
  bands: string[];
}

const key = 'reeve.prefs';
const defaults: Prefs = { density: 'compact', nav: 'open', bands: [] };
const watchers = new Set<() => void>();
let current = read();

function read(): Prefs {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Prefs>) };
  } catch {
    return defaults;
  }
}

export function setPrefs(change: Partial<Prefs>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing still works until it is closed.
  }
  for (const w of watchers) w();
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => current,
  );
}
