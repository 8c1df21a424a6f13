import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { ConnectedAgent, Framework } from '../api/types';
import { PageHeader, Panel, ProblemNote, Snippet, useShortcuts } from '../shared';
import { Pick } from '../settings/parts';
import { useEnvironments, useTeams } from '../shell/TopBar';
import css from './connect.module.css';
import { found, inGroups, sendable, useFrameworks } from './data';
import { Watch } from './Watch';

/** ConnectPage: pick what the agent is built with, copy what it needs with its fresh key, see its first step and decision arrive. */
export function ConnectPage() {
  const navigate = useNavigate();
  const dev = useMe()?.dev;
  const { framework = '', agent: named = '' } = useSearch({ strict: false }) as { framework?: string; agent?: string };
  const teams = useTeams();
  const envs = useEnvironments();
  const [agent, setAgent] = useState(named);
  const [team, setTeam] = useState('');
  const [environment, setEnvironment] = useState('production');
  const [find, setFind] = useState('');
  const finder = useRef<HTMLInputElement>(null);
  useShortcuts('Connect an agent', [{ keys: 'f', label: 'Find a framework', run: () => finder.current?.focus() }]);
  const q = useFrameworks(sendable(agent) ? agent : undefined, sendable(environment) ? environment : undefined);
  const all = q.data?.items ?? [];
  const shown = found(all, find);
  const now = all.find((f) => f.id === framework) ?? all[0];
  const pick = (id: string) => void navigate({ to: '.', search: ((old: object) => ({ ...old, framework: id })) as never, replace: true });
  const chosenTeam = team || teams[0] || '';
  return (
    <>
      <PageHeader title="Connect an agent" question="How does an agent of ours join?" answer={q.isSuccess && `${all.length} ways, from one environment variable to calls that are decided one by one. Pick what the agent is built with.`} />
      <div className={css.page}>
        <Panel title="Built with" className={css.list}>
          <div className={css.find}>
            <TextInput ref={finder} type="search" aria-label="Find a framework" placeholder="Find: langgraph, mcp, claude" value={find} onChange={(e) => setFind(e.currentTarget.value)} />
          </div>
          <ProblemNote error={q.error} retry={() => void q.refetch()} />
          <div className={css.groups} role="radiogroup" aria-label="Framework">
            {inGroups(shown).map((g) => (
              <div key={g.name}>
                <div className={css.group}>{g.name}</div>
                {g.items.map((f) => (
                  <label key={f.id} className={css.choice} data-on={f.id === now?.id || undefined}>
                    <input type="radio" name="framework" value={f.id} checked={f.id === now?.id} onChange={() => pick(f.id)} />
                    {f.title}
                  </label>
                ))}
              </div>
            ))}
            {q.isSuccess && shown.length === 0 && <p className={css.none}>Nothing is called so. Any OpenTelemetry SDK sends what Reeve understands.</p>}
          </div>
        </Panel>
        {now && (
          <div className={css.side}>
            <Panel title={now.title} padded>
              <p className={css.about}>{now.about}</p>
              <div className={css.three}>
                <TextInput label="Agent" description="Lower case; what it is called everywhere" placeholder="my-agent" value={agent} onChange={(e) => setAgent(e.currentTarget.value.trim())} error={agent && !sendable(agent) ? 'Letters, digits, dots, - and _' : undefined} />
                {teams.length > 0 ? <Pick label="Team" value={chosenTeam} options={teams.map((t) => ({ value: t, label: t }))} onPick={setTeam} /> : <TextInput label="Team" value={team} onChange={(e) => setTeam(e.currentTarget.value)} />}
                <TextInput label="Environment" list="connect-environments" value={environment} onChange={(e) => setEnvironment(e.currentTarget.value.trim())} />
                <datalist id="connect-environments">
                  {[...new Set(['production', 'staging', 'test', ...envs])].map((e) => (
                    <option key={e} value={e} />
                  ))}
                </datalist>
              </div>
            </Panel>
            <Steps key={`${now.id} ${agent}`} f={now} agent={agent} team={chosenTeam} environment={environment} dev={dev} />
          </div>
        )}
      </div>
    </>
  );
}

/** Steps are what is copied, and what came of it; a key that was made is of this framework and agent alone. */
function Steps({ f, agent, team, environment, dev }: { f: Framework; agent: string; team: string; environment: string; dev?: boolean }) {
  const client = useQueryClient();
  const may = useMay('Connect');
  const [since] = useState(() => new Date().toISOString());
  const make = useMutation({
    mutationFn: () => api.post<ConnectedAgent>(`/connect/${f.id}`, { agent, team, environment, host: location.hostname }),
    onSuccess: () => {
      for (const key of ['agents', 'agent-keys', 'intake-keys', 'unknown-agents']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const made = make.data;
  const needs = f.keys.filter((k) => k === 'agent' || !dev);
  const after = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (made) after.current?.focus();
  }, [made]);
  const words = needs.map((k) => (k === 'agent' ? 'a key of the agent' : 'an intake key')).join(' and ');
  const ready = sendable(agent) && sendable(environment) && (team !== '' || needs.length === 0);
  return (
    <>
      <Panel title="Copy" padded>
        {needs.length > 0 && !made && (
          <form
            className={css.make}
            onSubmit={(e) => {
              e.preventDefault();
              if (ready) make.mutate();
            }}
          >
            <span className="muted">{may ? `It needs ${words}, good for 30 days.` : `It needs ${words}: a developer of the team makes them.`}</span>
            {may && (
              <Button type="submit" variant="filled" loading={make.isPending} disabled={!ready} title={ready ? undefined : 'Name the agent, its team and environment first'}>
                Make {needs.length > 1 ? 'the keys' : 'the key'}
              </Button>
            )}
          </form>
        )}
        <ProblemNote error={make.error} />
        {made && (
          <div ref={after} tabIndex={-1} role="status" className={css.made}>
            <strong>Copy this now: {needs.length > 1 ? 'the keys in it are' : 'the key in it is'} not shown again.</strong>
            {made.registered && <span> {agent} is registered as a pilot; its writes wait for a person.</span>}
          </div>
        )}
        {(made?.framework ?? f).parts.map((p) => (
          <div key={p.title} className={css.part}>
            <h3>{p.title}</h3>
            <Snippet text={p.text} label={p.title} />
          </div>
        ))}
      </Panel>
      {sendable(agent) && (needs.length === 0 || made) && <Watch f={f} agent={agent} since={made?.since ?? since} intakeKey={made?.intake_key?.id} />}
    </>
  );
}
