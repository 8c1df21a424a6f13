import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { AlertDetail } from '../api/types';
import { FormDialog } from '../settings/parts';
import { Badge, count, Facts, KeyedTable, Mark, Panel, pickView, plural, ProblemNote, Time, useShortcuts } from '../shared';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { severity, stateOf } from './data';
import own from './alerts.module.css';

const words: Record<string, string> = {
  fired: 'began to fire', refired: 'fires again', changed: 'changed', acknowledged: 'was acknowledged', unacknowledged: 'is no longer acknowledged',
  resolved: 'is over', silent: 'is over: nothing more was heard', closed: 'was closed by a person',
};

/** AlertPanel is one alert: how it stands, whom it is about and why, what happened to it, and its sender's own words. */
export function AlertPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['alert', id], queryFn: ({ signal }) => api.get<AlertDetail>(`/alerts/${id}`, undefined, signal), refetchInterval: 30_000 });
  const mayClose = useMay('CloseAlert');
  const [closing, setClosing] = useState(false);
  const [reason, setReason] = useState('');
  const close = useMutation({
    mutationFn: () => api.post<AlertDetail>(`/alerts/${id}/close`, { reason: reason.trim() }),
    onSuccess: () => setClosing(false),
    onSettled: () => {
      for (const key of ['alerts', 'alert']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const a = q.data;
  const open = a?.state === 'firing' && mayClose;
  useShortcuts('The alert', open ? [{ keys: 'e', label: 'Close it by hand', run: () => setClosing(true) }] : []);
  if (!a) return <ProblemNote error={q.error} />;
  const facts: [string, ReactNode][] = [
    ['Agent', a.agent ? <><Link to={'/agents/$name' as never} params={{ name: a.agent } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>{a.agent}</Link> <span className="muted">{visible(a.agent_reason ?? '')}</span></> : <span className="muted">none: no label names a registered agent</span>],
    ['Since', <><Time at={a.started_at} as="day" />{a.episodes > 1 && <span className="muted">, {plural(a.episodes, 'episode')}</span>}</>],
    ...(a.resolved_at ? [['Over', <><Time at={a.resolved_at} as="day" /> <span className="muted">{a.resolved_by === 'sender' ? 'its sender says' : a.resolved_by === 'silence' ? 'nothing more was heard' : 'closed by hand'}</span></>] as [string, ReactNode]] : []),
    ...(a.expires_at ? [['Without word', <>over <Time at={a.expires_at} /></>] as [string, ReactNode]] : []),
    ['Told', <>{plural(a.receptions, 'time')}, last <Time at={a.last_seen_at} />{a.late > 0 && <span className="muted">; {count(a.late)} came late and changed nothing</span>}</>],
    ['From', <>{a.source} <span className="muted">{a.kind}, key {visible(a.key)}</span></>],
    ...(a.incident ? [['Incident', <Link key="incident" className="link" to={'/incidents/$id' as never} params={{ id: a.incident } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>that it is part of</Link>] as [string, ReactNode]] : []),
    ['Team', a.team || <span className="muted">the house</span>],
    ['Environment', a.environment || <span className="muted">none named</span>],
  ];
  return (
    <>
      <Panel title={visible(a.title)} padded actions={<Button size="compact-xs" onClick={onClose}>Close the panel</Button>}>
        <p className={css.lead}>
          <Mark {...stateOf(a)} words /> <Mark {...severity(a)} words />
        </p>
        {a.text && <p className={own.text}>{visible(a.text)}</p>}
        <Facts>
          {facts.map(([k, v]) => (
            <div key={k} style={{ display: 'contents' }}>
              <dt>{k}</dt>
              <dd>{v}</dd>
            </div>
          ))}
        </Facts>
        <div className={css.acts}>
          {(a.links ?? []).map((l) => (
            <Button key={l.url} component="a" href={l.url} target="_blank" rel="noreferrer noopener" title={l.url}>
              {visible(l.title || 'Open')}
            </Button>
          ))}
          {open && <Button onClick={() => setClosing(true)}>Close it by hand</Button>}
        </div>
        <ProblemNote error={q.error} />
      </Panel>
      <Panel title="Labels" note={count(Object.keys(a.labels ?? {}).length)} padded>
        <div className={own.labels}>
          {Object.entries(a.labels ?? {}).sort().map(([k, v]) => (
            <Badge key={k} title={`${k}=${v}`}>{visible(k)}={visible(v)}</Badge>
          ))}
          {Object.keys(a.labels ?? {}).length === 0 && <span className="muted">It has none.</span>}
        </div>
      </Panel>
      <Panel title="History">
        <KeyedTable
          label="History"
          rows={a.history ?? []}
          rowKey={(h) => String(h.seq)}
          mark={(h) => (h.kind === 'fired' || h.kind === 'refired' ? 'bad' : undefined)}
          fields={[
            { head: 'When', cell: (h) => <Time at={h.at} as="seconds" /> },
            { head: 'It', cell: (h) => words[h.kind] ?? h.kind },
            { head: 'By', cell: (h) => visible(h.by ?? '') },
            { head: 'Says', width: '160px', title: (h) => h.text, cell: (h) => visible(h.text ?? '') },
          ]}
        />
      </Panel>
      <Panel title="Raw" note={a.raw_bytes > 64 * 1024 ? 'the first 64 kB' : undefined} padded>
        {a.raw === null ? <p className="muted">Its sender&apos;s own words are for those who may read content.</p> : <details><summary>{plural(a.raw_bytes, 'byte')} as they came</summary><pre className={own.raw} tabIndex={0}>{visible(pretty(a.raw))}</pre></details>}
      </Panel>
      {closing && (
        <FormDialog title="Close this alert" submit="Close it" pending={close.isPending} error={close.error} onSubmit={() => close.mutate()} onClose={() => setClosing(false)} disabled={!reason.trim()}>
          <p className="muted">What its sender says of this episode later does not open it again. A new episode does.</p>
          <TextInput label="Why" required withAsterisk={false} data-autofocus value={reason} maxLength={500} onChange={(e) => setReason(e.currentTarget.value)} />
        </FormDialog>
      )}
    </>
  );
}

/** pretty sets JSON in lines; anything else stays as it is. */
export function pretty(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}
