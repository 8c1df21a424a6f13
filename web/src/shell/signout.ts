import { api } from '../api/client';
import { forget } from '../api/session';
import type { List, SignIn } from '../api/types';

/** signOut ends this sign-in at the server first, so that the cookie is worth nothing afterwards. */
export async function signOut(navigate: (o: never) => unknown): Promise<void> {
  try {
    const mine = (await api.get<List<SignIn>>('/sign-ins')).items.find((s) => s.current);
    if (mine) await api.delete(`/sign-ins/${mine.id}`);
  } catch {
    // Expired already, or unreachable: this browser forgets in any case.
  }
  forget(true);
  await navigate({ to: '/sign-in' } as never);
  location.reload();
}
