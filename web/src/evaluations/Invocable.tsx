import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay, useMe } from '../api/queries';
import type { InvokeTarget } from '../api/types';
import type { components } from '../api/openapi';
import { Badge, duration, Facts, Panel, pickView, plural, ProblemNote, Snippet } from '../shared';
import { FormDialog, Pick } from '../settings/parts';
import css from '../sources/sources.module.css';
import { visible } from '../tools/data';
import { commandText, formOf, hard, targetOf, useInvocation, usualBody, words, wrong } from './invoke';

type Tried = components['schemas']['TriedInvoke'];

const kinds = [
  { value: 'http', label: 'a request of a template (HTTP)' },
  { value: 'a2a', label: 'message/send of A2A' },
  { value: 'command', label: 'a command of this host' },
];
const by: Record<string, string> = { http: 'by HTTP', a2a: 'by A2A', command: 'by a command' };

/** Invocable says whether an agent can be tested, and is the way to make it so. */
export function Invocable({ agent }: { agent: string }) {
  const q = useInvocation(agent);
  const may = { put: useMay('PutInvokeTarget'), attempt: useMay('TryInvoke') };
  const [open, setOpen] = useState<'set' | 'try'>();
  const t = q.data?.target;
  return (
    <Panel
      title="Can it be tested?"
      padded
      actions={
        q.data && (
          <>
            {t && may.attempt && <Button size="compact-xs" onClick={() => setOpen('try')}>Try it</Button>}
            {may.put && !t?.configured && <Button size="compact-xs" variant={t ? 'default' : 'filled'} onClick={() => setOpen('set')}>{t ? 'Change how' : 'Say how'}</Button>}
          </>
        )
      }
    >
      <ProblemNote error={q.error} retry={() => void q.refetch()} />
      {q.data && (t ? <Known t={t} /> : <NotPossible agent={agent} />)}
      {open === 'set' && <InvokeDialog agent={agent} target={t} onClose={() => setOpen(undefined)} />}
      {open === 'try' && <TryDialog agent={agent} onClose={() => setOpen(undefined)} />}
    </Panel>
  );
}

function Known({ t }: { t: InvokeTarget }) {
  return (
    <>
      <p className={css.lead}><Badge tone="good">yes</Badge> {by[t.kind] ?? t.kind}{t.configured && ', as the configuration file says'}.</p>
      <Facts>
        {t.url && <><dt>At</dt><dd><code>{visible(t.url)}</code>{t.allow_private && ' (inside the house)'}</dd></>}
        <dt>Called for real</dt>
        <dd>{t.sandbox.length > 0 ? t.sandbox.join(', ') : 'nothing but models'}</dd>
        {t.local.length > 0 && <><dt>Its own tools</dt><dd>{t.local.join(', ')}</dd></>}
        <dt>Within</dt>
        <dd>{plural(t.timeout_s || 60, 'second')} a case</dd>
      </Facts>
    </>
  );
}

/** NotPossible says that an agent cannot be tested, what does not work without, and how it gets there. */
export function NotPossible({ agent }: { agent: string }) {
  const dev = useMe()?.dev;
  const may = useMay('PutInvokeTarget');
  return (
    <>
      <p className={css.lead} role="status"><Badge tone="warn">not possible</Badge> {agent} cannot be tested: nobody said how it is invoked. Golden tasks, bias pairs, audits and the cases of a gate need that; replays and models tried on recorded runs do not.</p>
      {!may && <p className="muted">Who has the role security says how, since the questions of cases go there.</p>}
      <details className={css.more}>
        <summary>On the command line</summary>
        <Snippet label="command" text={`reeve invoke set ${agent} --http https://${agent}.example.com/chat \\\n  --body '${usualBody}' --answer /reply --server ${location.origin}${dev ? '' : ' --token YOUR_TOKEN'}`} />
      </details>
    </>
  );
}

/** InvokeDialog says how an agent is invoked; what is typed can be tried before it is kept. */
export function InvokeDialog({ agent, target, onClose }: { agent: string; target?: InvokeTarget | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [f, setForm] = useState(() => formOf(target));
  const [question, setQuestion] = useState('');
  const [command, setCommand] = useState('');
  const [env, setEnv] = useState('OPENAI_BASE_URL={{door}}/llm/openai/v1\nOPENAI_API_KEY=any');
  const set = (more: Partial<typeof f>) => setForm((was) => ({ ...was, ...more }));
  const path = `/agents/${encodeURIComponent(agent)}/invoke`;
  const put = useMutation({
    mutationFn: () => api.put<InvokeTarget>(path, targetOf(f, target?.revision ?? 0)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['invoke', agent] });
      onClose();
    },
  });
  const attempt = useMutation({ mutationFn: () => api.post<Tried>(`${path}/try`, { input: question.trim(), target: targetOf(f, 0) }) });
  const bad = f.kind === 'command' ? undefined : wrong(f);
  return (
    <FormDialog title={`How ${agent} is invoked`} submit={f.kind === 'command' ? 'Done' : 'Keep'} size={600} pending={put.isPending} error={put.error} onSubmit={() => (f.kind === 'command' ? onClose() : put.mutate())} onClose={onClose} disabled={f.kind !== 'command' && hard(f)}>
      <Pick label="By" value={f.kind} options={kinds} onPick={(kind) => set({ kind })} />
      {f.kind === 'command' ? (
        <>
          <TextInput label="Command" placeholder="node /opt/refund/agent.mjs" value={command} onChange={(e) => setCommand(e.currentTarget.value)} description="It reads the case as JSON on standard input and writes its answer." />
          <Textarea label="Environment, one a line" autosize minRows={2} value={env} onChange={(e) => setEnv(e.currentTarget.value)} />
          <TextInput label="Its own tools that may run in tests (with commas)" value={f.local} onChange={(e) => set({ local: e.currentTarget.value })} />
          <TextInput label="Seconds a case (60 where empty)" inputMode="numeric" value={f.timeout} onChange={(e) => set({ timeout: e.currentTarget.value })} />
          <p className="muted">A command runs on Reeve&apos;s host, so that it is set in the configuration file alone. Put this there, and start Reeve anew:</p>
          <Snippet label="configuration" text={words(command).length > 0 ? commandText(agent, command, env, f.local, f.timeout) : '# say the command first'} />
        </>
      ) : (
        <>
          <TextInput label="Address" data-autofocus placeholder={`https://${agent}.example.com/chat`} value={f.url} onChange={(e) => set({ url: e.currentTarget.value })} />
          {f.kind === 'http' && (
            <>
              <Textarea label="Body" autosize minRows={2} value={f.body} onChange={(e) => set({ body: e.currentTarget.value })} description="JSON. {{input}} is what the user says last, {{messages}} all of it, {{token}} the test's credential at the door, {{run}} its run." />
              <TextInput label="Where the answer is (a JSON pointer; the whole body where empty)" placeholder="/reply" value={f.answer} onChange={(e) => set({ answer: e.currentTarget.value })} />
            </>
          )}
          <Checkbox label="The address is inside the house" checked={f.inside} onChange={(e) => set({ inside: e.currentTarget.checked })} />
          <TextInput label="Upstreams that are called for real in tests (with commas)" description="A sandbox; what is not named is answered from recordings, or refused." value={f.sandbox} onChange={(e) => set({ sandbox: e.currentTarget.value })} />
          <TextInput label="Its own tools that may run in tests (with commas)" description="They touch nothing real: you say so." value={f.local} onChange={(e) => set({ local: e.currentTarget.value })} />
          <TextInput label="Seconds a case (60 where empty)" inputMode="numeric" value={f.timeout} onChange={(e) => set({ timeout: e.currentTarget.value })} />
          {f.url !== '' && bad && <p className="muted" role="status">{bad}</p>}
          <Ask question={question} setQuestion={setQuestion} pending={attempt.isPending} disabled={hard(f)} onDo={() => attempt.mutate()} />
          <ProblemNote error={attempt.error} />
          {attempt.data && <Came x={attempt.data} />}
        </>
      )}
    </FormDialog>
  );
}

function Ask({ question, setQuestion, pending, disabled, onDo }: { question: string; setQuestion: (v: string) => void; pending: boolean; disabled?: boolean; onDo: () => void }) {
  return (
    <div className={css.find}>
      <Button loading={pending} disabled={disabled || question.trim() === ''} onClick={onDo}>Try it</Button>
      <TextInput aria-label="A question to try with" placeholder="A question to try with" value={question} onChange={(e) => setQuestion(e.currentTarget.value)} onKeyDown={(e) => {
        // Enter tries: the form is not kept by it.
        if (e.key !== 'Enter') return;
        e.preventDefault();
        if (!disabled && question.trim() !== '' && !pending) onDo();
      }} />
    </div>
  );
}

/** TryDialog puts one question to an agent, by what is kept. */
function TryDialog({ agent, onClose }: { agent: string; onClose: () => void }) {
  const [question, setQuestion] = useState('');
  const attempt = useMutation({ mutationFn: () => api.post<Tried>(`/agents/${encodeURIComponent(agent)}/invoke/try`, { input: question.trim() }) });
  return (
    <FormDialog title={`Try ${agent}`} submit="Try it" pending={attempt.isPending} error={attempt.error} onSubmit={() => attempt.mutate()} onClose={onClose} disabled={question.trim() === ''}>
      <Textarea label="A question" data-autofocus autosize minRows={2} value={question} onChange={(e) => setQuestion(e.currentTarget.value)} />
      <p className="muted">It is asked once, as a test: its run counts nowhere, and a tool that is no sandbox is refused, since there is no recording.</p>
      {attempt.data && <Came x={attempt.data} />}
    </FormDialog>
  );
}

function Came({ x }: { x: Tried }) {
  return (
    <div role="status">
      <p className={css.lead}><Badge tone={x.works ? 'good' : 'bad'}>{x.works ? 'works' : 'does not work'}</Badge> {x.works ? `It answered through the door, as a test, with ${plural(x.calls, 'call')}, in ${duration(x.took_ms)}.` : visible(x.why ?? '')}</p>
      {x.answer && <blockquote className={css.said}>{visible(x.answer)}</blockquote>}
      {!x.works && !x.valid && x.answer && <p className="muted">It has to call the door with the token that it is given: nobody knows what its tools did otherwise.</p>}
      {x.refused.length > 0 && <p className="muted">Refused: {x.refused.map(visible).join(', ')}</p>}
      {x.run_id && <Link className="link" to={'/runs/$id' as never} params={{ id: x.run_id } as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>Its run</Link>}
    </div>
  );
}
