import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { List, Proposal } from '../api/types';
import { Empty, PageHeader, Panel, plural, ProblemNote } from '../shared';
import css from './inbox.module.css';
import { Proposals } from './Proposals';

/** InboxPage: what waits for this person, each decided in place. */
export function InboxPage() {
  const proposals = useQuery({ queryKey: ['proposals'], queryFn: ({ signal }) => api.get<List<Proposal>>('/proposals', { open: true }, signal), refetchInterval: 15_000, meta: { live: true } });
  const items = proposals.data?.items ?? [];
  return (
    <>
      <PageHeader title="Inbox" question="What waits for me?" answer={proposals.data && (items.length === 0 ? 'Nothing waits for you.' : `${plural(items.length, 'change')} ${items.length === 1 ? 'needs' : 'need'} a second person.`)} />
      <div className={css.body}>
        <ProblemNote error={proposals.error} retry={() => void proposals.refetch()} />
        {items.length > 0 && <Proposals items={items} />}
        {proposals.isSuccess && items.length === 0 && (
          <Panel>
            <Empty title="Nothing waits for you.">Changes that need two people (roles, guardrails, release from quarantine) come here, and everything else that needs your decision as its part arrives.</Empty>
          </Panel>
        )}
      </div>
    </>
  );
}
