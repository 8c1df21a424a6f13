import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { Stop, StopPreview, StopTarget } from '../api/types';
import { Pick } from '../settings/parts';
import css from '../settings/settings.module.css';
import { count, holds, KeyedTable, plural, ProblemNote, Time, untilOf, useFocusBack } from '../shared';

/** targetText names a stop's target in words. */
export function targetText(t: StopTarget): string {
  return t.kind === 'everything' ? 'everything' : `${t.kind} ${t.value}`;
}

/** StopDialog names what will stop before it does, and shows the receipt. */
export function StopDialog({ target, onClose }: { target: StopTarget; onClose: () => void }) {
  useFocusBack();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState('');
  const preview = useQuery({ queryKey: ['stop-preview', target], queryFn: ({ signal }) => api.post<StopPreview>('/stops/preview', { target }, signal), refetchInterval: 2000 });
  const stop = useMutation({
    mutationFn: () => api.post<Stop>('/stops', { target, reason: reason.trim(), until: untilOf(minutes) }),
    onSettled: () => {
      for (const key of ['stops', 'agents', 'agent', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const p = preview.data;
  if (stop.data) return <Receipt stop={stop.data} onClose={onClose} />;
  return (
    <Modal opened onClose={onClose} title={`Stop ${targetText(target)}`} size={520}>
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault();
          stop.mutate();
        }}
      >
        <p role="status">
          {!p ? (
            'Looking at what would be cut.'
          ) : (
            <>
              <strong>{plural(p.total, 'call')} in flight</strong> will be cut now{p.agents && p.agents.length > 0 && <>: of {p.agents.slice(0, 5).join(', ')}{p.agents.length > 5 && ` and ${count(p.agents.length - 5)} more`}</>}. New calls are refused.
              {target.kind === 'agent' && ' Its keys and tokens die and stay dead; agents acting for it are cut too.'}
              {!p.through_door && ' No call of it has come through the door: what it does elsewhere goes on.'}
            </>
          )}
        </p>
        <TextInput label="Reason" description="Stands in the record and on the receipt" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
        <Pick label="Holds" value={minutes} options={holds('until it is lifted', 15, 60, 480)} onPick={setMinutes} />
        <ProblemNote error={preview.error ?? stop.error} />
        <div className={css.formEnd}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="filled" color="bad" loading={stop.isPending} disabled={reason.trim() === ''}>
            Stop {target.kind === 'everything' ? 'everything' : target.value}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Receipt({ stop, onClose }: { stop: Stop; onClose: () => void }) {
  const r = stop.receipt;
  const cut = r?.calls_cut ?? [];
  return (
    <Modal opened onClose={onClose} title={`Stopped: ${targetText(stop.target)}`} size={560}>
      <div className={css.form} role="status">
        {r && (
          <p>
            <strong>
              {plural(cut.length, 'call')} cut in {r.time_to_stop_ms.toFixed(1)} ms
            </strong>
            , measured when the last of them had left the door. {plural(r.credentials_revoked, 'credential')} dead.{' '}
            {(r.delegates ?? []).length > 0 && <>Agents acting for it: {r.delegates!.join(', ')}. </>}
            {stop.until ? (
              <>
                It ends <Time at={stop.until} />.
              </>
            ) : (
              'It holds until somebody lifts it.'
            )}
          </p>
        )}
        {(r?.notes ?? []).map((n) => (
          <p key={n} className="muted">
            {n}
          </p>
        ))}
        {cut.length > 0 && (
          <KeyedTable
            label="Calls that were cut"
            rows={cut.slice(0, 50)}
            rowKey={(c) => c.decision_id}
            fields={[
              { head: 'Agent', cell: (c) => c.agent },
              { head: 'Call', cell: (c) => c.resource },
              { head: 'Cut after', num: true, cell: (c) => `${c.cut_ms.toFixed(1)} ms` },
            ]}
          />
        )}
        <div className={css.formEnd}>
          <Button variant="filled" data-autofocus onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Modal>
  );
}
