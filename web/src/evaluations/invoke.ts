import { useQuery } from '@tanstack/react-query';
import { api, Problem } from '../api/client';
import type { InvokeTarget } from '../api/types';

/** Invocation is how an agent is invoked for tests; without a target it cannot be tested, and why says so. */
export interface Invocation {
  target?: InvokeTarget;
  why?: string;
}

/** useInvocation asks whether an agent can be tested. */
export function useInvocation(agent: string) {
  return useQuery<Invocation>({
    queryKey: ['invoke', agent],
    queryFn: async ({ signal }) => {
      try {
        return { target: await api.get<InvokeTarget>(`/agents/${encodeURIComponent(agent)}/invoke`, undefined, signal) };
      } catch (e) {
        if (e instanceof Problem && e.code === 'experiment.not_possible') return { why: e.message };
        throw e;
      }
    },
    enabled: agent !== '',
    retry: false,
    staleTime: 10_000,
  });
}

export const usualBody = '{"message": "{{input}}", "token": "{{token}}"}';

/** Form is an invocation as it is typed. */
export interface Form {
  kind: string;
  url: string;
  body: string;
  answer: string;
  inside: boolean;
  sandbox: string;
  local: string;
  timeout: string;
}

/** formOf is the form of a target, or of one that is to be said. */
export const formOf = (t?: InvokeTarget): Form => ({
  kind: t?.kind ?? 'http',
  url: t?.url ?? '',
  body: t?.body ?? usualBody,
  answer: t ? (t.answer ?? '') : '/reply',
  inside: t?.allow_private ?? false,
  sandbox: (t?.sandbox ?? []).join(', '),
  local: (t?.local ?? []).join(', '),
  timeout: t?.timeout_s ? String(t.timeout_s) : '',
});

export const list = (text: string) => text.split(',').map((w) => w.trim()).filter(Boolean);

/** targetOf is what is sent of a form; only HTTP has a body and a place of its answer. */
export const targetOf = (f: Form, revision: number) => ({
  kind: f.kind,
  url: f.url.trim(),
  ...(f.kind === 'http' ? { body: f.body.trim(), answer: f.answer.trim() || undefined } : {}),
  allow_private: f.inside || undefined,
  sandbox: list(f.sandbox),
  local: list(f.local),
  timeout_s: f.timeout.trim() ? Number(f.timeout) : undefined,
  revision: revision || undefined,
});

/** wrong says what keeps a form from being sent, or nothing. */
export function wrong(f: Form): string | undefined {
  if (!/^https?:\/\/[^\s/]+/.test(f.url.trim())) return 'The address begins with http:// or https://.';
  if (f.timeout.trim() && !(Number(f.timeout) >= 1 && Number(f.timeout) <= 600)) return 'One case takes 1 to 600 seconds.';
  if (f.kind !== 'http') return undefined;
  if (!f.body.includes('{{input}}') && !f.body.includes('{{messages}}')) return 'The body has {{input}} or {{messages}} where the words of the case go.';
  if (!f.body.includes('{{token}}')) return 'The body has no {{token}}: then the agent has to take the test\u2019s token from the header X-Reeve-Test-Token.';
  return undefined;
}

/** hard reports that what is wrong cannot be sent: without a token in the body it may work by the header. */
export const hard = (f: Form) => (wrong(f) ?? '').length > 0 && !wrong(f)!.includes('X-Reeve-Test-Token');

/** words splits a command as a shell does, by spaces outside of quotes. */
export function words(text: string): string[] {
  const out: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const c of text.trim()) {
    if (quote) {
      if (c === quote) quote = '';
      else word += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (/\s/.test(c)) {
      if (word !== undefined) out.push(word);
      word = undefined;
    } else word = (word ?? '') + c;
  }
  if (word !== undefined) out.push(word);
  return out;
}

/** commandText is what the configuration file has of an agent that a command invokes. Strings of JSON are strings of YAML. */
export function commandText(agent: string, command: string, env: string, local: string, timeout: string): string {
  const flow = (all: string[]) => `[${all.map((w) => JSON.stringify(w)).join(', ')}]`;
  const lines = ['invoke:', `  - agent: ${agent}`, `    command: ${flow(words(command))}`];
  const set = env.split('\n').map((l) => l.trim()).filter(Boolean);
  if (set.length > 0) lines.push(`    env: ${flow(set)}`);
  if (list(local).length > 0) lines.push(`    local: ${flow(list(local))}`);
  if (timeout.trim()) lines.push(`    timeout: ${timeout.trim()}s`);
  return lines.join('\n');
}
