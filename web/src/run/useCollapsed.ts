import { useCallback, useEffect, useState } from 'react';
import { hiddenBy, type Tree } from './tree';

/** Collapsed is which steps hide what is below them, by step id: positions change while a run grows. */
export interface Collapsed {
  ids: ReadonlySet<string>;
  has: (i: number) => boolean;
  toggle: (i: number) => void;
  /** reveal opens whatever hides a step. */
  reveal: (i: number) => void;
  /** all collapses everything below the first level, or opens everything when something is collapsed. */
  all: () => void;
}

/** useCollapsed holds what is collapsed; the selected step is never hidden for long. */
export function useCollapsed(tree: Tree, selected: number): Collapsed {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());

  const toggle = useCallback(
    (i: number) =>
      setIds((old) => {
        const id = tree.steps[i]!.id;
        const next = new Set(old);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [tree],
  );
  const reveal = useCallback(
    (i: number) => {
      const hidden = hiddenBy(tree, i, ids);
      if (hidden.length) setIds((old) => new Set([...old].filter((x) => !hidden.includes(x))));
    },
    [tree, ids],
  );
  // A step selected in the transcript must not stay hidden here. What is collapsed
  // afterwards, with the step selected, stays: so not with every change of ids.
  useEffect(() => {
    if (selected >= 0) reveal(selected);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected, tree]);

  const all = () => {
    if (ids.size) return setIds(new Set());
    const next = new Set<string>();
    for (let i = 0; i < tree.n; i++) if (tree.childCount[i]! > 0 && tree.depth[i]! > 0) next.add(tree.steps[i]!.id);
    setIds(next);
  };
  return { ids, has: (i) => ids.has(tree.steps[i]!.id), toggle, reveal, all };
}
