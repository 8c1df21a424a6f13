import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { ToolDetail, ToolDifference, UpstreamTools } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, Copy, count, Empty, KeyedTable, Mark, Panel, plural, ProblemNote, Snippet, Time, useShortcuts, Words } from '../shared';
import { effectOf, visible, type ToolRow } from './data';
import css from './tools.module.css';

const effects = [
  { value: 'think', label: 'think: nothing outside the model' },
  { value: 'read', label: 'read: changes nothing' },
  { value: 'write', label: 'write: changes something' },
  { value: 'destructive', label: 'destructive: cannot be undone' },
];
const list = (s: string) => s.split(/[,\s]+/).map((x) => x.trim()).filter(Boolean);
const pathOf = (t: { upstream: string; name: string }) => `/tools/${encodeURIComponent(t.upstream)}/${encodeURIComponent(t.name)}`;

function useAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['tools', 'tool', 'inbox-tools', 'overview', 'upstreams']) void client.invalidateQueries({ queryKey: [key] });
  };
}

/** ToolPanel is one tool: why it waits, what its definition says now that it did not, and the hand on it. */
export function ToolPanel({ row, onClose }: { row: ToolRow; onClose: () => void }) {
  const t = row.pin;
  const q = useQuery({ queryKey: ['tool', row.upstream, row.name, t?.revision], queryFn: ({ signal }) => api.get<ToolDetail>(pathOf(row), undefined, signal), enabled: !!t });
  const mayAccept = useMay('AcceptTool');
  const mayHold = useMay('HoldTool');
  const mayForget = useMay('ForgetTool');
  const again = useAgain();
  const [act, setAct] = useState<'accept' | 'hold'>();
  const forget = useMutation({ mutationFn: () => api.delete(`${pathOf(row)}?reason=${encodeURIComponent('forgotten in the console')}`), onSuccess: onClose, onSettled: again });
  const held = t?.state === 'held';
  useShortcuts('The tool', t ? [...(mayAccept ? [{ keys: 'a', label: 'Accept it as it is listed', run: () => setAct('accept') }] : []), ...(mayHold && !held ? [{ keys: 'h', label: 'Hold it', run: () => setAct('hold') }] : [])] : []);
  if (!t) {
    return (
      <Panel title={row.name} padded actions={<Button size="compact-xs" onClick={onClose}>Close</Button>}>
        <p>It runs inside agents&apos; own processes or behind a server that the door does not stand in front of: its definition is not pinned, and it is known from telemetry alone.</p>
      </Panel>
    );
  }
  const d = q.data;
  return (
    <div className={css.panel}>
      <Panel
        title={`${t.name} of ${t.upstream}`}
        padded
        actions={
          <Button size="compact-xs" onClick={onClose}>
            Close
          </Button>
        }
      >
        <p className={css.lead}>
          <Mark level={held ? ((t.findings ?? []).some((f) => f.serious) ? 'bad' : 'warn') : 'good'} letter={held ? 'H' : 'A'} label={held ? 'held' : 'accepted'} words />{' '}
          {effectOf(t) ? <Badge tone={t.effect === 'destructive' ? 'bad' : t.effect === 'write' ? 'warn' : undefined}>{t.effect}</Badge> : <Badge tone="bad">effect unknown: counts as destructive</Badge>} {(t.classes ?? []).map((c) => <Badge key={c}>{c}</Badge>)}
        </p>
        {(t.findings ?? []).map((f, i) => (
          <div key={i} className={css.finding} data-serious={f.serious || undefined}>
            <strong>{visible(f.text)}</strong> <code>{f.code}</code>
            {f.detail && <div className={css.detail}>{visible(f.detail)}</div>}
          </div>
        ))}
        <div className={css.acts}>
          {mayAccept && (
            <Button variant={held ? 'filled' : 'default'} onClick={() => setAct('accept')}>
              {held ? 'Accept it so' : 'Change what it does'}
            </Button>
          )}
          {mayHold && !held && <Button onClick={() => setAct('hold')}>Hold</Button>}
          {mayForget && <Sure label="Forget" sure="Forget it now" pending={forget.isPending} onDo={() => forget.mutate()} />}
        </div>
        <ProblemNote error={q.error ?? forget.error} />
        {!held && t.accepted_at && (
          <p className="muted">
            Accepted {t.accepted_by === 'first_use' ? 'at first use' : `by ${t.accepted_by}`} <Time at={t.accepted_at} as="day" />. At /mcp it is called <code>{t.alias}</code>.
          </p>
        )}
      </Panel>
      {d && <Difference d={d.difference} isNew={!t.accepted} />}
      {d && (
        <Panel title="What it says of itself" padded actions={<Copy text={JSON.stringify(d.definition, null, 2)} label="Copy the definition" />}>
          <p className={css.text}>{visible(t.description) || <span className="muted">It has no description.</span>}</p>
          <details>
            <summary>Raw</summary>
            <Snippet label="the definition" text={visible(JSON.stringify(d.definition, null, 2))} />
          </details>
        </Panel>
      )}
      {d && <Versions d={d} />}
      {act === 'accept' && d && <AcceptDialog d={d} onClose={() => setAct(undefined)} />}
      {act === 'hold' && <HoldDialog tool={t} onClose={() => setAct(undefined)} />}
    </div>
  );
}

/** Difference shows the words and values that changed. */
function Difference({ d, isNew, title = 'What changed' }: { d: ToolDifference; isNew?: boolean; title?: string }) {
  const texts = d.texts ?? [];
  const parts = d.parts ?? [];
  if (texts.length + parts.length === 0) {
    return isNew ? (
      <Panel title={title} padded>
        <p className="muted">It is new: nobody has accepted any form of it.</p>
      </Panel>
    ) : null;
  }
  return (
    <Panel title={title} note={plural(texts.length + parts.length, 'place')}>
      <dl className={css.diff}>
        {texts.map((t) => (
          <div key={t.path}>
            <dt>{t.path.replace(/^\//, '')}</dt>
            <dd>
              <Words words={t.words ?? []} />
            </dd>
          </div>
        ))}
        {parts.map((p) => (
          <div key={p.path}>
            <dt>{p.path.replace(/^\//, '')}</dt>
            <dd>
              <Words words={[...(p.before ? [{ change: 'removed', text: p.before }] : []), ...(p.after ? [{ change: 'added', text: p.after }] : [])]} />
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** Versions lists what the server said once, and compares any with what it says now. */
function Versions({ d }: { d: ToolDetail }) {
  const [from, setFrom] = useState<string>();
  const diff = useQuery({ queryKey: ['tool', d.upstream, d.name, 'difference', from, d.listed], queryFn: ({ signal }) => api.get<ToolDifference>(`${pathOf(d)}/difference`, { from, to: d.listed }, signal), enabled: !!from });
  const all = d.versions ?? [];
  return (
    <>
      <Panel title="Versions" note={plural(all.length, 'version')}>
        <KeyedTable
          label="Versions of the tool"
          rows={all}
          rowKey={(v) => v.hash}
          empty={<Empty small title="No version is kept." />}
          fields={[
            { head: 'Definition', cell: (v) => <><code>{v.hash.slice(0, 10)}</code> {v.hash === d.listed && <Badge tone="accent">listed now</Badge>} {v.hash === d.accepted && <Badge tone="good">accepted</Badge>}</> },
            { head: 'Seen', cell: (v) => <><Time at={v.first_seen} as="day" /> <span className="muted">to <Time at={v.last_seen} /></span></> },
            { head: 'Actions', end: true, cell: (v) => v.hash !== d.listed && <Button size="compact-xs" aria-pressed={from === v.hash} onClick={() => setFrom(from === v.hash ? undefined : v.hash)}>Compare</Button> },
          ]}
        />
        <ProblemNote error={diff.error} />
      </Panel>
      {from && diff.data && <Difference d={diff.data} title={`From ${from.slice(0, 10)} to now`} />}
    </>
  );
}

/** AcceptDialog accepts the definition that is shown, and says what the tool does. */
function AcceptDialog({ d, onClose }: { d: ToolDetail; onClose: () => void }) {
  const again = useAgain();
  const s = d.suggested;
  const serious = (d.findings ?? []).filter((f) => f.serious);
  const [effect, setEffect] = useState(effectOf(d) ?? effectOf(s) ?? 'destructive');
  const [classes, setClasses] = useState(((d.classes ?? []).length > 0 ? d.classes : (s.classes ?? []))!.join(', '));
  const paths = Object.values(d.paths ?? {}).some((p) => (p ?? []).length > 0) ? d.paths : s.paths;
  const [destination, setDestination] = useState((paths?.destination ?? []).join(', '));
  const [recipient, setRecipient] = useState((paths?.recipient ?? []).join(', '));
  const [amount, setAmount] = useState((paths?.amount ?? []).join(', '));
  const [seen, setSeen] = useState<string[]>([]);
  const [reason, setReason] = useState('');
  const save = useMutation({
    mutationFn: () => api.post(`${pathOf(d)}/accept`, { hash: d.listed, effect, classes: list(classes), paths: { destination: list(destination), recipient: list(recipient), amount: list(amount) }, acknowledge: seen, reason: reason.trim() }),
    onSuccess: onClose,
    onSettled: again,
  });
  return (
    <FormDialog title={`Accept ${d.name} of ${d.upstream}`} submit="Accept" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={620} disabled={reason.trim() === '' || serious.some((f) => !seen.includes(f.code))}>
      <p>
        Exactly the definition <code>{d.listed.slice(0, 12)}</code> that is shown. Another one is held again.
      </p>
      {serious.length > 0 && (
        <fieldset className={css.serious}>
          <legend>It speaks against it; say that you saw it</legend>
          {[...new Map(serious.map((f) => [f.code, f])).values()].map((f) => (
            <Checkbox key={f.code} label={serious.filter((x) => x.code === f.code).map((x) => visible(x.text)).join('; ')} checked={seen.includes(f.code)} onChange={(e) => setSeen(e.currentTarget.checked ? [...seen, f.code] : seen.filter((x) => x !== f.code))} />
          ))}
        </fieldset>
      )}
      {s.why && (
        <p className="muted">
          Its definition suggests {s.effect}: {visible(s.why)}. Nothing of that is in force until you say so.
        </p>
      )}
      <div className={css.two}>
        <Pick label="Effect" value={effect} options={effects} onPick={setEffect} />
        <TextInput label="Data classes" description="What it gives or takes, with commas between" value={classes} onChange={(e) => setClasses(e.currentTarget.value)} />
        <TextInput label="Where a destination stands" description="JSON Pointers: /to, /attendees/*/email" value={destination} onChange={(e) => setDestination(e.currentTarget.value)} />
        <TextInput label="Where a recipient stands" value={recipient} onChange={(e) => setRecipient(e.currentTarget.value)} />
        <TextInput label="Where an amount stands" value={amount} onChange={(e) => setAmount(e.currentTarget.value)} />
      </div>
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

function HoldDialog({ tool, onClose }: { tool: { upstream: string; name: string }; onClose: () => void }) {
  const again = useAgain();
  const [reason, setReason] = useState('');
  const save = useMutation({ mutationFn: () => api.post(`${pathOf(tool)}/hold`, { reason: reason.trim() }), onSuccess: onClose, onSettled: again });
  return (
    <FormDialog title={`Hold ${tool.name}`} submit="Hold" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} disabled={reason.trim() === ''}>
      <p>Calls of it wait for a person until somebody accepts it again.</p>
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

/** AcceptAll accepts every tool of a server that waits and that nothing serious speaks against. */
export function AcceptAll({ upstream, onClose }: { upstream: string; onClose: () => void }) {
  const again = useAgain();
  const q = useQuery({ queryKey: ['tools', upstream], queryFn: ({ signal }) => api.get<UpstreamTools>(`/tools/${encodeURIComponent(upstream)}`, undefined, signal), staleTime: 0 });
  const [suggested, setSuggested] = useState(true);
  const [reason, setReason] = useState('');
  const waiting = (q.data?.items ?? []).filter((t) => t.state === 'held');
  const good = waiting.filter((t) => !(t.findings ?? []).some((f) => f.serious));
  const save = useMutation({ mutationFn: () => api.post(`/tools/${encodeURIComponent(upstream)}/accept`, { digest: q.data!.digest, suggested, reason: reason.trim() }), onSuccess: onClose, onSettled: again });
  return (
    <FormDialog title={`Accept what waits of ${upstream}`} submit={`Accept ${count(good.length)}`} pending={save.isPending} error={q.error ?? save.error} onSubmit={() => save.mutate()} onClose={onClose} size={620} disabled={!q.data || good.length === 0 || reason.trim() === ''}>
      <p>
        {plural(good.length, 'tool')}, as they are listed now{waiting.length > good.length && `; ${count(waiting.length - good.length)} more stay held, since something serious speaks against them`}.
      </p>
      <div className={css.many}>
        <KeyedTable
          label="Tools that wait"
          rows={waiting}
          rowKey={(t) => t.name}
          fields={[
            { head: 'Tool', cell: (t) => t.name },
            { head: 'Says', width: '300px', title: (t) => t.description, cell: (t) => visible(t.description) },
            { head: 'Then', cell: (t) => (good.includes(t) ? <Badge tone="good">accepted</Badge> : <Badge tone="bad">stays held</Badge>) },
          ]}
        />
      </div>
      <Checkbox label="Take the effects that the definitions suggest where nobody set any (else they count as destructive)" checked={suggested} onChange={(e) => setSuggested(e.currentTarget.checked)} />
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}
