import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Rule, RuleTrial } from '../api/types';
import { FormDialog, Pick, Sure } from '../settings/parts';
import { Badge, count, Empty, KeyedTable, Mark, Panel, plural, ProblemNote, Time } from '../shared';
import { useTeams } from '../shell/TopBar';
import { shortAge } from '../sources/data';
import { severities, useKPINames, useRules, useRuleWords } from './data';
import { useAgain } from './FindingPanel';
import css from './findings.module.css';

/** RulesTab: conditions that people wrote over measures, each with its versions and how often it holds. */
export function RulesTab() {
  const q = useRules();
  const may = useMay('PutRule');
  const navigate = useNavigate();
  const again = useAgain();
  const { rule, search, kpi, figure, share, table, when, agent, window, ofTeam, ofEnvironment } = useSearch({ strict: false }) as { rule?: string } & Begin;
  const set = (name?: string) => void navigate({ to: '.', search: ((old: object) => ({ ...old, rule: name, search: undefined, kpi: undefined, figure: undefined, share: undefined, table: undefined, when: undefined, agent: undefined, window: undefined, ofTeam: undefined, ofEnvironment: undefined })) as never, replace: true });
  const drop = useMutation({ mutationFn: (name: string) => api.delete(`/rules/${encodeURIComponent(name)}?reason=${encodeURIComponent('deleted in the console')}`), onSettled: again });
  const all = q.data?.items ?? [];
  const chosen = all.find((r) => r.name === rule);
  return (
    <Panel title="Rules" note="What must not be, however usual it is">
      <ProblemNote error={q.error ?? drop.error} />
      <KeyedTable
        label="Rules"
        rows={all}
        rowKey={(r) => r.name}
        mark={(r) => (r.open > 0 ? 'warn' : undefined)}
        empty={q.isSuccess && <Empty small title="Nobody wrote a rule.">A rule is a condition over what is measured: cost &gt; 2.0, or error_rate &gt; 0.2 over an hour. It is tried on the last 30 days first.</Empty>}
        fields={[
          { head: 'Rule', width: '170px', title: (r) => r.text || r.name, cell: (r) => <strong>{r.name}</strong> },
          { head: 'State', cell: (r) => (r.off ? <Badge>off</Badge> : r.failures > 0 ? <Badge tone="bad" title="The log says why">{`could not be asked ${plural(r.failures, 'time')}`}</Badge> : <Mark {...(severities[r.severity] ?? severities.warning!)} words />) },
          { head: 'When', width: '320px', title: (r) => r.when, cell: (r) => <code>{r.when}</code> },
          { head: 'About', title: (r) => (r.query ? `${r.query.table} ${r.query.where ?? ''}` : ''), cell: (r) => (r.scope === 'run' ? 'each run' : `${r.scope === 'query' ? (r.query?.kpi ? `KPI ${r.query.kpi}` : `${r.query?.func ?? ''} of a search`) : 'each agent'}, ${shortAge(r.window)}`) },
          { head: 'Team', cell: (r) => r.team || <span className="muted">all</span> },
          { head: 'Open', num: true, cell: (r) => count(r.open) },
          { head: 'Changed', cell: (r) => <><Time at={r.updated_at} /> <span className="muted">by {r.by}, revision {r.revision}</span></> },
          { head: 'Do', cell: (r) => may && <span className={css.acts} style={{ margin: 0 }}><Button size="compact-xs" aria-label={`Change ${r.name}`} onClick={() => set(r.name)}>Change</Button><Sure label="Delete" sure="Delete it" pending={drop.isPending} onDo={() => drop.mutate(r.name)} /></span> },
        ]}
      />
      {rule && (rule === 'new' || chosen) && <RuleDialog rule={chosen} begin={{ search, kpi, figure, share, table, when, agent, window, ofTeam, ofEnvironment }} onClose={() => set(undefined)} />}
    </Panel>
  );
}

// The page on which the search of a table is written.
const pages: Record<string, string> = { runs: 'Runs', steps: 'Steps', decisions: 'Decisions', logs: 'Logs' };

// The figures that a search is mostly asked for; others are kept by the command line.
const figures = [['count', 'how many'], ['share', 'the share of those that are also…'], ['p95 duration_ms', 'p95 of their time, ms'], ['avg duration_ms', 'mean of their time, ms'], ['sum cost', 'what they cost, USD'], ['avg cost', 'what one costs, USD'], ['sum input_tokens', 'input tokens'], ['distinct user', 'users']].map(([value, label]) => ({ value: value!, label: label! }));

/** Begin is what a rule begins with that was called from a search or a chart. */
interface Begin {
  search?: string;
  kpi?: string;
  figure?: string;
  share?: string;
  table?: string;
  when?: string;
  agent?: string;
  window?: string;
  ofTeam?: string;
  ofEnvironment?: string;
}

function RuleDialog({ rule, begin, onClose }: { rule?: Rule; begin: Begin; onClose: () => void }) {
  const { search, kpi: chart } = begin;
  const asked = begin.agent !== undefined || search !== undefined || chart !== undefined || begin.figure !== undefined;
  const again = useAgain();
  const teams = useTeams();
  const [name, setName] = useState(rule?.name ?? '');
  const [when, setWhen] = useState(rule?.when ?? begin.when ?? (asked ? 'value > 10.0' : ''));
  const [scope, setScope] = useState(rule ? (rule.query?.kpi ? 'kpi' : rule.scope) : chart ? 'kpi' : begin.agent ? 'agent' : asked ? 'query' : 'run');
  const [kpi, setKPI] = useState(rule?.query?.kpi ?? chart ?? '');
  const kpis = useKPINames(scope === 'kpi');
  const [found, setFound] = useState(rule?.query?.where ?? search ?? '');
  const [figure, setFigure] = useState(rule?.query ? [rule.query.func, rule.query.field].filter(Boolean).join(' ') || 'count' : (begin.figure ?? 'count'));
  const [table, setTable] = useState(rule?.query?.table || begin.table || 'runs');
  const [of, setOf] = useState(rule?.query?.of ?? begin.share ?? '');
  const [by, setBy] = useState(rule?.query ? (rule.query.by ?? '') : 'agent');
  const [window, setWindow] = useState(rule?.window || begin.window || (chart || begin.figure ? '24h' : '1h'));
  const [severity, setSeverity] = useState(rule?.severity ?? 'warning');
  const [team, setTeam] = useState(rule?.team ?? begin.ofTeam ?? '');
  const [agents, setAgents] = useState((rule?.agents ?? (begin.agent ? [begin.agent] : [])).join(', '));
  const [text, setText] = useState(rule?.text ?? '');
  const [off, setOff] = useState(rule?.off ?? false);
  const [help, setHelp] = useState(false);
  const wordList = useRuleWords(help);
  const query = { kpi: { kpi, by: by || undefined }, query: { table, where: found || undefined, func: figure.split(' ')[0]!, field: figure.split(' ')[1], of: figure === 'share' ? of : undefined, by: by || undefined } }[scope];
  const body = { when, scope: scope === 'kpi' ? 'query' : scope, window: scope === 'run' ? undefined : window, query, team: team || undefined, agents: agents.split(/[,\s]+/).filter(Boolean), environment: rule?.environment ?? begin.ofEnvironment, rest: rule?.rest };
  const trial = useMutation({ mutationFn: () => api.post<RuleTrial>('/rules/try', body) });
  const save = useMutation({ mutationFn: () => api.put<Rule>(`/rules/${encodeURIComponent(name.trim())}`, { ...body, severity, text, off, revision: rule?.revision ?? 0, reason: '' }), onSuccess: onClose, onSettled: again });
  // What comes from a chart shows at once when it would have held.
  const first = useRef(asked && !rule && when !== '' && (scope !== 'kpi' || kpi !== ''));
  useEffect(() => {
    if (first.current) trial.mutate();
    first.current = false;
  }, []);
  const options = [{ value: '', label: 'all' }, ...[...new Set([...(team ? [team] : []), ...teams])].map((t) => ({ value: t, label: t }))];
  return (
    <FormDialog title={rule ? `Change ${rule.name}` : 'Write a rule'} submit="Keep" pending={save.isPending} error={save.error ?? trial.error} disabled={!name.trim() || !when.trim() || (scope === 'kpi' && !kpi)} onSubmit={() => save.mutate()} onClose={onClose} size={720}>
      {!rule && <TextInput label="Name" description="a-z, 0-9 and hyphens" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />}
      <Textarea label="When" description="A condition in CEL over what is measured" data-autofocus={rule ? true : undefined} autosize minRows={2} spellCheck={false} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} value={when} onChange={(e) => setWhen(e.currentTarget.value)} placeholder="cost > 2.0 && task == 'refund'" />
      <div className={css.two}>
        <Pick label="About" value={scope} options={[{ value: 'run', label: 'each run, while it goes' }, { value: 'agent', label: 'each agent, over a window' }, { value: 'query', label: 'what a search finds, over a window' }, { value: 'kpi', label: 'a KPI, over a window' }]} onPick={setScope} />
        {scope === 'kpi' && (
          <>
            <Pick label="KPI" value={kpi} options={[...(kpi ? [] : [{ value: '', label: 'choose' }]), ...(kpis.some((k) => k.value === kpi) || !kpi ? kpis : [{ value: kpi, label: kpi }, ...kpis])]} onPick={setKPI} />
            <Pick label="Of" value={by} options={[{ value: 'agent', label: 'each agent' }, { value: '', label: 'all together' }]} onPick={setBy} />
          </>
        )}
        {scope === 'query' && (
          <>
            <Pick label="Records" value={table} options={['runs', 'steps', 'decisions', 'messages', 'logs'].map((v) => ({ value: v, label: v }))} onPick={setTable} />
            <TextInput label="Search" description={table === 'messages' ? 'By role, field, format, size; empty: all' : `As on the page ${pages[table] ?? 'Runs'}; empty: all`} spellCheck={false} value={found} onChange={(e) => setFound(e.currentTarget.value)} />
            <Pick label="Figure" value={figure} options={figures.some((f) => f.value === figure) ? figures : [...figures, { value: figure, label: figure }]} onPick={setFigure} />
            {figure === 'share' && <TextInput label="Those that are also" description="A search, such as outcome:failed" spellCheck={false} value={of} onChange={(e) => setOf(e.currentTarget.value)} />}
            <Pick label="Of" value={by} options={[{ value: 'agent', label: 'each agent' }, { value: '', label: 'all together' }]} onPick={setBy} />
          </>
        )}
        {scope !== 'run' && <TextInput label="Window" description="5m to 168h" value={window} onChange={(e) => setWindow(e.currentTarget.value)} />}
        <Pick label="Severity" value={severity} options={['info', 'warning', 'critical'].map((v) => ({ value: v, label: v }))} onPick={setSeverity} />
        <Pick label="Team" value={team} options={options} onPick={setTeam} />
        <TextInput label="Agents" description="Empty: all" value={agents} onChange={(e) => setAgents(e.currentTarget.value)} />
        <TextInput label="In words" description="What it finds" value={text} onChange={(e) => setText(e.currentTarget.value)} />
      </div>
      <Checkbox label="Off: keep it without asking it" checked={off} onChange={(e) => setOff(e.currentTarget.checked)} />
      <div className={css.acts}>
        <Button loading={trial.isPending} disabled={!when.trim() || (scope === 'kpi' && !kpi)} onClick={() => trial.mutate()}>Try it on the last 30 days</Button>
        <Button variant="subtle" onClick={() => setHelp(!help)}>{help ? 'Hide the words' : 'Which words are there?'}</Button>
      </div>
      {trial.data && <Trial t={trial.data} of={scope === 'query' || scope === 'kpi' ? 'record' : 'run'} />}
      {help && (
        <dl className={css.words}>
          {(wordList.data?.items ?? []).filter((w) => (scope === 'run' ? w.run : scope === 'query' || scope === 'kpi' ? w.query : w.agent)).map((w) => (
            <div key={w.name}>
              <dt>{w.name}</dt>
              <dd>{w.about}</dd>
            </div>
          ))}
        </dl>
      )}
    </FormDialog>
  );
}

/** Trial says when a rule would have held. */
function Trial({ t, of }: { t: RuleTrial; of: string }) {
  const days = t.days ?? [];
  const most = Math.max(1, ...days.map((d) => d.fired));
  return (
    <div className={css.trial} role="status">
      <strong>{t.fired === 0 ? 'It would not have held once' : `It would have held ${plural(t.fired, 'time')}`}</strong> in {t.whole ? '' : 'the newest '}{plural(t.runs, of)}{t.per_week !== null && t.per_week !== undefined && t.fired > 0 && `, ${t.per_week.toFixed(1)} times a week`}.
      {days.length > 1 && (
        <div className={css.days} role="img" aria-label={days.map((d) => `${d.day}: ${d.fired}`).join(', ')}>
          {days.map((d) => (
            <span key={d.day} title={`${d.day}: ${d.fired}`} style={{ height: `${(100 * d.fired) / most}%` }} />
          ))}
        </div>
      )}
      {(t.agents ?? []).slice(0, 6).map((a) => (
        <Badge key={a.agent}>{`${a.agent}: ${a.fired}`}</Badge>
      ))}
      {(t.findings ?? []).slice(0, 5).map((f) => (
        <div key={f.id + f.first_seen} className="muted">
          <Time at={f.first_seen} as="clock" /> {f.agent}: {f.seen}
        </div>
      ))}
    </div>
  );
}
