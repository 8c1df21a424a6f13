import { forget, secret } from './session';
import type { ProblemBody } from './types';

/** The header in which a session's secret travels. */
export const secretHeader = 'X-Reeve-Session-Secret';

/** Problem is an answer that says no, with Reeve's code and its hint. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  constructor(body: ProblemBody) {
    super(body.detail || body.title);
    this.name = 'Problem';
    this.status = body.status;
    this.code = body.code;
    this.hint = body.hint;
  }
}

export type Params = Record<string, string | number | boolean | undefined | null>;

/** url builds an API address; parameters that are empty are left out. */
export function url(path: string, params?: Params): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(params ?? {})) {
    if (v !== undefined && v !== null && v !== '') q.set(k, String(v));
  }
  const s = q.toString();
  return '/api/v1' + path + (s ? '?' + s : '');
}

export function headers(): Record<string, string> {
  const s = secret();
  return s ? { [secretHeader]: s } : {};
}

/** What a call may add. Bearer is a credential used once: the admin token that makes the first account. */
interface Extra {
  signal?: AbortSignal;
  bearer?: string;
}

// Characters that a browser draws as nothing or in another order. In names they
// only serve to impersonate ("admin" + RLO + "gnp.exe"), so they are spelled out
// wherever a name may be shown. A link made from such a name finds nothing,
// which is the safe side. Content keeps its characters: the transcript marks them.
const hidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/g;
const content = new Set(['text', 'raw', 'arguments', 'result', 'data', 'body']);

/** read parses an answer; most have no such character and are parsed at full speed. */
export function read(text: string): unknown {
  if (text.search(hidden) < 0 && !text.includes('\\u')) return JSON.parse(text);
  return JSON.parse(text, (key, v: unknown) => (typeof v === 'string' && !content.has(key) ? v.replace(hidden, spelled) : v));
}

const spelled = (c: string) => `\u2039U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u203a`;

/** askFactor asks the person for a second factor and tells whether it was shown; the shell sets it. */
let askFactor: ((why: Problem) => Promise<boolean>) | undefined;
export function onFactorNeeded(ask: ((why: Problem) => Promise<boolean>) | undefined) {
  askFactor = ask;
}

/** waits is the answer to a change that needs a second person: nothing has changed yet. */
function waits(text: string): Problem {
  const p = read(text) as { id: string; summary: string };
  return new Problem({ title: `Waiting for a second person: ${p.summary}.`, status: 202, code: 'client.waits', hint: 'Nothing has changed yet. Somebody else with the role confirms it in their Inbox.' });
}

async function call<T>(method: string, address: string, body?: unknown, { signal, bearer }: Extra = {}, again = false): Promise<T> {
  let res: Response;
  try {
    res = await fetch(address, {
      method,
      headers: { Accept: 'application/json', ...headers(), ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      signal,
    });
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new Problem({ title: 'Reeve does not answer', status: 0, code: 'client.unreachable', hint: 'Is the server still running?' });
  }
  if (res.status === 204) return undefined as T;
  const text = await res.text();
  if (res.status === 202) throw waits(text);
  if (!res.ok) {
    const p = await problem(res, text);
    // What is hard to undo needs a code of the last minutes: ask for it, and do
    // what was asked once more.
    if (!again && (p.code === 'identity.factor_stale' || p.code === 'identity.factor_missing') && askFactor && (await askFactor(p))) return call<T>(method, address, body, { signal, bearer }, true);
    throw p;
  }
  return (text ? read(text) : undefined) as T;
}

async function problem(res: Response, text: string): Promise<Problem> {
  if (res.status === 401) forget();
  try {
    const body = JSON.parse(text) as ProblemBody;
    if (body.code) return new Problem({ ...body, status: res.status });
  } catch {
    // Not a problem document: something between us and Reeve answered.
  }
  return new Problem({ title: res.statusText || `answer ${res.status}`, status: res.status, code: `http.${res.status}` });
}

export const api = {
  get: <T>(path: string, params?: Params, signal?: AbortSignal) => call<T>('GET', url(path, params), undefined, { signal }),
  post: <T>(path: string, body?: unknown, extra?: AbortSignal | Extra) => call<T>('POST', url(path), body, extra instanceof AbortSignal ? { signal: extra } : extra),
  put: <T>(path: string, body?: unknown) => call<T>('PUT', url(path), body ?? {}),
  patch: <T>(path: string, body?: unknown) => call<T>('PATCH', url(path), body ?? {}),
  delete: <T>(path: string) => call<T>('DELETE', url(path)),
  /** act performs an action that the server itself offered (a notice's button). */
  act: <T>(method: string, address: string) => call<T>(method, address, method === 'GET' ? undefined : {}),
};
