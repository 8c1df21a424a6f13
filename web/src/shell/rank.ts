/**
 * rank keeps what matches the typed letters in order, best first: whole
 * prefixes, then starts of words, then letters anywhere; each in given order.
 */
export function rank<T>(items: T[], typed: string, text: (t: T) => string): T[] {
  const q = typed.toLowerCase();
  if (!q) return items;
  const scored: { item: T; score: number; i: number }[] = [];
  items.forEach((item, i) => {
    const s = score(text(item).toLowerCase(), q);
    if (s > 0) scored.push({ item, score: s, i });
  });
  return scored.sort((a, b) => b.score - a.score || a.i - b.i).map((x) => x.item);
}

function score(s: string, q: string): number {
  if (s === q) return 6;
  if (s.startsWith(q)) return 5;
  if (new RegExp(`[\\s:./_-]${q.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(s)) return 4;
  if (s.includes(q)) return 3;
  let at = 0;
  for (const c of s) if (c === q[at]) at++;
  return q.length > 1 && at === q.length && s.length < 60 ? 1 : 0;
}
