import { api } from '../api/client';
import type { AuditCheckpoint, AuditKey, AuditRecord, AuditVerification, List } from '../api/types';
import type { CurrentView } from '../state/url';

const most = 20_000;

/**
 * exportEvidence saves what an auditor needs of a period in one file: the
 * records word for word, the verification, the signed checkpoints and the keys
 * that sign them. `reeve audit verify` on the data folder and receipts of single
 * decisions go further; the file says so.
 */
export async function exportEvidence(view: CurrentView): Promise<{ name: string; records: number; cut: boolean }> {
  const records: AuditRecord[] = [];
  let cursor: string | undefined;
  do {
    const page: List<AuditRecord> = await api.get<List<AuditRecord>>('/audit', { from: view.from, to: view.live ? undefined : view.to, limit: 1000, cursor });
    records.push(...page.items);
    cursor = page.next || undefined;
  } while (cursor && records.length < most);
  const or = <T>(p: Promise<T>) => p.catch((e: unknown) => ({ not_given: e instanceof Error ? e.message : String(e) }));
  const [verification, checkpoints, keys] = await Promise.all([or(api.get<AuditVerification>('/audit/verify')), or(api.get<List<AuditCheckpoint>>('/audit/checkpoints')), or(api.get<List<AuditKey>>('/audit/keys'))]);
  const at = new Date().toISOString();
  const name = `reeve-evidence-${at.slice(0, 19).replace(/[:T]/g, '-')}.json`;
  save(name, JSON.stringify({ what: 'Administrative changes of a Reeve, with what proves them. Each record is one line of its log as it was hashed: leaf = SHA-256(0x00 + record), prev names the leaf before it. A single decision is proved by its receipt (GET /api/v1/decisions/{id}/receipt).', server: location.origin, made_at: at, period: { from: view.from, to: view.to }, records_cut: cursor !== undefined, verification, checkpoints, keys, records }, null, 1));
  return { name, records: records.length, cut: cursor !== undefined };
}

/** save hands a text to the browser as a file. */
export function save(name: string, text: string, type = 'application/json'): void {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], { type }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}
