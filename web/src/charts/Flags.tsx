import { Link } from '@tanstack/react-router';
import { gather, sentence, useChanges } from '../changes/data';
import { pickView, plural } from '../shared';
import { clock } from '../shared/format';
import { useView } from '../state/url';
import { visible } from '../tools/data';
import css from './charts.module.css';

/** Flags are the changes of a period under its chart, where they may show: what others told, and what we did. */
export function Flags({ from, to, left, right, agent }: { from: number; to: number; left: number; right: number; agent?: string }) {
  const view = useView();
  const q = useChanges(agent);
  const flags = gather(q.data?.items ?? [], from, to);
  if (flags.length === 0) return null;
  return (
    <div className={css.flags} style={{ marginLeft: left, marginRight: right }} role="group" aria-label="Changes in this period">
      {flags.map((f) => {
        const texts = f.changes.map((c) => visible(sentence(c)));
        return (
          <Link
            key={f.at}
            className={css.flag}
            data-late={f.at - from > (to - from) * 0.9 || undefined}
            style={{ left: `${((f.at - from) / Math.max(1, to - from)) * 100}%` }}
            to={'/changes' as never}
            search={((old: Record<string, unknown>) => ({ ...pickView(old), from: new Date(f.at - 60_000).toISOString(), to: new Date(f.at + (to - from) / 80 + 60_000).toISOString() })) as never}
            title={`${clock(f.at, view.tz)}\n${texts.slice(0, 12).join('\n')}${texts.length > 12 ? `\nand ${texts.length - 12} more` : ''}`}
            aria-label={`${plural(texts.length, 'change')} at ${clock(f.at, view.tz)}: ${texts[0]}`}
          >
            {texts.length > 1 ? texts.length : ''}
          </Link>
        );
      })}
    </div>
  );
}
