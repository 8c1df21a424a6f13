import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { api } from '../api/client';
import type { List, Log } from '../api/types';
import { Data } from '../run/MessageView';
import { severity } from '../run/Panels';
import { Said } from '../run/Text';
import { usePageParams } from '../run/urlState';
import { clock, day, full, plural } from '../shared/format';
import { useShortcuts } from '../shared/keys';
import { Empty, PageHeader, ProblemNote } from '../shared/Layout';
import { pickView } from '../shared/Values';
import { SaveAsRule } from '../findings/SaveAsRule';
import { useView } from '../state/url';
import { ActivityTabs } from './ActivityTabs';
import css from './runs.module.css';
import { quote } from './searchText';

const LEVELS: [string, string][] = [
  ['', 'every severity'],
  ['5', 'debug and above'],
  ['9', 'info and above'],
  ['13', 'warnings and above'],
  ['17', 'errors and above'],
];

/** LogsPage lists log records, newest first, those of runs and those of none. */
export function LogsPage() {
  const view = useView();
  const [params, setParams] = usePageParams();
  const [typed, setTyped] = useState(params.phrase ?? '');
  useEffect(() => setTyped(params.phrase ?? ''), [params.phrase]);
  const filter = { agent: params.agent, min_severity: params.severity, q: params.phrase, loose: params.loose === 'true' ? true : undefined, from: view.from, to: view.live ? undefined : view.to };
  const list = useInfiniteQuery({
    queryKey: ['logs', filter],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => api.get<List<Log>>('/logs', { ...filter, limit: 300, cursor: pageParam }, signal),
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: view.live ? 15_000 : false,
  });
  const rows = useMemo(() => (list.data?.pages ?? []).flatMap((p) => p.items ?? []), [list.data]);
  const box = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 28, overscan: 15 });
  const items = v.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (last >= rows.length - 20 && rows.length > 0 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, fetchNextPage]);
  useShortcuts('Logs', [{ keys: '/', label: 'Search', run: () => document.getElementById('logs-search')?.focus() }]);
  const filtered = Boolean(params.phrase || params.severity || params.loose || params.agent);
  return (
    <div className={css.page}>
      <PageHeader title="Logs" question="What did agents and their services write?" answer={list.isSuccess && rows.length > 0 ? `${plural(rows.length, 'record')}${hasNextPage ? ' read so far' : ''}, newest first.` : undefined} actions={<>{!params.phrase && <SaveAsRule table="logs" search={[params.agent && `agent:${quote(params.agent)}`, params.severity && `severity>=${params.severity}`].filter(Boolean).join(' ')} figure="count" when="value > 10.0" window="1h" />}<ActivityTabs /></>} />
      <form
        className={css.controls}
        onSubmit={(e) => {
          e.preventDefault();
          setParams({ phrase: typed.trim() || undefined }, 'push');
        }}
      >
        <div className={css.search}>
          <svg width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" aria-hidden>
            <path d="M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5 14 14" />
          </svg>
          <input id="logs-search" type="search" value={typed} onChange={(e) => setTyped(e.target.value)} onBlur={() => typed.trim() !== (params.phrase ?? '') && setParams({ phrase: typed.trim() || undefined }, 'push')} placeholder="A phrase in the body   ( / )" aria-label="A phrase in the body" />
        </div>
        <label className={css.field}>
          <span className={css.hidden}>Severity</span>
          <select className={css.select} value={params.severity ?? ''} onChange={(e) => setParams({ severity: e.target.value || undefined }, 'push')}>
            {LEVELS.map(([n, name]) => (
              <option key={n} value={n}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className={css.chip} aria-pressed={params.loose === 'true'} onClick={() => setParams({ loose: params.loose === 'true' ? undefined : 'true' }, 'push')}>
          Of no run
        </button>
        {params.agent && (
          <span className={css.chipOn}>
            <code>agent:{params.agent}</code>
            <button type="button" aria-label="Any agent" onClick={() => setParams({ agent: undefined }, 'push')}>
              ×
            </button>
          </span>
        )}
      </form>
      <div className={css.body}>
        {list.error ? (
          <ProblemNote error={list.error} retry={() => void list.refetch()} />
        ) : rows.length === 0 ? (
          list.isPending ? (
            <p className={css.reading}>Reading log records…</p>
          ) : (
            <Empty title={filtered ? 'No log record matches' : 'No log records in this period'}>{filtered ? 'Widen the period above, or take a filter away.' : 'Send OpenTelemetry logs to port 4318 (or /v1/logs here). Those with a trace id appear beside the steps of their run; the others only here.'}</Empty>
          )
        ) : (
          <div ref={box} className={css.logtable} tabIndex={0} role="region" aria-label="Log records" data-testid="logs">
            <div style={{ height: v.getTotalSize(), position: 'relative' }}>
              {items.map((item) => {
                const l = rows[item.index]!;
                const t = Date.parse(l.at);
                const s = severity(l.severity);
                return (
                  <div key={item.key} data-index={item.index} ref={v.measureElement} className={css.logline} style={{ transform: `translateY(${item.start}px)` }}>
                    <time className="num" dateTime={l.at} title={full(t, view.tz)}>
                      <span className="muted">{day(t, view.tz)}</span> {clock(t, view.tz, 's')}
                    </time>
                    <span className={css.sev} data-tone={s.tone}>
                      {s.name}
                    </span>
                    <span className="truncate soft">{(l.agent || l.service) && <Said text={l.agent || l.service || ''} />}</span>
                    <details>
                      <summary>
                        <Said text={(l.event_name ? `${l.event_name} ` : '') + l.body.slice(0, 500).replace(/\s+/g, ' ')} />
                      </summary>
                      <Data text={l.body} />
                      {l.attributes && Object.keys(l.attributes).length > 0 && <Data text={JSON.stringify(l.attributes)} />}
                    </details>
                    {l.run_id ? (
                      <Link to={'/runs/$id' as never} params={{ id: l.run_id } as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), step: l.step_id, panel: 'logs' })) as never} className="link">
                        its run
                      </Link>
                    ) : (
                      <span className="muted">no run</span>
                    )}
                  </div>
                );
              })}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}
