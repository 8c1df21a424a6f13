import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useAddresses } from '../api/addresses';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, AgentKey, List } from '../api/types';
import { FormDialog, Once, Pick, Sure } from '../settings/parts';
import { Badge, Icon, lives, Panel, ProblemNote, Snippet, Time } from '../shared';
import css from '../inbox/inbox.module.css';

/** AgentKeys: what the agent presents at the door when its client knows only API keys. */
export function AgentKeys({ agent }: { agent: Agent }) {
  const client = useQueryClient();
  const may = useMay('CreateAgentKey');
  const key = ['agent-keys', agent.name];
  const path = `/agents/${encodeURIComponent(agent.name)}/keys`;
  const seen = useMay('ListAgentKeys');
  const q = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<List<AgentKey>>(path, undefined, signal), enabled: seen });
  const [making, setMaking] = useState(false);
  const [label, setLabel] = useState('');
  const [networks, setNetworks] = useState('');
  const [life, setLife] = useState('30d');
  const again = () => void client.invalidateQueries({ queryKey: key });
  const make = useMutation({
    mutationFn: () => api.post<AgentKey>(path, { label: label.trim(), networks: networks.split(',').map((n) => n.trim()).filter(Boolean), expires_in: life }),
    onSuccess: () => {
      setMaking(false);
      setLabel('');
      again();
    },
  });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`${path}/${id}`), onSettled: again });
  if (!seen) return null;
  const items = (q.data?.items ?? []).filter((k) => !k.revoked_at && Date.parse(k.expires_at) > Date.now());
  const { door, known } = useAddresses();
  const secret = make.data?.key;
  return (
    <Panel
      title="Keys"
      actions={
        may &&
        agent.lifecycle !== 'retired' && (
          <Button size="compact-xs" leftSection={<Icon name="plus" size={13} />} onClick={() => setMaking(true)}>
            Make a key
          </Button>
        )
      }
    >
      <ProblemNote error={q.error ?? end.error} />
      {secret && (
        <Once what="key" secret={secret}>
          <span className="muted">Models through the door, with upstreams named openai and anthropic:</span>
          {door ? <Snippet label="environment" text={`OPENAI_API_KEY=${secret}\nOPENAI_BASE_URL=${door}/llm/openai/v1\nANTHROPIC_API_KEY=${secret}\nANTHROPIC_BASE_URL=${door}/llm/anthropic`} /> : known && <p className="muted">This server has no door: gateway_listen is empty.</p>}
        </Once>
      )}
      <ul className={css.list}>
        {items.map((k) => (
          <li key={k.id} className={css.row}>
            <div className="grow" style={{ minWidth: 0 }}>
              {k.label || <code>{k.id}</code>} {(k.networks ?? []).map((n) => <Badge key={n}>{n}</Badge>)}
              <div className="muted">
                ends <Time at={k.expires_at} as="day" />, {k.last_used ? <>last used <Time at={k.last_used} /></> : 'never used'}
              </div>
            </div>
            {may && <Sure label="Revoke" sure="Revoke now" pending={end.isPending && end.variables === k.id} onDo={() => end.mutate(k.id)} />}
          </li>
        ))}
      </ul>
      {q.isSuccess && items.length === 0 && !secret && <p className="muted" style={{ padding: '6px 12px', margin: 0 }}>No living key.</p>}
      {making && (
        <FormDialog title={`Make a key of ${agent.name}`} submit="Make" pending={make.isPending} error={make.error} onSubmit={() => make.mutate()} onClose={() => setMaking(false)}>
          <TextInput label="Label" description="Where it is used" value={label} onChange={(e) => setLabel(e.currentTarget.value)} data-autofocus />
          <TextInput label="Networks" description="From where it may be used, with commas between; empty is anywhere" placeholder="10.0.0.0/8" value={networks} onChange={(e) => setNetworks(e.currentTarget.value)} />
          <Pick label="Ends after" value={life} options={lives('1d', '7d', '30d', '90d')} onPick={setLife} />
        </FormDialog>
      )}
    </Panel>
  );
}
