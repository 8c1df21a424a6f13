import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { Badge, Panel, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import type { IncidentDetail, IncidentOffer, IncidentPreview } from './data';
import css from './incidents.module.css';

/** Acts are what can be done about an incident: each shows first what it would come to, and can be taken back. */
export function Acts({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  const offers = useQuery({ queryKey: ['incident', i.id, 'offers', i.revision], queryFn: async ({ signal }) => (await api.get<List<IncidentOffer>>(`/incidents/${i.id}/offers`, undefined, signal)).items });
  const [chosen, setChosen] = useState<IncidentOffer>();
  const [undoing, setUndoing] = useState<string>();
  const mayAct = useMay('ActOnIncident') && may && i.state !== 'merged';
  const live = ['open', 'acknowledged', 'mitigated'].includes(i.state);
  // What changes nothing that runs can be done after the end too.
  const open = mayAct ? (offers.data ?? []).filter((o) => live || o.kind === 'make_case') : [];
  const acts = i.acts ?? [];
  return (
    <Panel title="What can be done" note="tried first, and taken back">
      <ProblemNote error={offers.error} />
      <ul className={css.rows}>
        {acts.map((a) => (
          <li key={a.id}>
            <span className="grow">
              <Badge tone={a.state === 'done' ? 'good' : a.state === 'failed' ? 'bad' : undefined}>{a.state}</Badge> {visible(a.text || `${a.kind} ${a.target}`)}, {a.person} <Time at={a.at} />
              {a.result && <small className="muted"> {visible(a.result)}</small>}
            </span>
            {mayAct && (a.state === 'done' || a.state === 'doing') && <Button size="compact-xs" onClick={() => setUndoing(a.id)}>Take back</Button>}
          </li>
        ))}
        {open.map((o) => (
          <li key={`${o.kind} ${o.target} ${o.level}`}>
            <span className="grow" title={o.why}>
              {visible(o.text)}
            </span>
            <Button size="compact-xs" aria-label={`Look at: ${o.text}`} onClick={() => setChosen(o)}>
              Look
            </Button>
          </li>
        ))}
      </ul>
      {acts.length === 0 && (offers.data ?? []).length === 0 && <p className={css.none}>Nothing here can be contained, stopped or limited through Reeve.</p>}
      {chosen && <ActDialog id={i.id} offer={chosen} onClose={() => setChosen(undefined)} onDone={onDone} />}
      {undoing && <UndoDialog id={undoing} onClose={() => setUndoing(undefined)} onDone={onDone} />}
    </Panel>
  );
}

function ActDialog({ id, offer, onClose, onDone }: { id: string; offer: IncidentOffer; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState('');
  const [said, setSaid] = useState<string>();
  const what = { kind: offer.kind, target: offer.target, level: offer.level };
  const preview = useQuery({ queryKey: ['incident', id, 'preview', what], queryFn: ({ signal }) => api.post<IncidentPreview>(`/incidents/${id}/preview`, what, signal) });
  const tells = offer.kind === 'tell_affected';
  const cases = offer.kind === 'make_case';
  const message = said ?? preview.data?.draft ?? '';
  const act = useMutation({
    mutationFn: () => api.post(`/incidents/${id}/acts`, { ...what, reason, message: tells || cases ? message || undefined : undefined, until: hours ? new Date(Date.now() + Number(hours) * 3_600_000).toISOString() : undefined }),
    onSuccess: onClose,
    onSettled: onDone,
  });
  const p = preview.data;
  return (
    <FormDialog title={offer.text} submit="Do it" pending={act.isPending} error={act.error ?? preview.error} disabled={!p || Boolean(p.needs) || reason.trim() === '' || (tells && message.trim() === '')} onSubmit={() => act.mutate()} onClose={onClose}>
      <p style={{ margin: 0 }}>{p ? visible(p.text) : 'Looking at what it would come to…'}</p>
      {(p?.hits ?? []).length > 0 && <p style={{ margin: 0 }}>It reaches: {(p?.hits ?? []).join(', ')}</p>}
      {p && <p className="muted" style={{ margin: 0 }}>{visible(p.undo)}</p>}
      {p?.needs && <p style={{ margin: 0 }}>You may not: {visible(p.needs)}</p>}
      {p?.second && <p style={{ margin: 0 }}>A second person agrees before it is done.</p>}
      {tells && <Textarea required label="What they are told" rows={8} maxLength={4000} value={message} onChange={(e) => setSaid(e.currentTarget.value)} />}
      {cases && <Textarea label="What would have been right" description="Left empty, the case only says that this answer was wrong." rows={4} maxLength={4000} value={message} onChange={(e) => setSaid(e.currentTarget.value)} />}
      <TextInput data-autofocus required label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      {offer.kind !== 'lower_budget' && !tells && !cases && <Pick label="Until" value={hours} options={[['', 'it is taken back'], ['1', 'in an hour'], ['8', 'in 8 hours'], ['24', 'in a day']].map(([value, label]) => ({ value: value!, label: label! }))} onPick={setHours} />}
    </FormDialog>
  );
}

function UndoDialog({ id, onClose, onDone }: { id: string; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const undo = useMutation({ mutationFn: () => api.post(`/incident-acts/${id}/undo`, { reason }), onSuccess: onClose, onSettled: onDone });
  return (
    <FormDialog title="Take it back" submit="Take it back" pending={undo.isPending} error={undo.error} disabled={reason.trim() === ''} onSubmit={() => undo.mutate()} onClose={onClose}>
      <TextInput data-autofocus required label="Why" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
