// A session as one conversation: of each run what its user said and what came
// back, each thing once. Later runs resend what earlier ones said.

import type { Message } from '../run/data';
import { textKey } from '../run/transcript';

/** fresh is what a run adds to the conversation. seen grows by it. */
export function fresh(messages: readonly Message[], seen: Set<string>): Message[] {
  const out: Message[] = [];
  for (const m of messages) {
    const role = m.role || (m.field === 'output' ? 'assistant' : '');
    if (m.field !== 'input' && m.field !== 'output') continue;
    if (role === 'system' || role === 'developer' || role === 'tool') continue;
    const said = (m.parts ?? []).filter((p) => p.type === 'text' || p.type === 'image' || p.type === 'document');
    if (said.length === 0) continue;
    const bare = { ...m, role, parts: said };
    const key = textKey(bare);
    // What comes back is news even when it was said before; what goes in may be history.
    if (key === '' || (m.field !== 'output' && seen.has(key))) continue;
    seen.add(key);
    out.push(bare);
  }
  return out;
}

/** gist is the first thing the user said and the last thing that came back; the rest is counted. */
export function gist(list: readonly Message[]): { shown: Message[]; between: Message[] } {
  if (list.length <= 3) return { shown: [...list], between: [] };
  const user = list.findIndex((m) => m.role !== 'assistant');
  const first = user >= 0 ? user : 0;
  const last = list.length - 1;
  return { shown: first === last ? [list[last]!] : [list[first]!, list[last]!], between: list.filter((_, i) => i !== first && i !== last) };
}
