import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { EnforceAnswer, Simulation } from '../api/types';
import { Badge, count, pickView, plural, ProblemNote, Time, useFocusBack } from '../shared';
import form from '../settings/settings.module.css';
import css from './policies.module.css';

/** useSimulation follows a simulation until it is done. */
function useSimulation(first: Simulation | null | undefined) {
  const q = useQuery({
    queryKey: ['simulation', first?.id],
    queryFn: ({ signal }) => api.get<Simulation>(`/simulations/${first!.id}`, undefined, signal),
    enabled: !!first && first.state !== 'done' && first.state !== 'failed',
    refetchInterval: (s) => (s.state.data && ['done', 'failed'].includes(s.state.data.state) ? false : 500),
  });
  return q.data ?? first ?? undefined;
}

/** SimulationView says what a change would have changed, largest groups first. */
export function SimulationView({ s }: { s: Simulation }) {
  if (s.state === 'failed') return <p className={css.warning}>It could not be tried: {s.error}</p>;
  const groups = s.changes ?? [];
  return (
    <div className={css.simulation}>
      <p role="status">
        {s.state !== 'done' ? (
          <>Trying it on what was decided: {Math.round(s.progress * 100)} %.</>
        ) : s.changed === 0 ? (
          <>
            <strong>No verdict would change</strong> of {count(s.replayed)} since <Time at={s.from} as="day" />.
          </>
        ) : (
          <>
            <strong>{plural(s.changed, 'verdict')} would change</strong> of {count(s.replayed)} since <Time at={s.from} as="day" />: {count(s.stricter)} stricter, {count(s.looser)} looser.
          </>
        )}{' '}
        {s.not_kept > 0 && <span className="muted">{count(s.not_kept)} could not be tried: what they depend on was not kept. </span>}
        {s.cut && <span className={css.warning}>The period was too long; it was tried until <Time at={s.until} as="day" />.</span>}
      </p>
      {groups.length > 0 && (
        <div className={css.scroll} tabIndex={0} role="region" aria-label="What would change">
          <table className={css.table}>
            <thead>
              <tr>
                <th>Agent</th>
                <th>Proposed</th>
                <th>Was</th>
                <th>Becomes</th>
                <th>Why</th>
                <th>Times</th>
              </tr>
            </thead>
            <tbody>
              {groups.slice(0, 30).map((g) => (
                <tr key={[g.agent, g.action, g.resource, g.was, g.becomes, g.reason.code].join()}>
                  <td>{g.agent}</td>
                  <td>{g.resource}</td>
                  <td>
                    <Badge tone={g.was === 'allow' ? 'good' : 'bad'}>{g.was}</Badge>
                  </td>
                  <td>
                    <Badge tone={g.becomes === 'allow' ? 'good' : 'bad'}>{g.becomes}</Badge>
                  </td>
                  <td>{g.reason.text}</td>
                  <td className="num">
                    {(g.examples ?? [])[0] ? (
                      <Link className="link" to={'/decisions' as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), show: 'all', decision: g.examples![0] })) as never}>
                        {count(g.count)}
                      </Link>
                    ) : (
                      count(g.count)
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(groups.length > 30 || s.more > 0) && <p className="muted">and {count(groups.length - Math.min(30, groups.length) + s.more)} more groups</p>}
    </div>
  );
}

/** EnforceDialog shows what enforcing would have refused, and enforces only what was shown. */
export function EnforceDialog({ what, path, onClose }: { what: string; path: string; onClose: () => void }) {
  useFocusBack();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const ask = useMutation({ mutationFn: () => api.post<EnforceAnswer>(path, { preview: true, days: 7 }) });
  const { mutate } = ask;
  useEffect(() => mutate(), [mutate]);
  const s = useSimulation(ask.data?.simulation);
  const enforce = useMutation({
    mutationFn: () => api.post<EnforceAnswer>(path, { simulation: s!.id, reason: reason.trim() }),
    onSuccess: onClose,
    onSettled: () => {
      for (const key of ['policies', 'agents', 'agent', 'overview', 'proposals']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Enforce ${what}`} size={760}>
      <form
        className={form.form}
        onSubmit={(e) => {
          e.preventDefault();
          enforce.mutate();
        }}
      >
        {s ? <SimulationView s={s} /> : <p role="status">Looking at the last seven days.</p>}
        <TextInput label="Reason" data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
        <ProblemNote error={ask.error ?? enforce.error} />
        <div className={form.formEnd}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="filled" loading={enforce.isPending} disabled={s?.state !== 'done'}>
            Enforce it
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Try runs a changed text against what was decided in the last seven days. */
export function Try({ body }: { body: object }) {
  const start = useMutation({ mutationFn: () => api.post<Simulation>('/policies/simulate', { policies: [body], from: '-7d' }) });
  const s = useSimulation(start.data);
  return (
    <div>
      <Button size="compact-sm" loading={start.isPending} onClick={() => start.mutate()}>
        Try it on the last seven days
      </Button>
      <ProblemNote error={start.error} />
      {s && <SimulationView s={s} />}
    </div>
  );
}
