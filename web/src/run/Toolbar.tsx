import { type RefObject } from 'react';
import css from './toolbar.module.css';
import page from './run.module.css';
import { formatDuration } from './scale';
import type { Axis } from './useAxis';
import type { Collapsed } from './useCollapsed';
import type { PageParams } from './urlState';
import { num } from './verdict';

interface Props {
  lane: 'time' | 'graph';
  axis: Axis;
  collapsed: Collapsed;
  fold: boolean;
  critical: boolean;
  live: boolean;
  follow: boolean;
  find: string;
  findBox: RefObject<HTMLInputElement | null>;
  hits: number;
  only: boolean;
  failures: number;
  onFind: (s: string) => void;
  onFollow: (f: boolean) => void;
  onHit: (dir: 1 | -1) => void;
  onError: (dir: 1 | -1) => void;
  setParams: (change: PageParams, how?: 'push' | 'replace') => void;
}

/** Toolbar is what can be done with the steps by pointer; each has a key as well. */
export function Toolbar({ lane, axis, collapsed, fold, critical, live, follow, find, findBox, hits, only, failures, onFind, onFollow, onHit, onError, setParams }: Props) {
  const words = collapsed.ids.size ? 'Expand all' : 'Collapse all';
  return (
    <div className={css.toolbar} role="toolbar" aria-label="Steps">
      <div className={page.seg} role="group" aria-label="How steps are shown">
        <button type="button" aria-pressed={lane === 'time'} onClick={() => setParams({ lane: undefined }, 'push')}>
          Waterfall
        </button>
        <button type="button" aria-pressed={lane === 'graph'} onClick={() => setParams({ lane: 'graph' }, 'push')}>
          Graph
        </button>
      </div>
      {lane === 'time' && (
        <>
          <span className={css.find}>
            <input
              ref={findBox}
              type="search"
              value={find}
              placeholder="Find (f)"
              aria-label="Find a step"
              onChange={(e) => onFind(e.target.value)}
              onKeyDown={(e) => {
                if (e.key === 'Enter') {
                  onHit(e.shiftKey ? -1 : 1);
                  e.preventDefault();
                } else if (e.key === 'Escape') {
                  onFind('');
                  document.querySelector<HTMLElement>('[data-testid="waterfall"]')?.focus();
                }
              }}
            />
            {find.trim() !== '' && (
              <span className={css.hits} aria-live="polite">
                {num(hits)} found
              </span>
            )}
          </span>
          {find.trim() !== '' && hits > 0 && (
            <button type="button" className={css.tool} aria-pressed={only} onClick={() => setParams({ only: only ? undefined : 'matches' })}>
              only these
            </button>
          )}
          {failures > 0 && (
            <span className={css.errjump}>
              <button type="button" className={css.tool} onClick={() => onError(-1)} aria-label="Previous error" title="Previous error (Shift+e)">
                ‹
              </button>
              <span>
                {num(failures)} {failures === 1 ? 'error' : 'errors'}
              </span>
              <button type="button" className={css.tool} onClick={() => onError(1)} aria-label="Next error" title="Next error (e)">
                ›
              </button>
            </span>
          )}
          <span className={css.spring} />
          {live && (
            <button type="button" className={css.tool} aria-pressed={follow} onClick={() => onFollow(!follow)} title="Keep the newest step in sight">
              Follow
            </button>
          )}
          <button type="button" className={css.tool} aria-pressed={critical} onClick={() => setParams({ path: critical ? 'off' : undefined })} title="Underline the steps that decided how long the run took (c)">
            Critical path
          </button>
          {axis.idle > 0 && (
            <button type="button" className={css.tool} aria-pressed={fold} onClick={() => setParams({ gaps: fold ? 'open' : undefined })} title={`${formatDuration(axis.idle)} in which nothing happened: ${fold ? 'show them' : 'fold them'} (w)`}>
              {fold ? 'Idle folded' : 'Fold idle'}
            </button>
          )}
          <button type="button" className={css.tool} onClick={collapsed.all} title={words} aria-label={words}>
            {collapsed.ids.size ? '⊞' : '⊟'}
          </button>
          <span className={css.zoom}>
            <button type="button" className={css.tool} onClick={() => axis.zoom(1 / 0.6)} aria-label="Zoom out" title="Zoom out (−)">
              −
            </button>
            <button type="button" className={css.tool} onClick={() => axis.zoom(0.6)} aria-label="Zoom in" title="Zoom in (+, or Ctrl and the wheel)">
              +
            </button>
            {axis.zoomed && (
              <button type="button" className={css.tool} onClick={axis.fit} title="The whole run (0)">
                Fit
              </button>
            )}
          </span>
        </>
      )}
    </div>
  );
}
