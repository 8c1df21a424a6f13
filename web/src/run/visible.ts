// Text from outside as people must see it: characters that hide, reorder or
// impersonate are turned into visible marks. React already escapes markup; this
// is about what a browser would draw as nothing or in another order.

/** A piece of text, or one marked character. */
export type Piece = { text: string } | { code: number; name: string };

const NAMES: Record<number, string> = {
  0x00ad: 'soft hyphen',
  0x034f: 'grapheme joiner',
  0x061c: 'Arabic letter mark',
  0x115f: 'Hangul filler',
  0x1160: 'Hangul filler',
  0x17b4: 'Khmer vowel inherent',
  0x17b5: 'Khmer vowel inherent',
  0x180e: 'Mongolian vowel separator',
  0x200b: 'zero-width space',
  0x200c: 'zero-width non-joiner',
  0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark',
  0x2028: 'line separator',
  0x2029: 'paragraph separator',
  0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding',
  0x202c: 'end of embedding',
  0x202d: 'left-to-right override',
  0x202e: 'right-to-left override',
  0x2060: 'word joiner',
  0x2061: 'function application',
  0x2062: 'invisible times',
  0x2063: 'invisible separator',
  0x2064: 'invisible plus',
  0x2066: 'left-to-right isolate',
  0x2067: 'right-to-left isolate',
  0x2068: 'first strong isolate',
  0x2069: 'end of isolate',
  0x3164: 'Hangul filler',
  0xfeff: 'zero-width no-break space',
  0xffa0: 'Hangul filler',
  0xfffc: 'object replacement',
};

// The zero-width joiner (200D) and variation selectors (FE00-FE0F) stay as they
// are after an emoji, where they are spelling; elsewhere they are marked.
// eslint-disable-next-line no-control-regex
const ODD =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc]|\udb40[\udc00-\udfff]|\r(?!\n)/g;

/** hasOdd tells cheaply whether a text needs marks. */
export function hasOdd(text: string): boolean {
  ODD.lastIndex = 0;
  return ODD.test(text);
}

/** pieces cuts a text into plain text and marked characters. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  ODD.lastIndex = 0;
  for (let m = ODD.exec(text); m; m = ODD.exec(text)) {
    const code = m[0].codePointAt(0)!;
    if (isEmojiJoint(text, m.index, code)) continue;
    if (m.index > at) out.push({ text: text.slice(at, m.index) });
    out.push({ code, name: nameOf(code) });
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}

/** plain is the text with marks spelled out, for titles and copies in one line. */
export function plain(text: string, most = 400): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return hasOdd(cut)
    ? pieces(cut)
        .map((p) => ('text' in p ? p.text : `‹${label(p.code)}›`))
        .join('')
    : cut;
}

/** label is a character's code as people write it: U+202E. */
export function label(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

function nameOf(code: number): string {
  if (NAMES[code]) return NAMES[code];
  if (code >= 0xe0000 && code <= 0xe007f) return 'tag character (carries hidden text)';
  if (code >= 0xe0100 && code <= 0xe01ef) return 'variation selector';
  if (code >= 0xfe00 && code <= 0xfe0f) return 'variation selector';
  if (code === 0x200d) return 'zero-width joiner';
  if (code === 0x1b) return 'escape (starts a terminal command)';
  if (code === 0x0d) return 'carriage return (would overwrite the line)';
  return 'control character';
}

const PICTO = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\u20e3\d#*]/u;

function isEmojiJoint(text: string, at: number, code: number): boolean {
  if (code !== 0x200d && !(code >= 0xfe00 && code <= 0xfe0f)) return false;
  if (at === 0) return false;
  const low = text.charCodeAt(at - 1);
  const before = low >= 0xdc00 && low <= 0xdfff && at > 1 ? text.slice(at - 2, at) : text[at - 1]!;
  return PICTO.test(before) || (code === 0x200d && low >= 0xfe00 && low <= 0xfe0f);
}
