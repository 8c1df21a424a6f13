import { Button, TextInput } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useState } from 'react';
import '../theme/forms';
import { api, Problem } from '../api/client';
import { useMay } from '../api/queries';
import type { KPI, KPIDetail, KPIShape, KPITrial, KPIVersion, List } from '../api/types';
import { unitText } from '../overview/SmallChart';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { count, Figure, Icon, KeyedTable, percent, ProblemNote, Time, Unknown, useShortcuts } from '../shared';
import { useTeams } from '../shell/TopBar';
import { useView } from '../state/url';
import { visible } from '../tools/data';
import { bodyOf, changed, draftOf, fresh, markOf, placeOf, ready, shapes, units, type Draft } from './define';
import css from './settling.module.css';

/** DefineKPI defines one of one's own. */
export function DefineKPI({ onDone }: { onDone: (id: string) => void }) {
  const may = useMay('PutKPI');
  const [open, setOpen] = useState(false);
  useShortcuts('KPIs', may ? [{ keys: 'n', label: 'Define a KPI', run: () => setOpen(true) }] : []);
  if (!may) return null;
  return (
    <>
      <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setOpen(true)}>
        Define a KPI
      </Button>
      {open && <Dialog onClose={() => setOpen(false)} onDone={onDone} />}
    </>
  );
}

/** OwnKPI is what is done with one that people defined: change and remove it, and its versions. */
export function OwnKPI({ k, onGone }: { k: KPIDetail; onGone: () => void }) {
  const may = useMay('PutKPI');
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const q = useQuery({ queryKey: ['kpi-versions', k.id, k.definition_version], queryFn: ({ signal }) => api.get<List<KPIVersion>>(`/kpis/${k.id}/versions`, undefined, signal) });
  const remove = useMutation({
    mutationFn: () => api.delete(`/kpis/${k.id}?reason=${encodeURIComponent('removed in the console')}`),
    onSuccess: () => {
      onGone();
      again(client);
    },
  });
  const all = q.data?.items ?? [];
  return (
    <>
      {may && k.shape && (
        <div className={css.acts}>
          <Button size="compact-xs" onClick={() => setOpen(true)}>
            Change the definition
          </Button>
          <Sure label="Remove" sure="Remove it; its versions stay" pending={remove.isPending} onDo={() => remove.mutate()} />
        </div>
      )}
      <ProblemNote error={remove.error ?? q.error} />
      <KeyedTable
        label="Versions of the definition"
        rows={all}
        rowKey={(v) => String(v.definition_version)}
        fields={[
          { head: 'Version', num: true, cell: (v) => v.definition_version },
          { head: 'What changed', cell: (v) => changed(v, all[all.indexOf(v) + 1]).map((c) => <div key={c}>{visible(c)}</div>) },
          { head: 'By', cell: (v) => <>{visible(v.by)} <Time at={v.at} />{v.reason && <div className="muted">{visible(v.reason)}</div>}</> },
        ]}
      />
      {open && k.shape && <Dialog k={k} shape={k.shape} onClose={() => setOpen(false)} onDone={() => undefined} />}
    </>
  );
}

function again(client: ReturnType<typeof useQueryClient>) {
  void client.invalidateQueries({ predicate: (q) => /^kpi/.test(String(q.queryKey[0])) });
}

/** useLater is a value once it has been the same for a moment, so that not every letter is asked about. */
function useLater<T>(value: T, ms = 500): T {
  const [later, setLater] = useState(value);
  const text = JSON.stringify(value);
  useEffect(() => {
    const t = setTimeout(() => setLater(JSON.parse(text) as T), ms);
    return () => clearTimeout(t);
  }, [text, ms]);
  return later;
}

function Dialog({ k, shape, onClose, onDone }: { k?: KPI; shape?: KPIShape; onClose: () => void; onDone: (id: string) => void }) {
  const client = useQueryClient();
  const view = useView();
  const teams = useTeams();
  const [d, setDraft] = useState<Draft>(() => (k && shape ? draftOf(k, shape) : fresh));
  const [reason, setReason] = useState('');
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const word = (name: string, v: string) => setDraft((old) => ({ ...old, words: { ...old.words, [name]: v } }));
  const save = useMutation({
    mutationFn: () => api.put<KPI>(`/kpis/${encodeURIComponent(d.id.trim())}`, { ...bodyOf(d), definition_version: k?.definition_version ?? 0, reason }),
    onSuccess: (kept) => {
      again(client);
      onDone(kept.id);
      onClose();
    },
  });
  // Asked again when what was asked has changed: a refused save is then of the past.
  const body = { ...bodyOf(d), from: view.from, to: view.to, environment: view.env || undefined };
  const asked = useLater(body);
  const trial = useQuery({ queryKey: ['kpi-try', asked], queryFn: ({ signal }) => api.post<KPITrial>('/kpis/try', asked, signal), enabled: ready(d), retry: false, placeholderData: keepPreviousData, staleTime: 60_000 });
  const error = save.error ?? (ready(d) ? trial.error : null);
  const place = error instanceof Problem ? placeOf(error.message) : '';
  const wrong = (at: string, text?: string) => (place === at && error ? <Wrong error={error as Problem} text={text} /> : undefined);
  const kind = shapes[d.shape];
  const choose = (shape: Draft['shape']) => set({ shape, unit: shape === 'share' ? 'share' : d.unit === 'share' ? (shape === 'quantile' || shape === 'mean' ? 'ms' : 'count') : d.unit });
  return (
    <FormDialog title={k ? `Change ${k.title}` : 'Define a KPI'} submit={k ? 'Keep as the next version' : 'Keep'} pending={save.isPending} error={place === '' ? error : undefined} disabled={!d.id.trim() || !d.title.trim() || !ready(d)} onSubmit={() => save.mutate()} onClose={onClose} size={760}>
      <div className={css.two}>
        {!k && <TextInput label="Id" description="a-z, 0-9 and _: how rules and objectives call it" data-autofocus spellCheck={false} value={d.id} error={wrong('id')} onChange={(e) => set({ id: e.currentTarget.value })} />}
        <TextInput label="Title" description="What it is called" data-autofocus={k ? true : undefined} value={d.title} error={wrong('title')} onChange={(e) => set({ title: e.currentTarget.value })} />
        <TextInput label="About" description="What it says, in a line" value={d.about} onChange={(e) => set({ about: e.currentTarget.value })} />
        <TextInput label="Owner" description="Who answers for it" value={d.owner} onChange={(e) => set({ owner: e.currentTarget.value })} />
        <Pick label="It is" value={d.shape} options={Object.entries(shapes).map(([value, s]) => ({ value, label: s.label }))} onPick={(v) => choose(v as Draft['shape'])} />
        {kind.table && <Pick label="Records" value={d.table} options={['runs', 'steps', 'decisions'].map((v) => ({ value: v, label: v }))} onPick={(table) => set({ table })} />}
        {kind.fields.map((f) =>
          f.name === 'what' ? (
            <Pick key={f.name} label={f.label} value={d.words.what ?? 'pass'} options={[{ value: 'pass', label: 'pass: all of k resolved' }, { value: 'spread', label: 'spread: they end differently' }, { value: 'path', label: 'path: orders of tool calls' }]} onPick={(v) => word('what', v)} />
          ) : (
            <TextInput key={f.name} label={f.label} description={f.about} spellCheck={false} styles={f.search ? { input: { fontFamily: 'var(--mantine-font-family-monospace)' } } : undefined} value={d.words[f.name] ?? ''} error={wrong(f.name, d.words[f.name])} onChange={(e) => word(f.name, e.currentTarget.value)} />
          ),
        )}
        <Pick label="Unit" value={d.unit} options={units.map((v) => ({ value: v, label: v }))} onPick={(unit) => set({ unit })} />
        <Pick label="Better is" value={d.direction} options={[{ value: 'up', label: 'more' }, { value: 'down', label: 'less' }, { value: 'none', label: 'neither' }]} onPick={(direction) => set({ direction })} />
        <Pick label="Team" value={d.team} options={[{ value: '', label: 'everybody' }, ...[...new Set([...(d.team ? [d.team] : []), ...teams])].map((v) => ({ value: v, label: v }))]} onPick={(team) => set({ team })} />
        <TextInput label="Why" description="It is recorded" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      </div>
      {['unit', 'direction', 'table'].includes(place) && wrong(place) && <p role="alert">{wrong(place)}</p>}
      <Live t={ready(d) && !trial.error ? trial.data : undefined} unit={d.unit} loading={trial.isFetching} />
      <p className={css.note}>$known, $ended, $resolved, $alone and $failed stand for the catalogue's own searches.</p>
    </FormDialog>
  );
}

/** Wrong is a refusal, with the place in the search at which it is. */
function Wrong({ error, text }: { error: Problem; text?: string }) {
  const mark = text === undefined ? undefined : markOf(text, error.message);
  const id = useId();
  return (
    <span id={id}>
      {mark && (
        <code>
          {mark.before}
          <u>{mark.at || '␣'}</u>
        </code>
      )}{' '}
      {error.message} {error.hint}
    </span>
  );
}

/** Live is the figure as it would be now. */
function Live({ t, unit, loading }: { t?: KPITrial; unit: string; loading: boolean }) {
  const say = (v: number | null | undefined) => (unit === 'bits' && typeof v === 'number' ? `${v.toFixed(2)} bits` : unitText(unit, v));
  return (
    <div className={css.trial} role="status" aria-label="The figure now" aria-busy={loading}>
      {!t ? (
        <span className="muted">{loading ? 'Computing…' : 'The figure of the period stands here as soon as there is enough of it.'}</span>
      ) : (
        <>
          {t.value === null ? <Unknown why={t.why} /> : <strong>{say(t.value)}</strong>} {typeof t.low === 'number' && typeof t.high === 'number' && <span className="muted">{say(t.low)} to {say(t.high)}</span>} from{' '}
          {t.table ? <Figure to={`/${t.table}`} search={{ q: t.records || undefined }}>{count(t.n)}</Figure> : count(t.n)} {t.table}
          {typeof t.coverage === 'number' && `, ${percent(t.coverage, 0)} of what there is`}
          {t.value === null && t.why && <span className="muted"> {t.why}</span>}
          <div className="muted">{t.formula}</div>
          {t.previous && <div className="muted">The period before: {t.previous.value === null ? 'unknown' : say(t.previous.value)} from {count(t.previous.n)}</div>}
        </>
      )}
    </div>
  );
}
