// The secret of a sign-in. Cookies ignore ports, so a page on another local
// port would send ours: a session therefore also needs this secret in a
// header, which only pages of this very origin can read.

const key = 'reeve.secret';
const channelName = 'reeve.session';

let channel: BroadcastChannel | undefined;

function open(): BroadcastChannel | undefined {
  if (!channel && typeof BroadcastChannel !== 'undefined') {
    channel = new BroadcastChannel(channelName);
    channel.onmessage = (e: MessageEvent<{ ask?: true; secret?: string; ended?: true }>) => {
      const mine = sessionStorage.getItem(key);
      if (e.data.ask && mine) channel?.postMessage({ secret: mine });
      if (e.data.ended) {
        sessionStorage.removeItem(key);
        location.assign('/sign-in');
      }
    };
  }
  return channel;
}

export function secret(): string | null {
  return sessionStorage.getItem(key);
}

export function remember(value: string): void {
  sessionStorage.setItem(key, value);
}

/** forget ends the session in this tab and, when told, in every other tab. */
export function forget(everywhere = false): void {
  sessionStorage.removeItem(key);
  if (everywhere) channel?.postMessage({ ended: true });
}

/**
 * inherit lets a link opened in a new tab work: sessionStorage is not copied
 * there, so the new tab asks the tabs of the same origin for the secret.
 */
export async function inherit(waitMs = 120): Promise<void> {
  const c = open();
  if (!c || secret()) return;
  await new Promise<void>((done) => {
    const timer = setTimeout(finish, waitMs);
    function heard(e: MessageEvent<{ secret?: string }>) {
      if (!e.data.secret) return;
      remember(e.data.secret);
      finish();
    }
    function finish() {
      clearTimeout(timer);
      c?.removeEventListener('message', heard);
      done();
    }
    c.addEventListener('message', heard);
    c.postMessage({ ask: true });
  });
}
