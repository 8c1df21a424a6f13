import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, UnknownAgent } from '../api/types';
import css from '../inbox/inbox.module.css';
import { Sure } from '../settings/parts';
import { count, Panel, plural, ProblemNote, Time } from '../shared';
import { RegisterDialog } from './RegisterDialog';

/** useUnknownAgents lists agents that were seen and that nobody registered. */
export function useUnknownAgents() {
  return useQuery({ queryKey: ['unknown-agents'], queryFn: ({ signal }) => api.get<List<UnknownAgent>>('/unknown-agents', { limit: 200 }, signal), refetchInterval: 15_000, meta: { live: true } });
}

/** UnknownAgents: each with its first evidence, and what to do about it in place. */
export function UnknownAgents({ items }: { items: UnknownAgent[] }) {
  const client = useQueryClient();
  const may = useMay('RegisterUnknownAgent');
  const mayBlock = useMay('BlockUnknownAgent');
  const [register, setRegister] = useState<UnknownAgent>();
  const [undo, setUndo] = useState<{ id: string; name: string; what: string }>();
  const again = () => {
    for (const key of ['agents', 'unknown-agents', 'overview', 'stops']) void client.invalidateQueries({ queryKey: [key] });
  };
  const act = useMutation({
    mutationFn: ({ u, how, body }: { u: UnknownAgent; how: string; body: object }) => api.post(`/unknown-agents/${u.id}/${how}`, body),
    onSuccess: (_r, { u, how }) => setUndo(how === 'undo' ? undefined : { id: u.id, name: u.name, what: how === 'merge' ? 'merged' : how === 'block' ? 'blocked' : 'dismissed' }),
    onSettled: again,
  });
  const adopt = useMutation({ mutationFn: () => api.post('/agents/adopt', { all: true, reason: 'adopted together' }), onSettled: again });
  const back = useMutation({ mutationFn: (id: string) => api.post(`/unknown-agents/${id}/undo`, { reason: 'undone' }), onSuccess: () => setUndo(undefined), onSettled: again });
  const busy = (u: UnknownAgent) => act.isPending && act.variables.u.id === u.id;
  return (
    <Panel title="Agents that nobody registered" note={plural(items.length, 'agent')} actions={may && items.length > 1 && <Sure label={`Adopt all ${count(items.length)} in observe`} sure="Adopt them now" pending={adopt.isPending} onDo={() => adopt.mutate()} />}>
      <ProblemNote error={act.error ?? adopt.error ?? back.error} />
      {undo && (
        <p role="status" style={{ padding: '6px 12px', margin: 0 }}>
          {undo.name || 'It'} was {undo.what}.{' '}
          <Button size="compact-xs" loading={back.isPending} onClick={() => back.mutate(undo.id)}>
            Undo
          </Button>
        </p>
      )}
      <ul className={css.list}>
        {items.slice(0, 50).map((u) => (
          <li key={u.id} className={css.row}>
            <div className="grow">
              <strong>{u.name || 'no name given'}</strong> <span className="muted">{[u.team, u.environment].filter(Boolean).join(', ') || 'no team'}</span>
              <div className="muted">
                {u.why} Seen {plural(u.seen, 'time')} at the {u.where === 'both' ? 'door and in telemetry' : u.where}, first <Time at={u.first_seen} />
                {u.run_id && (
                  <>
                    :{' '}
                    <Link className="link" to={'/runs/$id' as never} params={{ id: u.run_id } as never}>
                      first evidence
                    </Link>
                  </>
                )}
                .
              </div>
            </div>
            {(u.candidates ?? []).slice(0, 2).map((c) => (
              <Button key={c} loading={busy(u)} disabled={!may} onClick={() => act.mutate({ u, how: 'merge', body: { into: c, reason: 'the same agent' } })}>
                It is {c}
              </Button>
            ))}
            <Button loading={busy(u)} disabled={!may} onClick={() => act.mutate({ u, how: 'dismiss', body: { reason: 'not an agent of ours' } })}>
              Dismiss
            </Button>
            {mayBlock && <Sure label="Block" sure="Block it now" pending={busy(u)} onDo={() => act.mutate({ u, how: 'block', body: { reason: 'nobody answers for it' } })} />}
            <Button variant="filled" disabled={!may} onClick={() => setRegister(u)}>
              Register
            </Button>
          </li>
        ))}
      </ul>
      {items.length > 50 && <p className="muted" style={{ padding: '6px 12px' }}>and {count(items.length - 50)} more</p>}
      {register && <RegisterDialog found={register} onClose={() => setRegister(undefined)} onDone={() => setRegister(undefined)} />}
    </Panel>
  );
}
