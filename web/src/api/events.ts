import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { headers, url } from './client';

/** An event of GET /api/v1/events. */
export interface ServerEvent {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

type Listener = (e: ServerEvent) => void;
/** barred: whoever asks has no role yet that lets them see events. */
export type StreamState = 'connecting' | 'live' | 'lost' | 'barred';

/**
 * parse takes what arrived of a server-sent event stream and gives the whole
 * events in it and the rest. EventSource would do this, but cannot send the
 * header that a session needs.
 */
export function parse(buffer: string): { events: ServerEvent[]; rest: string; retry?: number } {
  const events: ServerEvent[] = [];
  let retry: number | undefined;
  const text = buffer.replace(/\r\n?/g, '\n');
  let from = 0;
  for (;;) {
    const end = text.indexOf('\n\n', from);
    if (end < 0) break;
    let id = '';
    let type = 'message';
    const data: string[] = [];
    for (const line of text.slice(from, end).split('\n')) {
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') id = value;
      else if (field === 'event') type = value;
      else if (field === 'data') data.push(value);
      else if (field === 'retry' && /^\d+$/.test(value)) retry = Number(value);
    }
    from = end + 2;
    if (data.length === 0 && type === 'message') continue;
    let body: Record<string, unknown> = {};
    try {
      const v: unknown = JSON.parse(data.join('\n') || '{}');
      if (v && typeof v === 'object') body = v as Record<string, unknown>;
    } catch {
      continue;
    }
    events.push({ id, type: type === 'message' && typeof body.type === 'string' ? body.type : type, data: body });
  }
  return { events, rest: text.slice(from), retry };
}

/** Stream keeps one connection, resumes it from the last event it heard, and tells its listeners. */
export class Stream {
  private listeners = new Set<Listener>();
  private watchers = new Set<() => void>();
  private last = '';
  private wait = 500;
  state: StreamState = 'connecting';

  listen(l: Listener): () => void {
    this.listeners.add(l);
    return () => this.listeners.delete(l);
  }

  watch = (w: () => void): (() => void) => {
    this.watchers.add(w);
    return () => this.watchers.delete(w);
  };

  start(): () => void {
    const abort = new AbortController();
    void this.loop(abort.signal);
    return () => abort.abort();
  }

  private set(state: StreamState) {
    if (this.state === state) return;
    this.state = state;
    for (const w of this.watchers) w();
  }

  private async loop(signal: AbortSignal) {
    while (!signal.aborted) {
      try {
        await this.once(signal);
      } catch {
        // The next round says whether it was only the connection.
      }
      if (signal.aborted) return;
      if (this.state !== 'barred') this.set('lost');
      await new Promise((done) => setTimeout(done, this.wait));
      this.wait = Math.min(this.wait * 2, 15_000);
    }
  }

  private async once(signal: AbortSignal) {
    const res = await fetch(url('/events'), {
      headers: { Accept: 'text/event-stream', ...headers(), ...(this.last ? { 'Last-Event-ID': this.last } : {}) },
      credentials: 'same-origin',
      signal,
    });
    this.set(res.status === 403 ? 'barred' : this.state === 'barred' ? 'lost' : this.state);
    if (!res.ok || !res.body) throw new Error(`events: ${res.status}`);
    const resumed = this.state === 'lost' && this.last === '';
    this.set('live');
    this.wait = 500;
    if (resumed) this.tell({ id: '', type: 'reset', data: {} });
    const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const got = parse(buffer + value);
      buffer = got.rest;
      if (got.retry !== undefined) this.wait = got.retry;
      for (const e of got.events) {
        if (e.id) this.last = e.id;
        // What we missed is gone: everything shown has to be read again.
        if (e.type === 'reset') this.last = e.id;
        this.tell(e);
      }
    }
  }

  private tell(e: ServerEvent) {
    for (const l of this.listeners) l(e);
  }
}

export const stream = new Stream();

/** useEvents calls the listener for each event while the component is shown. */
export function useEvents(listener: Listener): void {
  useEffect(() => stream.listen(listener), [listener]);
}

/** useStreamState says whether the page is live. */
export function useStreamState(): StreamState {
  return useSyncExternalStore(stream.watch, () => stream.state);
}

// What an event's first word touches, by the first word of a query's key.
const touches: Record<string, string[]> = {
  agent: ['agents', 'agent', 'unknown-agents', 'standard', 'overview'],
  stop: ['stops', 'agents', 'agent', 'overview'],
  approval: ['approvals', 'approval', 'overview', 'decisions'],
  proposal: ['proposals', 'overview'],
  incident: ['incidents', 'incident', 'incident-weights', 'overview'],
  silence: ['silences'],
  policy: ['policies'],
  budget: ['budgets', 'overview'],
  content_rule: ['content-rules'],
  upstream: ['upstreams'],
  pin: ['tools', 'upstreams', 'overview', 'inbox-tools'],
  tool: ['tools', 'upstreams', 'overview', 'inbox-tools'],
  finding: ['findings', 'finding', 'detectors', 'overview'],
  response: ['responses', 'response-policies', 'findings', 'finding', 'agents', 'agent', 'overview'],
  response_policy: ['response-policies'],
  rule: ['rules'],
  canary: ['canaries', 'canary'],
  drill: ['drills', 'drill'],
  detector: ['detectors'],
  source: ['sources', 'source', 'run-sources'],
  alert: ['alerts', 'alert'],
  alert_source: ['alert-sources'],
  change: ['changes'],
  health: ['health'],
  // What people change: it may be anything that Settings shows.
  admin: ['agents', 'agent', 'people', 'teams', 'tokens', 'intake-keys', 'proposals', 'issuers', 'upstreams', 'unknown-agents', 'audit', 'standard', 'overview'],
};

/**
 * refresh gathers events and marks what they touch as stale at most every
 * 400 ms, so that a busy fleet does not make the page read without end. What
 * waits for a person (approvals, stops) is told at once.
 */
export function refresh(client: QueryClient, everyMs = 400): Listener {
  let runs = new Set<string>();
  let lanes = new Set<string>();
  let keys = new Set<string>();
  let decisions = false;
  let all = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (all) void client.invalidateQueries();
    else {
      for (const id of runs) void client.invalidateQueries({ queryKey: ['run', id] });
      for (const id of lanes) void client.invalidateQueries({ queryKey: ['run-decisions', id] });
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
      // Lists and figures say themselves (meta) what they follow.
      if (runs.size > 0) void client.invalidateQueries({ predicate: (q) => q.meta?.live === true && q.meta.on !== 'decisions' });
      if (decisions) void client.invalidateQueries({ predicate: (q) => q.meta?.on === 'decisions' });
    }
    runs = new Set();
    lanes = new Set();
    keys = new Set();
    decisions = false;
    all = false;
  };
  return (e) => {
    const word = e.type.split('.')[0] ?? '';
    if (e.type === 'reset') all = true;
    else if (e.type === 'run.updated' && typeof e.data.id === 'string') runs.add(e.data.id);
    else if (word === 'decision') {
      decisions = true;
      for (const id of Array.isArray(e.data.runs) ? e.data.runs : []) lanes.add(String(id));
    } else for (const key of touches[word] ?? [word]) keys.add(key);
    if (word === 'approval' || word === 'stop') flush();
    else timer ??= setTimeout(flush, everyMs);
  };
}

/** useLive keeps the stream open and the caches of react-query fresh; the shell calls it once. */
export function useLive(enabled: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!enabled) return;
    const stop = stream.start();
    const deaf = stream.listen(refresh(client));
    return () => {
      stop();
      deaf();
    };
  }, [client, enabled]);
}
