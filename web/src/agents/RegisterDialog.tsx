import { TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import type { Agent, UnknownAgent } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import css from '../settings/settings.module.css';
import { useEnvironments, useTeams } from '../shell/TopBar';

const options = (...all: [string, string][]) => all.map(([value, label]) => ({ value, label }));

/** RegisterDialog registers an agent, or one that was found, with what is known of it filled in. */
export function RegisterDialog({ found, onClose, onDone }: { found?: UnknownAgent; onClose: () => void; onDone: (a: Agent) => void }) {
  const client = useQueryClient();
  const teams = useTeams();
  const envs = useEnvironments();
  const [name, setName] = useState(found?.suggested_name ?? '');
  const [team, setTeam] = useState(found?.team ?? '');
  const [environment, setEnvironment] = useState(found?.environment || 'production');
  const [purpose, setPurpose] = useState('');
  const [mode, setMode] = useState('interactive');
  const [autonomy, setAutonomy] = useState('supervised');
  const [classes, setClasses] = useState('');
  const chosen = team || teams[0] || '';
  const body = {
    name: name.trim(), team: chosen, environment: environment.trim(), purpose: purpose.trim(), mode, autonomy,
    data_classes: classes.split(',').map((c) => c.trim()).filter(Boolean),
  };
  const send = useMutation({
    mutationFn: async () => {
      if (!found) return api.post<Agent>('/agents', body);
      await api.post(`/unknown-agents/${found.id}/register`, { ...body, team: found.team ? undefined : body.team, environment: found.environment ? undefined : body.environment });
      return api.get<Agent>(`/agents/${encodeURIComponent(body.name)}`);
    },
    onSuccess: (a) => {
      for (const key of ['agents', 'unknown-agents', 'overview']) void client.invalidateQueries({ queryKey: [key] });
      onDone(a);
    },
  });
  return (
    <FormDialog title={found ? `Register ${found.name || 'an agent'}` : 'Register an agent'} submit="Register" pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} size={560}>
      <TextInput label="Name" description="Lower case; never changes, and is never used again" pattern="[a-z0-9][a-z0-9._\-]*" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
      <TextInput label="Purpose" description="What it is for, in a sentence" required withAsterisk={false} value={purpose} onChange={(e) => setPurpose(e.currentTarget.value)} />
      <div className={css.two}>
        {teams.length > 0 && !found?.team ? <Pick label="Team" value={chosen} options={teams.map((t) => ({ value: t, label: t }))} onPick={setTeam} /> : <TextInput label="Team" required withAsterisk={false} disabled={!!found?.team} value={found?.team || team} onChange={(e) => setTeam(e.currentTarget.value)} />}
        <TextInput label="Environment" list="register-environments" required withAsterisk={false} disabled={!!found?.environment} value={environment} onChange={(e) => setEnvironment(e.currentTarget.value)} />
        <datalist id="register-environments">
          {[...new Set(['production', 'staging', 'test', ...envs])].map((e) => (
            <option key={e} value={e} />
          ))}
        </datalist>
        <Pick label="Mode" value={mode} options={options(['interactive', 'interactive: with a user'], ['autonomous', 'autonomous: by itself'], ['asynchronous', 'asynchronous: a job'])} onPick={setMode} />
        <Pick label="Autonomy" value={autonomy} options={options(['read_only', 'read only: thinks and reads'], ['supervised', 'supervised: writes are held'], ['bounded', 'bounded: destructive acts are held'])} onPick={setAutonomy} />
      </div>
      <TextInput label="Data classes" description="What it may read, with commas between: orders, pii.email" value={classes} onChange={(e) => setClasses(e.currentTarget.value)} />
      <p className="muted">{found ? 'It starts in observe: nothing is refused, and the verdicts it would have got are recorded.' : 'It starts as a pilot, within the pilot limits. Going into production needs security.'}</p>
    </FormDialog>
  );
}
