import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { api } from '../api/client';
import { aggregate, meQuery, noticesQuery } from '../api/queries';
import type { List } from '../api/types';
import { Icon, type IconName } from '../shared/icons';
import { useFocusBack } from '../shared/keys';
import { useSetView } from '../state/url';
import { useMantineColorScheme } from '@mantine/core';
import { dialogs } from './dialogs';
import { pages, settingsPages } from './nav';
import { useNoticeAction } from './Notices';
import { rank } from './rank';
import '../theme/forms';
import css from './shell.module.css';
import { signOut } from './signout';

interface Item {
  id: string;
  group: string;
  label: string;
  hint?: string;
  icon: IconName;
  run: () => void;
}

/** byGroup keeps each group together, in the order of its best find. */
function byGroup(items: Item[]): Item[] {
  const order = [...new Set(items.map((i) => i.group))];
  return [...items].sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
}

/** Palette finds pages, runs by id, agents and actions by what one types. */
export function Palette() {
  useFocusBack();
  const navigate = useNavigate();
  const setView = useSetView();
  const { setColorScheme } = useMantineColorScheme();
  const me = useQuery(meQuery).data;
  const notices = useQuery(noticesQuery).data?.items ?? [];
  const act = useNoticeAction();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const agents = useQuery({ ...aggregate({ from: 'runs', group_by: ['agent'], start: '-7d', limit: 500 }), staleTime: 60_000, meta: {} });

  const may = new Set(me?.operations ?? []);
  // Names of everything that has a page: read when the palette opens, and kept for a minute.
  const names = <T,>(key: string, path: string, allowed: boolean) => ({ queryKey: ['palette', key], queryFn: ({ signal }: { signal: AbortSignal }) => api.get<List<T>>(path, undefined, signal), staleTime: 60_000, retry: false, enabled: allowed });
  const registered = useQuery(names<{ name: string; team: string; purpose: string }>('agents', '/agents?limit=1000', may.has('ListAgents'))).data?.items;
  const policies = useQuery(names<{ name: string }>('policies', '/policies', may.has('ListPolicies'))).data?.items;
  const upstreams = useQuery(names<{ name: string; kind: string }>('upstreams', '/upstreams', may.has('ListUpstreams'))).data?.items;
  const budgets = useQuery(names<{ name: string }>('budgets', '/budgets', may.has('ListBudgets'))).data?.items;
  const tools = useQuery(names<{ upstream: string; name: string; state: string }>('tools', '/tools?limit=1000', may.has('ListTools'))).data?.items;
  const approvals = useQuery({ ...names<{ id: string; words: string }>('approvals', '/approvals?limit=50', may.has('ListApprovals')), staleTime: 2000 }).data?.items;

  const go = (to: string, search?: Record<string, unknown>) => () => void navigate({ to: to as never, search: ((old: Record<string, unknown>) => ({ ...old, ...search })) as never });

  const all = useMemo<Item[]>(() => {
    const items: Item[] = [];
    for (const p of pages) items.push({ id: p.to, group: 'Pages', label: p.name, hint: p.question, icon: p.icon, run: go(p.to) });
    for (const [to, name] of [['/sessions', 'Sessions'], ['/steps', 'Steps'], ['/logs', 'Logs']] as const) items.push({ id: to, group: 'Pages', label: name, hint: 'Activity', icon: 'runs', run: go(to) });
    for (const p of settingsPages) items.push({ id: p.to, group: 'Pages', label: p.name, hint: p.question, icon: 'settings', run: go(p.to) });
    for (const a of approvals ?? []) items.push({ id: 'approval ' + a.id, group: 'Waits', label: a.words, icon: 'inbox', run: go(`/approvals/${a.id}`) });
    const known = new Set((registered ?? []).map((a) => a.name));
    for (const a of registered ?? []) items.push({ id: 'registered ' + a.name, group: 'Agents', label: a.name, hint: `${a.team}: ${a.purpose}`, icon: 'agents', run: go(`/agents/${encodeURIComponent(a.name)}`) });
    for (const p of policies ?? []) items.push({ id: 'policy ' + p.name, group: 'Rules', label: p.name, hint: 'policy', icon: 'policies', run: go('/policies', { policy: p.name, tab: undefined }) });
    for (const b of budgets ?? []) items.push({ id: 'budget ' + b.name, group: 'Rules', label: b.name, hint: 'budget', icon: 'cost', run: go('/policies', { tab: 'budgets' }) });
    for (const u of upstreams ?? []) items.push({ id: 'upstream ' + u.name, group: 'Upstreams and tools', label: u.name, hint: `upstream, ${u.kind}`, icon: 'link', run: go('/settings/upstreams') });
    for (const t of tools ?? []) items.push({ id: `tool ${t.upstream}/${t.name}`, group: 'Upstreams and tools', label: t.name, hint: `tool of ${t.upstream}${t.state === 'held' ? ', held' : ''}`, icon: 'tools', run: go('/tools', { tool: `${t.upstream}/${t.name}`, tab: undefined }) });
    for (const row of agents.data?.rows ?? []) {
      const name = row[0];
      if (typeof name === 'string' && name && !known.has(name)) items.push({ id: 'agent ' + name, group: 'Agents', label: name, hint: 'not registered', icon: 'agents', run: go(`/agents/${encodeURIComponent(name)}`) });
    }
    items.push({ id: 'connect', group: 'Actions', label: 'Connect an agent', icon: 'plus', run: go('/connect') });
    items.push({ id: 'help', group: 'Actions', label: 'Show the shortcuts of this page', icon: 'help', run: () => dialogs.open('help') });
    for (const s of ['light', 'dark', 'auto'] as const) items.push({ id: 'scheme ' + s, group: 'Actions', label: s === 'auto' ? 'Appearance: as the system' : `Appearance: ${s}`, icon: s === 'dark' ? 'moon' : 'sun', run: () => setColorScheme(s) });
    items.push({ id: 'hour', group: 'Actions', label: 'Look at the last hour', icon: 'clock', run: () => setView({ from: '-1h', to: undefined }) });
    items.push({ id: 'week', group: 'Actions', label: 'Look at the last 7 days', icon: 'clock', run: () => setView({ from: '-7d', to: undefined }) });
    for (const n of notices) for (const a of n.actions ?? []) items.push({ id: `notice ${n.id} ${a.label}`, group: 'Actions', label: a.label, hint: n.title, icon: 'play', run: () => act.mutate(a) });
    if (me && me.kind !== 'dev') items.push({ id: 'out', group: 'Actions', label: 'Sign out', icon: 'person', run: () => void signOut(navigate) });
    return items;
    // go, act and the setters are stable enough for one opening of the palette.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [agents.data, notices.length, me, registered, policies, upstreams, budgets, tools, approvals]);

  const shown = useMemo(() => {
    const typed = text.trim();
    const out: Item[] = [];
    if (/^run_[0-9a-z]{6,}$/.test(typed)) out.push({ id: 'run', group: 'Run', label: typed, hint: 'open this run', icon: 'runs', run: go(`/runs/${typed}`) });
    if (/^apr_[0-9a-z]{6,}$/.test(typed)) out.push({ id: 'approval', group: 'Run', label: typed, hint: 'open this approval', icon: 'inbox', run: go(`/approvals/${typed}`) });
    if (/^dec_[0-9a-z]{6,}$/.test(typed)) out.push({ id: 'decision', group: 'Run', label: typed, hint: 'why it was decided so', icon: 'decisions', run: go('/decisions', { show: 'all', decision: typed }) });
    if (/^[0-9a-f]{32}$/.test(typed)) out.push({ id: 'trace', group: 'Run', label: typed, hint: 'the runs with this trace id', icon: 'runs', run: go('/runs', { q: `trace_id:${typed}` }) });
    const found = rank(all, typed, (i) => i.label);
    out.push(...(typed ? byGroup(found.slice(0, 40)) : found.filter((i) => i.group === 'Pages' || i.group === 'Actions' || i.group === 'Waits')));
    if (typed && out[0]?.group !== 'Run') out.push({ id: 'search', group: 'Search', label: `Search runs for “${typed}”`, icon: 'search', run: go('/runs', { q: typed }) });
    return out;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [all, text]);

  function choose(i: Item | undefined) {
    if (!i) return;
    dialogs.close();
    i.run();
  }

  function onKeyDown(e: KeyboardEvent) {
    const to = e.key === 'ArrowDown' || (e.ctrlKey && e.key === 'n') ? at + 1 : e.key === 'ArrowUp' || (e.ctrlKey && e.key === 'p') ? at - 1 : undefined;
    if (to !== undefined) {
      e.preventDefault();
      const next = (to + shown.length) % Math.max(1, shown.length);
      setAt(next);
      list.current?.querySelector(`[data-index="${next}"]`)?.scrollIntoView({ block: 'nearest' });
    } else if (e.key === 'Enter') {
      e.preventDefault();
      choose(shown[at]);
    }
  }

  return (
    <Modal opened onClose={dialogs.close} withCloseButton={false} size={560} classNames={{ body: css.palette }} attributes={{ content: { 'aria-label': 'Find' } }}>
      <input
        className={css.paletteInput}
        placeholder="Page, run id, trace id, agent or action"
        aria-label="Find a page, run, agent or action"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={shown[at] ? `palette-${at}` : undefined}
        value={text}
        autoFocus
        data-autofocus
        onChange={(e) => {
          setText(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div className={css.paletteList} ref={list} id="palette-list" role="listbox" aria-label="Found">
        {shown.map((i, n) => (
          <div key={i.group + i.id} role="presentation">
            {i.group !== shown[n - 1]?.group && (
              <div className={css.paletteGroup} role="presentation">
                {i.group}
              </div>
            )}
            <div id={`palette-${n}`} data-index={n} role="option" aria-selected={n === at} className={css.paletteItem} onMouseMove={() => setAt(n)} onClick={() => choose(i)}>
              <Icon name={i.icon} />
              <span className="truncate">{i.label}</span>
              <span className="grow" />
              {i.hint && <span className="muted truncate">{i.hint}</span>}
            </div>
          </div>
        ))}
      </div>
    </Modal>
  );
}
