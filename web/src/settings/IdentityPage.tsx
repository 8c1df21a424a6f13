import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { AgentIdentity, readJSON } from '../agents/Identity';
import { useRegistered } from '../agents/data';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Authority, List, TokenIssuer } from '../api/types';
import { Badge, Copy, Empty, Facts, Icon, KeyedTable, PageBody, PageHeader, Panel, plural, ProblemNote, Snippet, Time, useShortcuts } from '../shared';
import { FormDialog, Pick, Sure } from './parts';
import css from './settings.module.css';

const presets: { value: string; label: string; issuer?: string }[] = [
  { value: 'oidc', label: 'OpenID Connect' },
  { value: 'kubernetes', label: 'Kubernetes', issuer: 'https://kubernetes.default.svc' },
  { value: 'github-actions', label: 'GitHub Actions', issuer: 'https://token.actions.githubusercontent.com' },
  { value: 'entra', label: 'Microsoft Entra' },
  { value: 'okta', label: 'Okta' },
  { value: 'oracle', label: 'Oracle' },
];
const useWords: Record<string, string> = { door: 'as a credential at the door', enrol: 'to enrol an instance', exchange: 'for whom an agent acts' };

/** IdentityPage: whose word is taken for who an agent is: our authority, outside issuers, and what single agents hold. */
export function IdentityPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { agent } = useSearch({ strict: false }) as { agent?: string };
  const issuers = useQuery({ queryKey: ['issuers'], queryFn: ({ signal }) => api.get<List<TokenIssuer>>('/issuers', undefined, signal) });
  const authority = useQuery({ queryKey: ['ca'], queryFn: ({ signal }) => api.get<Authority>('/ca', undefined, signal) });
  const may = useMay('PutTokenIssuer');
  const agents = useRegistered().data ?? [];
  const [edit, setEdit] = useState<TokenIssuer | 'new'>();
  const remove = useMutation({ mutationFn: (name: string) => api.delete(`/issuers/${encodeURIComponent(name)}`), onSettled: () => void client.invalidateQueries({ queryKey: ['issuers'] }) });
  useShortcuts('Identity', may ? [{ keys: 'n', label: 'Register an issuer', run: () => setEdit('new') }] : []);
  const items = issuers.data?.items ?? [];
  const chosen = agents.find((a) => a.name === agent)?.name ?? agents[0]?.name;
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setEdit('new')}>
      Register an issuer
    </Button>
  );
  const a = authority.data;
  return (
    <>
      <PageHeader
        title="Identity of agents"
        question="Whose word do we take for who an agent is?"
        answer={issuers.isSuccess && a && `Our own authority for ${a.trust_domain}${items.length === 0 ? ', and nobody else’s' : `, and ${plural(items.length, 'outside issuer')}`}. ${a.sealed ? 'Its keys are encrypted.' : 'Its keys are protected by the rights of their files alone.'}`}
        actions={button}
      />
      <PageBody width={1180}>
        <ProblemNote error={issuers.error ?? authority.error ?? remove.error} />
        <Panel title="Outside issuers" note={issuers.isSuccess ? plural(items.length, 'issuer') : undefined}>
          <KeyedTable
            label="Outside issuers"
            rows={items}
            rowKey={(i) => i.name}
            empty={
              issuers.isSuccess && (
                <Empty title="No outside issuer is registered." actions={button}>
                  A cluster, a build system or an identity provider already says who a workload is. Register it, with the claims that make a token an agent&apos;s, and agents need no secret of ours.
                </Empty>
              )
            }
            fields={[
              { head: 'Name', cell: (i) => <>{i.name} <Badge>{i.preset}</Badge></> },
              { head: 'Issuer', width: '240px', title: (i) => i.issuer, cell: (i) => i.issuer },
              { head: 'Keys', cell: (i) => (i.jwks ? 'given here' : i.jwks_url ? 'fetched' : 'found by discovery') },
              { head: 'Taken', cell: (i) => (i.uses ?? []).map((u) => <Badge key={u} title={useWords[u]}>{u}</Badge>) },
              { head: 'Agents', cell: (i) => [...new Set((i.rules ?? []).map((r) => r.agent))].join(', ') || <span className="muted">none: no token fits</span> },
              {
                head: 'Actions',
                end: true,
                cell: (i) =>
                  may && (
                    <>
                      <Button size="compact-xs" onClick={() => setEdit(i)}>
                        Change
                      </Button>
                      <Sure label="Remove" sure="Remove now" pending={remove.isPending && remove.variables === i.name} onDo={() => remove.mutate(i.name)} />
                    </>
                  ),
              },
            ]}
          />
        </Panel>
        {a && <OwnAuthority a={a} />}
        {chosen && (
          <>
            <div className={css.pickRow}>
              <Pick label="What one agent holds" value={chosen} options={agents.map((x) => ({ value: x.name, label: `${x.name}, ${x.team}` }))} onPick={(v) => void navigate({ to: '.', search: ((old: object) => ({ ...old, agent: v })) as never, replace: true })} />
            </div>
            <AgentIdentity key={chosen} name={chosen} alive={agents.find((x) => x.name === chosen)?.lifecycle !== 'retired'} />
          </>
        )}
      </PageBody>
      {edit && <IssuerDialog issuer={edit === 'new' ? undefined : edit} agents={agents.map((x) => x.name)} onClose={() => setEdit(undefined)} />}
    </>
  );
}

function OwnAuthority({ a }: { a: Authority }) {
  const client = useQueryClient();
  const may = useMay('RotateAuthority');
  const [rotating, setRotating] = useState(false);
  const [reason, setReason] = useState('');
  const [compromised, setCompromised] = useState(false);
  const rotate = useMutation({ mutationFn: () => api.post<Authority>('/ca/rotate', { reason: reason.trim(), compromised: compromised || undefined }), onSuccess: () => setRotating(false), onSettled: () => void client.invalidateQueries({ queryKey: ['ca'] }) });
  const roots = a.roots ?? [];
  return (
    <Panel title="Our own authority" note={`bundle ${a.sequence}`} actions={may && <Button size="compact-xs" onClick={() => setRotating(true)}>Rotate</Button>}>
      <Facts padded>
        <dt>Trust domain</dt>
        <dd>
          <code>spiffe://{a.trust_domain}</code>
        </dd>
        <dt>Issuer of tokens</dt>
        <dd>
          <code>{a.issuer}</code> <Copy text={a.issuer} label="Copy the issuer" size={18} />
        </dd>
        <dt>Keys at rest</dt>
        <dd>{a.sealed ? <Badge tone="good">encrypted</Badge> : <Badge tone="warn" title="Give a passphrase that is kept elsewhere: identity.passphrase_file">file mode only</Badge>}</dd>
      </Facts>
      <KeyedTable
        label="Roots"
        rows={roots}
        rowKey={(r) => r.fingerprint}
        fields={[
          { head: 'Root', width: '300px', title: (r) => r.fingerprint, cell: (r) => <code>{r.fingerprint}</code> },
          { head: 'Ends', cell: (r) => <Time at={r.not_after} as="day" /> },
          { head: 'State', cell: (r) => (r === roots[roots.length - 1] ? <Badge tone="good">newest</Badge> : <Badge>until its last certificate has ended</Badge>) },
          { head: 'Actions', end: true, cell: (r) => <Copy text={r.certificate} label="Copy the certificate (PEM)" /> },
        ]}
      />
      {rotating && (
        <FormDialog title="Make a new root" submit={compromised ? 'Drop the old one and rotate' : 'Rotate'} pending={rotate.isPending} error={rotate.error} onSubmit={() => rotate.mutate()} onClose={() => setRotating(false)} disabled={reason.trim() === ''}>
          <p>{compromised ? 'The old root and everything that it signed is dead at once: every instance has to enrol again.' : 'It is published now and signs in ten minutes; the old one goes when its last certificate has ended. No call fails.'}</p>
          <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <Checkbox label="The old key is compromised" checked={compromised} onChange={(e) => setCompromised(e.currentTarget.checked)} />
        </FormDialog>
      )}
    </Panel>
  );
}

/** rulesText writes rules a line each: "refund sub=system:serviceaccount:shop:refund". */
export const rulesText = (i: TokenIssuer | undefined): string => (i?.rules ?? []).map((r) => [r.agent, ...Object.entries(r.claims ?? {}).map(([k, v]) => `${k}=${v}`)].join(' ')).join('\n');

/** readRules reads what rulesText wrote; a line that is no rule is given back as the fault. */
export function readRules(text: string): { rules: { agent: string; claims: Record<string, string> }[]; bad?: string } {
  const rules: { agent: string; claims: Record<string, string> }[] = [];
  for (const line of text.split('\n').map((l) => l.trim()).filter(Boolean)) {
    const [agent, ...rest] = line.split(/\s+/);
    const claims: Record<string, string> = {};
    for (const c of rest) {
      const at = c.indexOf('=');
      if (at < 1 || at === c.length - 1) return { rules: [], bad: line };
      claims[c.slice(0, at)] = c.slice(at + 1);
    }
    if (!agent || agent.includes('=') || rest.length === 0) return { rules: [], bad: line };
    rules.push({ agent, claims });
  }
  return { rules };
}

function IssuerDialog({ issuer, agents, onClose }: { issuer: TokenIssuer | undefined; agents: string[]; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(issuer?.name ?? '');
  const [preset, setPreset] = useState(issuer?.preset || 'oidc');
  const [iss, setIss] = useState(issuer?.issuer ?? '');
  const [audiences, setAudiences] = useState((issuer?.audiences ?? []).join(' '));
  const [jwksURL, setJwksURL] = useState(issuer?.jwks_url ?? '');
  const [jwks, setJwks] = useState(issuer?.jwks ? JSON.stringify(issuer.jwks) : '');
  const [rules, setRules] = useState(rulesText(issuer));
  const [uses, setUses] = useState<string[]>(issuer?.uses ?? ['door']);
  const [priv, setPriv] = useState(issuer?.allow_private ?? false);
  const read = readRules(rules);
  const keys = jwks.trim() === '' ? undefined : readJSON(jwks);
  const save = useMutation({
    mutationFn: () =>
      api.put(`/issuers/${encodeURIComponent(name.trim())}`, {
        preset, issuer: iss.trim() || undefined, audiences: audiences.split(/[,\s]+/).filter(Boolean), jwks_url: jwksURL.trim() || undefined, jwks: keys,
        rules: read.rules, uses, required: issuer?.required, max_life_s: issuer?.max_life_s || undefined, user_claim: issuer?.user_claim || undefined, allow_private: priv || undefined,
      }),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['issuers'] }),
  });
  return (
    <FormDialog title={issuer ? `Change ${issuer.name}` : 'Register an issuer'} submit="Keep" pending={save.isPending} error={save.error} onSubmit={() => save.mutate()} onClose={onClose} size={640} disabled={read.bad !== undefined || (jwks.trim() !== '' && !keys)}>
      <div className={css.two}>
        <TextInput label="Name" pattern="[a-z0-9][a-z0-9._\-]*" required withAsterisk={false} disabled={!!issuer} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <Pick label="Kind" value={preset} options={presets} onPick={setPreset} />
        <TextInput label="Issuer" description="iss, compared exactly" placeholder={presets.find((p) => p.value === preset)?.issuer ?? 'https://login.example.com'} value={iss} onChange={(e) => setIss(e.currentTarget.value)} />
        <TextInput label="Audiences" description="One of them must be in the token" placeholder={location.origin} required withAsterisk={false} value={audiences} onChange={(e) => setAudiences(e.currentTarget.value)} />
        <TextInput label="Address of its keys" placeholder="found by discovery" value={jwksURL} onChange={(e) => setJwksURL(e.currentTarget.value)} />
        <TextInput label="Or the keys themselves" placeholder='{"keys":[…]}' value={jwks} error={jwks.trim() !== '' && !keys && 'This is no JSON object.'} onChange={(e) => setJwks(e.currentTarget.value)} />
      </div>
      <Textarea label="Whose a token is" description="A line each: the agent, then claims that must fit. The first line that fits counts; * at the end fits any ending" placeholder={`${agents[0] ?? 'refund'} sub=system:serviceaccount:shop:refund`} autosize minRows={2} maxRows={8} error={read.bad && `no rule: ${read.bad}`} value={rules} onChange={(e) => setRules(e.currentTarget.value)} />
      <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
        <legend className={css.fieldLabel}>Its tokens are taken</legend>
        <div style={{ display: 'flex', gap: 14, flexWrap: 'wrap' }}>
          {Object.entries(useWords).map(([u, label]) => (
            <Checkbox key={u} label={label} checked={uses.includes(u)} onChange={(e) => setUses(e.currentTarget.checked ? [...uses, u] : uses.filter((x) => x !== u))} />
          ))}
        </div>
      </fieldset>
      <Checkbox label="Its keys live at a private address of this house" checked={priv} onChange={(e) => setPriv(e.currentTarget.checked)} />
      {issuer?.required && Object.keys(issuer.required).length > 0 && <Snippet label="required claims" text={JSON.stringify(issuer.required)} />}
    </FormDialog>
  );
}
