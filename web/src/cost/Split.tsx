import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { CostLine, CostSplit } from '../api/types';
import { where } from '../agents/data';
import { cel, SaveAsRule } from '../findings/SaveAsRule';
import { count, Empty, Figure, KeyedTable, money, Panel, percent, ProblemNote, Tabs, Time, Unknown } from '../shared';
import { WhatDiffers } from '../runs/WhatDiffers';
import type { CurrentView } from '../state/url';
import css from './cost.module.css';

/** dimensions are what cost is split by. */
export const dimensions = [
  { id: '', by: 'agent', label: 'Agent' },
  { id: 'team', by: 'team', label: 'Team' },
  { id: 'centre', by: 'centre', label: 'Cost centre' },
  { id: 'user', by: 'user', label: 'User' },
  { id: 'task', by: 'task', label: 'Task' },
  { id: 'outcome', by: 'outcome', label: 'Outcome' },
  { id: 'version', by: 'version', label: 'Version' },
  { id: 'model', by: 'model', label: 'Model' },
  { id: 'provider', by: 'provider', label: 'Provider' },
  { id: 'environment', by: 'environment', label: 'Environment' },
  { id: 'day', by: 'day', label: 'Day' },
  { id: 'month', by: 'month', label: 'Month' },
  { id: 'session', by: 'session', label: 'Session' },
  { id: 'run', by: 'run', label: 'Run' },
  { id: 'call', by: 'call', label: 'Call' },
];

/** useSplit asks for the period's cost by something. */
export function useSplit(view: CurrentView, by: string) {
  const params = { by, from: view.from, to: view.to, where: where(view) || undefined, limit: 25 };
  return useQuery({ queryKey: ['cost-split', params], queryFn: ({ signal }) => api.get<CostSplit>('/cost/split', params, signal), refetchInterval: 30_000, placeholderData: (old) => (old?.by === by ? old : undefined) });
}

const none: Record<string, string> = { centre: 'No cost centre pays for it.', user: 'Its runs name no user.', task: 'Its runs name no task.', outcome: 'How its runs ended is not known.' };

/** limit is the condition that an agent costs more in a day than all of them do now on average. */
function limit(s: CostSplit): string {
  const days = Math.max((Date.parse(s.to) - Date.parse(s.from)) / 86_400_000, 1);
  return `value > ${cel(Math.max((s.total.cost ?? 0) / days, 0.01))}`;
}

/** Split is the table of a split, each line with the records behind it. */
export function Split({ on, data, error, loaded, retry, narrowed, onPick }: { on: string; narrowed: string; data?: CostSplit; error: unknown; loaded: boolean; retry: () => void; onPick: (id: string) => void }) {
  const dim = dimensions.find((d) => d.id === on) ?? dimensions[0]!;
  const time = dim.by === 'day' || dim.by === 'month';
  const lines = time ? [...(data?.lines ?? [])].reverse().filter((l) => l.calls > 0 || l.people_minutes > 0) : (data?.lines ?? []);
  const name = (l: CostLine) => {
    const text = l.name || l.parts?.run || '';
    if (!text) return <Unknown why={none[dim.by] ?? 'The sender named none.'} />;
    if (dim.by === 'run') return <Figure to="/runs/$runId" params={{ runId: l.name }}>{l.name.slice(0, 14)}…</Figure>;
    if (l.records) return <Figure to="/steps" search={{ q: l.records }}>{dim.by === 'call' ? `${text.slice(0, 14)}…` : text}</Figure>;
    return text;
  };
  const more = time ? '' : [l_(dim.by === 'version' || dim.by === 'task' || dim.by === 'run' || dim.by === 'call', 'agent'), l_(dim.by === 'model', 'provider'), l_(dim.by === 'agent' || dim.by === 'session', 'team'), l_(dim.by === 'call', 'model')].filter(Boolean).join(' ');
  const currency = data?.currency ?? 'USD';
  return (
    <>
      <Tabs label="By" tabs={dimensions.map((d) => ({ id: d.id, label: d.label }))} on={on} onPick={onPick} />
      <ProblemNote error={error} retry={retry} />
      <Panel note={data?.unallocated !== null && data?.unallocated !== undefined && data.unallocated > 0 ? `no cost centre pays ${percent(data.unallocated)} of it` : undefined} title={`By ${dim.label.toLowerCase()}`} actions={loaded && lines.length > 0 && <SaveAsRule search={narrowed} figure="sum cost" table="steps" when={limit(data!)} />}>
        <KeyedTable
          label={`Cost by ${dim.label.toLowerCase()}`}
          rows={lines}
          rowKey={(l) => [l.name, ...Object.values(l.parts ?? {}), l.at].join('\t')}
          empty={loaded && <Empty title="No model was called in this period.">Costs are those of model calls; they appear as the calls arrive.</Empty>}
          fields={[
            { head: time ? `${dim.label} (${data?.zone ?? 'UTC'})` : dim.label, cell: name },
            ...(more ? [{ head: 'Of', cell: (l: CostLine) => <span className="soft">{more.split(' ').map((k) => l.parts?.[k]).filter(Boolean).join(', ')}</span> }] : []),
            ...(dim.by === 'call' ? [{ head: 'At', cell: (l: CostLine) => <Time at={l.at} /> }] : []),
            { head: 'Cost', num: true, cell: (l) => (l.cost === null || l.cost === undefined ? <Unknown why="No price is known for its model calls." /> : <>{l.unpriced > 0 ? '≥ ' : ''}{money(l.cost, currency)}</>) },
            { head: 'Share', num: true, cell: (l) => (l.share === null || l.share === undefined ? '' : percent(l.share)) },
            { head: 'Calls', num: true, cell: (l) => count(l.calls) },
            { head: 'Without a price', num: true, cell: (l) => (l.unpriced > 0 ? <>{count(l.unpriced)} <span className="muted">{percent(l.unpriced / l.calls)}</span></> : <span className="muted">0</span>) },
            { head: 'Tokens', num: true, cell: (l) => (l.tokens === null || l.tokens === undefined ? <Unknown why="No call reported its usage." /> : count(l.tokens)) },
            { head: <span className="unseen">What is different</span>, end: true, cell: (l: CostLine) => l.records && dim.by !== 'call' && dim.by !== 'run' && <WhatDiffers words={`Runs of ${l.name || `no ${dim.label.toLowerCase()}`}`} about={l.name || `what names no ${dim.label.toLowerCase()}`} ask={{ selection: `any(${l.records})` }} /> },
            ...((data?.total.people_minutes ?? 0) > 0 ? [{ head: 'People waited for', num: true, cell: (l: CostLine) => `${l.people_minutes.toFixed(0)} min${l.people_cost ? `, ${money(l.people_cost, currency)}` : ''}` }] : []),
          ]}
        />
        {data?.rest && <p className={css.words}>What is not listed: {data.rest.cost === null || data.rest.cost === undefined ? 'an unknown sum' : money(data.rest.cost, currency)} for {count(data.rest.calls)} calls.</p>}
      </Panel>
    </>
  );
}

const l_ = (yes: boolean, name: string) => (yes ? name : '');
