// Lists of message ordinals as the API writes them: "0-31,33".

/** A run of consecutive ordinals, both ends included. */
export type Range = readonly [number, number];

/** parseRanges reads "0-31,33"; what cannot be read is left out. */
export function parseRanges(text: string | undefined | null): Range[] {
  if (!text) return [];
  const out: Range[] = [];
  for (const piece of text.split(',')) {
    const m = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(piece);
    if (!m) continue;
    const a = Number(m[1]);
    const b = m[2] === undefined ? a : Number(m[2]);
    if (b >= a) out.push([a, b]);
  }
  return out;
}

/** expandRanges lists the ordinals, at most `most` of them. */
export function expandRanges(ranges: readonly Range[], most = 100_000): number[] {
  const out: number[] = [];
  for (const [a, b] of ranges) for (let i = a; i <= b && out.length < most; i++) out.push(i);
  return out;
}

/** countRanges is how many ordinals the ranges name. */
export function countRanges(ranges: readonly Range[]): number {
  let n = 0;
  for (const [a, b] of ranges) n += b - a + 1;
  return n;
}

/** formatPlaces writes places in a history for people, counted from 1: "1–30, 33". */
export function formatPlaces(places: readonly number[]): string {
  const out: string[] = [];
  for (let i = 0; i < places.length;) {
    let j = i;
    while (j + 1 < places.length && places[j + 1] === places[j]! + 1) j++;
    out.push(i === j ? `${places[i]! + 1}` : `${places[i]! + 1}–${places[j]! + 1}`);
    i = j + 1;
  }
  return out.length > 6 ? `${out.slice(0, 5).join(', ')} and ${out.length - 5} more stretches` : out.join(', ');
}
