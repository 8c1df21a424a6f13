import { Button, TextInput } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, type ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import '../theme/forms';
import { api } from '../api/client';
import { useMe } from '../api/queries';
import type { Change } from '../api/types';
import { Badge, Beside, type Column, count, Empty, Facts, KeyTable, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Snippet, Tabs, Time, useShortcuts, useWide } from '../shared';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { Status } from './ChangeLine';
import own from './changes.module.css';
import { groups, inGroup, matches, useChanges } from './data';

const columns: Column<Change>[] = [
  { id: 'at', head: 'When', width: '94px', cell: (c) => <Time at={c.at} /> },
  { id: 'kind', head: 'Of', width: '108px', cell: (c) => <Badge>{c.kind}</Badge> },
  { id: 'title', head: 'Change', width: 'minmax(200px, 2fr)', cell: (c) => <span title={visible(c.text || c.title)}>{visible(c.title)} <Status status={c.status} /></span> },
  { id: 'agent', head: 'Agent', width: 'minmax(90px, .8fr)', cell: (c) => (c.agent ? <span title={c.agent_reason}>{c.agent}</span> : <span className="muted">any</span>) },
  { id: 'environment', head: 'Environment', width: 'minmax(80px, .5fr)', cell: (c) => c.environment || <span className="muted">any</span> },
  { id: 'by', head: 'By', width: 'minmax(80px, .6fr)', cell: (c) => visible(c.by ?? '') },
  { id: 'source', head: 'From', width: 'minmax(70px, .5fr)', cell: (c) => (c.source === 'reeve' ? <span className="muted">our record</span> : c.source) },
];
const narrow = columns.filter((c) => ['at', 'title'].includes(c.id));

/** ChangesPage: what was changed, by others and by us, and may show in how agents behave. */
export function ChangesPage() {
  const navigate = useNavigate();
  const { q = '', group = '', change } = useSearch({ strict: false }) as { q?: string; group?: string; change?: string };
  const set = (more: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...more })) as never, replace: true });
  const changes = useChanges();
  const wide = useWide(1700);
  const roomy = useWide(700);
  const find = useRef<HTMLInputElement>(null);
  const all = changes.data?.items ?? [];
  const found = all.filter((c) => matches(c, q.trim()));
  const rows = found.filter((c) => inGroup(c, group));
  const told = all.filter((c) => c.source !== 'reeve').length;
  useShortcuts('Changes', [
    { keys: 'f', label: 'Find a change', run: () => find.current?.focus() },
    { keys: 'x', label: 'The newest', run: () => rows[0] && set({ change: rows[0].id }) },
  ]);
  return (
    <>
      <PageHeader
        title="Changes"
        question="What did we change?"
        answer={changes.isSuccess && (all.length === 0 ? 'Nothing was changed in this period, as far as Reeve was told.' : <>{plural(all.length, 'change')} in this period: {count(all.length - told)} from our own record, {told === 0 ? <>none told by others. A pipeline can tell its own.</> : <>{count(told)} told by others.</>}{changes.data?.next && ' The last thousand are shown.'}</>)}
        actions={<Button component={Link} to={'/settings/alert-sources' as never}>Who tells of changes</Button>}
      />
      <PageBody>
        <ProblemNote error={changes.error} retry={() => void changes.refetch()} />
        {changes.isSuccess && all.length === 0 && (
          <Panel title="No change in this period. How to tell of one" padded>
            <First />
          </Panel>
        )}
        {all.length > 0 && (
          <>
            <div className={css.find}>
              <Tabs label="Kind" tabs={[{ id: '', label: 'All', n: found.length }, ...groups.map((g) => ({ id: g.id, label: g.label, n: found.filter((c) => inGroup(c, g.id)).length }))]} on={group} onPick={(id) => set({ group: id || undefined })} />
              <TextInput ref={find} type="search" aria-label="Find a change" placeholder="Title, agent, version, person" value={q} onChange={(e) => set({ q: e.currentTarget.value || undefined })} />
            </div>
            <Beside label="The change" side={change && <One key={change} id={change} onClose={() => set({ change: undefined })} />}>
              <Panel>
                <KeyTable
                  label="Changes"
                  columns={(change && !wide) || !roomy ? narrow : columns}
                  rows={rows}
                  rowKey={(c) => c.id}
                  active={change}
                  onActive={(c) => change && set({ change: c.id })}
                  onOpen={(c) => set({ change: c.id })}
                  height="calc(100dvh - 260px)"
                  autoFocus
                  empty={changes.isSuccess && <Empty title="No change is like that.">Take words or the kind away.</Empty>}
                />
              </Panel>
            </Beside>
          </>
        )}
      </PageBody>
    </>
  );
}

/** First says how a first change is told, by the very command. */
function First() {
  const dev = useMe()?.dev;
  return (
    <ol className={css.ways}>
      <li>
        Let a pipeline tell of what it deploys; the same key again updates it.
        <Snippet label="command" text={`reeve change add --server ${location.origin}${dev ? '' : ' --token YOUR_TOKEN'} --kind deployment \\\n  --version 2.4.1 --key "$CI_PIPELINE_ID" --status succeeded "refunds 2.4.1 to production"`} />
      </li>
      <li>
        Or by the API.
        <Snippet label="request" text={`curl -sS ${location.origin}/api/v1/changes${dev ? '' : " \\\n  -H 'Authorization: Bearer YOUR_TOKEN'"} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"kind":"prompt","title":"shorter prompt for refunds","version":"7"}'`} />
      </li>
      <li>
        GitHub, GitLab and OpenFeature tell by themselves: register each under <Link to={'/settings/alert-sources' as never}>Alert sources</Link>. Policies, agents, tools and upstreams that are changed here stand here anyway.
      </li>
    </ol>
  );
}

/** One is a change in full, with the runs of the hours before and after it a press away. */
function One({ id, onClose }: { id: string; onClose: () => void }) {
  const q = useQuery({ queryKey: ['changes', 'one', id], queryFn: ({ signal }) => api.get<Change>(`/changes/${id}`, undefined, signal) });
  const c = q.data;
  if (!c) return <ProblemNote error={q.error} />;
  const at = Date.parse(c.at);
  const around = (hours: number) => new Date(at + hours * 3_600_000).toISOString();
  const runs = (from: string, to: string) => ((old: Record<string, unknown>) => ({ ...pickView(old), from, to, q: c.agent ? `agent:${c.agent}` : undefined })) as never;
  const facts: [string, ReactNode][] = [
    ['When', <Time at={c.at} as="day" />],
    ...(c.ended_at ? [['Done', <Time at={c.ended_at} as="day" />] as [string, ReactNode]] : []),
    ['Agent', c.agent ? <><Link to={'/agents/$name' as never} params={{ name: c.agent } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>{c.agent}</Link> <span className="muted">{visible(c.agent_reason ?? '')}</span></> : <span className="muted">about no one agent</span>],
    ['By', c.by ? visible(c.by) : <span className="muted">nobody named</span>],
    ['Version', c.version ? visible(c.version) : <span className="muted">none named</span>],
    ['Environment', c.environment || <span className="muted">any</span>],
    ['Team', c.team || <span className="muted">the house</span>],
    ['From', c.source === 'reeve' ? 'our own record' : `${c.source}, key ${visible(c.key)}`],
  ];
  return (
    <Panel title={visible(c.title)} note={c.kind} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
      <p className={css.lead}><Status status={c.status} /> {visible(c.text ?? '')}</p>
      <Facts>
        {facts.map(([k, v]) => (
          <div key={k} style={{ display: 'contents' }}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </div>
        ))}
        {(['before', 'after'] as const).map((k) => c[k] !== undefined && c[k] !== null && (
          <div key={k} style={{ display: 'contents' }}>
            <dt>{k === 'before' ? 'Was' : 'Is'}</dt>
            <dd><pre className={own.state}>{visible(JSON.stringify(c[k], null, 2))}</pre></dd>
          </div>
        ))}
      </Facts>
      <div className={css.acts}>
        {c.url && <Button component="a" href={c.url} target="_blank" rel="noreferrer noopener" title={c.url}>Open where it was made</Button>}
        <Button component={Link} to={'/runs' as never} search={runs(around(-2), around(0))}>Runs 2 hours before</Button>
        <Button component={Link} to={'/runs' as never} search={runs(around(0), around(2))}>Runs 2 hours after</Button>
      </div>
    </Panel>
  );
}
