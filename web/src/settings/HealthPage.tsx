import { useQuery } from '@tanstack/react-query';
import { healthQuery } from '../api/queries';
import type { HealthPart } from '../api/types';
import { ago, bytes, count, duration, Known, type Level, Mark, PageBody, PageHeader, Panel, ProblemNote, Time, useNow } from '../shared';
import css from './settings.module.css';

const level: Record<string, Level> = { ok: 'good', degraded: 'warn', down: 'bad' };
const letter: Record<string, string> = { ok: 'O', degraded: 'D', down: 'X' };
const words: Record<string, string> = { ok: 'in order', degraded: 'degraded', down: 'down' };

/** HealthPage: does Reeve itself see, keep and answer? */
export function HealthPage() {
  const q = useQuery(healthQuery);
  const now = useNow();
  const h = q.data;
  const ill = (h?.parts ?? []).filter((p) => p.state !== 'ok');
  const last = h?.last_batch_at ? Date.parse(h.last_batch_at) : undefined;
  return (
    <>
      <PageHeader
        title="Health of Reeve"
        question="Does Reeve itself see, keep and answer?"
        badge={h && <Mark level={level[h.state] ?? 'unknown'} letter={letter[h.state] ?? '?'} label={words[h.state] ?? h.state} words />}
        answer={
          h && (
            <>
              {ill.length === 0 ? 'Every part is in order.' : `${ill.map((p) => p.name).join(', ')}: ${ill.map((p) => p.reason || words[p.state]).join('; ')}.`}{' '}
              {last === undefined ? 'No telemetry has arrived since it started.' : `The last telemetry arrived ${ago(last, now)}.`}
            </>
          )
        }
      />
      <PageBody width={1180}>
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        {h && (
          <>
            <Panel>
              <div className={css.four}>
                <Big label="Last telemetry">{h.last_batch_at ? <Time at={h.last_batch_at} /> : 'none yet'}</Big>
                <Big label="Store behind the log">
                  <Known text={duration(h.lag_ms)} why="The store has not said how far it is behind." />
                </Big>
                <Big label="Stored">
                  <Known text={bytes(h.store_bytes)} />
                </Big>
                <Big label="Running since">{h.started_at ? <Time at={h.started_at} as="day" /> : <Known text={undefined} />}</Big>
                <Big label="Version">{h.version || 'development'}</Big>
              </div>
            </Panel>
            <div className={css.parts}>
              {(h.parts ?? []).map((p) => (
                <Part key={p.name} part={p} />
              ))}
            </div>
          </>
        )}
      </PageBody>
    </>
  );
}

function Big({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className={css.big}>
      <div className={css.label}>{label}</div>
      <div className={css.value}>{children}</div>
    </div>
  );
}

/** fact writes a value by what its name says its unit is. */
export function fact(name: string, v: unknown): string | undefined {
  if (v === null || v === undefined) return undefined;
  if (typeof v === 'number') {
    if (/bytes/.test(name)) return bytes(v);
    if (/_ms$/.test(name)) return duration(v);
    if (/_seconds$/.test(name)) return duration(v * 1000);
    if (/share|ratio/.test(name)) return `${(v * 100).toFixed(1)} %`;
    return count(v);
  }
  if (typeof v === 'boolean') return v ? 'yes' : 'no';
  return typeof v === 'string' ? v : JSON.stringify(v);
}

function Part({ part }: { part: HealthPart }) {
  const facts = Object.entries(part.facts ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return (
    <Panel title={part.name} actions={<Mark level={level[part.state] ?? 'unknown'} letter={letter[part.state] ?? '?'} label={words[part.state] ?? part.state} words />}>
      {part.reason && <div className={css.reason} data-ill={part.state !== 'ok' || undefined}>{part.reason}</div>}
      {facts.length > 0 && (
        <dl className={css.facts}>
          {facts.map(([k, v]) => (
            <Fact key={k} name={k} value={v} />
          ))}
        </dl>
      )}
    </Panel>
  );
}

function Fact({ name, value }: { name: string; value: unknown }) {
  const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
  return (
    <>
      <dt>{name.replace(/_(ms|seconds|bytes)$/, '').replace(/_/g, ' ')}</dt>
      <dd>{isTime ? <Time at={value as string} as="day" /> : <Known text={fact(name, value)} />}</dd>
    </>
  );
}
