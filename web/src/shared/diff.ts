/** A stretch of text that stayed, came or went. */
export interface Stretch {
  change: 'same' | 'added' | 'removed';
  text: string;
}

// Beyond this many pairs of words the texts are shown as gone and come: an
// exact answer would take longer than a person waits.
const mostPairs = 4_000_000;

/** wordDiff says word by word how one text became another. */
export function wordDiff(before: string, after: string): Stretch[] {
  if (before === after) return before ? [{ change: 'same', text: before }] : [];
  const a = before.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  const b = after.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let end = 0;
  while (end < a.length - from && end < b.length - from && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const x = a.slice(from, a.length - end);
  const y = b.slice(from, b.length - end);
  const out: Stretch[] = [];
  const put = (change: Stretch['change'], words: string[]) => {
    const text = words.join('');
    if (!text) return;
    const last = out[out.length - 1];
    if (last?.change === change) last.text += text;
    else out.push({ change, text });
  };
  put('same', a.slice(0, from));
  if (x.length * y.length > mostPairs) {
    put('removed', x);
    put('added', y);
  } else {
    // Lengths of the longest common subsequence of every pair of tails.
    const w = y.length + 1;
    const long = new Uint32Array((x.length + 1) * w);
    for (let i = x.length - 1; i >= 0; i--) for (let j = y.length - 1; j >= 0; j--) long[i * w + j] = x[i] === y[j] ? long[(i + 1) * w + j + 1]! + 1 : Math.max(long[(i + 1) * w + j]!, long[i * w + j + 1]!);
    let i = 0;
    let j = 0;
    while (i < x.length || j < y.length) {
      if (i < x.length && j < y.length && x[i] === y[j]) {
        put('same', [x[i]!]);
        i++;
        j++;
      } else if (i < x.length && (j >= y.length || long[(i + 1) * w + j]! >= long[i * w + j + 1]!)) put('removed', [x[i++]!]);
      else put('added', [y[j++]!]);
    }
  }
  put('same', a.slice(a.length - end));
  return out;
}
