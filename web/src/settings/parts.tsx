import { ActionIcon, Button, Modal } from '@mantine/core';
import { useEffect, useId, useState, type ReactNode } from 'react';
import '../theme/forms';
import type { Grant } from '../api/types';
import { Badge, Icon, ProblemNote, Snippet, useFocusBack } from '../shared';
import { useEnvironments, useTeams } from '../shell/TopBar';
import css from './settings.module.css';

export const roles: { value: string; may: string }[] = [
  { value: 'viewer', may: 'sees metadata' },
  { value: 'reader', may: 'reads content' },
  { value: 'developer', may: 'reads content, makes intake keys of the team' },
  { value: 'approver', may: 'reads content, decides held actions' },
  { value: 'responder', may: 'stops, contains, handles incidents' },
  { value: 'security', may: 'policy, upstreams, identity' },
  { value: 'auditor', may: 'reads the audit log' },
  { value: 'admin', may: 'people, teams, roles' },
];

/** grantText says a grant in words: "reader of support in production". */
export function grantText(g: Grant): string {
  const team = g.team === '*' ? 'all teams' : g.team;
  const env = g.environment === '*' ? 'everywhere' : `in ${g.environment}`;
  return `${g.role} of ${team} ${env}`;
}

export function Grants({ grants }: { grants: Grant[] | null | undefined }) {
  if (!grants || grants.length === 0) return <span className="muted">none</span>;
  return (
    <span style={{ display: 'inline-flex', gap: 4, flexWrap: 'wrap' }}>
      {grants.map((g, i) => (
        <Badge key={i} tone={g.role === 'admin' || g.role === 'security' ? 'accent' : undefined} title={grantText(g)}>
          {g.role}
          {g.team !== '*' && ` · ${g.team}`}
          {g.environment !== '*' && ` · ${g.environment}`}
        </Badge>
      ))}
    </span>
  );
}

/** Pick is the browser's own list: quick, known to everybody, nothing to load. Inline puts its label before it, for a row of buttons. */
export function Pick({ label, value, options, onPick, inline = false }: { label: string; value: string; options: { value: string; label: string }[]; onPick: (v: string) => void; inline?: boolean }) {
  const id = useId();
  return (
    <div className={inline ? css.inline : undefined}>
      <label className={css.fieldLabel} htmlFor={id}>
        {label}
      </label>
      <select id={id} className={css.native} value={value} onChange={(e) => onPick(e.currentTarget.value)}>
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** GrantsEdit edits roles, each for a team and an environment or for all. */
export function GrantsEdit({ grants, onChange }: { grants: Grant[]; onChange: (g: Grant[]) => void }) {
  const teams = useTeams();
  const envs = useEnvironments();
  const set = (i: number, change: Partial<Grant>) => onChange(grants.map((g, n) => (n === i ? { ...g, ...change } : g)));
  const all = (names: string[], now: string) => [{ value: '*', label: 'All' }, ...[...new Set([...names, ...(now && now !== '*' ? [now] : [])])].map((v) => ({ value: v, label: v }))];
  return (
    <div className={css.form}>
      {grants.map((g, i) => (
        <div key={i} className={css.grant}>
          <Pick label="Role" value={g.role} options={roles.map((r) => ({ value: r.value, label: `${r.value}: ${r.may}` }))} onPick={(role) => set(i, { role })} />
          <Pick label="Team" value={g.team} options={all(teams, g.team)} onPick={(team) => set(i, { team })} />
          <Pick label="Environment" value={g.environment} options={all(envs, g.environment)} onPick={(environment) => set(i, { environment })} />
          <ActionIcon aria-label={`Remove: ${grantText(g)}`} onClick={() => onChange(grants.filter((_, n) => n !== i))}>
            <Icon name="trash" size={14} />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button leftSection={<Icon name="plus" size={13} />} onClick={() => onChange([...grants, { role: 'viewer', team: '*', environment: '*' }])}>
          Add a role
        </Button>
      </div>
    </div>
  );
}

/** FormDialog is a form in a dialog: fields, the error, cancel and the one thing it does. */
export function FormDialog({ title, submit, pending, error, onSubmit, onClose, disabled, size = 480, children }: { title: string; submit: string; pending: boolean; error: unknown; onSubmit: () => void; onClose: () => void; disabled?: boolean; size?: number; children: ReactNode }) {
  useFocusBack();
  return (
    <Modal opened onClose={onClose} title={title} size={size}>
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault();
          if (!disabled) onSubmit();
        }}
      >
        {children}
        {error ? <ProblemNote error={error} /> : null}
        <div className={css.formEnd}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="filled" loading={pending} disabled={disabled}>
            {submit}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Sure asks once more in place, instead of a dialog: press, then press again. */
export function Sure({ label, sure, onDo, pending }: { label: string; sure: string; onDo: () => void; pending?: boolean }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const t = setTimeout(() => setAsked(false), 5000);
    return () => clearTimeout(t);
  }, [asked]);
  return (
    <Button size="compact-xs" loading={pending} variant={asked ? 'filled' : 'default'} color={asked ? 'bad' : undefined} onClick={() => (asked ? onDo() : setAsked(true))}>
      {asked ? sure : label}
    </Button>
  );
}

/** Once shows a secret that is never shown again. */
export function Once({ what, secret, children }: { what: string; secret: string; children?: ReactNode }) {
  return (
    <div className={css.once} role="status">
      <strong>Copy this {what} now. It is not shown again.</strong>
      <Snippet text={secret} label={what} />
      {children}
    </div>
  );
}
