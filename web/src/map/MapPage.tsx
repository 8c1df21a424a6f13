import { TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import '../theme/forms';
import type { MapEdge, MapNode } from '../api/types';
import { Said } from '../run/Text';
import { Beside, type Column, compact, count, Duration, Empty, KeyTable, Mark, PageBody, PageHeader, Panel, ProblemNote, Tabs, Time, Unknown, useShortcuts, useWide } from '../shared';
import type { Level } from '../shared/Marks';
import { BlastPanel } from './BlastPanel';
import { kindWords, markOf, matches, useBlast, useMap } from './data';
import { Graph } from './Graph';
import css from './map.module.css';

type Row = MapNode & { needs: number; needed: number };

const nodeColumns: Column<Row>[] = [
  { id: 'state', head: 'Trouble', width: '132px', cell: (n) => <Mark {...markOf(n)} words /> },
  { id: 'kind', head: 'Kind', width: '76px', cell: (n) => kindWords[n.kind] ?? n.kind },
  { id: 'name', head: 'Name', width: 'minmax(150px, 1.6fr)', cell: (n) => <span title={n.name}><Said text={n.name} /></span> },
  { id: 'within', head: 'Of', width: 'minmax(70px, .8fr)', cell: (n) => n.within || n.team || '' },
  { id: 'needs', head: 'Needs', width: '58px', align: 'right', cell: (n) => count(n.needs) },
  { id: 'needed', head: 'Needed by', width: '80px', align: 'right', cell: (n) => count(n.needed) },
  { id: 'calls', head: 'Calls', width: '70px', align: 'right', cell: (n) => compact(n.kind === 'agent' ? n.runs : n.calls) ?? <Unknown why="Nobody counted them." /> },
  { id: 'errors', head: 'Failed', width: '64px', align: 'right', cell: (n) => compact(n.kind === 'agent' ? n.failed : n.errors) ?? <Unknown why="Nobody counted them." /> },
  { id: 'p95', head: 'p95', width: '74px', align: 'right', cell: (n) => (n.kind === 'agent' ? '' : <Duration ms={n.p95_ms} />) },
];
const narrowNodes = nodeColumns.filter((c) => ['state', 'name', 'needed'].includes(c.id));

const edgeColumns: Column<MapEdge>[] = [
  { id: 'state', head: 'Errors', width: '110px', cell: (e) => <Mark {...edgeMark(e)} words /> },
  { id: 'from', head: 'Depends', width: 'minmax(140px, 1fr)', cell: (e) => <span title={e.from}><Said text={short(e.from)} /></span> },
  { id: 'to', head: 'On', width: 'minmax(140px, 1fr)', cell: (e) => <span title={e.to}><Said text={short(e.to)} /></span> },
  { id: 'count', head: 'Count', width: '80px', align: 'right', cell: (e) => (e.count === null ? <Unknown why="Seen, and counted with the agent whose run it was." /> : `${compact(e.count)}${e.by_day ? ' / days' : ''}`) },
  { id: 'errors', head: 'Failed', width: '70px', align: 'right', cell: (e) => compact(e.errors) ?? <Unknown why="Nobody counted them." /> },
  { id: 'p95', head: 'p95', width: '80px', align: 'right', cell: (e) => <Duration ms={e.p95_ms} /> },
  { id: 'last', head: 'Last seen', width: '86px', align: 'right', cell: (e) => <Time at={e.last_seen} /> },
];
const narrowEdges = edgeColumns.filter((c) => ['from', 'to', 'count'].includes(c.id));

const short = (id: string) => id.replace(':', ' ');

function edgeMark(e: MapEdge): { level: Level; letter: string; label: string } {
  if (e.state === 'bad') return { level: 'bad', letter: 'E', label: 'many fail' };
  if (e.state === 'warn') return { level: 'warn', letter: 'E', label: 'some fail' };
  if (e.state === 'good') return { level: 'good', letter: '✓', label: 'in order' };
  return { level: 'unknown', letter: '?', label: 'unknown' };
}

/** MapPage: who depends on what, and what a node would take down. */
export function MapPage() {
  const navigate = useNavigate();
  const { q = '', node, show } = useSearch({ strict: false }) as { q?: string; node?: string; show?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const wide = useWide(1000);
  const view = show ?? (wide ? 'map' : 'nodes');
  const answer = useMap();
  const blast = useBlast(node);
  const find = useRef<HTMLInputElement>(null);
  const m = answer.data;
  const rows = useMemo<Row[]>(() => {
    const needs = new Map<string, number>();
    const needed = new Map<string, number>();
    for (const e of m?.edges ?? []) {
      needs.set(e.from, (needs.get(e.from) ?? 0) + 1);
      needed.set(e.to, (needed.get(e.to) ?? 0) + 1);
    }
    const level = { bad: 0, warn: 1, good: 2 } as Record<string, number>;
    return (m?.nodes ?? []).map((n) => ({ ...n, needs: needs.get(n.id) ?? 0, needed: needed.get(n.id) ?? 0 })).sort((a, b) => (level[a.state] ?? 2) - (level[b.state] ?? 2) || b.needed - a.needed || a.name.localeCompare(b.name));
  }, [m]);
  const words = q.trim();
  const found = useMemo(() => rows.filter((n) => matches(n, words)), [rows, words]);
  const ids = useMemo(() => new Set(found.map((n) => n.id)), [found]);
  const reach = useMemo(() => (blast.data?.node.id === node && blast.data ? new Set([...blast.data.dependents, ...blast.data.dependencies].map((h) => h.id)) : undefined), [blast.data, node]);
  const chosen = rows.find((n) => n.id === node);
  useShortcuts('Map', [
    { keys: 'f', label: 'Find on the map', run: () => find.current?.focus() },
    { keys: 'x', label: 'The worst', run: () => found[0] && set({ node: found[0].id }) },
    { keys: 't', label: view === 'map' ? 'The same as a table' : 'Draw it', run: () => set({ show: view === 'map' ? 'nodes' : 'map' }) },
    { keys: 'escape', label: 'Let go of what is picked', run: () => set({ node: undefined }) },
  ]);
  return (
    <>
      <PageHeader title="Map" question="Who depends on what?" answer={m?.text} />
      <PageBody>
        <ProblemNote error={answer.error} retry={() => void answer.refetch()} />
        {m && m.nodes.length === 0 ? (
          <Panel padded>
            <Empty title="Nothing was seen at work in this period.">The map draws itself from telemetry and from what passes the door. A longer period may hold something; an agent that is connected appears within a minute.</Empty>
          </Panel>
        ) : (
          <>
            <div className={css.find}>
              <Tabs
                tabs={[
                  { id: 'map', label: 'Map' },
                  { id: 'nodes', label: 'Nodes', n: m?.nodes.length },
                  { id: 'edges', label: 'Edges', n: m?.edges.length },
                ]}
                on={view}
                onPick={(id) => set({ show: id })}
              />
              <TextInput
                ref={find}
                type="search"
                aria-label="Find on the map"
                placeholder="Name, kind, team, trouble"
                value={q}
                onChange={(e) => set({ q: e.currentTarget.value || undefined })}
                onKeyDown={(e) => e.key === 'Enter' && found[0] && set({ node: found[0].id })}
              />
              {words && <span className="muted">{count(found.length)} found</span>}
            </div>
            <Beside label="What was picked" side={node && <BlastPanel key={node} id={node} node={chosen} onPick={(id) => set({ node: id })} onClose={() => set({ node: undefined })} />}>
              <Panel>
                {view === 'map' && m && <Graph nodes={m.nodes} edges={m.edges} picked={chosen && node} reach={reach} found={(n) => !words || ids.has(n.id)} onPick={(id) => set({ node: id })} />}
                {view === 'nodes' && (
                  <KeyTable label="Nodes" columns={node || !wide ? narrowNodes : nodeColumns} rows={found} rowKey={(n) => n.id} active={node} onOpen={(n) => set({ node: n.id })} height="calc(100dvh - 230px)" autoFocus empty={answer.isSuccess && <Empty title="No node is like that.">Take words away.</Empty>} />
                )}
                {view === 'edges' && (
                  <KeyTable label="Edges" columns={node || !wide ? narrowEdges : edgeColumns} rows={(m?.edges ?? []).filter((e) => !words || ids.has(e.from) || ids.has(e.to))} rowKey={(e) => `${e.from}\t${e.to}`} onOpen={(e) => set({ node: e.to })} height="calc(100dvh - 230px)" empty={answer.isSuccess && <Empty title="No edge is like that.">Take words away.</Empty>} />
                )}
              </Panel>
            </Beside>
            {view === 'map' && <Legend />}
          </>
        )}
      </PageBody>
    </>
  );
}

function Legend() {
  return (
    <p className={css.legend}>
      Letters: agent, tool, model, source (R), server, provider. Trouble: stopped (S), incident (I), errors (E), finding (F), held (H), stale (A), down (D). A broken line was seen and not counted. Arrow keys walk, Enter picks.
    </p>
  );
}
