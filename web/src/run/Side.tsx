import { lazy, Suspense, useMemo } from 'react';
import { Problem } from '../api/client';
import type { Message, Run } from '../api/types';
import type { criticalPath } from './critical';
import { Logs, Metrics } from './Panels';
import { useLogs, useMessages, useMetrics } from './queries';
import css from './side.module.css';
import page from './run.module.css';
import { StepPanel } from './StepPanel';
import { Transcript } from './Transcript';
import type { Tree } from './tree';
import type { PageParams } from './urlState';
import { num } from './verdict';

const RunWhy = lazy(() => import('../why/RunWhy'));

const PANELS = ['transcript', 'why', 'step', 'logs', 'metrics'] as const;
type Panel = (typeof PANELS)[number];
const NAMES: Record<Panel, string> = { transcript: 'Transcript', why: 'Why', step: 'Step', logs: 'Logs', metrics: 'Metrics' };

/** panelOf is the panel that the address names. */
export function panelOf(params: PageParams): Panel {
  return PANELS.find((p) => p === params.panel) ?? 'transcript';
}

interface Props {
  run: Run;
  live: boolean;
  tree: Tree;
  critical: ReturnType<typeof criticalPath> | null;
  panel: Panel;
  selected: number;
  follow: boolean;
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
  setParams: (change: PageParams, how?: 'push' | 'replace') => void;
}

/** Side is the pane beside the lanes: what was said, why it ended so, one step, log records, metrics. */
export function Side({ run, live, tree, critical, panel, selected, follow, onSelect, onOpen, setParams }: Props) {
  return (
    <div className={css.side}>
      <div className={css.tabs} role="tablist" aria-label="About the run">
        {PANELS.map((p) => (
          <button
            key={p}
            type="button"
            role="tab"
            id={`tab-${p}`}
            aria-selected={panel === p}
            aria-controls="run-side"
            tabIndex={panel === p ? 0 : -1}
            onClick={() => setParams({ panel: p === 'transcript' ? undefined : p }, 'push')}
            onKeyDown={(e) => {
              const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
              if (!d) return;
              const next = PANELS[(PANELS.indexOf(p) + d + PANELS.length) % PANELS.length]!;
              setParams({ panel: next });
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {NAMES[p]}
            {p === 'logs' && run.log_count ? ` ${num(run.log_count)}` : ''}
          </button>
        ))}
      </div>
      <div className={css.sidebody} id="run-side" role="tabpanel" aria-labelledby={`tab-${panel}`}>
        {panel === 'transcript' && <TranscriptPanel run={run.id} tree={tree} selected={selected} onSelect={onSelect} onOpen={onOpen} follow={follow && live} />}
        {panel === 'why' && (
          <Suspense fallback={<p className={page.empty}>Asking the records…</p>}>
            <RunWhy run={run.id} live={live} onStep={(step) => setParams({ step, panel: 'step', lane: undefined })} />
          </Suspense>
        )}
        {panel === 'step' && <StepPanel run={run.id} tree={tree} selected={selected} critical={critical} onSelect={onSelect} />}
        {panel === 'logs' && <LogsPanel run={run.id} tree={tree} selected={selected} onSelect={onSelect} />}
        {panel === 'metrics' && <MetricsPanel run={run.id} />}
      </div>
    </div>
  );
}

interface TranscriptProps {
  run: string;
  tree: Tree;
  selected: number;
  follow: boolean;
  onSelect: (i: number) => void;
  onOpen: (i: number) => void;
}

function TranscriptPanel({ run, ...rest }: TranscriptProps) {
  const messages = useMessages(run);
  const book = useMemo(() => new Map<number, Message>((messages.data ?? []).map((m) => [m.ordinal, m])), [messages.data]);
  if (messages.isPending) return <p className={page.empty}>Reading what was said…</p>;
  const withheld = messages.error instanceof Problem && messages.error.status === 403;
  return (
    <>
      {messages.isError && (
        <p className={css.notice} role="note">
          {withheld ? 'You may see that this was said, not what: reading content needs the role reader.' : `What was said could not be read: ${messages.error.message}`}
        </p>
      )}
      <Transcript messages={book} withheld={withheld} {...rest} />
    </>
  );
}

function LogsPanel({ run, ...rest }: { run: string; tree: Tree; selected: number; onSelect: (i: number) => void }) {
  const logs = useLogs(run);
  if (logs.isPending) return <p className={page.empty}>Reading log records…</p>;
  if (logs.isError) return <p className={page.empty}>{logs.error.message}</p>;
  return <Logs logs={logs.data} {...rest} />;
}

function MetricsPanel({ run }: { run: string }) {
  const metrics = useMetrics(run);
  if (metrics.isPending) return <p className={page.empty}>Reading metric points…</p>;
  if (metrics.isError) return <p className={page.empty}>{metrics.error.message}</p>;
  return <Metrics points={metrics.data} />;
}
