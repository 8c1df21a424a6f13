import { Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useRegistered } from '../agents/data';
import { api } from '../api/client';
import type { KPIList } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { plural } from '../shared';
import type { Objective } from './data';
import css from './objectives.module.css';
import { useAgain } from './ObjectivePanel';

const windows = [
  { value: 'r:7d', label: 'the last 7 days' },
  { value: 'r:28d', label: 'the last 28 days' },
  { value: 'r:30d', label: 'the last 30 days' },
  { value: 'r:90d', label: 'the last 90 days' },
  { value: 'c:week', label: 'each week' },
  { value: 'c:month', label: 'each month' },
  { value: 'c:quarter', label: 'each quarter' },
];

const number = (s: string) => (s.trim() === '' ? undefined : Number(s.replace(',', '.')));

/** ObjectiveDialog sets an objective, or changes one; what it does not show stays as it is. */
export function ObjectiveDialog({ objective: o, onClose, onDone }: { objective?: Objective; onClose: () => void; onDone: (name: string) => void }) {
  const again = useAgain();
  const kpis = useQuery({ queryKey: ['kpi-definitions'], queryFn: ({ signal }) => api.get<KPIList>('/kpis', { definitions: true }, signal) });
  const agents = useRegistered();
  const [title, setTitle] = useState(o?.title ?? '');
  const [kpi, setKPI] = useState(o?.kpi ?? 'task_completion');
  const [agent, setAgent] = useState(o?.agent ?? '');
  const [target, setTarget] = useState(o && o.target > 0 ? String(Math.round(o.target * 1e6) / 1e4) : o ? '' : '95');
  const [limit, setLimit] = useState(typeof o?.limit === 'number' ? String(o.limit) : '');
  const [slice, setSlice] = useState(o?.slice ?? '');
  const [window, setWindow] = useState(o ? (o.window.calendar ? `c:${o.window.calendar}` : `r:${o.window.rolling}`) : 'r:30d');
  const [stream, setStream] = useState(Boolean(o?.stream));
  const [propose, setPropose] = useState(o?.propose ?? true);
  const items = (kpis.data?.items ?? []).filter((k) => k.direction !== 'none' && !k.formula.startsWith('no data'));
  const chosen = items.find((k) => k.id === kpi);
  const share = chosen?.unit === 'share' && !chosen.formula.includes('mean of') && Boolean(chosen.hits);
  const name = o?.name ?? (title || `${kpi}${agent ? ` ${agent}` : ''}`).toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 63);
  const body = () => {
    const goal = number(target);
    return {
      title: title.trim() || chosen?.title || name, text: o?.text, kpi, agent: agent || undefined, version: o?.version, task: o?.task, team: agent ? undefined : o?.team, environment: agent ? undefined : o?.environment,
      target: goal === undefined ? undefined : goal / 100, limit: number(limit), slice: slice.trim() || undefined,
      window: window.startsWith('c:') ? { calendar: window.slice(2), zone: o?.window.zone, start: o?.window.start } : { rolling: window.slice(2) },
      alerts: o && window === (o.window.calendar ? `c:${o.window.calendar}` : `r:${o.window.rolling}`) ? o.alerts : undefined,
      stream: stream ? (o?.stream ?? {}) : undefined, coverage: o?.coverage, minimum: o?.minimum, propose, revision: o?.revision ?? 0,
    };
  };
  const save = useMutation({
    mutationFn: () => api.put<Objective>(`/objectives/${encodeURIComponent(name)}`, body()),
    onSuccess: (kept) => {
      onDone(kept.name);
      onClose();
    },
    onSettled: again,
  });
  return (
    <FormDialog title={o ? `Change ${o.title}` : 'Set an objective'} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={640}>
      <div className={css.two}>
        <TextInput label="Title" description="What it is called" data-autofocus value={title} placeholder={chosen?.title} onChange={(e) => setTitle(e.currentTarget.value)} />
        <Pick label="KPI" value={kpi} options={items.map((k) => ({ value: k.id, label: `${k.title} (${k.direction === 'up' ? 'more' : 'less'} is better)` }))} onPick={setKPI} />
        <Pick label="Agent" value={agent} options={[{ value: '', label: o?.team ? `all of ${o.team}` : 'all agents' }, ...(agents.data ?? []).map((a) => ({ value: a.name, label: a.name }))]} onPick={setAgent} />
        <Pick label="Over" value={window} options={windows.some((w) => w.value === window) ? windows : [...windows, { value: window, label: window.slice(2) }]} onPick={setWindow} />
        <TextInput label={share && !slice ? `${chosen?.direction === 'down' ? 'At most' : 'At least'}, in %` : 'Share that keeps the limit, in %'} inputMode="decimal" value={target} onChange={(e) => setTarget(e.currentTarget.value)} />
        {(!share || slice) && <TextInput label="Limit" description={`Of ${slice ? 'the figure of a slice' : chosen?.unit === 'count' ? 'events a run; then leave the share empty' : `each record, in ${chosen?.unit ?? 'its unit'}`}`} inputMode="decimal" value={limit} onChange={(e) => setLimit(e.currentTarget.value)} />}
        <TextInput label="Slices of time" description="Like 1h: count slices, not records; empty: records" value={slice} onChange={(e) => setSlice(e.currentTarget.value)} />
      </div>
      {chosen && <p className="muted">{chosen.about}</p>}
      <Checkbox label="Watch verdicts one by one: alarm as soon as they fall short, however often one looks" checked={stream} disabled={!share || chosen?.table !== 'runs' || Boolean(slice)} onChange={(e) => setStream(e.currentTarget.checked)} />
      <Checkbox label="Propose a lasting change of the agent's autonomy, down or up" checked={propose} disabled={!agent} onChange={(e) => setPropose(e.currentTarget.checked)} />
      <p className="muted">
        Burn alerts are those of the Site Reliability Workbook{o && `; ${plural(o.alerts.length, 'alert')} set`}. A spent budget narrows the agent where a response policy says so.
      </p>
    </FormDialog>
  );
}
