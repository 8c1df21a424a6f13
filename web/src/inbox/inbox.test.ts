import { describe, expect, it } from 'vitest';
import { kinds, soonest, type Item } from './InboxPage';

const item = (kind: Item['kind'], id: string, until?: number) => ({ kind, id, until }) as unknown as Item;

describe('the inbox', () => {
  it('orders by deadline over all groups, then by group', () => {
    const all = [item('agent', 'g1'), item('tool', 't1'), item('action', 'late', 900), item('approval', 'now', 100), item('incident', 'paging', 300), item('incident', 'quiet'), item('braked', 'x', 300), item('agent', 'g2')];
    expect(soonest(all).map((i) => i.id)).toEqual(['now', 'paging', 'x', 'late', 'quiet', 't1', 'g1', 'g2']);
  });
  it('leaves the list that it is given alone, and takes an empty one', () => {
    const all = [item('agent', 'a'), item('approval', 'b', 1)];
    soonest(all);
    expect(all.map((i) => i.id)).toEqual(['a', 'b']);
    expect(soonest([])).toEqual([]);
  });
  it('has a word for one and for more of each kind', () => {
    expect(new Set(kinds.map((k) => k.id)).size).toBe(kinds.length);
    for (const k of kinds) expect(k.one).not.toBe(k.more ?? `${k.one}s`);
  });
});
