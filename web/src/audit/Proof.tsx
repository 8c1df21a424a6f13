import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AuditCheckpoint, AuditKey, AuditReport, AuditVerification, List } from '../api/types';
import { FormDialog } from '../settings/parts';
import { Badge, Copy, count, Empty, Facts, KeyedTable, Mark, Panel, percent, plural, ProblemNote, Snippet, Time } from '../shared';
import css from './audit.module.css';

/** peaks are the sizes of the perfect trees that a log of n records consists of, the largest first. */
export function peaks(n: number): number[] {
  const out: number[] = [];
  for (let size = 2 ** Math.floor(Math.log2(Math.max(1, n))); n > 0 && size >= 1; size /= 2) {
    if (n >= size) {
      out.push(size);
      n -= size;
    }
  }
  return out;
}

/** Proof: both chains with their trees, the signed checkpoints, and the keys that sign. */
export function Proof({ verified, at }: { verified: AuditVerification | undefined; at: number }) {
  const checkpoints = useQuery({ queryKey: ['audit-checkpoints'], queryFn: ({ signal }) => api.get<List<AuditCheckpoint>>('/audit/checkpoints', undefined, signal), refetchInterval: 10_000 });
  return (
    <>
      {(verified?.items ?? []).map((r) => (
        <Log key={r.log} r={r} at={at} checkpoint={checkpoints.data?.items.find((c) => c.log === r.log)} />
      ))}
      <ProblemNote error={checkpoints.error} />
      <Keys />
    </>
  );
}

function Log({ r, at, checkpoint }: { r: AuditReport; at: number; checkpoint: AuditCheckpoint | undefined }) {
  const total = r.last + 1;
  return (
    <Panel
      title={`Log of ${r.what}`}
      note={<code>{r.log}</code>}
      padded
      actions={<Mark level={r.break ? 'bad' : 'good'} letter={r.break ? 'X' : 'H'} label={r.break ? `breaks at ${count(r.break.seq)}` : 'holds'} words />}
    >
      <div className={css.log}>
        <Tree r={r} total={total} />
        <Facts>
          <dt>Verified</dt>
          <dd>
            <Time at={at} /> <span className="muted">{plural(r.records, 'record')}: form, order, chain, content, tree</span>
          </dd>
          <dt>Head</dt>
          <dd>
            <code>{r.last_leaf.slice(0, 22)}</code> <Copy text={r.last_leaf} label="Copy the newest leaf" size={18} />
          </dd>
          <dt>Signed</dt>
          <dd>
            {count(r.agreed)} <span className="muted">of {count(total)} stand under a checkpoint that agrees</span>
          </dd>
          <dt>Witnessed</dt>
          <dd>
            {r.witness_file || r.witness_url ? (
              <>
                {count(r.witnessed)} <span className="muted">({percent(total > 0 ? r.witnessed / total : 0)}); complete up to there, whoever had this computer</span>
              </>
            ) : (
              <Badge tone="warn" title="audit.witness_file or audit.witness_url">no witness is set</Badge>
            )}
          </dd>
          {r.first > 0 && (
            <>
              <dt>Retention</dt>
              <dd>{plural(r.first, 'record')} fell to it; their hashes are verified</dd>
            </>
          )}
          {r.erased > 0 && (
            <>
              <dt>Erased</dt>
              <dd>content of {plural(r.erased, 'record')}, as the log itself says</dd>
            </>
          )}
          {r.open > 0 && (
            <>
              <dt>In flight</dt>
              <dd>{plural(r.open, 'decision')} without its end yet</dd>
            </>
          )}
          {checkpoint && (
            <>
              <dt>Checkpoint</dt>
              <dd>
                <details>
                  <summary>at {count(checkpoint.size)} records, signed</summary>
                  <Snippet text={checkpoint.checkpoint} label="the checkpoint" />
                </details>
              </dd>
            </>
          )}
        </Facts>
      </div>
    </Panel>
  );
}

/** Tree draws the log as the perfect trees that it consists of, and how far it is signed and witnessed. */
function Tree({ r, total }: { r: AuditReport; total: number }) {
  const w = 640;
  const h = 92;
  const all = peaks(total);
  const top = Math.log2(Math.max(2, all[0] ?? 2)) + 1;
  // Small trees beside a large one would be thinner than a line: widths go with the height of a tree.
  const weight = (n: number) => Math.log2(n) + 1;
  const sum = all.reduce((n, s) => n + weight(s), 0) || 1;
  let x = 0;
  const shapes = all.map((size) => {
    const from = x;
    x += (weight(size) / sum) * w;
    return { size, from, to: x, high: (weight(size) / top) * h };
  });
  const bar = (label: string, n: number, y: number, tone: string) => (
    <g>
      <rect x={0} y={y} width={w} height={5} rx={2.5} fill="var(--r-sunken)" stroke="var(--r-line)" strokeWidth={0.5} />
      <rect x={0} y={y} width={total > 0 ? (n / total) * w : 0} height={5} rx={2.5} fill={tone}>
        <title>{label}</title>
      </rect>
    </g>
  );
  return (
    <svg className={css.tree} viewBox={`0 0 ${w} ${h + 34}`} role="img" aria-label={`${count(total)} records as ${plural(all.length, 'tree')} of ${all.map((s) => count(s)).join(', ')}; signed ${count(r.agreed)}, witnessed ${count(r.witnessed)}${r.break ? `; breaks at ${count(r.break.seq)}` : ''}`}>
      {shapes.map((s) => (
        <g key={s.from}>
          <path d={`M${s.from + 2} ${h} L${(s.from + s.to) / 2} ${h - s.high + 4} L${s.to - 2} ${h} Z`} fill="var(--r-accent-soft)" stroke="var(--r-accent-line)" />
          {s.size > 1 && <path d={`M${(s.from * 3 + s.to) / 4 + 1} ${h - s.high / 2 + 2} L${(s.from + s.to) / 2} ${h} L${(s.from + s.to * 3) / 4 - 1} ${h - s.high / 2 + 2}`} fill="none" stroke="var(--r-accent-line)" />}
          {s.to - s.from > 34 && (
            <text x={(s.from + s.to) / 2} y={h - 5} textAnchor="middle" fontSize="11" fill="var(--r-text-2)">
              {count(s.size)}
            </text>
          )}
        </g>
      ))}
      {bar(`${count(r.agreed)} signed`, r.agreed, h + 6, 'var(--r-good)')}
      {bar(`${count(r.witnessed)} witnessed`, r.witnessed, h + 15, 'var(--r-info)')}
      {r.break && <path d={`M${(r.break.seq / Math.max(1, total)) * w} 0 v${h + 22}`} stroke="var(--r-bad)" strokeWidth={2} />}
      <text x={0} y={h + 32} fontSize="10.5" fill="var(--r-text-3)">
        signed above, witnessed below
      </text>
    </svg>
  );
}

function Keys() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['audit-keys'], queryFn: ({ signal }) => api.get<List<AuditKey>>('/audit/keys', undefined, signal) });
  const may = useMay('RotateAuditKey');
  const [rotating, setRotating] = useState(false);
  const [reason, setReason] = useState('');
  const rotate = useMutation({
    mutationFn: () => api.post<List<AuditKey>>('/audit/keys/rotate', { reason: reason.trim() }),
    onSuccess: () => setRotating(false),
    onSettled: () => void client.invalidateQueries({ queryKey: ['audit-keys'] }),
  });
  const items = q.data?.items ?? [];
  return (
    <Panel
      title="Keys that sign checkpoints"
      note="Ed25519, used for nothing else"
      actions={
        may && (
          <Button size="compact-xs" onClick={() => setRotating(true)}>
            Rotate
          </Button>
        )
      }
    >
      <ProblemNote error={q.error} />
      <KeyedTable
        label="Keys that sign checkpoints"
        rows={items}
        rowKey={(k) => k.key}
        empty={q.isSuccess && <Empty title="No key signs yet." />}
        fields={[
          { head: 'State', cell: (k) => (k.retired_at ? <Badge>retired</Badge> : k.retires_at ? <Badge tone="warn">has a successor</Badge> : <Badge tone="good">signs</Badge>) },
          { head: 'Verifier key', width: '360px', title: (k) => k.key, cell: (k) => <code>{k.key}</code> },
          { head: 'Since', cell: (k) => <Time at={k.added_at} as="day" /> },
          { head: 'Until', cell: (k) => (k.retired_at || k.retires_at ? <Time at={k.retired_at ?? k.retires_at} as="day" /> : <span className="muted">it is rotated</span>) },
          { head: 'Vouched for', cell: (k) => (k.vouched ? 'by the key before it' : <span className="muted">the first</span>) },
          { head: 'Actions', end: true, cell: (k) => <Copy text={k.key} label="Copy the verifier key" /> },
        ]}
      />
      {rotating && (
        <FormDialog title="Rotate the key of checkpoints" submit="Rotate" pending={rotate.isPending} error={rotate.error} onSubmit={() => rotate.mutate()} onClose={() => setRotating(false)} disabled={reason.trim() === ''}>
          <p>The old key vouches for a new one, and both sign for a while. Note the new verifier key elsewhere.</p>
          <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
        </FormDialog>
      )}
    </Panel>
  );
}
