import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Detector } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { Badge, count, KeyedTable, Panel, percent, ProblemNote } from '../shared';
import { useDetectors } from './data';
import { useAgain } from './FindingPanel';
import css from './findings.module.css';

interface Row {
  d: Detector;
  agent?: string;
  off: boolean;
  alarms: number;
  set?: number;
  effect: number;
  by?: string;
}

function rowsOf(list: Detector[]): Row[] {
  return list.flatMap((d) => [
    { d, off: d.setting.off, alarms: d.setting.alarms_per_week, effect: d.setting.minimum_effect, by: d.setting.by },
    ...(d.agents ?? []).map((s) => ({ d, agent: s.agent, off: s.off, alarms: s.alarms_per_week, effect: s.minimum_effect, by: s.by })),
    ...(d.adjusted ?? []).map((l) => ({ d, agent: l.agent, off: false, alarms: l.allowed, set: l.set, effect: l.minimum_effect, by: `verdicts: ${l.noise} noise, ${l.useful} useful` })),
  ]);
}

/** DetectorsTab: what each detector looks at, how many alarms it may raise, and what people said of them. */
export function DetectorsTab() {
  const q = useDetectors();
  const may = useMay('PutDetector');
  const [editing, setEditing] = useState<Row>();
  return (
    <Panel title="Detectors" note="Set by effect: how many alarms about one agent are fine in a week in which nothing is wrong, and which effect is too small to be told">
      <ProblemNote error={q.error} />
      <KeyedTable
        label="Detectors"
        rows={rowsOf(q.data?.items ?? [])}
        rowKey={(r) => `${r.d.name} ${r.agent ?? ''} ${r.set ?? ''}`}
        fields={[
          { head: 'Detector', width: '170px', title: (r) => r.d.about, cell: (r) => (r.agent ? <span className="muted">for {r.agent}</span> : <strong>{r.d.title}</strong>) },
          { head: 'Looks at', width: '260px', title: (r) => r.d.about, cell: (r) => (r.agent ? '' : r.d.about) },
          { head: 'Alarms a week', cell: (r) => (r.off ? <Badge>off</Badge> : r.d.fixed ? 'each' : r.set ? <span title="by people's verdicts">{`${r.alarms} (set ${r.set})`}</span> : r.alarms) },
          { head: 'Smallest effect', title: (r) => r.d.unit, cell: (r) => (r.d.fixed ? '' : `${r.effect}`) },
          { head: 'Open', num: true, cell: (r) => (r.agent ? '' : count(r.d.open)) },
          { head: 'Useful', num: true, cell: (r) => (r.agent ? '' : r.d.precision === null || r.d.precision === undefined ? <span className="muted">not judged</span> : `${count(r.d.useful)} of ${count(r.d.useful + r.d.noise)} (${percent(r.d.precision)})`) },
          { head: 'Set by', width: '130px', title: (r) => r.by, cell: (r) => r.by || <span className="muted">default</span> },
          { head: 'Do', cell: (r) => may && !r.set && <Button size="compact-xs" aria-label={`Change ${r.d.title}${r.agent ? ` for ${r.agent}` : ''}`} onClick={() => setEditing(r)}>Change</Button> },
        ]}
      />
      {editing && <SettingDialog row={editing} onClose={() => setEditing(undefined)} />}
    </Panel>
  );
}

function SettingDialog({ row, onClose }: { row: Row; onClose: () => void }) {
  const again = useAgain();
  const own = row.agent ? (row.d.agents ?? []).find((s) => s.agent === row.agent) : row.d.setting;
  const [agent, setAgent] = useState(row.agent ?? '');
  const [alarms, setAlarms] = useState(String(row.alarms));
  const [effect, setEffect] = useState(String(row.effect));
  const [rest, setRest] = useState(own?.rest ?? '10m');
  const [severity, setSeverity] = useState(own?.severity ?? 'warning');
  const [off, setOff] = useState(row.off);
  const [reason, setReason] = useState('');
  const save = useMutation({
    mutationFn: () => api.put(`/detectors/${row.d.name}`, { agent: agent.trim() || undefined, alarms_per_week: Number(alarms) || undefined, minimum_effect: Number(effect) || undefined, rest, severity, off, revision: agent.trim() === (row.agent ?? '') ? own?.revision : undefined, reason }),
    onSuccess: onClose,
    onSettled: again,
  });
  return (
    <FormDialog title={`${row.d.title}: what is wanted`} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={560}>
      <p className="muted">It looks at {row.d.about}.</p>
      <div className={css.two}>
        <TextInput label="Agent" description="Empty: for all" value={agent} onChange={(e) => setAgent(e.currentTarget.value)} />
        <Pick label="Severity" value={severity} options={['info', 'warning', 'critical'].map((v) => ({ value: v, label: v }))} onPick={setSeverity} />
        {!row.d.fixed && <TextInput label="Alarms a week" description="About one agent, while nothing is wrong" data-autofocus inputMode="decimal" value={alarms} onChange={(e) => setAlarms(e.currentTarget.value)} />}
        {!row.d.fixed && <TextInput label="Smallest effect" description={row.d.unit} inputMode="decimal" value={effect} onChange={(e) => setEffect(e.currentTarget.value)} />}
        <TextInput label="Rest" description="After an alarm about the same" value={rest} onChange={(e) => setRest(e.currentTarget.value)} />
        <TextInput label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      </div>
      <Checkbox label="Off: it tells nothing" checked={off} onChange={(e) => setOff(e.currentTarget.checked)} />
    </FormDialog>
  );
}
