import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useMay } from '../api/queries';
import type { List, Response } from '../api/types';
import { words } from '../findings/data';
import { Sure } from '../settings/parts';
import { Badge, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import { Key, Row, useHands, type RowProps } from './Rows';

export type Task = components['schemas']['IncidentTask'];
export type Waiting = components['schemas']['RunbookRun'];

const day = 86_400_000;

/** useAfter is what incidents and responses leave for this person: actions they own, what they may agree to, and what the brake left. */
export function useAfter() {
  const list = <T,>(key: string, path: string, params: Record<string, string | boolean | undefined> | undefined, keep: (x: T) => boolean = () => true) =>
    useQuery({ queryKey: ['inbox', key], queryFn: async ({ signal }) => (await api.get<List<T>>(path, params, signal)).items.filter(keep), refetchInterval: 15_000, retry: false });
  return {
    actions: list<Task>('actions', '/incident-actions', { mine: true }),
    compensations: list<Task>('compensations', '/incident-actions', { kind: 'compensation', unagreed: true }),
    runbooks: list<Waiting>('runbooks', '/runbook-runs', undefined),
    // What the brake left a day ago answers nothing any more; the overview forgets it too.
    braked: list<Response>('braked', '/responses', { state: 'braked' }, (x) => Date.now() - Date.parse(x.at) < day),
  };
}

function useAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['inbox', 'incident', 'incidents', 'incident-actions', 'runbook-runs', 'responses', 'overview']) void client.invalidateQueries({ queryKey: [key] });
  };
}

/** TaskRow is an action that this person owns, or something to put right that waits for their agreement. */
export function TaskRow({ t, ...row }: { t: Task } & RowProps) {
  const navigate = useNavigate();
  const again = useAgain();
  const agree = t.kind === 'compensation';
  const change = useMutation({ mutationFn: () => api.post(`/incident-tasks/${t.id}`, agree ? { approve: true } : { done: true }), onSettled: again });
  const open = () => void navigate({ to: `/incidents/${t.number || t.incident}` as never });
  useHands(row, { a: () => change.mutate(), enter: open });
  return (
    <Row
      id={t.id}
      row={row}
      head={visible(t.text)}
      meta={
        <>
          {t.number ? `Incident ${t.number}` : 'An incident'}
          {t.title && `: ${visible(t.title)}`}.{' '}
          {t.due_at ? (
            <>
              {Date.parse(t.due_at) < Date.now() ? <Badge tone="bad">overdue</Badge> : 'due'} <Time at={t.due_at} as="day" />
            </>
          ) : (
            'No date is set.'
          )}
          {agree && `, proposed by ${t.by}`}
          <ProblemNote error={change.error} />
        </>
      }
      actions={
        <>
          <Button size="compact-sm" loading={change.isPending} onClick={() => change.mutate()}>
            {agree ? 'Agree' : 'Done'} <Key k="a" on={row.active} />
          </Button>
          <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={open}>
            Open <Key k="enter" on={row.active} />
          </Button>
        </>
      }
    />
  );
}

/** RunbookRow is a runbook that somebody proposed and that a second person agrees to. */
export function RunbookRow({ r, ...row }: { r: Waiting } & RowProps) {
  const navigate = useNavigate();
  const again = useAgain();
  const approve = useMutation({ mutationFn: () => api.post(`/runbook-runs/${r.id}/approve`, {}), onSettled: again });
  const open = () => void navigate({ to: `/incidents/${r.number || r.incident}` as never });
  useHands(row, { a: () => approve.mutate(), enter: open });
  return (
    <Row
      id={r.id}
      row={row}
      head={`Run ${r.runbook} on incident ${r.number ?? ''}`}
      meta={
        <>
          {r.by}, <Time at={r.at} />: {visible(r.reason)}. First: {visible(r.steps[0]?.text ?? '')}
          <ProblemNote error={approve.error} />
        </>
      }
      actions={
        <>
          <Button size="compact-sm" loading={approve.isPending} onClick={() => approve.mutate()}>
            Agree <Key k="a" on={row.active} />
          </Button>
          <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={open}>
            See its steps <Key k="enter" on={row.active} />
          </Button>
        </>
      }
    />
  );
}

/** BrakedRow is a containment that the brake left to a person. */
export function BrakedRow({ x, ...row }: { x: Response } & RowProps) {
  const navigate = useNavigate();
  const again = useAgain();
  const may = useMay('ApplyResponse');
  const apply = useMutation({ mutationFn: () => api.post(`/responses/${encodeURIComponent(x.id)}/apply`, { reason: 'decided in the inbox' }), onSettled: again });
  const open = () => void navigate({ to: '/findings' as never, search: { show: 'responses' } as never });
  useHands(row, { enter: open });
  return (
    <Row
      id={x.id}
      row={row}
      head={`${x.agent} would be ${words(x.contain)} because of ${words(x.detector)}`}
      meta={
        <>
          {x.why}, <Time at={x.at} />. It goes from here a day after that.
          <ProblemNote error={apply.error} />
        </>
      }
      actions={
        <>
          {may && <Sure label="Do it" sure={`Contain ${x.agent} now`} pending={apply.isPending} onDo={() => apply.mutate()} />}
          <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={open}>
            Open <Key k="enter" on={row.active} />
          </Button>
        </>
      }
    />
  );
}

/** until is when what the brake left is forgotten. */
export const until = (x: Pick<Response, 'at'>) => Date.parse(x.at) + day;
