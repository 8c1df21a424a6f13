import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AuditVerification, List, SIEMTarget } from '../api/types';
import { count, PageBody, PageHeader, plural, ProblemNote, Tabs, Time, useShortcuts } from '../shared';
import { useView } from '../state/url';
import css from './audit.module.css';
import { exportEvidence } from './evidence';
import { Records } from './Records';

const Proof = lazy(() => import('./Proof').then((m) => ({ default: m.Proof })));
const Streams = lazy(() => import('./Streams').then((m) => ({ default: m.Streams })));

/** useVerification asks the server to check every record of both logs. It is asked once, and again when somebody wants it. */
export function useVerification(enabled: boolean) {
  return useQuery({ queryKey: ['audit-verify'], queryFn: ({ signal }) => api.get<AuditVerification>('/audit/verify', undefined, signal), staleTime: Infinity, retry: false, enabled });
}

/** AuditPage: can we prove it? Whether the chains hold, what is in them, and who else has it. */
export function AuditPage() {
  const view = useView();
  const navigate = useNavigate();
  const { tab = 'records' } = useSearch({ strict: false }) as { tab?: string };
  const mayVerify = useMay('VerifyAudit');
  const verified = useVerification(mayVerify);
  const siem = useQuery({ queryKey: ['siem'], queryFn: ({ signal }) => api.get<List<SIEMTarget>>('/siem', undefined, signal), refetchInterval: 10_000, enabled: useMay('ListSIEMTargets') });
  const evidence = useMutation({ mutationFn: () => exportEvidence(view) });
  const set = (id: string) => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, tab: id === 'records' ? undefined : id })) as never, replace: true });
  useShortcuts('Audit', [
    { keys: 'v', label: 'Verify every record now', run: () => void verified.refetch() },
    { keys: 'x', label: 'Export evidence', run: () => evidence.mutate() },
    { keys: 'f', label: 'Filter by what', run: () => document.getElementById('audit-kind')?.focus() },
    ...['records', 'proof', 'streams'].map((id, i) => ({ keys: String(i + 1), label: `Show: ${id}`, run: () => set(id) })),
  ]);
  const failing = (siem.data?.items ?? []).filter((t) => t.failing_since);
  return (
    <>
      <PageHeader
        title="Audit"
        question="Can we prove it?"
        answer={<Answer verified={verified} may={mayVerify} failing={failing.length} targets={siem.data?.items.length} />}
        actions={
          <>
            <Button loading={evidence.isPending} onClick={() => evidence.mutate()}>
              Export evidence
            </Button>
            {mayVerify && (
              <Button variant="filled" loading={verified.isFetching} onClick={() => void verified.refetch()}>
                Verify now
              </Button>
            )}
          </>
        }
      />
      <PageBody fill>
        <Tabs
          tabs={[
            { id: 'records', label: 'Records' },
            { id: 'proof', label: 'Chain and keys' },
            { id: 'streams', label: 'Who else has it', n: siem.data?.items.length },
          ]}
          on={tab}
          onPick={set}
        />
        <ProblemNote error={verified.error ?? evidence.error} />
        {evidence.data && (
          <p role="status" className="muted">
            Saved {evidence.data.name}: {plural(evidence.data.records, 'record')} with keys, checkpoints and the verification. {evidence.data.cut && 'The period has more; choose a shorter one for the rest.'}
          </p>
        )}
        {tab === 'records' ? (
          <Records />
        ) : (
          <Suspense fallback={null}>{tab === 'proof' ? <Proof verified={verified.data} at={verified.dataUpdatedAt} /> : <Streams targets={siem.data?.items ?? []} known={siem.isSuccess} error={siem.error} />}</Suspense>
        )}
      </PageBody>
    </>
  );
}

/** Answer says in words whether the logs hold, and up to where. */
function Answer({ verified, may, failing, targets }: { verified: ReturnType<typeof useVerification>; may: boolean; failing: number; targets: number | undefined }) {
  const v = verified.data;
  const logs = v?.items ?? [];
  const records = logs.reduce((n, l) => n + l.records, 0);
  const witnessed = logs.length > 0 && logs.every((l) => l.witnessed >= l.records - 1);
  const bad = logs.find((l) => l.break);
  const streams = failing > 0 ? ` ${plural(failing, 'target')} does not take what we send.` : targets === 0 ? ' No SIEM gets a copy.' : '';
  if (!may) return <>An auditor may verify the chains; you may read the records.{streams}</>;
  if (verified.isPending || (verified.isFetching && !v)) return <>Checking every record of both logs.</>;
  if (!v) return <>It could not be verified.{streams}</>;
  if (bad) {
    return (
      <strong className={css.bad} role="alert">
        No. The log of {bad.what} breaks at record {count(bad.break!.seq)}: {bad.break!.reason}
      </strong>
    );
  }
  return (
    <>
      <strong>Yes: {count(records)} records hold</strong> in {logs.length === 1 ? 'one chain' : `${logs.length} chains`}, verified <Time at={verified.dataUpdatedAt} /> by this server.{' '}
      {witnessed ? 'A witness outside keeps the checkpoints.' : 'No witness keeps the checkpoints elsewhere: the newest records could be removed together with them, and nobody would see it.'}
      {streams}
    </>
  );
}
