import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import type { Log, MetricPoint } from '../api/types';
import { Data } from './MessageView';
import css from './panels.module.css';
import page from './run.module.css';
import { formatDuration } from './scale';
import { Said } from './Text';
import type { Tree } from './tree';
import { num } from './verdict';

/** severity names an OTLP severity number. */
export function severity(n: number): { name: string; tone: string } {
  if (n >= 21) return { name: 'fatal', tone: 'bad' };
  if (n >= 17) return { name: 'error', tone: 'bad' };
  if (n >= 13) return { name: 'warn', tone: 'warn' };
  if (n >= 9) return { name: 'info', tone: 'info' };
  if (n >= 5) return { name: 'debug', tone: 'idle' };
  if (n >= 1) return { name: 'trace', tone: 'idle' };
  return { name: 'unset', tone: 'idle' };
}

/** Logs shows a run's log records in time, each beside the step that wrote it, with those around it that name no run. */
export function Logs({ logs, tree, selected, onSelect }: { logs: readonly Log[]; tree: Tree; selected: number; onSelect: (i: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({ count: logs.length, getScrollElement: () => box.current, estimateSize: () => 26, overscan: 12 });
  const loose = useMemo(() => logs.reduce((n, l) => n + (l.run_id ? 0 : 1), 0), [logs]);
  if (logs.length === 0)
    return (
      <p className={page.empty}>
        No log records belong to this run, and its agent wrote none around it. Send OpenTelemetry logs with the trace’s id and they appear here beside its steps.
      </p>
    );
  return (
    <div ref={box} className={page.transcript} tabIndex={0} role="region" aria-label="Logs" data-testid="run-logs">
      {loose > 0 && (
        <p className={page.quiet}>
          {loose === 1 ? 'One record here names' : `${num(loose)} records here name`} no run: this agent wrote them around it, and they may be about another.
        </p>
      )}
      <div style={{ height: v.getTotalSize(), position: 'relative' }}>
        {v.getVirtualItems().map((item) => {
          const l = logs[item.index]!;
          const s = severity(l.severity);
          const i = l.step_id ? tree.index.get(l.step_id) : undefined;
          const t = Date.parse(l.at) - tree.baseMs;
          return (
            <div
              key={item.key}
              data-index={item.index}
              ref={v.measureElement}
              className={`${css.logrow} ${i !== undefined && i === selected ? css.logSelected : ''}`}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <span className={css.logtime}>{t < 0 ? `−${formatDuration(-t)}` : formatDuration(t)}</span>
              <span className={css.sev} data-tone={s.tone}>
                {s.name}
              </span>
              <details className={css.logbody}>
                <summary>
                  <Said text={(l.event_name ? `${l.event_name} ` : '') + l.body.slice(0, 400).replace(/\s+/g, ' ')} />
                </summary>
                <Data text={l.body} />
                {l.attributes && Object.keys(l.attributes).length > 0 && <Data text={JSON.stringify(l.attributes)} />}
              </details>
              {!l.run_id && <span className={page.quiet}>names no run</span>}
              {i !== undefined && (
                <button type="button" className={page.link} onClick={() => onSelect(i)}>
                  <Said text={tree.steps[i]!.name.slice(0, 24)} />
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Metrics lists the metric series that the run's agent reported while it ran. */
export function Metrics({ points }: { points: readonly MetricPoint[] }) {
  const series = useMemo(() => {
    const by = new Map<string, MetricPoint[]>();
    for (const p of points) {
      const list = by.get(p.name);
      if (list) list.push(p);
      else by.set(p.name, [p]);
    }
    return [...by.entries()]
      .sort((a, b) => (a[0] < b[0] ? -1 : 1))
      .map(([name, list]) => ({ name, list: list.sort((a, b) => (a.at < b.at ? -1 : 1)) }));
  }, [points]);
  if (series.length === 0) return <p className={page.empty}>No metric points were sent by this agent while it ran.</p>;
  return (
    <div className={page.panel} tabIndex={0} role="region" aria-label="Metrics">
      <p className={page.quiet}>
        What this agent reported while the run went on. Metric points do not name a run: others of the same agent may have added to them.
      </p>
      <table className={css.metrics}>
        <thead>
          <tr>
            <th scope="col">metric</th>
            <th scope="col">points</th>
            <th scope="col">last</th>
            <th scope="col">over time</th>
          </tr>
        </thead>
        <tbody>
          {series.map((s) => {
            const last = s.list.at(-1)!;
            return (
              <tr key={s.name}>
                <th scope="row">
                  <Said text={s.name} />
                </th>
                <td>{num(s.list.length)}</td>
                <td>
                  {Number(last.value.toPrecision(4)).toLocaleString('en-GB')} {last.unit && <span className={page.quiet}>{last.unit}</span>}
                  {last.count != null && <span className={page.quiet}> over {num(last.count)}</span>}
                </td>
                <td>
                  <Spark values={s.list.map((p) => p.value)} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Spark({ values }: { values: readonly number[] }) {
  if (values.length < 2) return null;
  const lo = Math.min(...values);
  const hi = Math.max(...values);
  const d = values
    .map((y, i) => `${i ? 'L' : 'M'}${((i / (values.length - 1)) * 98 + 1).toFixed(1)} ${(19 - ((y - lo) / (hi - lo || 1)) * 18).toFixed(1)}`)
    .join('');
  return (
    <svg className={css.spark} viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden>
      <path d={d} />
    </svg>
  );
}
