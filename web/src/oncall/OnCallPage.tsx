import { Button } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useMay } from '../api/queries';
import { Badge, Beside, type Column, count, Empty, Icon, KeyTable, Mark, PageBody, PageHeader, Panel, plural, ProblemNote, Snippet, Time, useShortcuts, useWide } from '../shared';
import { useView } from '../state/url';
import { useSchedules, type Schedule } from './data';
import { OverrideDialog } from './Override';
import { SchedulePanel } from './SchedulePanel';
import css from './oncall.module.css';

const ScheduleDialog = lazy(() => import('./Change').then((m) => ({ default: m.ScheduleDialog })));
const PolicyDialog = lazy(() => import('./Change').then((m) => ({ default: m.PolicyDialog })));
const ContactsDialog = lazy(() => import('./Change').then((m) => ({ default: m.ContactsDialog })));

const states = {
  nobody: { level: 'bad', letter: 'N', label: 'nobody' },
  deaf: { level: 'warn', letter: 'U', label: 'not reachable' },
  there: { level: 'good', letter: 'R', label: 'reachable' },
} as const;
const stateOf = (s: Schedule) => (!s.now ? states.nobody : s.reached ? states.there : states.deaf);

const who = (s: Schedule) =>
  s.now ? (
    <>
      {s.now.person} {s.now.override && <Badge tone="info" title="By an override, not by the rotation">override</Badge>}
    </>
  ) : (
    <strong>nobody</strong>
  );

const columns: Column<Schedule>[] = [
  { id: 'team', head: 'Team', width: 'minmax(80px, .8fr)', cell: (s) => s.team || <span className="muted">the house</span> },
  { id: 'name', head: 'Schedule', width: 'minmax(80px, .8fr)', cell: (s) => s.name },
  { id: 'state', head: 'State', width: '124px', cell: (s) => <Mark {...stateOf(s)} words /> },
  { id: 'now', head: 'Now', width: 'minmax(120px, 1.5fr)', cell: who },
  { id: 'until', head: 'Until', width: '158px', cell: (s) => s.now && <Time at={s.now.to} as="day" /> },
  { id: 'next', head: 'Next', width: 'minmax(100px, 1.2fr)', cell: (s) => s.next?.person ?? <span className="muted">nobody within 90 days</span> },
  { id: 'from', head: 'From', width: '158px', cell: (s) => s.next && <Time at={s.next.from} as="day" /> },
];
const few = (ids: string[]) => columns.filter((c) => ids.includes(c.id));
const beside = few(['team', 'name', 'state', 'now', 'next']);
const narrow = few(['name', 'state', 'now']).map((c) => (c.id === 'state' ? { ...c, width: '44px', cell: (s: Schedule) => <Mark {...stateOf(s)} /> } : c));

const make = 'reeve oncall set support --team support --zone Europe/Berlin \\\n  --people ada,bob --start 2026-12-01T09:00:00+01:00 --every week';
const call = 'reeve oncall policy support --team support --level support:5m';
const reach = 'reeve oncall contacts me --contact mail=ada@example.com';

/** OnCallPage: who is on call now and next, by team; anybody may put themselves in. */
export function OnCallPage() {
  const view = useView();
  const navigate = useNavigate();
  const { schedule } = useSearch({ strict: false }) as { schedule?: string };
  const set = (name: string | undefined) => void navigate({ to: '.', search: ((old: object) => ({ ...old, schedule: name })) as never, replace: true });
  const list = useSchedules();
  const may = useMay('OverrideOnCall');
  const wide = useWide(760);
  const [overriding, setOverriding] = useState(false);
  const [dialog, setDialog] = useState<'schedule' | 'policy' | 'contacts'>();
  const mayMake = useMay('PutSchedule');
  const mayCall = useMay('PutEscalationPolicy');
  const all = list.data ?? [];
  const rows = all.filter((s) => !view.team || !s.team || s.team === view.team).sort((a, b) => (a.team ?? '').localeCompare(b.team ?? '') || a.name.localeCompare(b.name));
  const chosen = rows.find((s) => s.name === schedule);
  const alone = rows.filter((s) => !s.now);
  const deaf = rows.filter((s) => s.now && !s.reached);
  const offer = may && rows.length > 0;
  useShortcuts('On call', [
    ...(offer ? [{ keys: 'o', label: 'Override: put somebody on call for a time', run: () => setOverriding(true) }] : []),
    { keys: 'x', label: 'The first schedule', run: () => rows[0] && set(rows[0].name) },
  ]);
  return (
    <>
      <PageHeader
        title="On call"
        question="Who is it now?"
        answer={
          rows.length > 0 && (
            <>
              {alone.length > 0 && <strong>Nobody is on call for {alone.map((s) => s.name).join(', ')}. </strong>}
              {rows.filter((s) => s.now).slice(0, 4).map((s) => `${s.now!.person} for ${s.name}`).join(', ')}
              {rows.length - alone.length > 4 && ` and ${count(rows.length - alone.length - 4)} more`}
              {rows.length > alone.length && '.'}
              {deaf.length > 0 && ` ${plural(deaf.length, 'of them has', 'of them have')} no contact: a page would not reach them.`}
            </>
          )
        }
        actions={
          <>
            <Button onClick={() => setDialog('contacts')}>How I am reached</Button>
            {mayCall && <Button onClick={() => setDialog('policy')}>Who is called</Button>}
            {mayMake && <Button onClick={() => setDialog('schedule')}>New schedule</Button>}
            {offer && (
              <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setOverriding(true)}>
                Override
              </Button>
            )}
          </>
        }
      />
      <PageBody>
        <ProblemNote error={list.error} retry={() => void list.refetch()} />
        {list.isSuccess && all.length === 0 ? (
          <Panel>
            <Empty title="No schedule exists yet.">
              A schedule hands call on from person to person; an escalation policy says whose incidents and approvals call it. They are made above, or on the command line:
            </Empty>
            <div className={css.commands}>
              <Snippet label="command that makes a schedule" text={make} />
              <Snippet label="command that calls it" text={call} />
              <Snippet label="command that says how you are reached" text={reach} />
            </div>
          </Panel>
        ) : (
          <Beside label="The schedule" side={chosen && <SchedulePanel key={chosen.name} name={chosen.name} onClose={() => set(undefined)} />}>
            <Panel>
              <KeyTable
                label="Schedules"
                columns={!wide ? narrow : chosen ? beside : columns}
                rows={rows}
                rowKey={(s) => s.name}
                active={schedule}
                onOpen={(s) => set(s.name)}
                onActive={(s) => chosen && set(s.name)}
                height={`min(calc(100dvh - 200px), ${60 + Math.max(rows.length, 2) * 40}px)`}
                autoFocus
                empty={list.isSuccess && <Empty title="This team has no schedule.">Choose another team above, or all of them.</Empty>}
              />
            </Panel>
          </Beside>
        )}
      </PageBody>
      <Suspense>
        {dialog === 'schedule' && <ScheduleDialog onClose={() => setDialog(undefined)} onDone={(s) => { setDialog(undefined); set(s); }} />}
        {dialog === 'policy' && <PolicyDialog start={chosen?.name} onClose={() => setDialog(undefined)} onDone={() => setDialog(undefined)} />}
        {dialog === 'contacts' && <ContactsDialog onClose={() => setDialog(undefined)} />}
      </Suspense>
      {overriding && <OverrideDialog schedules={rows} start={chosen?.name ?? (alone[0] ?? rows[0])?.name ?? ''} onClose={() => setOverriding(false)} onDone={(s) => { setOverriding(false); set(s); }} />}
    </>
  );
}
