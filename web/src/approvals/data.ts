import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Approval, List, Origin } from '../api/types';
import { useFollow, useMay } from '../api/queries';

/** useApprovals lists what waits for a person, the nearest deadline first. Events tell at once; asking goes on for those whom events do not reach. */
export function useApprovals(state = '') {
  const may = useMay('ListApprovals');
  const follow = useFollow(2000);
  return useQuery({
    queryKey: ['approvals', state],
    queryFn: async ({ signal }) => {
      const l = await api.get<List<Approval>>('/approvals', { state: state || undefined, limit: 200 }, signal);
      return [...l.items].sort((a, b) => (state ? Date.parse(b.created_at) - Date.parse(a.created_at) : Date.parse(a.expires_at) - Date.parse(b.expires_at)));
    },
    refetchInterval: follow || 5000,
    enabled: may,
  });
}

export function useApproval(id: string) {
  const follow = useFollow(2000);
  return useQuery({
    queryKey: ['approval', id],
    queryFn: ({ signal }) => api.get<Approval>(`/approvals/${encodeURIComponent(id)}`, undefined, signal),
    refetchInterval: (q) => (open(q.state.data) ? follow || 5000 : false),
  });
}

/** open reports whether something may still change. */
export const open = (a: Approval | undefined): boolean => !!a && ['pending', 'approved', 'executing'].includes(a.state);

export type Verdict = 'approve' | 'deny' | 'edit' | 'takeover' | 'give-back' | 'opened';

export interface Edit {
  path: string;
  value: unknown;
}

/** useAnswer answers one approval; what was answered is read again at once. */
export function useAnswer(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ verdict, body }: { verdict: Verdict; body?: object }) => api.post<Approval | undefined>(`/approvals/${encodeURIComponent(id)}/${verdict}`, body ?? (verdict === 'opened' || verdict === 'give-back' ? undefined : {})),
    onSuccess: (a, { verdict }) => {
      if (a && verdict !== 'opened') client.setQueryData(['approval', id], a);
    },
    onSettled: (_a, _e, { verdict }) => {
      for (const key of verdict === 'opened' ? ['approval'] : ['approvals', 'approval', 'overview', 'decisions']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}

/** states in words, with the shape that they are drawn in. */
export const states: Record<string, { level: 'good' | 'warn' | 'bad' | 'info' | 'idle' | 'unknown'; letter: string; label: string }> = {
  pending: { level: 'warn', letter: 'W', label: 'waits' },
  approved: { level: 'info', letter: 'A', label: 'approved, not used yet' },
  executing: { level: 'info', letter: 'E', label: 'under way' },
  done: { level: 'good', letter: 'D', label: 'done' },
  unknown: { level: 'unknown', letter: '?', label: 'unknown: the process ended while it was under way' },
  denied: { level: 'bad', letter: 'N', label: 'denied' },
  expired: { level: 'idle', letter: 'X', label: 'expired' },
  void: { level: 'idle', letter: 'V', label: 'void: something that it was given for changed' },
  taken: { level: 'idle', letter: 'T', label: 'taken over by a person' },
};

/** effects in words, and how they are toned. */
export const effects: Record<string, { words: string; tone?: 'warn' | 'bad' | 'good' }> = {
  think: { words: 'only thinks' },
  read: { words: 'reads', tone: 'good' },
  write: { words: 'changes something', tone: 'warn' },
  destructive: { words: 'cannot be undone', tone: 'bad' },
};

/** editOf turns what a person typed into the value that replaces the old one; undefined when it is none of that kind. */
export function editOf(kind: string, typed: string): unknown {
  if (kind === 'text') return typed;
  // A number that this browser cannot hold exactly would become another one: it goes by the whole text.
  if (kind === 'number') return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(typed.trim()) && typed.replace(/[^0-9]/g, '').length <= 15 ? Number(typed) : undefined;
  if (kind === 'flag') return typed === 'true' ? true : typed === 'false' ? false : undefined;
  return typed === 'null' ? null : undefined;
}

/** originOf says in a word and a class where a value was first said. */
export function originOf(origin: string): { kind: 'user' | 'model' | 'tool' | 'other'; words: string } {
  if (origin === 'user') return { kind: 'user', words: 'said by the user' };
  if (origin === 'model') return { kind: 'model', words: 'by the model' };
  if (origin === 'system') return { kind: 'other', words: 'in its instructions' };
  if (origin.startsWith('tool:')) return { kind: 'tool', words: `from ${origin.slice(5)}` };
  return { kind: 'other', words: 'nobody knows where from' };
}

/** sourceOf is an Origin's source as originOf takes it. */
export const sourceOf = (o: Pick<Origin, 'source' | 'tool'>): string => (o.source === 'tool' ? `tool:${o.tool ?? 'a tool'}` : o.source);

/** originsAt are those of what stands at a path. In theirs * stands for any element of an array, and index says which; of arrays within arrays that would say too little. */
export function originsAt(all: Origin[] | null | undefined, path: string): Origin[] {
  const steps = path.split('/');
  return (all ?? []).filter((o) => {
    const want = o.path.split('/');
    if (want.length !== steps.length || want.filter((w) => w === '*').length > 1) return false;
    return want.every((w, i) => w === steps[i] || (w === '*' && steps[i] === String(o.index ?? 0)));
  });
}

/** stretches cuts a text where origins begin and end, by bytes as the API counts them. */
export function stretches(text: string, origins: Origin[]): { text: string; origin?: Origin }[] {
  const bytes = new TextEncoder().encode(text);
  const decode = new TextDecoder();
  const out: { text: string; origin?: Origin }[] = [];
  let at = 0;
  for (const o of [...origins].sort((a, b) => a.from - b.from)) {
    if (o.from < at || o.to <= o.from || o.to > bytes.length) continue;
    if (o.from > at) out.push({ text: decode.decode(bytes.slice(at, o.from)) });
    out.push({ text: decode.decode(bytes.slice(o.from, o.to)), origin: o });
    at = o.to;
  }
  if (at < bytes.length) out.push({ text: decode.decode(bytes.slice(at)) });
  return out;
}

/** left writes the time that is left: 4:05, 1 h 20 min. */
export function left(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
