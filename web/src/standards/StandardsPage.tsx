import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Agent, Conformance, List, Overview, Standard, StandardRule, Waiver } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, type Column, count, Empty, Figure, KeyedTable, KeyTable, lives, Mark, Meter, PageBody, PageHeader, Panel, percent, pickView, plural, ProblemNote, Time, useShortcuts } from '../shared';
import { useView } from '../state/url';
import { LintPanel } from './Lint';
import css from './standards.module.css';

/** A gap is a rule with the agents that break it and have no waiver. */
interface Gap {
  rule: StandardRule;
  agents: Agent[];
  waived: number;
}

const sentence = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);

/** gapsOf puts each rule with who breaks it: what refuses first, then the most broken. */
export function gapsOf(standard: Standard | undefined, agents: Agent[]): Gap[] {
  return (standard?.rules ?? [])
    .map((rule) => {
      const all = agents.filter((a) => a.lifecycle !== 'retired' && (a.standard ?? []).some((b) => b.rule === rule.id));
      const open = all.filter((a) => a.standard!.some((b) => b.rule === rule.id && !b.waived_till));
      return { rule, agents: open, waived: all.length - open.length };
    })
    .sort((a, b) => Number(b.agents.length > 0) - Number(a.agents.length > 0) || Number(b.rule.refuse) - Number(a.rule.refuse) || b.agents.length - a.agents.length);
}

const columns: Column<Gap>[] = [
  { id: 'state', head: 'State', width: '108px', cell: (g) => (g.agents.length > 0 ? <Mark level={g.rule.refuse ? 'bad' : 'warn'} letter={g.rule.refuse ? 'X' : 'F'} label="broken" words /> : g.waived > 0 ? <Mark level="idle" letter="W" label="waived" words /> : <Mark level="good" letter="M" label="met" words />) },
  { id: 'text', head: 'What is asked', width: 'minmax(230px, 2fr)', cell: (g) => <span title={g.rule.text}>{sentence(g.rule.text)}</span> },
  { id: 'then', head: 'Broken, it', width: '86px', cell: (g) => <Badge tone={g.rule.refuse && g.agents.length > 0 ? 'bad' : undefined}>{g.rule.refuse ? 'refuses' : 'flags'}</Badge> },
  { id: 'agents', head: 'Agents', width: '70px', align: 'right', cell: (g) => (g.agents.length > 0 ? count(g.agents.length) : <span className="muted">0</span>) },
  { id: 'waived', head: 'Waived', width: '70px', align: 'right', cell: (g) => (g.waived > 0 ? count(g.waived) : <span className="muted">0</span>) },
];

/** StandardsPage: what we do not meet, and what we do not see; the gaps by effect. */
export function StandardsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { rule } = useSearch({ strict: false }) as { rule?: string };
  const standard = useQuery({ queryKey: ['standard'], queryFn: ({ signal }) => api.get<Standard>('/standard', undefined, signal), staleTime: 60_000 });
  const conformance = useQuery({ queryKey: ['standard', 'conformance'], queryFn: ({ signal }) => api.get<Conformance>('/standard/conformance', undefined, signal) });
  const broken = useQuery({ queryKey: ['standard', 'broken'], queryFn: ({ signal }) => api.get<List<Agent>>('/agents', { broken: true, limit: 1000 }, signal) });
  const seen = useQuery({ queryKey: ['overview', view.filter, '24h'], queryFn: ({ signal }) => api.get<Overview>('/overview', { ...view.filter, bucket: '24h' }, signal) });
  const gaps = useMemo(() => gapsOf(standard.data, broken.data?.items ?? []), [standard.data, broken.data]);
  const chosen = gaps.find((g) => g.rule.id === rule) ?? gaps.find((g) => g.agents.length > 0);
  const teams = (conformance.data?.teams ?? []).filter((t) => !view.team || t.team === view.team);
  const agents = teams.reduce((n, t) => n + t.agents, 0);
  const good = teams.reduce((n, t) => n + t.conforming, 0);
  const waived = teams.reduce((n, t) => n + t.waived, 0);
  const set = (id: string) => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, rule: id })) as never, replace: true });
  const fix = () => chosen?.agents[0] && void navigate({ to: '/agents/$name' as never, params: { name: chosen.agents[0].name } as never, search: pickView as never });
  useShortcuts('Standards', [{ keys: 'f', label: 'Fix the next gap', run: fix }]);
  const open = gaps.filter((g) => g.agents.length > 0);
  return (
    <>
      <PageHeader
        title="Standards"
        question="What do we not see, or not meet?"
        answer={
          conformance.isSuccess &&
          broken.isSuccess &&
          (agents === 0 ? (
            'No agent is registered, so nothing can be held against the standard.'
          ) : (
            <>
              <strong>
                {count(good)} of {plural(agents, 'agent')} keep to the standard
              </strong>{' '}
              ({percent(good / agents, 0)}{waived > 0 && `, ${count(waived)} by a waiver`}). {open.length === 0 ? 'No rule is broken.' : `${plural(open.length, 'rule')} of ${count(gaps.length)} broken; first: ${open[0]!.rule.text}.`}
            </>
          ))
        }
        actions={
          <Button variant="filled" disabled={!chosen?.agents[0]} onClick={fix}>
            Fix the next gap
          </Button>
        }
      />
      <PageBody>
        <ProblemNote error={standard.error ?? conformance.error ?? broken.error} />
        <div className={css.columns}>
          <div className={css.column}>
            <Panel title="Rules" note={standard.data && `version ${standard.data.version}`}>
              <KeyTable label="Rules of the standard" columns={columns} rows={gaps} rowKey={(g) => g.rule.id} active={chosen?.rule.id} onActive={(g) => set(g.rule.id)} onOpen={(g) => set(g.rule.id)} height={Math.min(420, 30 + gaps.length * 30 + 2)} autoFocus empty={standard.isSuccess && <Empty title="The standard has no rule.">Name some in its file; reeve standard shows where it lies.</Empty>} />
            </Panel>
            {chosen && <Breaks gap={chosen} />}
            <LintPanel />
            <Waivers />
          </div>
          <div className={css.column}>
            <Panel title="By team" note="the worst first">
              <KeyedTable
                label="Conformance by team"
                rows={teams}
                rowKey={(t) => t.team}
                mark={(t) => (t.conforming < t.agents ? 'warn' : undefined)}
                empty={conformance.isSuccess && <Empty title="No team has a registered agent." />}
                fields={[
                  { head: 'Team', cell: (t) => t.team || <span className="muted">no team</span> },
                  { head: 'Agents', num: true, cell: (t) => count(t.agents) },
                  { head: 'Keep to it', width: '46%', cell: (t) => <><span className="num">{percent(t.share, 0)}</span> {t.waived > 0 && <span className="muted">{count(t.waived)} waived</span>}<Meter label={`${t.conforming} of ${t.agents}`} parts={[{ share: t.agents > 0 ? (t.conforming - t.waived) / t.agents : 0, tone: 'good' }, { share: t.agents > 0 ? t.waived / t.agents : 0, tone: 'soft' }]} /></> },
                ]}
              />
            </Panel>
            <Panel title="What we see" padded>
              <Coverage o={seen.data} />
            </Panel>
          </div>
        </div>
      </PageBody>
    </>
  );
}

/** Coverage: how much of what is there we can see at all. */
function Coverage({ o }: { o: Overview | undefined }) {
  const f = (id: string) => o?.figures?.find((x) => x.id === id);
  const rows: [string, string, string][] = [
    ['agents_seen', 'Agents seen in full', '/agents'],
    ['runs_seen', 'Runs with usage and price known', '/runs'],
    ['resolved', 'Runs whose outcome is known', '/runs'],
  ];
  return (
    <dl className={css.facts}>
      {rows.map(([id, label, to]) => {
        const x = f(id);
        const share = id === 'resolved' ? (x && f('runs')?.value ? x.n / f('runs')!.value! : undefined) : x?.value;
        return (
          <div key={id} style={{ display: 'contents' }}>
            <dt title={x?.formula}>{label}</dt>
            <dd>
              {share === undefined || share === null ? (
                <span className="hatch">
                  <span>unknown</span>
                </span>
              ) : (
                <Figure to={to} title={x?.formula}>
                  {percent(share)}
                </Figure>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Breaks: who breaks a rule, how, and what to do about it in place. */
function Breaks({ gap }: { gap: Gap }) {
  const may = useMay('WaiveStandard');
  const [waive, setWaive] = useState<Agent>();
  const why = (a: Agent) => a.standard?.find((b) => b.rule === gap.rule.id)?.why;
  return (
    <Panel title={sentence(gap.rule.text)} note={gap.agents.length > 0 ? plural(gap.agents.length, 'agent') : undefined}>
      <KeyedTable
        label={`Agents that break: ${gap.rule.text}`}
        rows={gap.agents.slice(0, 100)}
        rowKey={(a) => a.name}
        empty={<p className="muted" style={{ padding: '8px 12px' }}>{gap.waived > 0 ? 'Those who break it are waived.' : 'Nobody breaks it.'}</p>}
        fields={[
          { head: 'Agent', cell: (a) => <Link className="link" to={'/agents/$name' as never} params={{ name: a.name } as never} search={pickView as never}>{a.name}</Link> },
          { head: 'Owner', cell: (a) => <>{a.owner} <span className="muted">{a.team}</span></> },
          { head: 'How', cell: (a) => why(a) ?? '' },
          { head: 'Actions', end: true, cell: (a) => may && <Button size="compact-xs" onClick={() => setWaive(a)}>Waive</Button> },
        ]}
      />
      {waive && <WaiveDialog agent={waive.name} rule={gap.rule} onClose={() => setWaive(undefined)} />}
    </Panel>
  );
}

function WaiveDialog({ agent, rule, onClose }: { agent: string; rule: StandardRule; onClose: () => void }) {
  const again = useAgain();
  const [until, setUntil] = useState('30d');
  const [reason, setReason] = useState('');
  const send = useMutation({ mutationFn: () => api.post<Waiver>(`/agents/${encodeURIComponent(agent)}/waivers`, { rule: rule.id, until, reason: reason.trim() }), onSuccess: onClose, onSettled: again });
  return (
    <FormDialog title={`Waive for ${agent}`} submit="Waive" pending={send.isPending} error={send.error} onSubmit={() => send.mutate()} onClose={onClose} disabled={reason.trim() === ''}>
      <p>
        {agent} may break this rule until the waiver ends: <strong>{rule.text}</strong>.
      </p>
      <Pick label="Ends after" value={until} options={lives('7d', '30d', '90d')} onPick={setUntil} />
      <TextInput label="Reason" required withAsterisk={false} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
    </FormDialog>
  );
}

function useAgain() {
  const client = useQueryClient();
  return () => {
    for (const key of ['standard', 'agents', 'agent']) void client.invalidateQueries({ queryKey: [key] });
  };
}

/** Waivers that hold, with a way to end each. */
function Waivers() {
  const again = useAgain();
  const may = useMay('EndWaiver');
  const q = useQuery({ queryKey: ['standard', 'waivers'], queryFn: ({ signal }) => api.get<List<Waiver>>('/standard/waivers', undefined, signal) });
  const end = useMutation({ mutationFn: (w: Waiver) => api.delete(`/agents/${encodeURIComponent(w.agent)}/waivers/${encodeURIComponent(w.rule)}`), onSettled: again });
  const items = q.data?.items ?? [];
  return (
    <Panel title="Waivers" note={q.isSuccess ? plural(items.length, 'waiver') : undefined}>
      <ProblemNote error={q.error ?? end.error} />
      <KeyedTable
        label="Waivers"
        rows={items}
        rowKey={(w) => w.agent + w.rule}
        empty={q.isSuccess && <p className="muted" style={{ padding: '8px 12px' }}>Nobody is waived. A waiver lets one agent break one rule, until a date.</p>}
        fields={[
          { head: 'Agent', cell: (w) => <Link className="link" to={'/agents/$name' as never} params={{ name: w.agent } as never} search={pickView as never}>{w.agent}</Link> },
          { head: 'Rule', cell: (w) => w.rule },
          { head: 'Until', cell: (w) => <Time at={w.till} as="day" /> },
          { head: 'Why', cell: (w) => w.reason },
          { head: 'By', cell: (w) => w.by },
          { head: 'Actions', end: true, cell: (w) => may && <Sure label="End" sure="End now" pending={end.isPending && end.variables === w} onDo={() => end.mutate(w)} /> },
        ]}
      />
    </Panel>
  );
}
