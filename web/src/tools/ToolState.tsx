import { Mark } from '../shared';
import type { ToolRow } from './data';

/** ToolState says whether a tool may be used, and why not. */
export function ToolState({ row }: { row: ToolRow }) {
  const t = row.pin;
  if (!t) return <Mark level="unknown" letter="-" label="not at the door" words />;
  if (t.state === 'accepted') return <Mark level="good" letter="A" label="accepted" words />;
  const serious = (t.findings ?? []).some((f) => f.serious);
  return <Mark level={serious ? 'bad' : 'warn'} letter={t.accepted ? 'C' : 'N'} label={t.accepted ? 'changed: held' : 'new: held'} words />;
}
