/** pages are those that open records by a search, as a figure counts them: all of them, whatever the page shows first. */
export const pages: Record<string, { to: string; search?: Record<string, string> }> = {
  runs: { to: '/runs' },
  steps: { to: '/steps', search: { by: 'agent' } }, // by tool or model it would leave out the others
  decisions: { to: '/decisions', search: { show: 'all' } }, // it opens on those that were refused
};

/** opened is where a search opens the records of a table; undefined where none does. */
export function opened(table: string | undefined, q: string | undefined): { to: string; search: Record<string, string | undefined> } | undefined {
  const page = pages[table ?? ''];
  return page && q !== undefined ? { to: page.to, search: { ...page.search, q: q || undefined } } : undefined;
}
