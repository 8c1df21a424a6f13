import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Source, SourceDetail, SourceJob } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, Facts, KeyedTable, Mark, Panel, plural, ProblemNote, Time, Unknown, useShortcuts, type Level } from '../shared';
import { useTeams } from '../shell/TopBar';
import { visible } from '../tools/data';
import { AuditPlan } from './AuditPlan';
import { Causes } from './Causes';
import { shortAge, states } from './data';
import css from './sources.module.css';

const pathOf = (name: string) => `/sources/${encodeURIComponent(name)}`;

const jobs: Record<string, { level: Level; letter: string }> = {
  complete: { level: 'good', letter: 'C' },
  running: { level: 'info', letter: 'R' },
  failed: { level: 'bad', letter: 'F' },
  aborted: { level: 'bad', letter: 'A' },
  skipped: { level: 'warn', letter: 'S' },
};

function useAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['sources', 'source']) void client.invalidateQueries({ queryKey: [key] });
  };
}

const limits = (s: Source) => [s.max_age && `stale after ${shortAge(s.max_age)}`, s.warn_age && `nearly after ${shortAge(s.warn_age)}`].filter(Boolean).join(', ');

/** SourcePanel is one source: how fresh it is and why, its versions, jobs, checks and documents, and who answers for it. */
export function SourcePanel({ source, onClose }: { source: Source; onClose: () => void }) {
  const q = useQuery({ queryKey: ['source', source.name], queryFn: ({ signal }) => api.get<SourceDetail>(pathOf(source.name), undefined, signal), refetchInterval: 30_000 });
  const may = useMay('PutSource');
  const mayForget = useMay('DeleteSource');
  const again = useAgain();
  const [editing, setEditing] = useState(false);
  const forget = useMutation({ mutationFn: () => api.delete(pathOf(source.name)), onSuccess: onClose, onSettled: again });
  const mayTake = useMay('TakeSourceOut');
  const [taking, setTaking] = useState(false);
  const [why, setWhy] = useState('');
  const out = useMutation({ mutationFn: () => api.post(`${pathOf(source.name)}/out`, { reason: why.trim(), for: '4h' }), onSuccess: () => (setTaking(false), setWhy('')), onSettled: again });
  const back = useMutation({ mutationFn: () => api.post(`${pathOf(source.name)}/back`, { reason: 'put back in the console' }), onSettled: again });
  useShortcuts('The source', may ? [{ keys: 'e', label: 'Change owner and ages', run: () => setEditing(true) }] : []);
  const s = q.data ?? source;
  const facts: [string, ReactNode][] = [
    ['Version', s.version ? <>{s.version.version}, made <Time at={s.version.at} /></> : <Unknown why="No version of it was seen." />],
    ['May be', limits(s) ? <>{limits(s)} <span className="muted">so say{s.age_policy === 'people' ? '' : 's'} {s.age_policy || 'people'}</span></> : <span className="muted">nobody said how old it may be</span>],
    ['Owner', s.owner || <Badge tone="warn">nobody</Badge>],
    ['Team', s.team || <span className="muted">the house</span>],
    ['In lineage', s.dataset ? `${s.namespace ? `${s.namespace}: ` : ''}${s.dataset}` : <span className="muted">not named</span>],
    ['Also called', s.aliases?.join(', ') || <span className="muted">nothing else</span>],
  ];
  return (
    <>
      <Panel title={s.name} note={s.kind} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
        <p className={css.lead}>
          <Mark {...(states[s.state] ?? states.unknown!)} words /> {s.reason} {!s.registered && <Badge title="Lineage named it; nobody registered it">found</Badge>} {s.trusted && <Badge tone="good">trusted</Badge>} {(s.classes ?? []).map((c) => <Badge key={c}>{c}</Badge>)}
        </p>
        {s.out_of_use && (
          <p className={css.lead}>
            <Badge tone="bad">out of use</Badge> since <Time at={s.out_of_use.at} />, by {s.out_of_use.by || 'nobody named'}: {s.out_of_use.reason}. The door refuses to read it{s.out_of_use.until ? <> until <Time at={s.out_of_use.until} as="clock" /></> : ' until it is put back'}.
          </p>
        )}
        {s.description && <p className={css.lead}>{s.description}</p>}
        <Causes causes={q.data?.upstream} />
        <Facts>
          {facts.map(([k, v]) => (
            <div key={k} style={{ display: 'contents' }}>
              <dt>{k}</dt>
              <dd>{v}</dd>
            </div>
          ))}
        </Facts>
        <div className={css.acts}>
          {may && <Button onClick={() => setEditing(true)}>Change owner and ages</Button>}
          {mayTake && (s.out_of_use ? <Sure label="Put back into use" sure="Put it back" pending={back.isPending} onDo={() => back.mutate()} /> : <Button onClick={() => setTaking(true)}>Take out of use</Button>)}
          {mayForget && <Sure label="Forget" sure="Forget it and its history" pending={forget.isPending} onDo={() => forget.mutate()} />}
        </div>
        {taking && (
          <form
            className={css.acts}
            onSubmit={(e) => {
              e.preventDefault();
              out.mutate();
            }}
          >
            <TextInput label="Why" value={why} onChange={(e) => setWhy(e.currentTarget.value)} autoFocus required maxLength={400} />
            <Button type="submit" variant="filled" loading={out.isPending} disabled={!why.trim()}>Take it out for 4 hours</Button>
            <Button onClick={() => setTaking(false)}>Cancel</Button>
          </form>
        )}
        <ProblemNote error={q.error ?? forget.error ?? out.error ?? back.error} />
      </Panel>
      <AuditPlan source={source.name} />
      {q.data && (
        <>
          <Jobs title="Jobs that make it" jobs={q.data.writers} none="No job is known to write it." />
          {(q.data.readers ?? []).length > 0 && <Jobs title="Jobs that read it" jobs={q.data.readers} none="" />}
          <Panel title="Versions" note={count(q.data.versions)}>
            <KeyedTable
              label="Versions"
              rows={q.data.history ?? []}
              rowKey={(v) => `${v.version} ${v.at}`}
              empty={<p style={{ padding: '6px 12px', margin: 0 }} className="muted">None was seen.</p>}
              fields={[
                { head: 'Version', width: '160px', title: (v) => v.version, cell: (v) => v.version },
                { head: 'Made', cell: (v) => <Time at={v.at} as="day" /> },
                { head: 'By', width: '180px', title: (v) => v.job, cell: (v) => v.job ?? '' },
                { head: 'Items', num: true, cell: (v) => (v.items === null ? <Unknown /> : count(v.items)) },
              ]}
            />
          </Panel>
          {(q.data.results ?? []).length > 0 && (
            <Panel title="Checks" note={`${count(q.data.failing_checks)} of ${count(q.data.checks)} fail`}>
              <KeyedTable
                label="Checks"
                rows={q.data.results}
                rowKey={(c) => c.name}
                mark={(c) => (c.ok ? undefined : 'bad')}
                fields={[
                  { head: 'State', cell: (c) => <Mark level={c.ok ? 'good' : 'bad'} letter={c.ok ? 'P' : 'F'} label={c.ok ? 'passes' : 'fails'} words /> },
                  { head: 'Check', width: '200px', title: (c) => c.name, cell: (c) => c.name },
                  { head: 'Last', cell: (c) => <Time at={c.at} /> },
                  { head: 'Says', width: '200px', title: (c) => c.note, cell: (c) => visible(c.note ?? '') },
                ]}
              />
            </Panel>
          )}
          {(q.data.newest ?? []).length > 0 && (
            <Panel title="Documents" note={q.data.documents > q.data.newest.length ? `the last ${count(q.data.newest.length)} of ${count(q.data.documents)}` : plural(q.data.documents, 'document')}>
              <KeyedTable
                label="Documents"
                rows={q.data.newest}
                rowKey={(d) => d.id}
                fields={[
                  { head: 'Document', width: '220px', title: (d) => d.uri || d.id, cell: (d) => visible(d.title || d.id) },
                  { head: 'Version', width: '110px', title: (d) => d.version, cell: (d) => d.version },
                  { head: 'Crawled', cell: (d) => <Time at={d.crawled_at} /> },
                  { head: 'Changed', cell: (d) => <Time at={d.modified_at} /> },
                  { head: 'Chunks', num: true, cell: (d) => (d.chunks === null || d.chunks === undefined ? <Unknown /> : count(d.chunks)) },
                ]}
              />
            </Panel>
          )}
        </>
      )}
      {editing && <SourceDialog source={s} onClose={() => setEditing(false)} />}
    </>
  );
}

function Jobs({ title, jobs: all, none }: { title: string; jobs: SourceJob[] | null; none: string }) {
  return (
    <Panel title={title}>
      <KeyedTable
        label={title}
        rows={all ?? []}
        rowKey={(j) => j.name}
        mark={(j) => (j.state === 'failed' || j.state === 'aborted' ? 'bad' : j.state === 'skipped' ? 'warn' : undefined)}
        empty={<p style={{ padding: '6px 12px', margin: 0 }} className="muted">{none}</p>}
        fields={[
          { head: 'State', cell: (j) => <Mark {...(jobs[j.state] ?? { level: 'unknown', letter: '?' })} label={j.state || 'never ran'} words /> },
          { head: 'Job', width: '220px', title: (j) => j.name, cell: (j) => visible(j.name) },
          { head: 'Last run', cell: (j) => <Time at={j.at} /> },
          { head: 'Last completed', cell: (j) => (j.good_at ? <Time at={j.good_at} /> : <span className="muted">never seen</span>) },
          { head: 'Says', width: '180px', title: (j) => j.note, cell: (j) => visible(j.note ?? '') },
        ]}
      />
    </Panel>
  );
}

const kinds = ['dataset', 'corpus', 'index', 'api'].map((value) => ({ value, label: value }));

/** SourceDialog registers a source, or says who answers for it and how old it may be. What it does not show stays as it is. */
export function SourceDialog({ source, onClose, onDone }: { source?: Source; onClose: () => void; onDone?: (name: string) => void }) {
  const again = useAgain();
  const teams = useTeams();
  // What a tool said about ages holds until a person says otherwise.
  const ours = source?.age_policy === 'people';
  const [name, setName] = useState(source?.name ?? '');
  const [kind, setKind] = useState(source?.kind ?? 'dataset');
  const [team, setTeam] = useState(source?.team ?? teams[0] ?? '');
  const [owner, setOwner] = useState(source?.owner ?? '');
  const [most, setMost] = useState(ours ? shortAge(source?.max_age) : '');
  const [warn, setWarn] = useState(ours ? shortAge(source?.warn_age) : '');
  const [aliases, setAliases] = useState((source?.aliases ?? []).join(', '));
  const [trusted, setTrusted] = useState(source?.trusted ?? false);
  const save = useMutation({
    mutationFn: () =>
      api.put<Source>(pathOf(name.trim()), {
        kind, namespace: source?.namespace, dataset: source?.dataset, team: team || undefined, owner: owner.trim() || undefined, description: source?.description, classes: source?.classes, trusted,
        max_age: most.trim() || undefined, warn_age: warn.trim() || undefined, aliases: aliases.split(/[,\s]+/).filter(Boolean), revision: source?.revision ?? 0,
      }),
    onSuccess: () => {
      onDone?.(name.trim());
      onClose();
    },
    onSettled: again,
  });
  const told = source && !ours && limits(source);
  return (
    <FormDialog title={source ? `Change ${source.name}` : 'Register a source'} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={600}>
      <div className={css.two}>
        {!source && <TextInput label="Name" description="As steps or lineage call it" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />}
        {!source && <Pick label="Kind" value={kind} options={kinds} onPick={setKind} />}
        <TextInput label="Owner" description="Who answers for it" data-autofocus={source ? true : undefined} value={owner} onChange={(e) => setOwner(e.currentTarget.value)} />
        <Pick label="Team" value={team} options={[...(source?.team ? [] : [{ value: '', label: 'the house' }]), ...[...new Set([...(team ? [team] : []), ...teams])].map((t) => ({ value: t, label: t }))]} onPick={setTeam} />
        <TextInput label="Stale after" description="Like 24h or 90m; empty: no limit" value={most} onChange={(e) => setMost(e.currentTarget.value)} />
        <TextInput label="Nearly stale after" description="Less than that" value={warn} onChange={(e) => setWarn(e.currentTarget.value)} />
      </div>
      <TextInput label="Aliases" description="Other names by which steps call it, with commas between" value={aliases} onChange={(e) => setAliases(e.currentTarget.value)} />
      <Checkbox label="Trusted: what it holds is not taken for words of strangers" checked={trusted} onChange={(e) => setTrusted(e.currentTarget.checked)} />
      {told && <p className="muted">Without ages of yours those of {source.age_policy} hold: {told}.</p>}
    </FormDialog>
  );
}
