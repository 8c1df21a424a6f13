import { QueryClient } from '@tanstack/react-query';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { safeNext } from '../signin/SignInPage';
import { rank } from '../shell/rank';
import { currentView, frozen, readView } from '../state/url';
import { api, Problem, read, url } from './client';
import { parse, refresh } from './events';

afterEach(() => vi.restoreAllMocks());

describe('event stream', () => {
  it('reads whole events and keeps the rest', () => {
    const got = parse('id: 7\nevent: run.updated\ndata: {"id":"run_1"}\n\n: ping\n\nid: 8\ndata: {"type":"health.changed"}\n\nid: 9\nda');
    expect(got.events).toEqual([
      { id: '7', type: 'run.updated', data: { id: 'run_1' } },
      { id: '8', type: 'health.changed', data: { type: 'health.changed' } },
    ]);
    expect(got.rest).toBe('id: 9\nda');
  });
  it('takes CRLF and passes over what is no JSON', () => {
    const got = parse('id: 1\r\ndata: {oops\r\n\r\nid: 2\r\nevent: reset\r\ndata: {}\r\n\r\n');
    expect(got.events.map((e) => e.type)).toEqual(['reset']);
  });
  it('marks what runs touch as stale, gathered, and everything after a reset', () => {
    vi.useFakeTimers();
    const client = new QueryClient();
    const stale = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
    const hear = refresh(client, 100);
    hear({ id: '1', type: 'run.updated', data: { id: 'run_1' } });
    hear({ id: '2', type: 'run.updated', data: { id: 'run_1' } });
    expect(stale).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(stale).toHaveBeenCalledTimes(2);
    expect(stale).toHaveBeenCalledWith({ queryKey: ['run', 'run_1'] });
    hear({ id: '3', type: 'reset', data: {} });
    vi.advanceTimersByTime(100);
    expect(stale).toHaveBeenLastCalledWith();
    vi.useRealTimers();
  });
  it('tells the lists and lanes of decisions, gathered, and what waits for a person at once', () => {
    vi.useFakeTimers();
    const client = new QueryClient();
    const stale = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
    const hear = refresh(client, 100);
    hear({ id: '1', type: 'decision.recorded', data: { runs: ['run_1'] } });
    hear({ id: '2', type: 'decision.recorded', data: { runs: ['run_1', 'run_2'] } });
    expect(stale).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(stale).toHaveBeenCalledTimes(3);
    expect(stale).toHaveBeenCalledWith({ queryKey: ['run-decisions', 'run_2'] });
    hear({ id: '3', type: 'approval.updated', data: {} });
    expect(stale).toHaveBeenCalledWith({ queryKey: ['approvals'] });
    vi.useRealTimers();
  });
});

describe('client', () => {
  it('leaves empty parameters out', () => expect(url('/runs', { q: 'a b', team: '', from: undefined, limit: 5 })).toBe('/api/v1/runs?q=a+b&limit=5'));
  it('turns a problem document into a Problem with code and hint', async () => {
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(JSON.stringify({ title: 'Not found', status: 404, code: 'run.not_found', detail: 'no such run', hint: 'look again' }), { status: 404 }));
    const err = await api.get('/runs/x').catch((e: unknown) => e);
    expect(err).toBeInstanceOf(Problem);
    expect(err).toMatchObject({ status: 404, code: 'run.not_found', message: 'no such run', hint: 'look again' });
  });
  it('says so when nobody answers', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('network'));
    await expect(api.get('/me')).rejects.toMatchObject({ status: 0, code: 'client.unreachable' });
  });
  it('sends the secret of the session', async () => {
    sessionStorage.setItem('reeve.secret', 's3cret');
    const fetched = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('{}'));
    await api.get('/me');
    expect((fetched.mock.calls[0]![1]!.headers as Record<string, string>)['X-Reeve-Session-Secret']).toBe('s3cret');
    sessionStorage.clear();
  });
});

describe('view in the URL', () => {
  it('keeps what a page needs and drops what is no view', () => {
    expect(readView({ env: 'production', from: 'rubbish', tz: 'Mars/Olympus', cmp: 'x', q: 'agent:a' })).toEqual({ env: 'production', q: 'agent:a' });
  });
  it('fills in the defaults', () => {
    const v = currentView({}, 0);
    expect(v).toMatchObject({ from: '-24h', to: 'now', cmp: 'previous', live: true, filter: { from: '-24h', to: undefined } });
  });
  it('freezes the times of a shared link', () => {
    const now = Date.parse('2026-03-10T12:00:00Z');
    const u = new URL(frozen('http://127.0.0.1:7300/runs?from=-1h&q=x', now));
    expect(u.searchParams.get('from')).toBe('2026-03-10T11:00:00.000Z');
    expect(u.searchParams.get('to')).toBe('2026-03-10T12:00:00.000Z');
    expect(u.searchParams.get('q')).toBe('x');
  });
});

it('returns after sign-in only to pages of this console', () => {
  for (const bad of ['https://elsewhere', '//elsewhere', '/\\elsewhere', undefined, '/sign-in?next=/']) expect(safeNext(bad)).toBe('/');
  expect(safeNext('/runs?q=a')).toBe('/runs?q=a');
});

it('ranks prefixes before words before letters', () => {
  expect(rank(['Sessions', 'On call', 'Cost', 'Cost of runs', 'API tokens'], 'co', (s) => s)).toEqual(['Cost', 'Cost of runs']);
  expect(rank(['Tools and models', 'Audit'], 'models', (s) => s)).toEqual(['Tools and models']);
});

describe('read', () => {
  it('spells out characters that hide or reorder, in names and keys of attributes, not in content', () => {
    const got = read('{"agent":"admin\\u202egnp.exe","name":"a\u200bb","parts":[{"text":"x\u200fy"}],"n":1}') as Record<string, unknown>;
    expect(got).toEqual({ agent: 'admin‹U+202E›gnp.exe', name: 'a‹U+200B›b', parts: [{ text: 'x\u200fy' }], n: 1 });
  });
  it('leaves ordinary answers alone', () => {
    expect(read('{"name":"é 日本 👩‍💻","s":"a\\nb"}')).toEqual({ name: 'é 日本 👩‍💻', s: 'a\nb' });
  });
});
