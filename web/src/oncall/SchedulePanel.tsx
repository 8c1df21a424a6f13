import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { lazy, Suspense, useState } from 'react';
import { useMay, useMe } from '../api/queries';
import { Sure } from '../settings/parts';
import { Badge, Copy, dayClock, Facts, KeyedTable, Panel, ProblemNote, Time, useNow } from '../shared';
import { useView } from '../state/url';
import { rotationWords, schedulePath, stretches, useEscalations, useSchedule, type EscalationPolicy, type Shift } from './data';
import css from './oncall.module.css';

const ScheduleDialog = lazy(() => import('./Change').then((m) => ({ default: m.ScheduleDialog })));
const PolicyDialog = lazy(() => import('./Change').then((m) => ({ default: m.PolicyDialog })));

const day = 86_400_000;
const days = 14;

/** SchedulePanel is one schedule: its coming shifts, its overrides, and who calls it. */
export function SchedulePanel({ name, onClose }: { name: string; onClose: () => void }) {
  const client = useQueryClient();
  const q = useSchedule(name, days);
  const policies = useEscalations();
  const may = useMay('EndOverride');
  const me = useMe()?.person?.name;
  const end = useMutation({ mutationFn: (id: string) => api.delete(`${schedulePath(name)}/overrides/${encodeURIComponent(id)}`), onSettled: () => void client.invalidateQueries({ queryKey: ['oncall'] }) });
  const mayChange = useMay('PutSchedule');
  const mayCall = useMay('PutEscalationPolicy');
  const [changing, setChanging] = useState(false);
  const [policy, setPolicy] = useState<EscalationPolicy>();
  const remove = useMutation({ mutationFn: () => api.delete(schedulePath(name)), onSuccess: onClose, onSettled: () => void client.invalidateQueries({ queryKey: ['oncall'] }) });
  const s = q.data;
  if (!s) return <ProblemNote error={q.error} />;
  const calling = (policies.data ?? []).filter((p) => p.levels.some((l) => l.schedules?.includes(name)));
  return (
    <>
      <Panel title={s.name} note={s.zone} padded actions={
        <>
          {mayChange && <Button size="compact-xs" onClick={() => setChanging(true)}>Change</Button>}
          {mayChange && <Sure label="Remove" sure="Remove it now" pending={remove.isPending} onDo={() => remove.mutate()} />}
          <Button size="compact-xs" onClick={onClose}>Close the panel</Button>
        </>
      }>
        <ProblemNote error={remove.error} />
        <Facts>
          <dt>Now</dt>
          <dd>{s.now ? <>{s.now.person} until <Time at={s.now.to} as="day" /></> : <strong>nobody</strong>}</dd>
          <dt>Next</dt>
          <dd>{s.next ? <>{s.next.person} from <Time at={s.next.from} as="day" /></> : <span className="muted">nobody within 90 days</span>}</dd>
          <dt>Team</dt>
          <dd>{s.team || <span className="muted">the house</span>}</dd>
          <dt>Reached</dt>
          <dd>{!s.now ? <span className="muted">there is nobody to reach</span> : s.reached ? 'has a contact' : <>has no contact: <code>reeve oncall contacts</code> says how</>}</dd>
          {s.rotations.map((r, i) => (
            <div key={i} style={{ display: 'contents' }}>
              <dt>Rotation</dt>
              <dd>{r.people.join(', ')} <span className="muted">{rotationWords(r)}</span></dd>
            </div>
          ))}
          <dt>Called by</dt>
          <dd>{calling.length > 0 ? calling.map((p) => <div key={p.name}>{policyWords(p, name)} {mayCall && <Button size="compact-xs" aria-label={`Change ${p.name}`} onClick={() => setPolicy(p)}>Change</Button>}</div>) : <span className="muted">no escalation policy: it only tells who it is</span>}</dd>
          {s.calendar && (
            <>
              <dt>Calendar</dt>
              <dd>iCalendar feed <Copy text={s.calendar} label="Copy its address: whoever has it reads the schedule" /></dd>
            </>
          )}
        </Facts>
      </Panel>
      <Panel title="Coming shifts" note={`the next ${days} days`}>
        <Strip shifts={s.shifts} me={me} />
        <ol className={css.shifts}>
          {s.shifts.slice(0, 12).map((x) => (
            <li key={x.from}>
              <span>
                {x.person || <strong>nobody</strong>} {x.override && <Badge tone="info">override</Badge>}
              </span>
              <span className="muted">
                <Time at={x.from} as="day" /> to <Time at={x.to} as="day" />
              </span>
            </li>
          ))}
        </ol>
      </Panel>
      <Panel title="Overrides" note="before every rotation">
        <ProblemNote error={end.error} />
        <KeyedTable
          label="Overrides"
          rows={s.overrides}
          rowKey={(o) => o.id}
          empty={<p className={css.none}>None is ahead. The key o makes one.</p>}
          fields={[
            { head: 'Who', cell: (o) => o.person },
            { head: 'From', cell: (o) => <Time at={o.from} as="day" /> },
            { head: 'To', cell: (o) => <Time at={o.to} as="day" /> },
            { head: 'Why', width: '150px', title: (o) => o.reason, cell: (o) => o.reason || <span className="muted">not said, by {o.by}</span> },
            { head: 'Act', end: true, cell: (o) => may && <Sure label="End" sure="End it now" pending={end.isPending && end.variables === o.id} onDo={() => end.mutate(o.id)} /> },
          ]}
        />
      </Panel>
      <Suspense>
        {changing && <ScheduleDialog schedule={s} onClose={() => setChanging(false)} onDone={() => setChanging(false)} />}
        {policy && <PolicyDialog policy={policy} onClose={() => setPolicy(undefined)} onDone={() => setPolicy(undefined)} />}
      </Suspense>
    </>
  );
}

function policyWords(p: EscalationPolicy, name: string): string {
  const level = p.levels.findIndex((l) => l.schedules?.includes(name)) + 1;
  return `${p.name}, level ${level} of ${p.levels.length}${p.for ? `, for ${p.for}` : ''}`;
}

/** Strip draws shifts side by side, as long as they are; times without anybody are hatched. */
function Strip({ shifts, me }: { shifts: Shift[]; me?: string }) {
  const { tz } = useView();
  const now = useNow(60_000);
  const end = now + days * day;
  return (
    <>
      <div className={css.strip} aria-hidden="true">
        {stretches(shifts, now, end).map(({ shift: x, left, width }) => (
          <span
            key={x.from}
            className={x.person ? undefined : 'hatch'}
            data-person={x.person ? '' : undefined}
            data-mine={(x.person !== '' && x.person === me) || undefined}
            data-override={x.override ? '' : undefined}
            style={{ left: `${left}%`, width: `${width}%` }}
            title={`${x.person || 'nobody'}, ${dayClock(Date.parse(x.from), tz)} to ${dayClock(Date.parse(x.to), tz)}`}
          >
            {width > 6 && (x.person || 'nobody')}
          </span>
        ))}
      </div>
      <div className={css.ends} aria-hidden="true">
        <span>now</span>
        <span>{dayClock(end, tz)}</span>
      </div>
    </>
  );
}
