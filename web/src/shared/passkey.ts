import { api } from '../api/client';
import type { PasskeyEnrolment, PasskeyOptions, RecoveryCodes } from '../api/types';

/** hasPasskeys tells whether this browser gives passkeys to this page: not without TLS, and not to an address. */
export function hasPasskeys(): boolean {
  return window.isSecureContext && typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential && !/^[\d.]+$|^\[/.test(location.hostname);
}

/** askPasskey has the browser ask for a passkey, and gives its answer as the API takes it. */
export async function askPasskey(path: '/me/fresh/passkey/options' | '/sign-ins/passkey/options'): Promise<unknown> {
  const { options } = await api.post<PasskeyOptions>(path);
  return answerOf(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options as never) }));
}

/** addPasskey has the browser make a passkey of the signed-in person. */
export async function addPasskey(label: string, password: string): Promise<string[]> {
  const made = await api.post<PasskeyEnrolment>('/me/passkeys', { label, password: password || undefined });
  const credential = await answerOf(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(made.options as never) }));
  const r = await api.post<RecoveryCodes>(`/me/passkeys/${made.factor.id}/confirm`, { credential });
  return r.codes ?? [];
}

async function answerOf(ask: () => Promise<Credential | null>): Promise<unknown> {
  let answer: Credential | null;
  try {
    answer = await ask();
  } catch (e) {
    // The browser says the same for "no", "none here" and "too late".
    if (e instanceof DOMException && e.name === 'InvalidStateError') throw new Error('This device has a passkey of this account already.');
    throw new Error('The browser gave no passkey: it was cancelled, took too long, or has none for this place.');
  }
  return (answer as PublicKeyCredential).toJSON();
}
