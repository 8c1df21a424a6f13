import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api, Problem } from '../api/client';
import type { List, Message, Run } from '../api/types';
import { Said } from '../run/Text';
import { MessageCard } from '../run/Transcript';
import css from '../runs/runs.module.css';
import { count, duration, money, plural } from '../shared/format';
import { Empty, PageHeader, ProblemNote } from '../shared/Layout';
import { Badge, Outcome, RunStatus } from '../shared/Marks';
import { Cost, Duration, pickView, Time } from '../shared/Values';
import { fresh, gist } from './conversation';

/** More runs than this are listed without what was said, until asked for. */
const TALKED = 30;

/** SessionPage tells a session's runs as one conversation. */
export function SessionPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const read = useQuery({
    queryKey: ['session-runs', id],
    queryFn: async ({ signal }) => (await api.get<List<Run>>('/runs', { session: id, limit: 500 }, signal)).items ?? [],
    meta: { live: true },
  });
  const runs = useMemo(() => [...(read.data ?? [])].sort((a, b) => (a.started_at < b.started_at ? -1 : 1)), [read.data]);
  const [talk, setTalk] = useState(TALKED);
  const said = useQueries({
    queries: runs.slice(-talk).map((r) => ({
      queryKey: ['run-messages', r.id, r.revision],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await api.get<List<Message>>(`/runs/${encodeURIComponent(r.id)}/messages`, { limit: 2000 }, signal)).items ?? [],
      staleTime: Infinity,
      retry: false,
    })),
  });
  const told = useMemo(() => {
    const seen = new Set<string>();
    const out = new Map<string, ReturnType<typeof gist>>();
    runs.slice(-talk).forEach((r, i) => {
      const m = said[i]?.data;
      if (m) out.set(r.id, gist(fresh(m, seen)));
    });
    return out;
    // The results are new objects at every render; what was read tells when they differ.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [runs, talk, said.map((s) => s.dataUpdatedAt).join()]);
  const refused = said.some((s) => s.error instanceof Problem && s.error.status === 403);
  const known = runs.filter((r) => r.cost.amount !== null);
  const failed = runs.filter((r) => r.failed).length;
  const first = runs[0];
  const user = runs.find((r) => r.user)?.user;
  return (
    <div className={css.page}>
      <PageHeader
        title={<Said text={id.length > 80 ? `${id.slice(0, 78)}…` : id} />}
        badge={<Badge>session</Badge>}
        answer={
          first ? (
            <>
              {plural(runs.length, 'run')}
              {user ? (
                <>
                  {' '}
                  for <Said text={user} />
                </>
              ) : null}{' '}
              by <Said text={[...new Set(runs.map((r) => r.agent))].join(', ')} />
              {failed > 0 ? `, ${count(failed)} failed` : ', none failed'}; {known.length > 0 ? `${known.length < runs.length ? 'at least ' : ''}${money(known.reduce((a, r) => a + (r.cost.amount ?? 0), 0))}` : 'cost unknown'}; began <Time at={first.started_at} as="day" />.
            </>
          ) : undefined
        }
      />
      <div className={css.body}>
        {read.error ? (
          <ProblemNote error={read.error} retry={() => void read.refetch()} />
        ) : read.isPending ? (
          <p className={css.reading}>Reading the session…</p>
        ) : runs.length === 0 ? (
          <Empty title="No run names this session">It may be older than what is kept, or you may not see its runs.</Empty>
        ) : (
          <div className={css.timeline} tabIndex={0} role="region" aria-label="Conversation" data-testid="session">
            {refused && <p className="muted">You may see that something was said, not what: reading content needs the role reader.</p>}
            {runs.length > talk && (
              <p>
                <button type="button" className={css.textbutton} onClick={() => setTalk(runs.length)}>
                  Also read what was said in the first {count(runs.length - talk)} runs
                </button>
              </p>
            )}
            {runs.map((r, i) => {
              const before = runs[i - 1];
              const gap = before ? Date.parse(r.started_at) - Date.parse(before.ended_at ?? before.updated_at) : 0;
              const t = told.get(r.id);
              return (
                <div key={r.id}>
                  {gap > 60_000 && <p className={css.pause}>{duration(gap)} later</p>}
                  <section className={css.episode} data-bad={r.failed || undefined}>
                    <div className={css.episodehead}>
                      <RunStatus status={r.status} failed={r.failed} />
                      <Link to={'/runs/$id' as never} params={{ id: r.id } as never} search={pickView as never}>
                        <Said text={r.name || r.task || r.id} />
                      </Link>
                      <Time at={r.started_at} as="seconds" />
                      <span>
                        <Duration ms={r.duration_ms} running={r.status === 'running'} />
                      </span>
                      <Cost cost={r.cost} partial={r.coverage?.unknown_cost_calls} />
                      <span className="muted">
                        {plural(r.model_calls, 'model call')}, {plural(r.tool_calls, 'tool call')}
                      </span>
                      {r.outcome && <Outcome outcome={r.outcome} />}
                      {r.error_type && (
                        <Badge tone="bad">
                          <Said text={r.error_type} />
                        </Badge>
                      )}
                    </div>
                    {t && t.shown.length > 0 ? <Told t={t} /> : t ? <p className="muted">{r.model_calls > 0 ? refused ? 'withheld: needs the role reader' : 'What was said in it was not recorded.' : 'Nothing was said in it.'}</p> : null}
                  </section>
                </div>
              );
            })}
          </div>
        )}
      </div>
    </div>
  );
}

function Told({ t }: { t: ReturnType<typeof gist> }) {
  const [open, setOpen] = useState(false);
  const [head, tail] = [t.shown[0]!, t.shown.slice(1)];
  return (
    <>
      <MessageCard m={head} out={head.role === 'assistant'} />
      {t.between.length > 0 && !open && (
        <p>
          <button type="button" className={css.textbutton} onClick={() => setOpen(true)}>
            {plural(t.between.length, 'message')} between
          </button>
        </p>
      )}
      {open && t.between.map((m) => <MessageCard key={m.ordinal} m={m} out={m.role === 'assistant'} quiet />)}
      {tail.map((m) => (
        <MessageCard key={m.ordinal} m={m} out={m.role === 'assistant'} />
      ))}
    </>
  );
}
