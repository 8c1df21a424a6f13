import { Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import '../theme/forms';
import { useRegistered } from '../agents/data';
import { api } from '../api/client';
import type { Canary, List, Upstream } from '../api/types';
import { FormDialog, Pick } from '../settings/parts';
import { useCanariesAgain } from './CanaryPanel';
import css from './findings.module.css';

const periods = [['10m0s', '10 minutes'], ['30m0s', '30 minutes'], ['1h0m0s', 'hour'], ['6h0m0s', '6 hours'], ['24h0m0s', 'day'], ['168h0m0s', 'week']].map(([value, label]) => ({ value: value!, label: label! }));

/** lines are the prompts that somebody typed, one each. */
const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter(Boolean);

/** CanaryDialog makes or changes a canary. */
export function CanaryDialog({ canary, onClose, onKept }: { canary?: Canary; onClose: () => void; onKept: (name: string) => void }) {
  const again = useCanariesAgain();
  const agents = useRegistered();
  const upstreams = useQuery({ queryKey: ['upstreams'], queryFn: ({ signal }) => api.get<List<Upstream>>('/upstreams', undefined, signal) });
  const asks = (upstreams.data?.items ?? []).filter((u) => u.kind === 'llm' && (u.dialect === 'openai' || u.dialect === 'anthropic'));
  const [name, setName] = useState(canary?.name ?? '');
  const [agent, setAgent] = useState(canary?.agent ?? '');
  const [upstream, setUpstream] = useState(canary?.upstream ?? '');
  const [model, setModel] = useState(canary?.model ?? '');
  const [every, setEvery] = useState(canary?.every ?? '1h0m0s');
  const [prompts, setPrompts] = useState((canary?.prompts ?? []).join('\n'));
  const on = agents.data?.find((a) => a.name === agent);
  const from = upstream || asks[0]?.name || '';
  const save = useMutation({
    mutationFn: () => api.put<Canary>(`/canaries/${encodeURIComponent(name.trim())}`, { team: on?.team ?? canary?.team ?? '', environment: on?.environment ?? canary?.environment ?? '', agent, upstream: from, model: model.trim(), every, prompts: lines(prompts), off: canary?.off, revision: canary?.revision, reason: '' }),
    onSuccess: (c) => {
      onKept(c.name);
      onClose();
    },
    onSettled: again,
  });
  const names = (list: string[], now: string) => [...(now ? [] : [{ value: '', label: 'choose' }]), ...[...new Set([...list, ...(now ? [now] : [])])].map((value) => ({ value, label: value }))];
  return (
    <FormDialog title={canary ? `Change ${canary.name}` : 'Watch a model'} submit="Keep" pending={save.isPending} error={save.error ?? agents.error ?? upstreams.error} disabled={!name.trim() || !agent || !from || !model.trim()} onSubmit={() => save.mutate()} onClose={onClose} size={640}>
      {upstreams.isSuccess && asks.length === 0 && <p className="muted">No upstream speaks OpenAI&apos;s or Anthropic&apos;s format: name one under Settings, Upstreams.</p>}
      {!canary && <TextInput label="Name" description="a-z, 0-9 and hyphens" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />}
      <div className={css.two}>
        <Pick label="As the agent" value={agent} options={names((agents.data ?? []).map((a) => a.name).sort(), agent)} onPick={setAgent} />
        <Pick label="At the upstream" value={from} options={names(asks.map((u) => u.name), from)} onPick={setUpstream} />
        <TextInput label="Model" description="The name that agents ask for" data-autofocus={canary ? true : undefined} spellCheck={false} value={model} onChange={(e) => setModel(e.currentTarget.value)} />
        <Pick label="Every" value={every} options={periods.some((p) => p.value === every) ? periods : [...periods, { value: every, label: every }]} onPick={setEvery} />
      </div>
      <Textarea label="Questions" description="One a line; none: eight of Reeve's own" autosize minRows={3} maxRows={10} value={prompts} onChange={(e) => setPrompts(e.currentTarget.value)} />
      <p className="muted">Its policies, budgets and records hold for what is asked. Other questions, another model or agent begin the normal anew.</p>
    </FormDialog>
  );
}
