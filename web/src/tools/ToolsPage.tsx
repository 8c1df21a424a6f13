import { Button } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { Badge, Beside, type Column, compact, count, duration, Empty, Figure, KeyTable, Known, money, PageBody, PageHeader, Panel, percent, plural, ProblemNote, quote, Tabs, useShortcuts, useWide, wilson } from '../shared';
import { useView } from '../state/url';
import { effectOf, useModels, useTools, type ModelRow, type ToolRow, type Use } from './data';
import { ToolState } from './ToolState';

const ToolPanel = lazy(() => import('./ToolPanel').then((m) => ({ default: m.ToolPanel })));
const AcceptAll = lazy(() => import('./ToolPanel').then((m) => ({ default: m.AcceptAll })));

interface Opens {
  to: string;
  search: Record<string, string>;
  title?: string;
}

/** records is where the figures of a tool open: its calls at the door, or what telemetry tells of it. */
function records(r: ToolRow, failed = false): Opens {
  const tool = `tool:${quote(r.name)}`;
  if (!r.door) return { to: '/steps', search: { q: failed ? `${tool} status:error` : tool } };
  return { to: '/decisions', search: { show: 'all', q: `action:call_tool upstream:${quote(r.upstream)} ${tool}${failed ? ' result:error,cut,timeout' : ''}` }, title: `At the door. Telemetry names the tool in ${plural(r.told ?? 0, 'step')}, those of the same calls included` };
}

const failedCell = (u: Use | undefined, open: Opens) => {
  if (!u || u.calls === 0) return <span className="muted">0</span>;
  const w = wilson(u.errors, u.calls);
  return (
    <Figure to={open.to} search={open.search} title={w ? `${count(u.errors)} of ${count(u.calls)}; 95 % interval ${percent(w[0])} to ${percent(w[1])}` : undefined}>
      {count(u.errors)} <span className="muted">{percent(u.errors / u.calls)}</span>
    </Figure>
  );
};

const toolColumns: Column<ToolRow>[] = [
  { id: 'state', head: 'State', width: '130px', cell: (r) => <ToolState row={r} /> },
  { id: 'name', head: 'Tool', width: 'minmax(150px, 1.4fr)', cell: (r) => <span title={r.pin?.title || r.name}>{r.name}</span> },
  { id: 'server', head: 'Server', width: 'minmax(90px, .8fr)', cell: (r) => r.upstream || <span className="muted">inside agents</span> },
  { id: 'effect', head: 'Effect', width: '100px', cell: (r) => (r.pin ? effectOf(r.pin) ? <Badge tone={r.pin.effect === 'destructive' ? 'bad' : r.pin.effect === 'write' ? 'warn' : undefined}>{r.pin.effect}</Badge> : <Badge tone="bad" title="Nobody said what it does: it counts as destructive">unknown</Badge> : '') },
  { id: 'why', head: 'Why', width: 'minmax(120px, 1.6fr)', cell: (r) => <span className="soft" title={r.pin?.reason}>{r.pin?.state === 'held' ? r.pin.reason || (r.pin.findings ?? []).map((f) => f.text).join('; ') : ''}</span> },
  { id: 'calls', head: 'Calls', width: '70px', align: 'right', cell: (r) => (r.use ? <Figure {...records(r)}>{compact(r.use.calls)}</Figure> : <span className="muted">0</span>) },
  { id: 'errors', head: 'Errors', width: '100px', align: 'right', cell: (r) => failedCell(r.use, records(r, true)) },
  { id: 'p95', head: 'p95', width: '84px', align: 'right', cell: (r) => (r.use ? <Known text={duration(r.use.p95)} why="No call of it has ended." /> : '') },
];
const narrow = toolColumns.filter((c) => !['effect', 'why', 'p95', 'calls'].includes(c.id));

const modelColumns: Column<ModelRow>[] = [
  { id: 'model', head: 'Model', width: 'minmax(180px, 1.4fr)', cell: (m) => m.model },
  { id: 'provider', head: 'Provider', width: 'minmax(110px, 1fr)', cell: (m) => m.provider || <span className="muted">not named</span> },
  { id: 'calls', head: 'Calls', width: '80px', align: 'right', cell: (m) => <Figure to="/steps" search={{ q: `kind:model model:${quote(m.model)}` }}>{compact(m.use.calls)}</Figure> },
  { id: 'errors', head: 'Errors', width: '110px', align: 'right', cell: (m) => failedCell(m.use, { to: '/steps', search: { q: `kind:model model:${quote(m.model)} status:error` } }) },
  { id: 'p95', head: 'p95', width: '90px', align: 'right', cell: (m) => <Known text={duration(m.use.p95)} why="No call of it has ended." /> },
  { id: 'cost', head: 'Cost', width: '100px', align: 'right', cell: (m) => <Known text={money(m.use.cost)} why="No price is known for it." /> },
];

/** ToolsPage: is what agents call sound? What changed or fails first. */
export function ToolsPage() {
  const view = useView();
  const navigate = useNavigate();
  const { tab = 'tools', tool, all, server } = useSearch({ strict: false }) as { tab?: string; tool?: string; all?: string; server?: string };
  const { rows: everyTool, pins, query } = useTools(view);
  const rows = server ? everyTool.filter((r) => r.upstream === server) : everyTool;
  const models = useModels(view);
  const wide = useWide(1700);
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const held = rows.filter((r) => r.pin?.state === 'held');
  const changed = held.filter((r) => r.pin!.accepted);
  const failing = rows.filter((r) => r.use && r.use.calls >= 5 && r.use.errors / r.use.calls > 0.1);
  const first = held[0];
  const key = (r: ToolRow) => `${r.upstream}/${r.name}`;
  // What waits more than once on one server can be accepted together.
  const many = [...new Set(held.map((r) => r.upstream))].filter((u) => held.filter((r) => r.upstream === u).length > 1);
  useShortcuts('Tools', [
    { keys: 'n', label: 'The next that waits', run: () => first && set({ tab: undefined, tool: key(first) }) },
    { keys: '1', label: 'Show: tools', run: () => set({ tab: undefined }) },
    { keys: '2', label: 'Show: models', run: () => set({ tab: 'models' }) },
  ]);
  const chosen = rows.find((r) => key(r) === tool);
  return (
    <>
      <PageHeader
        title="Tools and models"
        question="Is what they call sound?"
        answer={
          pins.isSuccess &&
          query.isSuccess && (
            <>
              {plural(rows.filter((r) => r.pin).length, 'tool')} of servers, {held.length === 0 ? 'none waits' : <strong>{count(held.length)} wait for a person</strong>}
              {changed.length > 0 && `, ${count(changed.length)} of them changed after they were accepted`}; {failing.length === 0 ? 'none fails often' : `${failing.map((r) => r.name).slice(0, 3).join(', ')} ${failing.length > 3 ? `and ${count(failing.length - 3)} more fail` : failing.length === 1 ? 'fails' : 'fail'} in more than a tenth of calls`}. {plural(models.rows.length, 'model')} in use.
            </>
          )
        }
        actions={
          <>
            {many.map((u) => (
              <Button key={u} onClick={() => set({ all: u })}>
                Accept all of {u}
              </Button>
            ))}
            <Button variant="filled" disabled={!first} onClick={() => first && set({ tab: undefined, tool: key(first) })}>
              The next that waits
            </Button>
          </>
        }
      />
      <PageBody fill>
        {server && (
          <p>
            Of {server} alone.{' '}
            <Button size="compact-xs" onClick={() => set({ server: undefined })}>
              All servers
            </Button>
          </p>
        )}
        <Tabs tabs={[{ id: 'tools', label: 'Tools', n: rows.length }, { id: 'models', label: 'Models', n: models.rows.length }]} on={tab} onPick={(id) => set({ tab: id === 'tools' ? undefined : id })} />
        <ProblemNote error={pins.error ?? query.error ?? models.query.error} retry={() => void pins.refetch()} />
        {tab === 'models' ? (
          <Panel>
            <KeyTable label="Models" columns={modelColumns} rows={models.rows} rowKey={(m) => `${m.provider}/${m.model}`} onOpen={(m) => void navigate({ to: '/steps' as never, search: ((old: Record<string, unknown>) => ({ ...old, tab: undefined, q: `kind:model model:${quote(m.model)}` })) as never })} height="calc(100dvh - 220px)" autoFocus empty={models.query.isSuccess && <Empty title="No model was called in this period.">Choose a longer period.</Empty>} />
          </Panel>
        ) : (
          <Beside
            label="The tool"
            side={
              chosen && (
                <Suspense fallback={null}>
                  <ToolPanel key={key(chosen)} row={chosen} onClose={() => set({ tool: undefined })} />
                </Suspense>
              )
            }
          >
            <Panel>
              <KeyTable
                label="Tools"
                columns={chosen && !wide ? narrow : toolColumns}
                rows={rows}
                rowKey={key}
                active={tool}
                onActive={(r) => chosen && set({ tool: key(r) })}
                onOpen={(r) => set({ tool: key(r) })}
                height="calc(100dvh - 220px)"
                autoFocus
                empty={pins.isSuccess && query.isSuccess && <Empty title="No tool is known.">Tools of MCP servers stand here as soon as the door has read their lists: name an upstream of kind mcp under Settings. Tools inside agents&apos; own processes come from telemetry.</Empty>}
              />
            </Panel>
          </Beside>
        )}
      </PageBody>
      {all && (
        <Suspense fallback={null}>
          <AcceptAll upstream={all} onClose={() => set({ all: undefined })} />
        </Suspense>
      )}
    </>
  );
}
