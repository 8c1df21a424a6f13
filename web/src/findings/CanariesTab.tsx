import { Button } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../api/queries';
import type { Canary } from '../api/types';
import { Badge, Beside, Empty, Icon, KeyedTable, Mark, Panel, ProblemNote, Time, useShortcuts, useWide } from '../shared';
import { shortAge } from '../sources/data';
import { visible } from '../tools/data';
import { CanaryDialog } from './CanaryDialog';
import { CanaryPanel } from './CanaryPanel';
import { useCanaries } from './data';

/** stateOf says in a word what a canary's answers tell. */
export const stateOf = (c: Canary) =>
  c.shifts.length > 0
    ? ({ level: 'warn', letter: 'C', label: 'answers otherwise' } as const)
    : c.off
      ? ({ level: 'unknown', letter: 'P', label: 'paused' } as const)
      : c.failed_at && (!c.answered_at || c.failed_at > c.answered_at)
        ? ({ level: 'bad', letter: 'X', label: c.silent_rounds > 1 ? `not answered, ${c.silent_rounds} rounds` : 'not answered' } as const)
        : c.rounds < c.rounds_needed
          ? ({ level: 'unknown', letter: 'L', label: `learning, ${c.rounds} of ${c.rounds_needed} rounds` } as const)
      : ({ level: 'good', letter: 'S', label: 'as before' } as const);

/** columns of the list; few beside an open canary. */
function columns(few: boolean, open: string | undefined, set: (name?: string) => void) {
  const all = [
    { head: 'Canary', width: '150px', title: (c: Canary) => c.name, cell: (c: Canary) => <button type="button" className="link" aria-pressed={c.name === open} onClick={() => set(c.name === open ? undefined : c.name)}>{c.name}</button> },
    { head: 'State', cell: (c: Canary) => <Mark {...stateOf(c)} words /> },
    { head: 'Asks', width: '180px', title: (c: Canary) => `${visible(c.model)} at ${c.upstream}`, cell: (c: Canary) => <>{visible(c.model)} <span className="muted">at {c.upstream}</span></> },
    { head: 'As', cell: (c: Canary) => c.agent },
    { head: 'Every', cell: (c: Canary) => shortAge(c.every) },
    { head: 'Asked next', cell: (c: Canary) => (c.off ? <Badge>paused</Badge> : <Time at={c.due} />) },
    { head: 'What changed', width: '260px', title: (c: Canary) => c.shifts.map((s) => s.text).join('; '), cell: (c: Canary) => (c.shifts[0] ? visible(c.shifts[0].text) : <span className="muted">nothing</span>) },
  ];
  return few ? all.filter((f) => ['Canary', 'State', 'Asks'].includes(f.head)) : all;
}

/** CanariesTab: is what answers under a model's name still what it was? */
export function CanariesTab() {
  const q = useCanaries();
  const may = useMay('PutCanary');
  const navigate = useNavigate();
  const { canary, model } = useSearch({ strict: false }) as { canary?: string; model?: string };
  const set = (name?: string) => void navigate({ to: '.', search: ((old: object) => ({ ...old, canary: name, model: undefined })) as never, replace: true });
  const [editing, setEditing] = useState<Canary | 'new'>();
  const wide = useWide(1500);
  const all = q.data?.items ?? [];
  // A finding leads here by the model that it is about.
  const open = canary ?? (model ? all.find((c) => c.model === model)?.name : undefined);
  useShortcuts('Canaries', may ? [{ keys: 'c', label: 'Watch a model', run: () => setEditing('new') }] : []);
  return (
    <>
      <Beside label="The canary" side={open && <CanaryPanel key={open} name={open} onChange={setEditing} onClose={() => set(undefined)} />}>
        <Panel
          title="Canaries"
          note="Fixed questions that tell when another model answers under the same name"
          actions={
            may && (
              <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setEditing('new')}>
                Watch a model
              </Button>
            )
          }
        >
          <ProblemNote error={q.error} retry={() => void q.refetch()} />
          <KeyedTable
            label="Canaries"
            rows={all}
            rowKey={(c) => c.name}
            mark={(c) => (c.shifts.length > 0 ? 'warn' : undefined)}
            empty={
              q.isSuccess && (
                <Empty small title="No model is watched by questions.">
                  A canary asks a model eight short questions on a schedule, through the door as an agent of yours. When who answers, its fingerprint, its answers or how it counts tokens change, that is a finding.
                </Empty>
              )
            }
            fields={columns(!!open && !wide, open, set)}
          />
        </Panel>
      </Beside>
      {editing && <CanaryDialog canary={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} onKept={set} />}
    </>
  );
}
