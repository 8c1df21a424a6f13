import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** A page's own parameters: short strings; what is absent has its default. */
export type PageParams = Record<string, string | undefined>;

/**
 * usePageParams reads a page's parameters from the address and sets them there.
 * Selecting a step replaces the address (the back button leaves the page),
 * choosing another view adds to history.
 */
export function usePageParams(): [PageParams, (change: PageParams, how?: 'push' | 'replace') => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const set = useCallback(
    (change: PageParams, how: 'push' | 'replace' = 'replace') => {
      void navigate({
        to: '.',
        search: ((old: Record<string, unknown>) => {
          const next: Record<string, unknown> = { ...old, ...change };
          for (const k of Object.keys(next)) if (next[k] === undefined || next[k] === '') delete next[k];
          return next;
        }) as never,
        replace: how === 'replace',
        resetScroll: false,
      });
    },
    [navigate],
  );
  const params: PageParams = {};
  for (const [k, v] of Object.entries(search)) if (typeof v === 'string') params[k] = v;
    else if (typeof v === 'number' || typeof v === 'boolean') params[k] = String(v);
  return [params, set];
}
