import type { Evaluator } from '../api/types';

/** What each kind asks, in the words of docs/evaluations.md, and where its bands are. */
export const kinds: { value: string; label: string; bands: string }[] = [
  { value: 'groundedness', label: 'groundedness: do its words stand in what was read?', bands: 'passes above .78, fails below .30; between, it is unsure: for a judge or a person' },
  { value: 'rule', label: 'rule: does a condition hold?', bands: 'passes where it is true, fails where it is not' },
  { value: 'schema', label: 'schema: is the answer JSON of a shape?', bands: 'passes or fails, with the place' },
  { value: 'voice', label: 'voice: does it speak as the house does?', bands: 'errors fail it, warnings leave it unsure' },
  { value: 'leak', label: 'leak: does it give away what nobody gave it?', bands: 'fails with the class that was found; unsure where it could not look' },
  { value: 'refusal', label: 'refusal: does a refusal give its reason, and a way?', bands: 'passes with both, unsure with one, fails with neither' },
  { value: 'judge', label: 'judge: what a model says', bands: 'as the model says: pass, unsure or fail' },
];

/** Form is an evaluator as it is typed. */
export interface Form {
  name: string;
  kind: string;
  team: string;
  environment: string;
  agents: string;
  share: string;
  when: string;
  schema: string;
  rules: { name: string; text: string }[];
  agent: string;
  upstream: string;
  model: string;
  prompt: string;
  after: string;
  daily: string;
}

export const firstRule = { name: 'House.yml', text: 'extends: existence\nmessage: Say it without %s.\nlevel: error\nignorecase: true\ntokens:\n  - obviously\n' };

export const formOf = (e?: Evaluator): Form => ({
  name: e?.name ?? '',
  kind: e?.kind ?? 'groundedness',
  team: e?.team ?? '',
  environment: e?.environment ?? '',
  agents: (e?.agents ?? []).join(', '),
  share: String(Math.round(1e6 * (e?.share ?? 1)) / 1e4),
  when: e?.when ?? '',
  schema: e?.schema ? JSON.stringify(e.schema, null, 2) : '',
  rules: e?.rules ? Object.entries(e.rules).map(([name, text]) => ({ name, text })) : [firstRule],
  agent: e?.judge?.agent ?? '',
  upstream: e?.judge?.upstream ?? '',
  model: e?.judge?.model ?? '',
  prompt: e?.judge?.prompt ?? '',
  after: e?.judge?.after ?? '',
  daily: e?.judge?.daily ? String(e.judge.daily) : '',
});

const listed = (text: string) => text.split(',').map((w) => w.trim()).filter(Boolean);

/** wrong says what keeps an evaluator from being kept, before the server is asked; nothing where it may be. */
export function wrong(f: Form): string | undefined {
  const share = Number(f.share);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(f.name)) return 'Its name has 1 to 63 of a-z, 0-9 and hyphens.';
  if (f.share.trim() === '' || !(share > 0 && share <= 100)) return 'The share of runs is above 0 and at most 100 %.';
  if (f.kind === 'rule' && f.when.trim() === '') return 'A rule has a condition.';
  if (f.kind === 'schema') {
    try {
      JSON.parse(f.schema);
    } catch (e) {
      return `The schema is no JSON: ${(e as Error).message}`;
    }
  }
  if (f.kind === 'voice') {
    if (f.rules.length === 0 || f.rules.some((r) => r.name.trim() === '' || r.text.trim() === '')) return 'A voice has rule files, each with a name.';
    if (new Set(f.rules.map((r) => r.name.trim())).size < f.rules.length) return 'Two rule files have the same name.';
  }
  if (f.kind === 'judge' && (f.agent === '' || f.upstream === '' || f.model.trim() === '' || f.prompt.trim() === '')) return 'A judge names the agent that it asks as, where it asks, the model, and what is good and what is not.';
  if (f.kind === 'judge' && f.daily.trim() !== '' && !(Number.isInteger(Number(f.daily)) && Number(f.daily) >= 1)) return 'Questions a day are a whole number.';
  return undefined;
}

/** bodyOf is what is sent of a form: of each kind its own, and nothing of another that was typed before. */
export const bodyOf = (f: Form) => ({
  kind: f.kind,
  team: f.team.trim() || undefined,
  environment: f.environment.trim() || undefined,
  agents: listed(f.agents),
  when: f.kind === 'rule' ? f.when.trim() : undefined,
  schema: f.kind === 'schema' ? (JSON.parse(f.schema) as unknown) : undefined,
  rules: f.kind === 'voice' ? Object.fromEntries(f.rules.map((r) => [r.name.trim(), r.text])) : undefined,
  judge: f.kind === 'judge' ? { agent: f.agent, upstream: f.upstream, model: f.model.trim(), prompt: f.prompt.trim(), after: f.after || undefined, daily: f.daily.trim() ? Number(f.daily) : undefined } : undefined,
});

/** changeOf is an evaluator as it stands, to be sent with what changes. */
export const changeOf = (e: Evaluator, more: { off?: boolean }) => ({ ...bodyOf(formOf(e)), share: e.share, off: e.off, revision: e.revision, ...more });

/** looksAt says whose runs an evaluator looks at. */
export function looksAt(e: Evaluator): string {
  const of = e.agents.length > 0 ? e.agents.join(', ') : 'all agents';
  return `${of}${e.team ? ` of ${e.team}` : ''}${e.environment ? ` in ${e.environment}` : ''}`;
}
