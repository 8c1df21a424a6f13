import { headers, Problem } from '../api/client';
import { remember } from '../api/session';
import type { NoticeAction, SignedIn } from '../api/types';

/**
 * runAction calls what a notice's button names, on this server only. An answer
 * that is a new sign-in (a person switcher) is taken over; then true is
 * returned: everything shown belongs to somebody else now.
 */
export async function runAction(a: NoticeAction): Promise<boolean> {
  const address = new URL(a.path, location.origin);
  if (address.origin !== location.origin) throw new Problem({ title: 'That button leads to another server.', status: 0, code: 'client.foreign_action' });
  const res = await fetch(address, {
    method: a.method,
    headers: { Accept: 'application/json', ...headers(), ...(a.method === 'GET' ? {} : { 'Content-Type': 'application/json' }) },
    body: a.method === 'GET' ? undefined : JSON.stringify(a.body ?? {}),
    credentials: 'same-origin',
  });
  const text = await res.text();
  let body: unknown;
  try {
    body = text ? JSON.parse(text) : undefined;
  } catch {
    body = undefined;
  }
  if (!res.ok) {
    const p = body as { title?: string; detail?: string; code?: string; hint?: string } | undefined;
    throw new Problem({ title: p?.title ?? res.statusText, detail: p?.detail, hint: p?.hint, code: p?.code ?? `http.${res.status}`, status: res.status });
  }
  const secret = (body as Partial<SignedIn> | undefined)?.secret;
  if (typeof secret === 'string' && secret !== '') {
    remember(secret);
    return true;
  }
  return false;
}
