import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Proposal } from '../api/types';
import { Panel, plural, ProblemNote, Time } from '../shared';
import css from './inbox.module.css';

/** Proposals: changes that need two people, and this is the second, or who asked. */
export function Proposals({ items }: { items: Proposal[] }) {
  const client = useQueryClient();
  const settle = useMutation({
    mutationFn: ({ id, how }: { id: string; how: 'confirm' | 'decline' | 'withdraw' }) => api.post<Proposal>(`/proposals/${id}/${how}`),
    onSettled: () => void client.invalidateQueries({ queryKey: ['proposals'] }),
  });
  const busy = (p: Proposal) => settle.isPending && settle.variables.id === p.id;
  return (
    <Panel title="Needs a second person" note={plural(items.length, 'change')}>
      <ProblemNote error={settle.error} />
      <ul className={css.list}>
        {items.map((p) => (
          <li key={p.id} className={css.row}>
            <div className="grow">
              <strong>{p.summary}</strong>
              <div className="muted">
                asked by {p.mine ? 'you' : p.by} <Time at={p.created_at} />, until <Time at={p.expires_at} />
                {p.reason && <>: {p.reason}</>}
              </div>
              <details>
                <summary>What will be done</summary>
                <pre className={css.raw}>{`${p.operation} ${p.path}\n${JSON.stringify(p.request, null, 2)}`}</pre>
              </details>
            </div>
            {p.mine ? (
              <Button loading={busy(p)} onClick={() => settle.mutate({ id: p.id, how: 'withdraw' })}>
                Withdraw
              </Button>
            ) : (
              <>
                <Button loading={busy(p)} onClick={() => settle.mutate({ id: p.id, how: 'decline' })}>
                  Decline
                </Button>
                <Button variant="filled" loading={busy(p)} onClick={() => settle.mutate({ id: p.id, how: 'confirm' })}>
                  Confirm
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
