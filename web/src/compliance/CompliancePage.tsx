import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { api } from '../api/client';
import type { ComplianceAssessment, ComplianceControl, ComplianceFramework, CompliancePack, List } from '../api/types';
import { Badge, Beside, type Column, Empty, KeyTable, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Tabs, Time, useShortcuts, useWide } from '../shared';
import { Pick } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';

const tones = { pass: 'good', fail: 'bad', unknown: undefined } as const;
const toneOf = (r: string) => tones[r as keyof typeof tones] ?? undefined;

const columns: Column<ComplianceControl>[] = [
  { id: 'result', head: 'Result', width: '100px', cell: (c) => <Badge tone={toneOf(c.result)}>{c.result}</Badge> },
  { id: 'article', head: 'Article', width: '130px', cell: (c) => visible(c.article) },
  { id: 'title', head: 'Control', width: 'minmax(160px, 1fr)', cell: (c) => visible(c.title) },
  { id: 'evidence', head: 'Evidence', width: 'minmax(200px, 2fr)', cell: (c) => c.evidence.map((e) => e.text).join('; ') || <span className="muted">none is mapped</span> },
];
const narrow = columns.filter((c) => ['result', 'title'].includes(c.id));

/** CompliancePage: what records can show of a framework's controls, when, and as a pack. */
export function CompliancePage() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { framework, picked } = useSearch({ strict: false }) as { framework?: string; picked?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const list = useQuery({ queryKey: ['compliance', 'frameworks'], queryFn: ({ signal }) => api.get<List<ComplianceFramework>>('/compliance-frameworks', undefined, signal), retry: false });
  const all = list.data?.items ?? [];
  const on = all.find((f) => f.id === framework) ?? all[0];
  const id = on?.last?.id;
  const last = useQuery({ queryKey: ['compliance', 'one', id], queryFn: ({ signal }) => api.get<ComplianceAssessment>(`/compliance-assessments/${id}`, undefined, signal), enabled: !!id, retry: false });
  const assess = useMutation({
    mutationFn: (f: string) => api.post<ComplianceAssessment>(`/compliance-frameworks/${f}/assess`, { from: '-720h', to: '' }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['compliance'] }),
  });
  const plan = useMutation({
    mutationFn: (x: { id: string; days: number }) => api.put(`/compliance-frameworks/${x.id}/schedule`, { every_days: x.days }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['compliance'] }),
  });
  const pack = useMutation({
    mutationFn: (x: string) => api.get<CompliancePack>(`/compliance-assessments/${x}/pack`),
    onSuccess: (p) => {
      const raw = Uint8Array.from(atob(p.zip), (c) => c.charCodeAt(0));
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([raw], { type: 'application/zip' }));
      link.download = p.name;
      link.click();
      URL.revokeObjectURL(link.href);
    },
  });
  const wide = useWide(1500);
  const roomy = useWide(700);
  const a = last.data;
  const one = a?.controls.find((c) => c.id === picked);
  useShortcuts('Compliance', [
    { keys: 'a', label: 'Assess now', run: () => on && assess.mutate(on.id) },
    { keys: 'x', label: 'The first control', run: () => a?.controls[0] && set({ picked: a.controls[0].id }) },
  ]);
  return (
    <>
      <PageHeader
        title="Compliance"
        question="What can records show?"
        answer={on && (a ? <>{visible(on.title)}: {plural(a.pass, 'control')} pass, {a.fail} fail, {a.unknown} unknown, asked <Time at={a.at} />.</> : `${on.title} was never assessed.`)}
      />
      <PageBody>
        <ProblemNote error={list.error ?? last.error ?? assess.error ?? plan.error ?? pack.error} />
        {on && (
          <>
            <div className={css.find}>
              <Tabs label="Framework" tabs={all.map((f) => ({ id: f.id, label: visible(f.title) }))} on={on.id} onPick={(x) => set({ framework: x, picked: undefined })} />
              <Button size="compact-sm" disabled={assess.isPending} onClick={() => assess.mutate(on.id)}>Assess the last 30 days</Button>
              {id && <Button size="compact-sm" variant="default" disabled={pack.isPending} onClick={() => pack.mutate(id)}>Evidence pack</Button>}
              <Pick
                inline
                label="By itself"
                options={[...new Set([0, 7, 30, 90, 365, on.every_days])].sort((x, y) => x - y).map((d) => ({ value: String(d), label: d === 0 ? 'never' : `every ${plural(d, 'day')}` }))}
                value={String(on.every_days)}
                onPick={(d) => plan.mutate({ id: on.id, days: Number(d) })}
              />
              {on.next && <span className="muted">next <Time at={on.next} /></span>}
            </div>
            <p className="muted">{visible(on.about)}</p>
            <Beside label="The control" side={one && <One c={one} onClose={() => set({ picked: undefined })} />}>
              <Panel>
                <KeyTable label="Controls" columns={(one && !wide) || !roomy ? narrow : columns} rows={a?.controls ?? []} rowKey={(c) => c.id} active={picked} onActive={(c) => picked && set({ picked: c.id })} onOpen={(c) => set({ picked: c.id })} height="min(520px, 60dvh)" autoFocus empty={!last.isLoading && <Empty title="Nothing was asked yet.">Assess it: each control&apos;s questions are put to the records of the last 30 days.</Empty>} />
              </Panel>
            </Beside>
          </>
        )}
      </PageBody>
    </>
  );
}

/** One is a control with its evidence; records open in the search. */
function One({ c, onClose }: { c: ComplianceControl; onClose: () => void }) {
  return (
    <Panel title={visible(c.title)} note={visible(c.article)} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <p className={css.lead}><Badge tone={toneOf(c.result)}>{c.result}</Badge> {visible(c.about)}</p>
      <ul className={css.causes}>
        {c.evidence.map((e) => (
          <li key={e.id}>
            <Badge tone={toneOf(e.result)}>{e.result}</Badge> {visible(e.title)}
            <span className={css.path}>{visible(e.asks)}: {visible(e.text)}{e.table === 'runs' && <> <Link className="link" to={'/runs' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), q: e.search })) as never}>its runs</Link></>}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
