import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useMay } from '../api/queries';
import { count, percent, pickView, ProblemNote, Time } from '../shared';
import { Key, Row, useHands, type RowProps } from './Rows';

export type Trust = components['schemas']['ObjectiveProposal'];

/** TrustRow is a lasting change of an agent's autonomy that the figures of an objective speak for. */
export function TrustRow({ p, ...row }: { p: Trust } & RowProps) {
  const client = useQueryClient();
  const may = useMay('AcceptObjectiveProposal');
  const decide = useMutation({
    mutationFn: (how: 'accept' | 'decline') => api.post<Trust>(`/objective-proposals/${p.id}/${how}`, {}),
    onSettled: () => {
      for (const key of ['objective-proposals', 'objectives', 'objective', 'agents', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  useHands(row, { a: () => may && decide.mutate('accept'), d: () => may && decide.mutate('decline') });
  return (
    <Row
      id={p.id}
      row={row}
      head={`Let ${p.agent} be ${p.to.replace('_', ' ')} instead of ${p.from.replace('_', ' ')}`}
      meta={
        <>
          <Link className="link" to={'/objectives' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), objective: p.objective })) as never}>
            {p.objective}
          </Link>
          : {p.why}
          {typeof p.value === 'number' && ` (${percent(p.value)} of ${count(p.n)}; ${percent(p.left, 0)} of the budget left)`}. <Time at={p.at} />
          <ProblemNote error={decide.error} />
        </>
      }
      actions={
        may && (
          <>
            <Button size="compact-sm" loading={decide.isPending} onClick={() => decide.mutate('decline')}>
              Decline <Key k="d" on={row.active} />
            </Button>
            <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} loading={decide.isPending} onClick={() => decide.mutate('accept')}>
              Accept <Key k="a" on={row.active} />
            </Button>
          </>
        )
      }
    />
  );
}
