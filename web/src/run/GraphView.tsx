import dagre from '@dagrejs/dagre';
import {
  Background,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useEffect, useMemo, useState } from 'react';
import { buildGraph, type GraphEdge, type GraphMode, type GraphNode, repeats } from './graph';
import { lookOf } from './kinds';
import css from './graph.module.css';
import page from './run.module.css';
import { formatDuration } from './scale';
import { Said } from './Text';
import type { Tree } from './tree';
import { formatMoney, num } from './verdict';
import { plain } from './visible';

export interface GraphViewProps {
  tree: Tree;
  selected: number;
  mode: GraphMode;
  onMode: (m: GraphMode) => void;
  onSelect: (i: number) => void;
}

type Data = { node: GraphNode; on: boolean; down: boolean };

/** GraphView draws what was observed: who called what, or what followed what. */
export default function GraphView(p: GraphViewProps) {
  return (
    <ReactFlowProvider>
      <Inner {...p} />
    </ReactFlowProvider>
  );
}

function Inner({ tree, selected, mode, onMode, onSelect }: GraphViewProps) {
  const graph = useMemo(() => buildGraph(tree, mode), [tree, mode]);
  const again = useMemo(() => repeats(tree).slice(0, 5), [tree]);
  const placed = useMemo(() => place(graph.nodes, graph.edges), [graph]);
  const [focus, setFocus] = useState<string | null>(null);
  const chosen = useMemo(() => (selected < 0 ? null : (graph.nodes.find((n) => n.steps.includes(selected))?.id ?? null)), [graph, selected]);
  const flow = useReactFlow();
  const shape = graph.nodes.length * 1000 + graph.edges.length;
  useEffect(() => {
    void flow.fitView({ padding: 0.12, maxZoom: 1.15, duration: 0 });
  }, [flow, shape, mode]);

  const nodes: Node<Data>[] = useMemo(
    () =>
      graph.nodes.map((n) => ({
        id: n.id,
        type: 'participant',
        position: placed.at.get(n.id)!,
        data: { node: n, on: n.id === chosen, down: placed.down },
        draggable: true,
        ariaLabel: `${n.kind} ${plain(n.name, 60)}, ${n.count} times, ${n.errors} failed`,
      })),
    [graph, placed, chosen],
  );
  const edges: Edge[] = useMemo(
    () =>
      graph.edges.map((e) => {
        const tone = e.errors > 0 ? 'var(--r-bad)' : e.loops > 0 && mode === 'order' ? 'var(--r-warn)' : 'var(--r-line-input)';
        const words = [`${num(e.count)}×`, e.errors ? `${num(e.errors)} failed` : '', e.loops && mode === 'order' ? `${num(e.loops)} back` : '']
          .filter(Boolean)
          .join(' · ');
        return {
          id: e.id,
          source: e.from,
          target: e.to,
          label: words,
          type: e.from === e.to ? 'default' : 'smoothstep',
          markerEnd: { type: MarkerType.ArrowClosed, color: tone, width: 16, height: 16 },
          style: { stroke: tone, strokeWidth: Math.min(5, 1 + Math.log2(e.count)), strokeDasharray: e.loops && mode === 'order' ? '5 3' : undefined },
          labelStyle: { fill: e.errors > 0 ? 'var(--r-bad-text)' : 'var(--r-text-2)', fontSize: 11 },
          labelBgStyle: { fill: 'var(--r-surface)' },
          labelBgPadding: [4, 2] as [number, number],
          data: { steps: e.steps },
        };
      }),
    [graph, mode],
  );
  const open = graph.nodes.find((n) => n.id === (focus ?? chosen));
  if (graph.nodes.length === 0) return <p className={page.empty}>No agent, model or tool was seen in this run yet.</p>;
  return (
    <div className={css.graph} data-testid="graph">
      <div className={css.graphbar}>
        <div className={page.seg} role="group" aria-label="What the edges mean">
          <button type="button" aria-pressed={mode === 'calls'} onClick={() => onMode('calls')}>
            Who called what
          </button>
          <button type="button" aria-pressed={mode === 'order'} onClick={() => onMode('order')}>
            What came next
          </button>
        </div>
        {again.length > 0 && (
          <span className={page.quiet}>
            Round and round:{' '}
            {again.map((r, k) => (
              <span key={k}>
                {k > 0 && ', '}
                <button type="button" className={page.link} onClick={() => onSelect(r.steps.at(-1)!)}>
                  <Said text={r.name} /> {r.count}×
                </button>
                {r.sameArguments ? ' with the same arguments' : ' in a row'}
              </span>
            ))}
          </span>
        )}
      </div>
      <div className={css.canvas}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={TYPES}
          minZoom={0.1}
          nodesConnectable={false}
          nodesFocusable
          edgesFocusable={false}
          proOptions={{ hideAttribution: true }}
          onNodeClick={(_, n) => setFocus(n.id)}
          onNodeDoubleClick={(_, n) => onSelect((n.data as Data).node.steps[0] ?? -1)}
          onPaneClick={() => setFocus(null)}
          fitView
        >
          <Background gap={24} size={1} color="var(--r-line)" />
        </ReactFlow>
      </div>
      {open && open.steps.length > 0 && (
        <div className={css.graphfoot}>
          <b>
            <Said text={open.name} />
          </b>{' '}
          {num(open.count)}× · {formatDuration(open.ms)} together{open.cost !== null ? ` · ${formatMoney(open.cost)}` : ''}
          {open.errors > 0 && <span className={css.bad}> · {num(open.errors)} failed</span>}
          <span className={css.steplinks}>
            {open.steps.slice(0, 12).map((i, k) => (
              <button
                key={i}
                type="button"
                className={tree.steps[i]!.status === 'error' ? css.linkBad : page.link}
                onClick={() => onSelect(i)}
                title={formatDuration(tree.end[i]! - tree.start[i]!)}
              >
                {k + 1}
              </button>
            ))}
            {open.steps.length > 12 && <span className={page.quiet}>and {num(open.steps.length - 12)} more</span>}
          </span>
        </div>
      )}
    </div>
  );
}

const WIDTH = 178;
const HEIGHT = 50;

/** place lays the graph out from left to right, or from top to bottom where that leaves it larger in the pane. */
function place(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): { at: Map<string, { x: number; y: number }>; down: boolean } {
  const across = layout(nodes, edges, 'LR');
  const down = layout(nodes, edges, 'TB');
  const zoom = (l: typeof across) => Math.min(1, 620 / l.width, 480 / l.height);
  return zoom(down) > zoom(across) * 1.15 ? { at: down.at, down: true } : { at: across.at, down: false };
}

function layout(nodes: readonly GraphNode[], edges: readonly GraphEdge[], rankdir: 'LR' | 'TB') {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir, nodesep: rankdir === 'LR' ? 22 : 40, ranksep: rankdir === 'LR' ? 90 : 46, marginx: 12, marginy: 12 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const n of nodes) g.setNode(n.id, { width: WIDTH, height: HEIGHT });
  for (const e of edges) if (e.from !== e.to) g.setEdge(e.from, e.to);
  dagre.layout(g);
  const out = new Map<string, { x: number; y: number }>();
  for (const n of nodes) {
    const at = g.node(n.id) as { x: number; y: number } | undefined;
    out.set(n.id, { x: (at?.x ?? 0) - WIDTH / 2, y: (at?.y ?? 0) - HEIGHT / 2 });
  }
  const size = g.graph() as { width?: number; height?: number };
  return { at: out, width: size.width || 1, height: size.height || 1 };
}

function Participant({ data }: NodeProps<Node<Data>>) {
  const n = data.node;
  const l = lookOf(n.kind === 'run' ? 'workflow' : n.kind);
  return (
    <div
      className={`${css.gnode} ${data.on ? css.gnodeOn : ''} ${n.errors > 0 ? css.gnodeBad : ''}`}
      style={{ '--kind': `var(${l.color})`, width: WIDTH, height: HEIGHT } as React.CSSProperties}
    >
      <Handle type="target" position={data.down ? Position.Top : Position.Left} className={css.handle} isConnectable={false} />
      <div className={css.gname}>
        <span className={page.kind} aria-hidden>
          {n.kind === 'run' ? '▸' : l.letter}
        </span>
        <span className={page.label} title={plain(n.name, 200)}>
          <Said text={n.name} />
        </span>
      </div>
      {n.count > 0 && (
        <div className={css.gmeta}>
          {num(n.count)}× · {formatDuration(n.ms / n.count)} each{n.errors > 0 && <span className={css.bad}> · {num(n.errors)} failed</span>}
        </div>
      )}
      <Handle type="source" position={data.down ? Position.Bottom : Position.Right} className={css.handle} isConnectable={false} />
    </div>
  );
}

const TYPES = { participant: Participant };
