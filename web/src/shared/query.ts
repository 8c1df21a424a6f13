/** quote writes a value of the search language: as it is where that is safe, else between quotes. */
export const quote = (v: string): string => (/^[\w.@/-]+$/.test(v) ? v : JSON.stringify(v));
