import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import type { PolicyCheck } from '../api/types';
import { Verdict } from '../decisions/Verdict';
import { useRegistered } from '../agents/data';
import { Pick } from '../settings/parts';
import { Panel, ProblemNote } from '../shared';
import css from './policies.module.css';

const actions = [
  { value: 'call_model', label: 'call a model' },
  { value: 'call_api', label: 'call an API' },
  { value: 'call_tool', label: 'call a local tool' },
];
const hints: Record<string, string> = { call_model: 'openai/gpt-4o-mini', call_api: 'crm GET /v1/users/7', call_tool: 'issue_refund' };

/** Check asks what the door would say, through the door's own path. */
export function Check() {
  const agents = useRegistered().data ?? [];
  const [agent, setAgent] = useState('');
  const [action, setAction] = useState('call_model');
  const [resource, setResource] = useState('');
  const name = agent || agents[0]?.name || '';
  const ask = useMutation({ mutationFn: () => api.post<PolicyCheck>('/policies/check', { agent: name, action, resource: resource.trim() }) });
  const r = ask.data;
  return (
    <Panel title="What would the door say?" padded>
      <form
        className={css.ask}
        onSubmit={(e) => {
          e.preventDefault();
          ask.mutate();
        }}
      >
        <Pick label="Agent" value={name} options={agents.map((a) => ({ value: a.name, label: a.name }))} onPick={setAgent} />
        <Pick label="Wants to" value={action} options={actions} onPick={setAction} />
        <TextInput label="What" placeholder={hints[action]} required withAsterisk={false} value={resource} onChange={(e) => setResource(e.currentTarget.value)} />
        <Button type="submit" variant="filled" loading={ask.isPending} disabled={name === ''}>
          Ask
        </Button>
      </form>
      <ProblemNote error={ask.error} />
      {r && (
        <div role="status">
          <p>
            <Verdict d={r} />
          </p>
          <ul>
            {(r.reasons ?? []).map((x) => (
              <li key={x.code + x.text}>
                {x.text} <code>{x.code}</code>
              </li>
            ))}
          </ul>
          {(r.policies ?? []).length > 0 && <p className="muted">Statements: {r.policies!.map((p) => `${p.policy} / ${p.statement}`).join(', ')}</p>}
        </div>
      )}
    </Panel>
  );
}
