import type { ApprovalIndicators } from '../api/types';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { states, useApprovals } from '../approvals/data';
import { Badge, count, duration, Empty, KeyedTable, Mark, Panel, percent, pickView, ProblemNote, Time, Unknown } from '../shared';
import { useView } from '../state/url';
import css from './inbox.module.css';

const seconds = (s: number | null | undefined) => (s === null || s === undefined ? undefined : duration(s * 1000));

/** Answered: how long people take, how much each of them decides, and how often without looking. */
export function Answered() {
  const view = useView();
  const q = useQuery({ queryKey: ['approvals', 'indicators', view.filter], queryFn: ({ signal }) => api.get<ApprovalIndicators>('/approvals/indicators', { from: view.from, to: view.live ? undefined : view.to, team: view.team || undefined }, signal), placeholderData: keepPreviousData, enabled: useMay('ApprovalIndicators') });
  const past = useApprovals('all');
  const i = q.data;
  const figure = (label: string, value: string | undefined, why: string, title?: string) => (
    <div className={css.figure} title={title}>
      <span className="muted">{label}</span>
      <strong>{value ?? <Unknown why={why} />}</strong>
    </div>
  );
  return (
    <>
      <ProblemNote error={q.error ?? past.error} />
      {i && (
        <Panel>
          <div className={css.figures}>
            {figure('Asked', count(i.asked), '')}
            {figure('Answered', count(i.answered), '')}
            {figure('Half within', seconds(i.answer_p50_s), 'Nobody answered in this period.', 'Median from question to answer')}
            {figure('95 % within', seconds(i.answer_p95_s), 'Nobody answered in this period.')}
            {figure('Approved unopened', percent(i.unopened_share), 'Nothing was approved in this period.', 'Share of approvals given without having opened what was agreed to')}
          </div>
        </Panel>
      )}
      {i && (
        <Panel title="Approver load">
          <KeyedTable
            label="Approver load"
            rows={i.approvers ?? []}
            rowKey={(p) => p.name}
            empty={<Empty small title="Nobody answered in this period." />}
            fields={[
              { head: 'Person', cell: (p) => p.name },
              { head: 'Answers', num: true, cell: (p) => count(p.answers) },
              { head: 'A day', num: true, cell: (p) => p.per_day.toFixed(1) },
              { head: 'Approved', num: true, cell: (p) => count(p.approved) },
              { head: 'Denied', num: true, cell: (p) => count(p.denied) },
              { head: 'Unopened', num: true, cell: (p) => (p.unopened > 0 ? <Badge tone="warn">{count(p.unopened)}</Badge> : '0') },
              { head: 'Half within', num: true, cell: (p) => seconds(p.p50_s) ?? <Unknown why="It was not measured." /> },
            ]}
          />
        </Panel>
      )}
      <Panel title="The newest approvals">
        <KeyedTable
          label="The newest approvals"
          rows={(past.data ?? []).slice(0, 100)}
          rowKey={(a) => a.id}
          empty={past.isSuccess && <Empty small title="Nothing was ever held.">An action is held when a policy says @hold, when its agent is supervised, or when a tool waits for a person.</Empty>}
          fields={[
            { head: 'State', cell: (a) => <Mark {...(states[a.state] ?? states.unknown!)} words /> },
            { head: 'What', width: '420px', title: (a) => a.words, cell: (a) => <Link className="link" to={'/approvals/$id' as never} params={{ id: a.id } as never} search={pickView as never}>{a.words}</Link> },
            { head: 'Agent', cell: (a) => a.agent },
            { head: 'By', cell: (a) => (a.votes ?? []).map((v) => v.name).join(', ') || <span className="muted">nobody</span> },
            { head: 'Asked', cell: (a) => <Time at={a.created_at} as="day" /> },
          ]}
        />
      </Panel>
    </>
  );
}
