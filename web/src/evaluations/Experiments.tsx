import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Experiment, List } from '../api/types';
import { share } from '../feedback/data';
import { Badge, type Column, Empty, KeyTable, Panel, pickView, plural, ProblemNote, Tabs, Time, useShortcuts, useWide } from '../shared';
import { visible } from '../tools/data';
import { casesText, moves, underway } from './cases';
import { StartExperiment } from './StartExperiment';

export const stateTone = (x: Pick<Experiment, 'state'>) => (x.state === 'done' ? undefined : x.state === 'failed' ? 'bad' : x.state === 'stopped' ? 'warn' : 'info');

const columns: Column<Experiment>[] = [
  { id: 'at', head: 'When', width: '94px', cell: (x) => <Time at={x.at} /> },
  { id: 'agent', head: 'Agent', width: 'minmax(100px, 1fr)', cell: (x) => <>{x.agent} <span className="muted">{visible(x.agent_version ?? '')}</span></> },
  { id: 'cases', head: 'Cases', width: 'minmax(110px, 1fr)', cell: (x) => visible(casesText(x)) },
  { id: 'state', head: 'State', width: 'minmax(110px, .7fr)', cell: (x) => <><Badge tone={stateTone(x)}>{x.state}</Badge>{underway(x) && ` ${x.ran} of ${x.tasks}`}</> },
  { id: 'passed', head: 'Passed', width: 'minmax(150px, 1fr)', cell: (x) => (x.kind === 'drill' ? <span title={x.says}>{share(x.passed)}, with the upstream and without</span> : x.pairs ? `p ${x.pairs.p.toFixed(3)} of ${plural(x.pairs.pairs, 'pair')}` : share(x.passed)) },
  { id: 'change', head: 'Beside its baseline', width: 'minmax(130px, .9fr)', cell: (x) => moves(x.against?.change) ?? <span className="muted">none</span> },
  { id: 'by', head: 'By', width: 'minmax(70px, .5fr)', cell: (x) => visible(x.by ?? '') },
];
const narrow = columns.filter((c) => ['agent', 'state'].includes(c.id));

const kinds = [
  { id: '', label: 'All' },
  { id: 'golden', label: 'Data sets' },
  { id: 'bias', label: 'Bias' },
  { id: 'proof', label: 'Other models' },
  { id: 'drill', label: 'Failovers' },
  { id: 'audit', label: 'Audits' },
];

/** Experiments lists what agents were run on as tests; a row opens. */
export function Experiments({ kind = '', set }: { kind?: string | undefined; set: (more: object) => void }) {
  const navigate = useNavigate();
  const roomy = useWide(700);
  const may = useMay('StartExperiment');
  const [starting, setStarting] = useState(false);
  const list = useQuery({
    queryKey: ['evaluation', 'experiments', kind],
    queryFn: ({ signal }) => api.get<List<Experiment>>('/experiments', { kind, limit: 200 }, signal),
    retry: false,
    refetchInterval: (q) => (q.state.data?.items.some(underway) ? 2000 : 10_000),
  });
  const rows = list.data?.items ?? [];
  const open = (id: string) => void navigate({ to: '/evaluations/experiments/$id' as never, params: { id } as never, search: pickView as never });
  useShortcuts('Experiments', may ? [{ keys: 'n', label: 'Start an experiment', run: () => setStarting(true) }] : []);
  const start = may && <Button size="compact-xs" onClick={() => setStarting(true)}>Start an experiment</Button>;
  return (
    <>
      <ProblemNote error={list.error} retry={() => void list.refetch()} />
      <Tabs label="Kind" tabs={kinds} on={kind} onPick={(id) => set({ kind: id || undefined })} />
      <Panel title="Experiments" note="agents run on cases, as tests" actions={start}>
        <KeyTable
          label="Experiments"
          columns={roomy ? columns : narrow}
          rows={rows}
          rowKey={(x) => x.id}
          onOpen={(x) => open(x.id)}
          height="min(560px, 60dvh)"
          autoFocus
          empty={list.isSuccess && <Empty title={kind ? 'None of this kind was run.' : 'No agent was tried on cases yet.'} actions={start}>Cases of a data set are put to an agent as tests: their runs count nowhere, and its tools are answered from recordings. It shows whether a change helps before users meet it.</Empty>}
        />
      </Panel>
      {starting && <StartExperiment onClose={() => setStarting(false)} />}
    </>
  );
}
