import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Dataset, DatasetItem, List } from '../api/types';
import type { components } from '../api/openapi';
import { Badge, Beside, Empty, Facts, KeyedTable, KeyTable, Panel, pickView, plural, ProblemNote, Time, Unknown, useShortcuts, useWide, type Column } from '../shared';
import { FormDialog, Pick, Sure } from '../settings/parts';
import css from '../sources/sources.module.css';
import { useView } from '../state/url';
import { visible } from '../tools/data';

type Export = components['schemas']['DatasetExport'];

const keep = ((old: Record<string, unknown>) => pickView(old)) as never;
const asked = (i: DatasetItem) => i.input.at(-1)?.content ?? '';
const right = (i: DatasetItem) => [i.expected && `“${i.expected}”`, i.contains.length > 0 && `with ${i.contains.join(', ')}`, i.absent.length > 0 && `without ${i.absent.join(', ')}`].filter(Boolean).join(' ');
const path = (name: string) => `/datasets/${encodeURIComponent(name)}`;

const columns: Column<DatasetItem>[] = [
  { id: 'asked', head: 'Asked', width: 'minmax(160px, 1.4fr)', cell: (i) => (i.withdrawn ? <span className="muted">withdrawn with its person</span> : visible(asked(i))) },
  { id: 'right', head: 'What is right', width: 'minmax(160px, 1.4fr)', cell: (i) => visible(right(i)) || <Badge tone="warn">nothing says</Badge> },
  { id: 'consent', head: 'Consent', width: '90px', cell: (i) => i.consent },
  { id: 'agent', head: 'Agent', width: 'minmax(80px, .7fr)', cell: (i) => visible(i.agent ?? '') || <span className="muted">none</span> },
  { id: 'at', head: 'Since', width: '84px', cell: (i) => <Time at={i.at} /> },
];
const narrow = columns.filter((c) => ['asked', 'right'].includes(c.id));

/** Datasets lists data sets, and the cases of one. */
export function Datasets({ name, item, set }: { name?: string | undefined; item?: string | undefined; set: (more: object) => void }) {
  const view = useView();
  const may = useMay('PutDataset');
  const [making, setMaking] = useState(false);
  const list = useQuery({ queryKey: ['datasets'], queryFn: ({ signal }) => api.get<List<Dataset>>('/datasets', undefined, signal) });
  const all = (list.data?.items ?? []).filter((d) => (!view.team || !d.team || d.team === view.team) && (!view.env || !d.environment || d.environment === view.env));
  const one = all.find((d) => d.name === name);
  useShortcuts('Data sets', [
    { keys: 'x', label: 'The first', run: () => all[0] && set({ dataset: all[0].name }) },
    ...(may ? [{ keys: 'n', label: 'Make a data set', run: () => setMaking(true) }] : []),
  ]);
  return (
    <>
      <ProblemNote error={list.error} retry={() => void list.refetch()} />
      <Panel title="Data sets" note="cases from runs and by people, in versions" actions={may && <Button size="compact-xs" onClick={() => setMaking(true)}>Make a data set</Button>}>
        <KeyedTable
          label="Data sets"
          rows={all}
          rowKey={(d) => d.name}
          empty={list.isSuccess && <Empty title="There is no data set.">A run that went wrong becomes a case on its own page, with one act. Cases are what experiments and gates are run on.</Empty>}
          fields={[
            {
              head: 'Name',
              cell: (d) => (
                <button type="button" className="link" aria-pressed={d.name === name} onClick={() => set({ dataset: d.name === name ? undefined : d.name, item: undefined })} title={d.about}>
                  {d.name}
                </button>
              ),
            },
            { head: 'Of', cell: (d) => d.team || 'all teams' },
            { head: 'Cases', num: true, cell: (d) => d.items },
            { head: 'Version', num: true, cell: (d) => d.version },
            { head: 'Basis', cell: (d) => visible(d.basis ?? '') || <Unknown why="None was given: each user has to agree before a case is exported." />, title: (d) => d.basis, width: '200px' },
            { head: 'Changed', cell: (d) => <Time at={d.updated_at} /> },
          ]}
        />
      </Panel>
      {one && <Cases key={one.name} d={one} picked={item} set={set} />}
      {making && <Make onClose={() => setMaking(false)} onDone={(n) => set({ dataset: n })} />}
    </>
  );
}

/** Cases are those of a data set's newest version. */
function Cases({ d, picked, set }: { d: Dataset; picked?: string | undefined; set: (more: object) => void }) {
  const may = { add: useMay('AddDatasetItem'), export: useMay('ExportDataset'), erase: useMay('EraseFeedback') };
  const [dialog, setDialog] = useState<'add' | 'export' | 'withdraw'>();
  const wide = useWide(1500);
  const roomy = useWide(700);
  const list = useQuery({ queryKey: ['datasets', d.name, d.version], queryFn: ({ signal }) => api.get<List<DatasetItem>>(`${path(d.name)}/items`, undefined, signal), retry: false });
  const out = useQuery({ queryKey: ['datasets', d.name, 'exports'], queryFn: ({ signal }) => api.get<List<Export>>(`${path(d.name)}/exports`, undefined, signal) });
  const rows = list.data?.items ?? [];
  const one = rows.find((i) => i.id === picked);
  return (
    <>
      <Beside label="The case" side={one && <One key={one.id} d={d} i={one} onClose={() => set({ item: undefined })} />}>
        <Panel
          title={`Cases of ${d.name}`}
          note={`version ${d.version}`}
          actions={
            <>
              {may.add && <Button size="compact-xs" onClick={() => setDialog('add')}>Write a case</Button>}
              {may.export && <Button size="compact-xs" onClick={() => setDialog('export')}>Export</Button>}
              {may.erase && d.team && <Button size="compact-xs" onClick={() => setDialog('withdraw')}>Withdraw a person</Button>}
            </>
          }
        >
          <ProblemNote error={list.error} />
          <KeyTable
            label="Cases"
            columns={(one && !wide) || !roomy ? narrow : columns}
            rows={rows}
            rowKey={(i) => i.id}
            active={picked}
            onActive={(i) => picked && set({ item: i.id })}
            onOpen={(i) => set({ item: i.id })}
            height="min(360px, 45dvh)"
            empty={list.isSuccess && <Empty title="It has no case yet." small>Open a run that went wrong and make it one, or write one here.</Empty>}
          />
        </Panel>
      </Beside>
      {(out.data?.items.length ?? 0) > 0 && (
        <Panel title="Exports" note="who has what, and what of it was withdrawn since">
          <KeyedTable
            label="Exports"
            rows={out.data?.items ?? []}
            rowKey={(x) => x.id}
            mark={(x) => (x.withdrawn > 0 ? 'warn' : undefined)}
            fields={[
              { head: 'When', cell: (x) => <Time at={x.at} /> },
              { head: 'Format', cell: (x) => x.format },
              { head: 'Items', num: true, cell: (x) => x.items },
              { head: 'Version', num: true, cell: (x) => x.version },
              { head: 'By', cell: (x) => visible(x.by ?? '') },
              { head: 'Why', cell: (x) => visible(x.reason), title: (x) => x.reason },
              { head: 'Withdrawn since', num: true, cell: (x) => (x.withdrawn > 0 ? <Badge tone="warn">{x.withdrawn}: tell who has it</Badge> : 0) },
            ]}
          />
        </Panel>
      )}
      {dialog === 'add' && <Add d={d} onClose={() => setDialog(undefined)} />}
      {dialog === 'export' && <ExportDialog d={d} onClose={() => setDialog(undefined)} />}
      {dialog === 'withdraw' && <Withdraw d={d} onClose={() => setDialog(undefined)} />}
    </>
  );
}

/** One is a case with where it comes from. */
function One({ d, i, onClose }: { d: Dataset; i: DatasetItem; onClose: () => void }) {
  const client = useQueryClient();
  const may = useMay('RemoveDatasetItem');
  const remove = useMutation({
    mutationFn: () => api.delete(`${path(d.name)}/items/${i.id}`),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      onClose();
    },
  });
  return (
    <Panel title="Case" note={`since version ${i.added}`} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <ProblemNote error={remove.error} />
      <ul className={css.causes}>
        {i.input.map((m, k) => (
          <li key={k}><Badge>{m.role}</Badge> {visible(m.content)}</li>
        ))}
        {i.answer && <li><Badge tone={i.verdict === 'bad' ? 'bad' : i.verdict === 'good' ? 'good' : undefined}>answered</Badge> {visible(i.answer)}</li>}
      </ul>
      <Facts>
        <dt>What is right</dt>
        <dd>{visible(right(i)) || <Unknown why="Neither words nor an answer were given: no experiment passes it by itself." />}</dd>
        <dt>From</dt>
        <dd>{i.run ? <Link to={'/runs/$id' as never} params={{ id: i.run } as never} search={keep}>Its run</Link> : `${visible(i.by ?? '') || 'a person'} wrote it`}</dd>
        <dt>Consent</dt>
        <dd>{i.consent}</dd>
        <dt>Cut out</dt>
        <dd>{i.redacted.length > 0 ? i.redacted.join(', ') : 'nothing was found'}</dd>
        {i.note && <><dt>Note</dt><dd>{visible(i.note)}</dd></>}
      </Facts>
      {may && (
        <div className={css.acts}>
          <Sure label="Take it out" sure="Take it out of the next version?" pending={remove.isPending} onDo={() => remove.mutate()} />
        </div>
      )}
    </Panel>
  );
}

function Make({ onClose, onDone }: { onClose: () => void; onDone: (name: string) => void }) {
  const client = useQueryClient();
  const view = useView();
  const [name, setName] = useState('');
  const [team, setTeam] = useState(view.team ?? '');
  const [environment, setEnvironment] = useState(view.env ?? '');
  const [basis, setBasis] = useState('');
  const put = useMutation({
    mutationFn: () => api.put<Dataset>(path(name.trim()), { team: team.trim() || undefined, environment: environment.trim() || undefined, basis: basis.trim() || undefined }),
    onSuccess: (d) => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      onDone(d.name);
      onClose();
    },
  });
  return (
    <FormDialog title="Make a data set" submit="Make it" pending={put.isPending} error={put.error} onSubmit={() => put.mutate()} onClose={onClose} disabled={name.trim() === ''}>
      <TextInput label="Name" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <TextInput label="Team (all where empty)" value={team} onChange={(e) => setTeam(e.currentTarget.value)} />
      <TextInput label="Environment (all where empty)" value={environment} onChange={(e) => setEnvironment(e.currentTarget.value)} />
      <TextInput label="Basis of use (optional)" description="Why what users said may be used without asking each, such as the contract's clause. None: each has to agree." value={basis} onChange={(e) => setBasis(e.currentTarget.value)} />
    </FormDialog>
  );
}

function Add({ d, onClose }: { d: Dataset; onClose: () => void }) {
  const client = useQueryClient();
  const [ask, setAsk] = useState('');
  const [expected, setExpected] = useState('');
  const [contains, setContains] = useState('');
  const words = contains.split(',').map((w) => w.trim()).filter(Boolean);
  const add = useMutation({
    mutationFn: () => api.post<DatasetItem>(`${path(d.name)}/items`, { input: [{ role: 'user', content: ask.trim() }], expected: expected.trim() || undefined, contains: words.length > 0 ? words : undefined }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      onClose();
    },
  });
  return (
    <FormDialog title={`Write a case of ${d.name}`} submit="Keep it" pending={add.isPending} error={add.error} onSubmit={() => add.mutate()} onClose={onClose} disabled={ask.trim() === '' || (expected.trim() === '' && words.length === 0)}>
      <Textarea label="What is asked" data-autofocus autosize minRows={2} value={ask} onChange={(e) => setAsk(e.currentTarget.value)} />
      <Textarea label="What is right" autosize minRows={2} value={expected} onChange={(e) => setExpected(e.currentTarget.value)} />
      <TextInput label="Words that the answer must have (with commas)" value={contains} onChange={(e) => setContains(e.currentTarget.value)} />
      <p className="muted">Personal data and secrets are cut out before it is kept.</p>
    </FormDialog>
  );
}

const formats = [
  { value: 'evaluation', label: 'Evaluation cases' },
  { value: 'sft', label: 'Fine-tuning examples' },
  { value: 'preferences', label: 'Preference pairs' },
];

function ExportDialog({ d, onClose }: { d: Dataset; onClose: () => void }) {
  const client = useQueryClient();
  const [format, setFormat] = useState('evaluation');
  const [reason, setReason] = useState('');
  const give = useMutation({
    mutationFn: () => api.post<Export>(`${path(d.name)}/exports`, { format, reason: reason.trim() }),
    onSuccess: (x) => {
      void client.invalidateQueries({ queryKey: ['datasets', d.name, 'exports'] });
      const a = document.createElement('a');
      a.href = URL.createObjectURL(new Blob([x.content ?? ''], { type: 'application/jsonl' }));
      a.download = `${d.name}-${x.version}-${x.format}.jsonl`;
      a.click();
      URL.revokeObjectURL(a.href);
    },
  });
  const x = give.data;
  const left = Object.entries(x?.left ?? {});
  return (
    <FormDialog title={`Export ${d.name}`} submit={x ? 'Done' : 'Export'} pending={give.isPending} error={give.error} onSubmit={() => (x ? onClose() : give.mutate())} onClose={onClose} disabled={reason.trim() === ''}>
      {x ? (
        <p role="status">
          {plural(x.items, 'item')} of version {x.version} went out{left.length > 0 && <>, and {left.map(([why, n]) => `${n} did not (${why.replaceAll('_', ' ')})`).join(', ')}</>}.
        </p>
      ) : (
        <>
          <Pick label="Format" value={format} options={formats} onPick={setFormat} />
          <TextInput label="Reason" data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <p className="muted">Only what has consent goes out. Who, why and which items is kept before.</p>
        </>
      )}
    </FormDialog>
  );
}

function Withdraw({ d, onClose }: { d: Dataset; onClose: () => void }) {
  const client = useQueryClient();
  const [user, setUser] = useState('');
  const [reason, setReason] = useState('');
  const erase = useMutation({
    mutationFn: () => api.post<components['schemas']['ErasedFeedback']>('/feedback-erasures', { team: d.team, user: user.trim(), reason: reason.trim() }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['datasets'] }),
  });
  const x = erase.data;
  return (
    <FormDialog title={`Withdraw a person from team ${d.team}`} submit={x ? 'Done' : 'Withdraw'} pending={erase.isPending} error={erase.error} onSubmit={() => (x ? onClose() : erase.mutate())} onClose={onClose} disabled={user.trim() === '' || reason.trim() === ''}>
      {x ? (
        <p role="status">
          {plural(x.cases, 'case')} lost {x.cases === 1 ? 'its' : 'their'} content, in all versions, and what was said in {x.erased} of their feedback is gone. {x.exports.length > 0 ? `${plural(x.exports.length, 'export')} had any of them: tell who has ${x.exports.length === 1 ? 'it' : 'them'}.` : 'No export had any of them.'}
        </p>
      ) : (
        <>
          <TextInput label="User, as runs name them" data-autofocus value={user} onChange={(e) => setUser(e.currentTarget.value)} />
          <TextInput label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <p className="muted">What they said goes from all versions of all data sets of the team, and with their feedback. It does not come back, and nothing of theirs becomes a case again.</p>
        </>
      )}
    </FormDialog>
  );
}
