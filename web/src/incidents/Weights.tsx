import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { Sure } from '../settings/parts';
import { KeyedTable, Panel, ProblemNote, Time } from '../shared';
import type { IncidentWeights } from './data';
import css from './incidents.module.css';

/** Weights are how far each rule is believed, and what people's verdicts changed: each change can be taken back. */
export function Weights() {
  const client = useQueryClient();
  const may = useMay('RevertIncidentWeights');
  const q = useQuery({ queryKey: ['incident-weights'], queryFn: ({ signal }) => api.get<IncidentWeights>('/incident-weights', undefined, signal) });
  const revert = useMutation({ mutationFn: (revision: number) => api.post('/incident-weights/revert', { revision }), onSettled: () => void client.invalidateQueries({ queryKey: ['incident-weights'] }) });
  const history = q.data?.history ?? [];
  return (
    <div className={css.halves}>
      <Panel title="How far each rule is believed" note={q.data && `a signal joins at ${q.data.threshold}`}>
        <ProblemNote error={q.error ?? revert.error} />
        <KeyedTable
          label="Weights"
          rows={q.data?.weights ?? []}
          rowKey={(w) => w.rule}
          mark={(w) => (w.weight !== w.default ? 'warn' : undefined)}
          fields={[
            { head: 'Shared', width: '260px', title: (w) => w.text, cell: (w) => w.text },
            { head: 'Weight', num: true, cell: (w) => w.weight.toFixed(3) },
            { head: 'At first', num: true, cell: (w) => w.default.toFixed(2) },
          ]}
        />
      </Panel>
      <Panel title="What verdicts changed" note="merging and splitting teach">
        {history.length === 0 && <p className={css.none}>Nobody merged, split or judged yet.</p>}
        <ul className={css.rows}>
          {history.map((h) => (
            <li key={h.revision}>
              <span className="grow">
                {h.why}, {h.person} <Time at={h.at} />
                <ul className={css.why}>
                  {(h.changes ?? []).map((c) => (
                    <li key={c.rule}>
                      {c.rule.replaceAll('_', ' ')}: <b>{c.before.toFixed(3)}</b> to <b>{c.after.toFixed(3)}</b>
                    </li>
                  ))}
                </ul>
              </span>
              {may && <Sure label="Take back" sure="Take it back" pending={revert.isPending} onDo={() => revert.mutate(h.revision)} />}
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
