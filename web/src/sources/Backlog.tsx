import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { List } from '../api/types';
import type { components } from '../api/openapi';
import { Badge, Empty, Figure, Outcome, Panel, plural, ProblemNote, Time } from '../shared';
import type { CurrentView } from '../state/url';
import { visible } from '../tools/data';
import css from './sources.module.css';

type Question = components['schemas']['UnansweredQuestion'];

/** Backlog lists what was asked and not answered, each with its run; the words are for who may read content. */
export function Backlog({ view, topic, task, name, onAll }: { view: CurrentView; topic?: string | undefined; task?: string | undefined; name?: string | undefined; onAll: () => void }) {
  const params = { from: view.from, to: view.to, team: view.team || undefined, environment: view.env || undefined, topic, task, limit: 20 };
  const q = useInfiniteQuery({
    queryKey: ['sources', 'backlog', params],
    queryFn: ({ signal, pageParam }) => api.get<List<Question>>('/unanswered-questions', { ...params, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 30_000,
    retry: false,
  });
  const rows = (q.data?.pages ?? []).flatMap((p) => p.items);
  const hidden = rows.filter((x) => x.hidden).length;
  return (
    <Panel title="Questions without an answer" note={name ? `about ${name}` : 'the newest first'} padded actions={name && <Button size="compact-xs" onClick={onAll}>All of them</Button>}>
      <ProblemNote error={q.error} retry={() => void q.refetch()} />
      {q.isSuccess && rows.length === 0 && <Empty small title="Nothing that was asked is without an answer.">{name ? 'Take the topic away, or choose a longer period.' : 'Runs that failed, were handed over or given up are listed here with what was asked, and those whose user came back with the same.'}</Empty>}
      {hidden > 0 && <p className="muted">The words of {plural(hidden, 'question')} are for those who may read content.</p>}
      <ul className={css.causes} aria-label="Questions without an answer">
        {rows.map((x) => (
          <li key={x.run}>
            <Figure to="/runs/$id" params={{ id: x.run }}>{x.text ? visible(x.text) : <span className="muted">{x.hidden ? 'words that you may not read' : 'its words are not kept'}</span>}</Figure>
            <span className={css.path}>
              <Outcome outcome={x.outcome} /> <Time at={x.at} /> {x.agent} {x.topic ? <Badge>{visible(x.topic)}</Badge> : x.task && <Badge>{visible(x.task)}</Badge>} {x.sources.length > 0 ? `read ${x.sources.map(visible).join(', ')}` : 'read nothing'}
            </span>
          </li>
        ))}
      </ul>
      {q.hasNextPage && <div className={css.acts}><Button size="compact-xs" loading={q.isFetchingNextPage} onClick={() => void q.fetchNextPage()}>More</Button></div>}
    </Panel>
  );
}
