import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, KeyedTable, Panel, ProblemNote, Time } from '../shared';
import { useTeams } from '../shell/TopBar';
import type { Silence } from './data';
import css from './incidents.module.css';

const op = (m: { is_equal: boolean; is_regex: boolean }) => (m.is_regex ? (m.is_equal ? '=~' : '!~') : m.is_equal ? '=' : '!=');

/** readMatchers reads agent="a", tool=~"crm.*" as Alertmanager writes them. */
export function readMatchers(text: string): { name: string; value: string; is_regex: boolean; is_equal: boolean }[] | undefined {
  const out = [];
  for (const part of text.split(',').map((p) => p.trim()).filter(Boolean)) {
    const m = /^([^=!~"\s]+)\s*(=~|!~|!=|=)\s*"?(.*?)"?$/.exec(part);
    if (!m) return undefined;
    out.push({ name: m[1]!, value: m[3]!, is_regex: m[2]!.endsWith('~'), is_equal: m[2]!.startsWith('=') });
  }
  return out;
}

/** Silences are what keeps signals from making incidents for a time: nothing is hidden without a name, a reason and an end. */
export function Silences() {
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const may = useMay('CreateSilence');
  const list = useQuery({ queryKey: ['silences'], queryFn: async ({ signal }) => (await api.get<List<Silence>>('/silences', { all: 'true' }, signal)).items, refetchInterval: 30_000 });
  const again = () => void client.invalidateQueries({ queryKey: ['silences'] });
  const end = useMutation({ mutationFn: (id: string) => api.post(`/silences/${id}/end`, {}), onSettled: again });
  return (
    <Panel title="Silences and maintenance windows" note="what matches makes no incident until then" actions={may && <Button size="compact-xs" onClick={() => setAdding(true)}>Silence</Button>}>
      <ProblemNote error={list.error ?? end.error} />
      <KeyedTable
        label="Silences"
        rows={list.data ?? []}
        rowKey={(s) => s.id}
        empty={<p className={css.none}>Nothing is silenced.</p>}
        fields={[
          { head: 'State', cell: (s) => <Badge tone={s.state === 'active' ? 'warn' : undefined}>{s.state}</Badge> },
          { head: 'Kind', cell: (s) => s.kind },
          { head: 'What', width: '280px', title: (s) => (s.matchers ?? []).map((m) => m.name + op(m) + m.value).join(', '), cell: (s) => <code>{(s.matchers ?? []).map((m) => m.name + op(m) + m.value).join(', ') || `all of team ${s.team}`}</code> },
          { head: 'Why', width: '200px', title: (s) => s.reason, cell: (s) => s.reason },
          { head: 'By', cell: (s) => s.author },
          { head: 'Ends', cell: (s) => <Time at={s.ends_at} /> },
          { head: 'Held back', num: true, cell: (s) => count(s.held) },
          { head: 'Act', end: true, cell: (s) => may && s.state !== 'expired' && <Sure label="End" sure="End it now" pending={end.isPending} onDo={() => end.mutate(s.id)} /> },
        ]}
      />
      {adding && <SilenceDialog onClose={() => setAdding(false)} onDone={again} />}
    </Panel>
  );
}

function SilenceDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const teams = useTeams();
  const [f, setF] = useState({ kind: 'silence', matchers: '', reason: '', hours: '2', team: '' });
  const matchers = readMatchers(f.matchers);
  const add = useMutation({
    mutationFn: () => api.post('/silences', { kind: f.kind, team: f.team || undefined, matchers: matchers ?? [], reason: f.reason, ends_at: new Date(Date.now() + Number(f.hours) * 3_600_000).toISOString() }),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  return (
    <FormDialog title="Silence" submit="Silence" pending={add.isPending} error={add.error} disabled={!matchers || f.reason.trim() === '' || !(Number(f.hours) > 0)} onSubmit={() => add.mutate()} onClose={onClose}>
      <Pick label="Kind" value={f.kind} options={[{ value: 'silence', label: 'silence' }, { value: 'maintenance', label: 'maintenance window' }]} onPick={(kind) => setF({ ...f, kind })} />
      <TextInput data-autofocus label="What" description={'Alertmanager’s matchers: agent="refunds", server=~"crm.*", severity!="critical"'} value={f.matchers} error={!matchers && 'Each is name, =, !=, =~ or !~, and a value.'} onChange={(e) => setF({ ...f, matchers: e.currentTarget.value })} />
      <Pick label="Team" value={f.team} options={['', ...teams].map((v) => ({ value: v, label: v || 'all teams' }))} onPick={(team) => setF({ ...f, team })} />
      <TextInput label="Why" required value={f.reason} onChange={(e) => setF({ ...f, reason: e.currentTarget.value })} />
      <TextInput label="For how many hours" inputMode="decimal" value={f.hours} onChange={(e) => setF({ ...f, hours: e.currentTarget.value })} />
    </FormDialog>
  );
}
