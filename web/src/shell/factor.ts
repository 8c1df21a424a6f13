import { useSyncExternalStore } from 'react';
import { onFactorNeeded, type Problem } from '../api/client';

interface Asked {
  why: Problem;
  answer: (shown: boolean) => void;
}

let asked: Asked[] = [];
const watchers = new Set<() => void>();

function set(next: Asked[]) {
  asked = next;
  for (const w of watchers) w();
}

/** askForFactors has the shell ask whenever a call needs a second factor; the result stops it. */
export function askForFactors(): () => void {
  onFactorNeeded((why) => new Promise((answer) => set([...asked, { why, answer }])));
  return () => onFactorNeeded(undefined);
}

/** settleFactor answers everybody who waits: one code serves all of them. */
export function settleFactor(shown: boolean) {
  const waiting = asked;
  set([]);
  for (const a of waiting) a.answer(shown);
}

export function useFactorAsked(): Problem | undefined {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => asked[0]?.why,
  );
}
