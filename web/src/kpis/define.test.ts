import { describe, expect, it } from 'vitest';
import type { KPIVersion } from '../api/types';
import { bodyOf, changed, draftOf, fresh, markOf, placeOf, ready, shapeOf } from './define';

describe('a KPI of one’s own', () => {
  it('sends exactly one shape, with the fields of that one', () => {
    const d = { ...fresh, id: 'handed_over', words: { ...fresh.words, of: ' outcome:escalated ', field: 'cost' } };
    expect(shapeOf(d)).toEqual({ share: { table: 'runs', of: 'outcome:escalated', among: 'status:done,stale', base: '' } });
    expect(shapeOf({ ...d, shape: 'mean' })).toEqual({ mean: { table: 'runs', field: 'cost', among: 'status:done,stale' } });
    expect(shapeOf({ ...d, shape: 'repeat' })).toEqual({ repeat: { what: 'pass', k: 4, among: 'status:done,stale' } });
    expect(shapeOf({ ...d, shape: 'repeat', words: { ...d.words, what: 'path' } })).toEqual({ repeat: { what: 'path', among: 'status:done,stale' } });
    expect(shapeOf({ ...d, shape: 'quantile', words: { field: 'cost', at: 'half' } })).toEqual({ quantile: { table: 'runs', field: 'cost', at: -1, among: '' } });
  });
  it('comes back into the form as it was', () => {
    const k = { id: 'slow', title: 'Slow', about: 'x', unit: 'ms', direction: 'down', owner: 'ops', team: 'support' };
    const shape = { quantile: { table: 'steps', field: 'duration_ms', at: 0.9, among: 'kind:tool' } };
    const d = draftOf(k, shape);
    expect(d).toMatchObject({ shape: 'quantile', table: 'steps', team: 'support' });
    expect(bodyOf(d)).toEqual({ title: 'Slow', about: 'x', unit: 'ms', direction: 'down', owner: 'ops', team: 'support', ...shape });
  });
  it('is tried only when there is enough of it', () => {
    expect(ready(fresh)).toBe(false);
    expect(ready({ ...fresh, words: { of: 'outcome:failed' } })).toBe(true);
    expect(ready({ ...fresh, shape: 'ratio', words: { field: 'cost' } })).toBe(false);
    expect(ready({ ...fresh, shape: 'ratio', words: { field: 'cost', per: 'outcome:resolved' } })).toBe(true);
    expect(ready({ ...fresh, shape: 'count' })).toBe(true);
  });
});

describe('a refusal', () => {
  it('stands at its field', () => {
    for (const [message, place] of [
      ['of: there is no field "nosuch" at 1, expected a field', 'of'],
      ['among looks for a phrase in content', 'among'],
      ['per: unexpected ) at 4', 'per'],
      ['a quantile is of a field, at more than 0 and less than 1', 'at'],
      ['an id begins with a letter and has a-z, 0-9 and _, at most 63', 'id'],
      ['runs is defined in the catalogue', 'id'],
      ['title, about and owner are one line each', 'title'],
      ['a share has the unit share', 'unit'],
      ['of all things it is late', ''],
      ['x is at version 3', ''],
    ] as const)
      expect(placeOf(message)).toBe(place);
  });
  it('marks where the search stops being one, also behind letters of two bytes', () => {
    expect(markOf('task:x foo:1', 'of: there is no field "foo" at 8, expected a field')).toEqual({ before: 'task:x ', at: 'foo:1' });
    expect(markOf('task:ü )', 'of: unexpected ) at 9')).toEqual({ before: 'task:ü ', at: ')' });
    expect(markOf('$known foo:1', 'of: no field at 8')).toBeUndefined();
    expect(markOf('x', 'it is late')).toBeUndefined();
  });
});

describe('versions', () => {
  const v = (x: Partial<KPIVersion>): KPIVersion => ({ definition_version: 1, title: 'T', about: 'a', unit: 'share', direction: 'up', owner: 'o', formula: 'f', by: 'ada', at: '', ...x });
  it('say what each changed', () => {
    expect(changed(v({}))).toEqual(['it was defined']);
    expect(changed(v({ formula: 'g', direction: 'down' }), v({}))).toEqual(['better: up → down', 'formula: f → g']);
    expect(changed(v({ dropped: true, title: '' }), v({}))).toEqual(['it was removed']);
    expect(changed(v({}), v({ dropped: true }))).toEqual(['it was defined anew']);
    expect(changed(v({ team: 'x' }), v({}))).toEqual(['team: none → x']);
  });
});
