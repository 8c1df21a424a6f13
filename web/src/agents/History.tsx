import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AgentEvent, AgentVersion, List } from '../api/types';
import { FormDialog } from '../settings/parts';
import { Badge, count, Empty, Mark, Panel, plural, ProblemNote, Time, type Level } from '../shared';
import css from './history.module.css';

const parts = ['prompt', 'model', 'tools', 'code', 'policy'] as const;
const kinds: Record<string, { level: Level; letter: string }> = {
  lifecycle: { level: 'info', letter: 'L' },
  containment: { level: 'warn', letter: 'C' },
  change: { level: 'idle', letter: 'E' },
  version: { level: 'good', letter: 'V' },
  key: { level: 'idle', letter: 'K' },
  alias: { level: 'idle', letter: 'A' },
  waiver: { level: 'warn', letter: 'W' },
};

/** difference says part by part what of two versions is the same, came or went. A part whose hash is missing is unknown, not unchanged. */
export function difference(before: AgentVersion | undefined, after: AgentVersion): { part: string; state: 'same' | 'other' | 'unknown'; gone: string[]; came: string[]; kept: string[] }[] {
  return parts.map((part) => {
    const was = before?.made_of?.[part] ?? [];
    const is = after.made_of?.[part] ?? [];
    const a = before?.parts?.[part];
    const b = after.parts?.[part];
    return {
      part,
      state: !a || !b ? 'unknown' : a === b ? 'same' : 'other',
      gone: was.filter((x) => !is.includes(x)),
      came: is.filter((x) => !was.includes(x)),
      kept: is.filter((x) => was.includes(x)),
    };
  });
}

/** History: everything that happened to an agent, and what its versions differ in. */
export function History({ name }: { name: string }) {
  const timeline = useQuery({ queryKey: ['agent', name, 'timeline'], queryFn: ({ signal }) => api.get<List<AgentEvent>>(`/agents/${encodeURIComponent(name)}/timeline`, undefined, signal) });
  const versions = useQuery({ queryKey: ['agent', name, 'versions'], queryFn: ({ signal }) => api.get<List<AgentVersion>>(`/agents/${encodeURIComponent(name)}/versions`, undefined, signal) });
  const all = versions.data?.items ?? [];
  const [one, setOne] = useState<string>();
  const after = all.find((v) => v.hash === one) ?? all[0];
  const events = timeline.data?.items ?? [];
  return (
    <div className={css.columns}>
      <Panel title="Timeline" note={timeline.isSuccess ? plural(events.length, 'event') : undefined}>
        <ProblemNote error={timeline.error} />
        {timeline.isSuccess && events.length === 0 && <Empty small title="Nothing has happened to it yet." />}
        <ol className={css.line}>
          {events.slice(0, 200).map((e, i) => {
            const v = e.kind === 'version' ? all.find((x) => x.hash === e.ref) : undefined;
            return (
              <li key={`${e.at} ${i}`} data-on={v && v.hash === after?.hash ? '' : undefined}>
                <Mark {...(kinds[e.kind] ?? { level: 'idle', letter: '?' })} label={e.kind} size={15} />
                <span className="grow">
                  {v ? (
                    <button type="button" className={css.open} onClick={() => setOne(v.hash)}>
                      {e.text}
                    </button>
                  ) : (
                    e.text
                  )}
                  {(e.by || e.reason) && (
                    <span className="muted">
                      {e.by && `, ${e.by}`}
                      {e.reason && `: ${e.reason}`}
                    </span>
                  )}
                </span>
                <Time at={e.at} as="day" />
              </li>
            );
          })}
        </ol>
        {events.length > 200 && <p className={css.more}>and {count(events.length - 200)} before</p>}
      </Panel>
      <Versions name={name} all={all} after={after} known={versions.isSuccess} error={versions.error} onPick={setOne} />
    </div>
  );
}

/** Versions compares one version with an earlier one, part by part. */
function Versions({ name, all, after, known, error, onPick }: { name: string; all: AgentVersion[]; after: AgentVersion | undefined; known: boolean; error: unknown; onPick: (hash: string) => void }) {
  const may = useMay('ApproveAgentVersion');
  const [base, setBase] = useState('');
  const [approving, setApproving] = useState(false);
  const at = all.findIndex((v) => v.hash === after?.hash);
  const before = all.find((v) => v.hash === base && v.hash !== after?.hash) ?? all[at + 1];
  const diff = useMemo(() => (after ? difference(before, after) : []), [before, after]);
  return (
    <Panel
      title="Versions"
      note={known ? plural(all.length, 'version') : undefined}
      actions={
        after &&
        may &&
        !after.approved && (
          <Button size="compact-xs" onClick={() => setApproving(true)}>
            Approve it
          </Button>
        )
      }
    >
      <ProblemNote error={error} />
      {known && !after && <Empty small title="No version was observed.">What an agent is made of is known from its first steps: prompt, model, tools, code, policy.</Empty>}
      {after && (
        <>
          <div className={css.pick}>
            <label>
              <span className="muted">Version</span>
              <select value={after.hash} onChange={(e) => onPick(e.currentTarget.value)}>
                {all.map((v) => (
                  <option key={v.hash} value={v.hash}>
                    {v.hash.slice(0, 12)}, since {v.first_seen.slice(0, 16).replace('T', ' ')}
                    {v.current ? ', now' : ''}
                  </option>
                ))}
              </select>
            </label>
            <label>
              <span className="muted">against</span>
              <select value={before?.hash ?? ''} onChange={(e) => setBase(e.currentTarget.value)}>
                {!before && <option value="">nothing before it</option>}
                {all
                  .filter((v) => v.hash !== after.hash)
                  .map((v) => (
                    <option key={v.hash} value={v.hash}>
                      {v.hash.slice(0, 12)}, since {v.first_seen.slice(0, 16).replace('T', ' ')}
                    </option>
                  ))}
              </select>
            </label>
          </div>
          <p className={css.says}>
            {after.current ? 'It runs now' : 'It ran until '}
            {!after.current && <Time at={after.last_seen} as="day" />}.{' '}
            {after.approved ? (
              <>
                Approved by {after.approved_by} <Time at={after.approved_at} as="day" />
                {after.reason && `: ${after.reason}`}.
              </>
            ) : (
              <Badge tone="warn">nobody approved it</Badge>
            )}{' '}
            {after.run_id && (
              <Link className="link" to={'/runs/$id' as never} params={{ id: after.run_id } as never}>
                first run with it
              </Link>
            )}
          </p>
          <dl className={css.diff}>
            {diff.map((d) => (
              <div key={d.part} data-state={before ? d.state : undefined}>
                <dt>{d.part}</dt>
                <dd>
                  {before && <span className={css.state}>{d.state === 'same' ? 'as before' : d.state === 'unknown' ? 'not known of both' : 'another'}</span>}
                  {before && d.state !== 'same' && d.gone.map((x) => <del key={x}>{x}</del>)}
                  {before && d.state !== 'same' ? d.came.map((x) => <ins key={x}>{x}</ins>) : d.came.map((x) => <span key={x}>{x}</span>)}
                  {d.kept.map((x) => (
                    <span key={x} className="muted">
                      {x}
                    </span>
                  ))}
                  {d.gone.length + d.came.length + d.kept.length === 0 && <span className="hatch"><span>unknown</span></span>}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {approving && after && <Approve name={name} v={after} onClose={() => setApproving(false)} />}
    </Panel>
  );
}

function Approve({ name, v, onClose }: { name: string; v: AgentVersion; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const send = useMutation({
    mutationFn: () => api.post(`/agents/${encodeURIComponent(name)}/versions/${v.hash}/approve`, { reason: reason.trim() }),
    onSuccess: onClose,
    onSettled: () => {
      for (const key of ['agent', 'agents', 'standard']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  return (
    <FormDialog title={`Approve ${v.hash.slice(0, 12)}`} submit="Approve" pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} disabled={reason.trim() === ''}>
      <p>You say that this is what {name} should be. Another version needs another approval.</p>
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
