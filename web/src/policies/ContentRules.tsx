import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { ContentRule, List } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import form from '../settings/settings.module.css';
import { Badge, Empty, Icon, KeyedTable, Panel, plural, ProblemNote } from '../shared';

const of = (...all: [string, string][]) => all.map(([value, label]) => ({ value, label }));
const acts = of(['flag', 'flag: note it'], ['redact_store', 'redact before it is stored'], ['redact', 'redact before it is forwarded'], ['block', 'block the call']);
const ways = of(['both', 'both ways'], ['request', 'what agents say'], ['answer', 'what agents are told']);
const words: Record<string, string> = { flag: 'noted', redact_store: 'redacted in the record', redact: 'redacted on its way', block: 'blocked' };

/** ContentRules: what happens to secrets and personal data in what agents say and are told. */
export function ContentRules() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['content-rules'], queryFn: ({ signal }) => api.get<List<ContentRule>>('/content-rules', undefined, signal) });
  const may = useMay('PutContentRule');
  const [edit, setEdit] = useState<ContentRule | 'new'>();
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/content-rules/${encodeURIComponent(name)}`), onSettled: () => void client.invalidateQueries({ queryKey: ['content-rules'] }) });
  const items = q.data?.items ?? [];
  const make = may && (
    <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setEdit('new')}>
      Add a rule
    </Button>
  );
  return (
    <Panel title="Content rules" note={plural(items.length, 'rule')} actions={make}>
      <ProblemNote error={q.error ?? remove.error} />
      <KeyedTable
        label="Table of content rules"
        rows={items}
        rowKey={(r) => r.name}
        empty={q.isSuccess && <Empty title="There is no content rule." actions={make}>What passes the door is not looked at. A rule finds secrets and personal data, and notes, redacts or blocks them. Reeve&apos;s own keys are always found, and die.</Empty>}
        fields={[
          { head: 'Rule', cell: (r) => r.name },
          { head: 'Finds', cell: (r) => <>{(r.classes ?? []).map((c) => <Badge key={c}>{c}</Badge>)} {r.pattern && <code>{r.pattern}</code>}</> },
          { head: 'Then it is', cell: (r) => <Badge tone={r.action === 'block' ? 'bad' : r.action === 'flag' ? 'info' : 'warn'}>{words[r.action] ?? r.action}</Badge> },
          { head: 'Where', cell: (r) => ways.find((w) => w.value === r.direction)?.label ?? r.direction },
          { head: 'For', cell: (r) => [r.agent && `agent ${r.agent}`, r.team && `team ${r.team}`, r.environment].filter(Boolean).join(', ') || 'all' },
          { head: 'Why', cell: (r) => r.reason },
          {
            head: 'Actions',
            end: true,
            cell: (r) =>
              may && (
                <>
                  <Button size="compact-xs" onClick={() => setEdit(r)}>
                    Change
                  </Button>
                  <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === r.name} onDo={() => remove.mutate(r.name)} />
                </>
              ),
          },
        ]}
      />
      {edit && <RuleDialog rule={edit === 'new' ? undefined : edit} onClose={() => setEdit(undefined)} />}
    </Panel>
  );
}

function RuleDialog({ rule, onClose }: { rule: ContentRule | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(rule?.name ?? '');
  const [classes, setClasses] = useState((rule?.classes ?? ['secret']).join(', '));
  const [pattern, setPattern] = useState(rule?.pattern ?? '');
  const [action, setAction] = useState(rule?.action ?? 'redact');
  const [direction, setDirection] = useState(rule?.direction ?? 'both');
  const [agent, setAgent] = useState(rule?.agent ?? '');
  const [reason, setReason] = useState(rule?.reason ?? '');
  const [text, setText] = useState('');
  const attempt = useMutation({ mutationFn: () => api.post<{ found?: { class: string; rule?: string; count?: number }[] | null }>('/content-rules/try', { text, all: true }) });
  const save = useMutation({
    mutationFn: () => api.put(`/content-rules/${encodeURIComponent(name.trim())}`, { classes: classes.split(',').map((c) => c.trim()).filter(Boolean), pattern: pattern || undefined, action, direction, agent: agent.trim() || undefined, team: rule?.team || undefined, environment: rule?.environment || undefined, reason: reason.trim(), revision: rule?.revision ?? 0 }),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['content-rules'] }),
  });
  return (
    <FormDialog title={rule ? `Change ${rule.name}` : 'Add a content rule'} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={620}>
      <div className={form.two}>
        <TextInput label="Name" required withAsterisk={false} disabled={!!rule} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <TextInput label="Classes" description="secret, pii, pii.payment.card; with commas between" value={classes} onChange={(e) => setClasses(e.currentTarget.value)} />
        <Pick label="Then" value={action} options={acts} onPick={setAction} />
        <Pick label="Where" value={direction} options={ways} onPick={setDirection} />
        <TextInput label="Only this agent" placeholder="all" value={agent} onChange={(e) => setAgent(e.currentTarget.value)} />
        <TextInput label="Pattern of your own (RE2)" value={pattern} onChange={(e) => setPattern(e.currentTarget.value)} />
      </div>
      <TextInput label="Reason" required withAsterisk={false} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      <Textarea label="Try a text" description="What would be found in it; nothing is kept" autosize minRows={2} maxRows={6} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      <div>
        <Button size="compact-sm" disabled={text === ''} loading={attempt.isPending} onClick={() => attempt.mutate()}>
          Try it
        </Button>{' '}
        {attempt.data && <span role="status">{(attempt.data.found ?? []).length === 0 ? 'Nothing is found.' : (attempt.data.found ?? []).map((f) => <Badge key={f.class + (f.rule ?? '')}>{f.class}</Badge>)}</span>}
        <ProblemNote error={attempt.error} />
      </div>
    </FormDialog>
  );
}
