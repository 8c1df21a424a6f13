import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useRef, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { List, Policy, PolicyRevision, PolicyValidation } from '../api/types';
import { Pick, Sure } from '../settings/parts';
import { Badge, Panel, plural, ProblemNote, Time } from '../shared';
import { useTeams } from '../shell/TopBar';
import css from './policies.module.css';
import { EnforceDialog, Try } from './Simulation';

const starter = `@id("read-orders")
permit (
  principal,
  action == Action::"call_api",
  resource in Upstream::"orders"
) when { resource.effect == Effect::"read" };
`;

/** PolicyEditor shows a policy, checks each change as it is typed, and keeps it with a reason. */
export function PolicyEditor({ policy, onSaved }: { policy: Policy | undefined; onSaved: (name: string) => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const [name, setName] = useState(policy?.name ?? '');
  const [team, setTeam] = useState(policy?.team ?? '');
  const [guardrail, setGuardrail] = useState(policy?.guardrail ?? false);
  const [text, setText] = useState(policy?.cedar ?? starter);
  const [reason, setReason] = useState('');
  const may = useMay('PutPolicy');
  const mayMode = useMay('SetPolicyMode');
  const [enforcing, setEnforcing] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = useRef<HTMLDivElement>(null);
  const typed = useDeferredValue(text);
  const changed = text !== (policy?.cedar ?? '') || !policy;
  const check = useQuery({
    queryKey: ['policy-validate', name, team, guardrail, typed],
    queryFn: ({ signal }) => api.post<PolicyValidation>('/policies/validate', { name: name.trim() || 'new', team, guardrail, cedar: typed }, signal),
    enabled: changed,
    placeholderData: (old) => old,
    gcTime: 0,
  });
  const again = () => void client.invalidateQueries({ queryKey: ['policies'] });
  const save = useMutation({
    mutationFn: () => api.put<Policy>(`/policies/${encodeURIComponent(name.trim())}`, { team, guardrail, cedar: text, reason: reason.trim(), revision: policy?.revision ?? 0 }),
    onSuccess: (p) => onSaved(p.name),
    onSettled: again,
  });
  const mode = useMutation({ mutationFn: (to: string) => api.post<Policy>(`/policies/${encodeURIComponent(policy!.name)}/mode`, { mode: to, reason: reason.trim() }), onSettled: again });
  const problems = changed ? (check.data?.problems ?? []) : [];
  const warnings = changed ? (check.data?.warnings ?? []) : [];
  const statements = changed ? (check.data?.statements ?? []) : (policy?.statements ?? []);
  const jump = (line: number, column: number) => {
    const el = area.current;
    if (!el) return;
    const at = text.split('\n').slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + Math.max(0, column - 1);
    el.focus();
    el.setSelectionRange(at, at + 1);
    el.scrollTop = Math.max(0, (line - 4) * 19);
  };
  const bad = new Set(problems.map((p) => p.line));
  return (
    <div className={css.editor}>
      <Panel
        title={policy ? policy.name : 'A new policy'}
        note={policy && `revision ${policy.revision}, by ${policy.author}`}
        actions={
          policy &&
          mayMode &&
          (policy.mode === 'observe' ? (
            <Button size="compact-xs" variant="filled" onClick={() => setEnforcing(true)}>
              Enforce
            </Button>
          ) : (
            !policy.guardrail && <Sure label="Put in observe" sure="Observe from now on" pending={mode.isPending} onDo={() => mode.mutate('observe')} />
          ))
        }
        padded
      >
        <ProblemNote error={mode.error ?? check.error} />
        {!policy && (
          <div className={css.meta}>
            <TextInput label="Name" pattern="[a-z0-9][a-z0-9\-]*" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
            <Pick label="Whose agents" value={team} options={[{ value: '', label: "everybody's (security's own)" }, ...teams.map((t) => ({ value: t, label: `team ${t}` }))]} onPick={setTeam} />
            <Checkbox label="Guardrail: forbids only, for everybody" checked={guardrail} onChange={(e) => setGuardrail(e.currentTarget.checked)} />
          </div>
        )}
        <div className={css.code}>
          <div className={css.numbers} ref={lines} aria-hidden="true">
            {text.split('\n').map((_, i) => (
              <div key={i} data-bad={bad.has(i + 1) || undefined}>
                {i + 1}
              </div>
            ))}
          </div>
          <textarea
            ref={area}
            aria-label="Policy in Cedar"
            aria-invalid={problems.length > 0}
            spellCheck={false}
            wrap="off"
            readOnly={!may}
            value={text}
            rows={Math.min(30, Math.max(12, text.split('\n').length + 1))}
            onChange={(e) => setText(e.currentTarget.value)}
            onScroll={(e) => lines.current && (lines.current.scrollTop = e.currentTarget.scrollTop)}
          />
        </div>
        <div role="status" aria-live="polite">
          {problems.map((p) => (
            <button key={`${p.line}:${p.column}${p.text}`} type="button" className={css.problem} onClick={() => jump(p.line, p.column)}>
              line {p.line}, column {p.column}: {p.text}
            </button>
          ))}
          {warnings.map((w) => (
            <p key={w} className={css.warning}>
              {w}
            </p>
          ))}
          {changed && check.data?.ok && <p className="muted">Sound: {plural(statements.length, 'statement')}.</p>}
        </div>
        {may && changed && (
          <form
            className={css.save}
            onSubmit={(e) => {
              e.preventDefault();
              save.mutate();
            }}
          >
            <TextInput aria-label="Reason" placeholder="Why: stands in the record" className="grow" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
            {policy && <Button onClick={() => setText(policy.cedar)}>Undo changes</Button>}
            <Button type="submit" variant="filled" loading={save.isPending} disabled={check.data?.ok !== true || name.trim() === ''}>
              {policy ? 'Keep' : 'Make the policy'}
            </Button>
          </form>
        )}
        <ProblemNote error={save.error} />
        {changed && check.data?.ok && <Try body={{ name: name.trim() || 'new', team, guardrail, cedar: text }} />}
        {enforcing && policy && <EnforceDialog what={policy.name} path={`/policies/${encodeURIComponent(policy.name)}/enforce`} onClose={() => setEnforcing(false)} />}
      </Panel>
      <Panel title="Statements">
        <table className={css.table}>
          <thead>
            <tr>
              <th>Statement</th>
              <th>Effect</th>
              <th>Due first</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {statements.map((s) => (
              <tr key={s.id + s.line}>
                <td>
                  <button type="button" className={css.jump} onClick={() => jump(s.line, 1)}>
                    {s.id}
                  </button>
                </td>
                <td>
                  <Badge tone={s.effect === 'permit' ? 'good' : 'bad'}>{s.effect}</Badge>
                </td>
                <td>{[s.hold && `held for ${s.hold}`, s.redact && `redacts ${s.redact}`, s.limit && `at most ${s.limit}`].filter(Boolean).join('; ') || <span className="muted">nothing</span>}</td>
                <td>{s.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      {policy && <Revisions policy={policy} />}
    </div>
  );
}

/** Revisions: what the policy was, by whom and why, and the way back. */
function Revisions({ policy }: { policy: Policy }) {
  const client = useQueryClient();
  const may = useMay('RestorePolicy');
  const q = useQuery({ queryKey: ['policies', policy.name, 'revisions', policy.revision], queryFn: ({ signal }) => api.get<List<PolicyRevision>>(`/policies/${encodeURIComponent(policy.name)}/revisions`, undefined, signal) });
  const back = useMutation({ mutationFn: (revision: number) => api.post(`/policies/${encodeURIComponent(policy.name)}/restore`, { revision, reason: `back to revision ${revision}` }), onSettled: () => void client.invalidateQueries({ queryKey: ['policies'] }) });
  return (
    <Panel title="Revisions">
      <ProblemNote error={q.error ?? back.error} />
      <table className={css.table}>
        <thead>
          <tr>
            <th>Revision</th>
            <th>When</th>
            <th>By</th>
            <th>What</th>
            <th>Why</th>
            <th>
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {(q.data?.items ?? []).map((r) => (
            <tr key={r.revision}>
              <td className="num">{r.revision}</td>
              <td>
                <Time at={r.at} as="day" />
              </td>
              <td>{r.author}</td>
              <td>{r.action}</td>
              <td>{r.reason}</td>
              <td className={css.end}>{may && r.revision !== policy.revision && <Sure label="Restore" sure="Restore it now" pending={back.isPending && back.variables === r.revision} onDo={() => back.mutate(r.revision)} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
