// What an authorization server said of an upstream, as it came back in the
// address. It is taken out of the address at once, and kept in this tab until it
// was handed in: a person may have to sign in first.
const key = 'reeve.upstream-answer';

export interface Answer {
  upstream: string;
  /** The last part of the address at which the browser came back. */
  at?: string;
  state: string;
  code?: string;
  iss?: string;
  error?: string;
  error_description?: string;
}

/** readAnswer reads a fragment; undefined when it is none of an authorization server. */
export function readAnswer(fragment: string): Answer | undefined {
  const q = new URLSearchParams(fragment.replace(/^#/, ''));
  const state = q.get('state');
  if (!state) return undefined;
  const of = (name: string) => q.get(name) ?? undefined;
  return { upstream: q.get('upstream') ?? '', at: of('at'), state, code: of('code'), iss: of('iss'), error: of('error'), error_description: of('error_description') };
}

/** keepAnswer moves the answer from the address into this tab. */
export function keepAnswer(): void {
  const answer = readAnswer(location.hash);
  if (!answer) return;
  sessionStorage.setItem(key, JSON.stringify(answer));
  history.replaceState(history.state, '', location.pathname + location.search);
}

/** takeAnswer gives the answer once. */
export function takeAnswer(): Answer | undefined {
  const text = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  return text ? (JSON.parse(text) as Answer) : undefined;
}
