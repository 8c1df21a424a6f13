import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AuditRecord, List } from '../api/types';
import { pickView, plural } from '../shared';
import { clock } from '../shared/format';
import { useView } from '../state/url';
import css from './charts.module.css';

// Records of changes that can move a chart, in words.
const kinds: Record<string, string> = {
  'admin.agent_created': 'agent registered',
  'admin.agent_updated': 'agent changed',
  'admin.agent_version': 'version approved',
  'admin.policy_created': 'policy made',
  'admin.policy_updated': 'policy changed',
  'admin.policy_deleted': 'policy removed',
  'admin.budget_put': 'budget set',
  'admin.budget_deleted': 'budget removed',
  'admin.content_rule_put': 'content rule set',
  'admin.content_rule_deleted': 'content rule removed',
  'admin.upstream_put': 'upstream changed',
  'admin.upstream_deleted': 'upstream removed',
  'admin.tool_accepted': 'tool accepted',
  'admin.tool_held': 'tool held',
};

interface Flag {
  at: number;
  texts: string[];
}

/** gather puts changes that lie closer than a flag is wide under one flag. */
export function gather(records: AuditRecord[], from: number, to: number, slots = 80): Flag[] {
  const out = new Map<number, Flag>();
  for (const r of records) {
    const word = kinds[r.kind];
    const at = Date.parse(r.at);
    if (!word || at < from || at > to) continue;
    const slot = Math.min(slots - 1, Math.floor(((at - from) / Math.max(1, to - from)) * slots));
    const body = (r.record.body ?? {}) as { object?: string; reason?: string };
    const text = `${word}${body.object ? `: ${body.object}` : ''}${r.who ? `, ${r.who}` : ''}${body.reason ? ` (${body.reason})` : ''}`;
    const f = out.get(slot);
    if (f) f.texts.push(text);
    else out.set(slot, { at, texts: [text] });
  }
  return [...out.values()].sort((a, b) => a.at - b.at);
}

/** Flags are the changes of a period under its chart: what we ourselves did, where it may show. For those who may read the audit log. */
export function Flags({ from, to, left, right }: { from: number; to: number; left: number; right: number }) {
  const view = useView();
  const may = useMay('ListAudit');
  const q = useQuery({ queryKey: ['audit', 'flags', view.filter.from, view.filter.to], queryFn: ({ signal }) => api.get<List<AuditRecord>>('/audit', { from: view.from, to: view.live ? undefined : view.to, limit: 500 }, signal), enabled: may, staleTime: 30_000, retry: false });
  const flags = gather(q.data?.items ?? [], from, to);
  if (flags.length === 0) return null;
  return (
    <div className={css.flags} style={{ marginLeft: left, marginRight: right }} role="group" aria-label="Changes in this period">
      {flags.map((f) => (
        <Link
          key={f.at}
          className={css.flag}
          style={{ left: `${((f.at - from) / Math.max(1, to - from)) * 100}%` }}
          to={'/audit' as never}
          search={((old: Record<string, unknown>) => ({ ...pickView(old), from: new Date(f.at - 60_000).toISOString(), to: new Date(f.at + (to - from) / 80 + 60_000).toISOString() })) as never}
          title={`${clock(f.at, view.tz)}\n${f.texts.slice(0, 12).join('\n')}${f.texts.length > 12 ? `\nand ${f.texts.length - 12} more` : ''}`}
          aria-label={`${plural(f.texts.length, 'change')} at ${clock(f.at, view.tz)}: ${f.texts[0]}`}
        >
          {f.texts.length > 1 ? f.texts.length : ''}
        </Link>
      ))}
    </div>
  );
}
