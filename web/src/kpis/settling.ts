import type { OutcomeEvidence, OutcomeRule, OutcomeRuleTrial } from '../api/types';
import { count, plural } from '../shared';
import { shortAge } from '../sources/data';

/** ends are the outcomes that a rule may say, the best first. */
export const ends = ['resolved', 'contained', 'deflected', 'escalated', 'abandoned', 'failed'];

/** modes are those that a settling window is of, with what it waits for. */
export const modes = [
  { id: 'interactive', about: 'and of no mode: whether the user comes back with the same' },
  { id: 'autonomous', about: 'whether somebody speaks of it' },
  { id: 'asynchronous', about: 'whether somebody speaks of it, from its end on' },
];

/** saysOf is what a rule says, in words. */
export function saysOf(r: Pick<OutcomeRule, 'outcome' | 'deadline' | 'stuck'>): string {
  return [r.outcome && `they ended ${r.outcome}`, r.deadline && `late after ${shortAge(r.deadline)}`, r.stuck && `stuck after ${shortAge(r.stuck)} without news`].filter(Boolean).join('; ');
}

/** aboutOf is how evidence names the run that it waits for. */
export function aboutOf(e: Pick<OutcomeEvidence, 'run_id' | 'session' | 'key'>): string {
  if (e.run_id) return e.run_id;
  if (e.session) return `session ${e.session}`;
  return e.key?.includes('=') ? e.key : `join_key=${e.key ?? ''}`;
}

/** triedOf is what a trial came to, in words: the finding, then what becomes of it. */
export function triedOf(t: OutcomeRuleTrial, outcome: string, limit: boolean): { lead: string; rest: string[] } {
  if (t.found === 0) return { lead: 'It finds no run', rest: ['of the last 30 days.'] };
  const rest: string[] = [];
  if (outcome) {
    rest.push(`${t.decides === 0 ? 'None' : count(t.decides)} would be decided by it${t.decides > 0 ? `, ${t.changes === 0 ? 'none' : count(t.changes)} otherwise than now` : ''}.`);
    if (t.stronger > 0) rest.push(`Of ${plural(t.stronger, 'run')} something stronger says how it ended.`);
    if (t.waits > 0) rest.push(`${plural(t.waits, 'run')} ${t.waits === 1 ? 'is' : 'are'} not settled yet: its word would count then.`);
  }
  if (limit) rest.push(t.late === 0 ? 'None is late now.' : `${plural(t.late, 'run')} ${t.late === 1 ? 'is' : 'are'} late by it now.`);
  return { lead: `It finds ${t.whole ? '' : 'more than '}${plural(t.found, 'run')}`, rest: [t.whole ? 'of the last 30 days.' : 'of the last 30 days; the newest were looked at.', ...rest] };
}
