import { Button, Textarea, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { AlertMapping, TriedAlerts } from '../api/types';
import { Pick } from '../settings/parts';
import { Badge, Mark, Panel, ProblemNote, Time } from '../shared';
import { visible } from '../tools/data';
import { kindOf, kinds, severity, stateOf } from './data';
import css from './alerts.module.css';

const example = `{
  "site": "berlin",
  "problems": [
    {"id": 7, "what": "Fan", "open": true, "prio": 9, "agent": "refund-agent"},
    {"id": 8, "what": "Door", "open": false, "prio": 2}
  ]
}`;

export const sampleMapping: AlertMapping = {
  each: 'body.problems', key: 'item.id', title: "item.what + ' at ' + body.site", status: "item.open ? 'firing' : 'resolved'",
  severity: "item.prio > 7 ? 'critical' : 'warning'", labels: "{'agent': item.?agent.orValue(''), 'site': body.site}",
};

const fields: { name: keyof AlertMapping; label: string; hint: string }[] = [
  { name: 'each', label: 'For each of', hint: 'a list; empty: the body is one alert' },
  { name: 'when', label: 'Only when', hint: 'true or false' },
  { name: 'key', label: 'Key', hint: 'by which it is known again' },
  { name: 'title', label: 'Title', hint: 'what is wrong' },
  { name: 'status', label: 'Status', hint: 'firing, resolved or words like them' },
  { name: 'severity', label: 'Severity', hint: 'critical, error, warning, info or words like them' },
  { name: 'text', label: 'Text', hint: 'more of it' },
  { name: 'at', label: 'Since', hint: 'a time' },
  { name: 'labels', label: 'Labels', hint: "a map: {'agent': item.agent}" },
  { name: 'url', label: 'Link', hint: 'where there is more' },
];

/** headers reads "Name: value" lines. */
export function headers(text: string): Record<string, string> {
  return Object.fromEntries(text.split('\n').flatMap((line) => { const i = line.indexOf(':'); return i > 0 ? [[line.slice(0, i).trim(), line.slice(i + 1).trim()]] : []; }));
}

/** useSettled gives a value once it has not changed for a moment. */
function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value);
  const key = JSON.stringify(value);
  useEffect(() => {
    const t = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(t);
  }, [key]);
  return settled;
}

/** TryOut shows what a pasted delivery would become, as it is typed; nothing is kept. */
export function TryOut({ kind, mapping, onKind, onMapping, onKeep, keep }: { kind: string; mapping: AlertMapping; onKind: (k: string) => void; onMapping: (m: AlertMapping) => void; onKeep?: () => void; keep?: string }) {
  const [body, setBody] = useState(example);
  const [lines, setLines] = useState('');
  const of = kindOf(kind);
  const asked = useSettled({ kind, body, headers: headers(lines), mapping: of.mapping && Object.values(mapping).some((v) => v) ? mapping : undefined });
  const tried = useQuery({ queryKey: ['tried', asked], queryFn: ({ signal }) => api.post<TriedAlerts>('/alert-sources/try', asked, signal), placeholderData: keepPreviousData, retry: false, staleTime: Infinity, gcTime: 30_000 });
  const problems = tried.data?.problems ?? [];
  const said = (name: string) => problems.find((p) => p.field === name);
  return (
    <Panel title="Try what a sender sends" padded actions={onKeep && <Button size="compact-xs" variant="filled" disabled={problems.length > 0} onClick={onKeep}>{keep}</Button>}>
      <div className={css.try}>
        <div className={css.column}>
          <Pick label="It speaks" value={kind} options={kinds.map((k) => ({ value: k.name, label: k.title }))} onPick={onKind} />
          <Textarea label="Example" description="Paste a delivery as it is sent" autosize minRows={8} maxRows={16} spellCheck={false} value={body} onChange={(e) => setBody(e.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }} />
          {(kind === 'github' || kind === 'sentry' || kind === 'cloudevents' || kind === 'json') && <Textarea label="Headers" description="Name: value, a line each" autosize minRows={1} maxRows={5} spellCheck={false} value={lines} placeholder={kind === 'github' ? 'X-GitHub-Event: deployment' : ''} onChange={(e) => setLines(e.currentTarget.value)} />}
          {of.mapping &&
            fields.map((f) => {
              const p = said(f.name);
              return (
                <TextInput
                  key={f.name}
                  label={f.label}
                  description={f.hint}
                  spellCheck={false}
                  value={mapping[f.name] ?? ''}
                  error={p && `${p.message}${p.line ? ` (line ${p.line}, column ${p.column})` : ''}`}
                  onChange={(e) => onMapping({ ...mapping, [f.name]: e.currentTarget.value || undefined })}
                  styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
                />
              );
            })}
        </div>
        <div className={css.column} role="region" aria-label="What it becomes" aria-live="polite">
          <strong>What it becomes</strong>
          <ProblemNote error={tried.error} />
          {problems.filter((p) => !p.field || !of.mapping).map((p) => (
            <p key={p.message} className={css.problem}>{visible(p.message)}</p>
          ))}
          {problems.some((p) => p.field && of.mapping) && <p className="muted">A field of the mapping needs a look: {problems.map((p) => p.field).filter(Boolean).join(', ')}.</p>}
          {tried.data && problems.length === 0 && tried.data.alerts.length + (tried.data.changes?.length ?? 0) === 0 && <p className="muted">It is taken, and nothing comes of it.</p>}
          <ul className={css.becomes}>
            {(tried.data?.alerts ?? []).map((a) => (
              <li key={a.id + a.state}>
                <Mark {...stateOf(a)} words /> <Mark {...severity(a)} words /> <strong>{visible(a.title)}</strong>
                {a.text && <div>{visible(a.text)}</div>}
                <div className="muted">key {visible(a.key)}, since <Time at={a.started_at} as="seconds" />{a.agent ? <>; agent <strong>{a.agent}</strong> ({visible(a.agent_reason ?? '')})</> : '; no label names a registered agent'}</div>
                <div className={css.labels}>
                  {Object.entries(a.labels ?? {}).map(([k, v]) => <Badge key={k}>{visible(k)}={visible(v)}</Badge>)}
                </div>
              </li>
            ))}
            {(tried.data?.changes ?? []).map((c) => (
              <li key={c.id}>
                <Badge>{c.kind}</Badge> <strong>{visible(c.title)}</strong> {c.status && <Badge tone={c.status === 'failed' ? 'bad' : undefined}>{c.status}</Badge>}
                <div className="muted">key {visible(c.key)}{c.environment && `, in ${visible(c.environment)}`}{c.by && `, by ${visible(c.by)}`}</div>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Panel>
  );
}
