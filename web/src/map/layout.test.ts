import { describe, expect, it } from 'vitest';
import type { MapEdge, MapNode } from '../api/types';
import { boxes, columnsOf, groupOf, HEIGHT, links, place, readable, step, worse } from './layout';

const node = (id: string, more: Partial<MapNode> = {}): MapNode => {
  const [kind, name] = id.split(':') as [string, string];
  return { id, kind, name, state: 'good', trouble: [], registered: null, seen: null, runs: null, failed: null, calls: null, errors: null, p95_ms: null, query: '', path: '', ...more };
};
const edge = (from: string, to: string, count: number | null = 1, state = 'good'): MapEdge => ({ from, to, count, by_day: false, errors: count === null ? null : 0, p95_ms: count === null ? null : count * 10, state, first_seen: '', last_seen: '' });

const nodes = ['agent:a', 'agent:b', 'agent:c', 'tool:t', 'model:m', 'server:s', 'provider:p'].map((id) => node(id));
const edges = [edge('agent:a', 'agent:b'), edge('agent:b', 'agent:c'), edge('agent:c', 'tool:t'), edge('agent:a', 'model:m'), edge('tool:t', 'server:s'), edge('model:m', 'provider:p')];

describe('the map', () => {
  it('puts agents by delegation, then what they call, then what that stands on', () => {
    const list = boxes(nodes, new Set());
    const c = columnsOf(list, links(list, edges));
    expect(Object.fromEntries(c)).toEqual({ 'agent:a': 0, 'agent:b': 1, 'agent:c': 2, 'tool:t': 3, 'model:m': 3, 'server:s': 4, 'provider:p': 4 });
  });

  it('ends in a circle of agents', () => {
    const list = boxes([node('agent:a'), node('agent:b')], new Set());
    const c = columnsOf(list, links(list, [edge('agent:a', 'agent:b'), edge('agent:b', 'agent:a')]));
    expect([...c.values()].every((v) => v >= 0 && v < 3)).toBe(true);
  });

  it('draws the same answer the same way, in whatever order it comes, and no box on another', () => {
    const many = Array.from({ length: 50 }, (_, i) => node(`tool:t${i}`));
    const all = [...nodes, ...many.slice(0, 40)];
    const lines = [...edges, ...many.slice(0, 40).map((n, i) => edge(`agent:${'abc'[i % 3]}`, n.id))];
    const draw = (n: MapNode[], e: MapEdge[]) => {
      const list = boxes(n, new Set());
      return place(list, links(list, e)).at;
    };
    const one = draw(all, lines);
    const two = draw([...all].reverse(), [...lines].reverse());
    for (const [id, at] of one) expect(two.get(id)).toEqual(at);
    const spots = [...one.values()];
    for (const a of spots) for (const b of spots) if (a !== b && a.column === b.column) expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(HEIGHT);
  });

  it('makes groups one box beyond what is readable, opens them on demand, and keeps their worst trouble', () => {
    const all = Array.from({ length: readable + 5 }, (_, i) => node(`agent:a${i}`, { team: i % 2 ? 'x' : 'y' }));
    const list = boxes(all, new Set());
    expect(list.map((b) => b.name).sort()).toEqual(['x: 32 agents', 'y: 33 agents']);
    const open = boxes(all, new Set([groupOf(all[0]!)]));
    expect(open.length).toBe(34);
    expect(boxes(all.slice(0, readable), new Set()).length).toBe(readable);
    const l = links([...list, ...boxes([node('tool:t')], new Set())], [edge('agent:a0', 'tool:t', 3), edge('agent:a2', 'tool:t', null, 'unknown'), edge('agent:a4', 'tool:t', 5, 'bad'), edge('agent:a0', 'agent:a2')]);
    expect(l).toEqual([{ from: 'agent group y', to: 'tool:t', count: 8, errors: 0, p95: 50, state: 'bad', edges: 3 }]);
  });

  it('walks along edges by arrow keys', () => {
    const list = boxes(nodes, new Set());
    const all = links(list, edges);
    const p = place(list, all);
    expect(step(p, all, 'agent:a', 'right')).toBe('agent:b');
    expect(step(p, all, 'server:s', 'left')).toBe('tool:t');
    expect(step(p, all, 'tool:t', 'down')).toBe('model:m');
    expect(step(p, all, 'agent:a', 'left')).toBe('agent:a');
    expect(step(p, all, 'gone', 'right')).toBe('agent:a');
  });

  it('holds what nobody measured for no trouble', () => {
    expect(worse('unknown', 'good')).toBe('unknown');
    expect(worse('warn', 'bad')).toBe('bad');
    expect(worse('bad', 'unknown')).toBe('bad');
  });
});
