import { Button, TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import '../theme/forms';
import { useMay } from '../api/queries';
import type { Source } from '../api/types';
import { Badge, Beside, type Column, compact, count, Empty, Icon, KeyTable, Mark, PageBody, PageHeader, Panel, plural, ProblemNote, Tabs, Time, Unknown, useShortcuts, useWide } from '../shared';
import { useView } from '../state/url';
import { matches, states, useSources } from './data';
import css from './sources.module.css';
import { Ways } from './Ways';

const SourcePanel = lazy(() => import('./SourcePanel').then((m) => ({ default: m.SourcePanel })));
const Ready = lazy(() => import('./Ready').then((m) => ({ default: m.Ready })));
const SourceDialog = lazy(() => import('./SourcePanel').then((m) => ({ default: m.SourceDialog })));

const columns: Column<Source>[] = [
  { id: 'state', head: 'State', width: '118px', cell: (s) => <Mark {...(states[s.state] ?? states.unknown!)} words /> },
  { id: 'name', head: 'Source', width: 'minmax(170px, 1.5fr)', cell: (s) => <span title={s.name}>{s.name}</span> },
  { id: 'kind', head: 'Kind', width: '72px', cell: (s) => s.kind },
  { id: 'why', head: 'Why', width: 'minmax(150px, 1.6fr)', cell: (s) => <span className="soft" title={s.reason}>{s.reason}</span> },
  { id: 'version', head: 'Version', width: 'minmax(80px, .7fr)', cell: (s) => (s.version ? <span title={s.version.version}>{s.version.version}</span> : <Unknown why="No version of it was seen." />) },
  { id: 'age', head: 'Made', width: '94px', align: 'right', cell: (s) => <Time at={s.version?.at} /> },
  { id: 'documents', head: 'Docs', width: '60px', align: 'right', cell: (s) => compact(s.documents) },
  { id: 'checks', head: 'Checks', width: '84px', align: 'right', cell: (s) => (s.checks === 0 ? <span className="muted">none</span> : s.failing_checks > 0 ? <Badge tone="bad">{`${count(s.failing_checks)} of ${count(s.checks)} fail`}</Badge> : `${count(s.checks)} pass`) },
  { id: 'team', head: 'Team', width: 'minmax(70px, .6fr)', cell: (s) => s.team || <span className="muted">the house</span> },
  { id: 'owner', head: 'Owner', width: 'minmax(70px, .6fr)', cell: (s) => s.owner || <Badge tone="warn">nobody</Badge> },
];
const narrow = columns.filter((c) => ['state', 'name', 'age', 'checks'].includes(c.id));

/** SourcesPage: what agents read, and whether it is fresh. */
export function SourcesPage() {
  const view = useView();
  const navigate = useNavigate();
  const { q = '', state = '', source } = useSearch({ strict: false }) as { q?: string; state?: string; source?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const sources = useSources();
  const may = useMay('PutSource');
  const wide = useWide(1700);
  const find = useRef<HTMLInputElement>(null);
  const [adding, setAdding] = useState(false);
  const all = (sources.data ?? []).filter((s) => !view.team || !s.team || s.team === view.team);
  const found = all.filter((s) => matches(s, q.trim()));
  const rows = found.filter((s) => !state || s.state === state);
  const of = (k: string) => all.filter((s) => s.state === k).length;
  const unowned = all.filter((s) => !s.owner).length;
  const chosen = sources.data?.find((s) => s.name === source);
  useShortcuts('Sources', [
    { keys: 'f', label: 'Find a source', run: () => find.current?.focus() },
    { keys: 'x', label: 'The worst', run: () => rows[0] && set({ source: rows[0].name }) },
    ...(may ? [{ keys: 'n', label: 'Register a source', run: () => setAdding(true) }] : []),
  ]);
  return (
    <>
      <PageHeader
        title="Sources"
        question="Is what they read fresh?"
        answer={
          sources.isSuccess &&
          (all.length === 0 ? (
            'Nobody has told Reeve of a source: what agents read has an unknown age.'
          ) : (
            <>
              {plural(all.length, 'source')}: {of('stale') === 0 ? 'none is too old' : <strong>{count(of('stale'))} too old</strong>}, {count(of('warn'))} nearly, {count(of('fresh'))} fresh, {count(of('unknown'))} unknown.{unowned > 0 && ` ${plural(unowned, 'source')} ${unowned === 1 ? 'has' : 'have'} no owner.`}
            </>
          ))
        }
        actions={
          may && (
            <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
              Register a source
            </Button>
          )
        }
      />
      <PageBody>
        <ProblemNote error={sources.error} retry={() => void sources.refetch()} />
        {sources.isSuccess && all.length === 0 ? (
          <Panel title="No source is known. Three ways to tell Reeve of one" padded>
            <Ways />
          </Panel>
        ) : (
          <>
            <div className={css.find}>
              <Tabs label="State" tabs={[{ id: '', label: 'All', n: found.length }, ...Object.entries(states).map(([id, s]) => ({ id, label: s.label, n: found.filter((x) => x.state === id).length }))]} on={state} onPick={(id) => set({ state: id || undefined })} />
              <TextInput ref={find} type="search" aria-label="Find a source" placeholder="Name, alias, team, owner" value={q} onChange={(e) => set({ q: e.currentTarget.value || undefined })} />
            </div>
            <Beside
              label="The source"
              side={
                chosen && (
                  <Suspense fallback={null}>
                    <SourcePanel key={chosen.name} source={chosen} onClose={() => set({ source: undefined })} />
                  </Suspense>
                )
              }
            >
              <Panel>
                <KeyTable
                  label="Sources"
                  columns={chosen && !wide ? narrow : columns}
                  rows={rows}
                  rowKey={(s) => s.name}
                  active={source}
                  onActive={(s) => chosen && set({ source: s.name })}
                  onOpen={(s) => set({ source: s.name })}
                  height="calc(55dvh - 60px)"
                  autoFocus
                  empty={sources.isSuccess && <Empty title="No source is like that.">Take words or the state away.</Empty>}
                />
              </Panel>
            </Beside>
            <Suspense fallback={null}>
              <Ready view={view} onPick={(name) => set({ source: name })} />
            </Suspense>
            <details className={css.more}>
              <summary>Three ways to tell Reeve of a source</summary>
              <Ways />
            </details>
          </>
        )}
      </PageBody>
      {adding && (
        <Suspense fallback={null}>
          <SourceDialog onClose={() => setAdding(false)} onDone={(name) => set({ source: name, q: undefined, state: undefined })} />
        </Suspense>
      )}
    </>
  );
}
