import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { api } from '../api/client';
import type { Lint, LintSeen, List } from '../api/types';
import { count, Empty, KeyTable, Mark, Meter, Panel, percent, pickView, plural, ProblemNote, Snippet, type Column } from '../shared';
import { useView } from '../state/url';
import css from './standards.module.css';

const none = (s: LintSeen) => s.count === 0;

/** unseenOf lists the kinds of evidence of which nothing was seen. */
export const unseenOf = (l: Lint) => l.seen.filter(none).map((s) => s.kind);

const columns: Column<Lint>[] = [
  { id: 'agent', head: 'Agent', width: 'minmax(120px, 1.2fr)', cell: (l) => <span title={l.team}>{l.agent || 'no name'}</span> },
  { id: 'there', head: 'Is there', width: '132px', cell: (l) => <><span className="num">{percent(l.score, 0)}</span> <Meter label={`${percent(l.score, 0)} of the minimal standard`} parts={[{ share: l.score, tone: l.score < 0.6 ? 'bad' : l.score < 0.9 ? 'warn' : 'good' }]} /></> },
  { id: 'missing', head: 'Missing', width: 'minmax(120px, 1.6fr)', cell: (l) => (l.findings.length > 0 ? <span title={l.findings.map((f) => f.field).join(', ')}>{l.findings.map((f) => f.field).join(', ')}</span> : <span className="muted">nothing</span>) },
  { id: 'unseen', head: 'Not seen', width: 'minmax(90px, 1fr)', cell: (l) => (unseenOf(l).length > 0 ? <span title={unseenOf(l).join(', ')}>{unseenOf(l).join(', ')}</span> : <span className="muted">nothing</span>) },
  { id: 'runs', head: 'Runs', width: '70px', align: 'right', cell: (l) => count(l.runs) },
];

/** LintPanel: what each agent's telemetry leaves out of the minimal standard, and what of it is seen at all. */
export function LintPanel() {
  const view = useView();
  const navigate = useNavigate();
  const { lint } = useSearch({ strict: false }) as { lint?: string };
  const q = useQuery({ queryKey: ['lint', view.from, view.to], queryFn: ({ signal }) => api.get<List<Lint>>('/lint', { from: view.from, to: view.to || undefined }, signal), refetchInterval: 15_000 });
  const rows = (q.data?.items ?? []).filter((l) => !view.team || l.team === view.team);
  const key = (l: Lint) => `${l.agent} ${l.team ?? ''}`;
  const chosen = rows.find((l) => key(l) === lint);
  const set = (l?: Lint) => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, lint: l && key(l) })) as never, replace: true });
  return (
    <>
      <Panel title="What telemetry leaves out" note={q.isSuccess && rows.length > 0 ? `${plural(rows.length, 'agent')}, the worst first` : undefined}>
        <ProblemNote error={q.error} retry={() => void q.refetch()} />
        <KeyTable label="Telemetry by agent" columns={columns} rows={rows} rowKey={key} active={chosen && key(chosen)} onActive={set} onOpen={set} height={Math.min(330, 30 + Math.max(1, rows.length) * 30 + 2)} empty={q.isSuccess && <Empty title="Nothing was sent in this period.">Connect an agent, or look at a longer period.</Empty>} />
      </Panel>
      {chosen && <Gaps l={chosen} />}
    </>
  );
}

/** Gaps says of one agent what is missing, what that costs, and the line that sets it. */
function Gaps({ l }: { l: Lint }) {
  return (
    <Panel title={`What ${l.agent} leaves out`} note={l.dialects.length > 0 ? `sends ${l.dialects.join(', ')}` : undefined} padded>
      <ul className={css.seen} aria-label="What is seen of it">
        {l.seen.map((s) => (
          <li key={s.kind}>
            {s.count === null || s.count === undefined ? <Mark level="unknown" letter="?" label={`${s.kind}: nobody here can know`} /> : s.count > 0 ? <Mark level="good" letter="✓" label={`${s.kind} seen`} /> : <Mark level="warn" letter="–" label={`no ${s.kind} seen`} />}
            <div>
              <strong>{s.kind}</strong> <span className="muted">{s.count === null || s.count === undefined ? 'nobody here can know' : `${count(s.count)} ${s.of}`}</span>
              {s.fix && <div className="muted">{s.fix}</div>}
            </div>
          </li>
        ))}
      </ul>
      <ul className={css.gaps} aria-label="What is missing">
        {l.findings.map((f) => (
          <li key={f.field}>
            <strong>{f.field}</strong>{' '}
            <span className="muted">
              missing on{' '}
              {f.table === 'runs' ? (
                <Link className="link" to={'/runs' as never} search={((old: object) => ({ ...pickView(old as never), q: f.open })) as never}>
                  {count(f.missing)} of {plural(f.of, 'run')}
                </Link>
              ) : (
                `${count(f.missing)} of ${plural(f.of, 'step')}`
              )}
            </span>
            <p>{f.costs}</p>
            <p className="muted">{f.fix}</p>
            <Snippet text={f.line || f.fix} label={`what sets ${f.field}`} />
          </li>
        ))}
        {l.findings.length === 0 && <li className="muted">Nothing of the minimal standard is missing.</li>}
      </ul>
    </Panel>
  );
}
