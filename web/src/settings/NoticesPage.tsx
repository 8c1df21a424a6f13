import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { noticesQuery } from '../api/queries';
import { Empty, PageBody, PageHeader, Panel, plural, ProblemNote } from '../shared';
import { useNoticeAction } from '../shell/Notices';

/** NoticesPage: what this installation wants everybody to know, hidden ones too. */
export function NoticesPage() {
  const q = useQuery(noticesQuery);
  const act = useNoticeAction();
  const navigate = useNavigate();
  const items = q.data?.items ?? [];
  return (
    <>
      <PageHeader title="Notices" question="What does this installation want to tell us?" answer={q.data && (items.length === 0 ? 'Nothing at the moment.' : `${plural(items.length, 'notice')}.`)} />
      <PageBody width={1180}>
        <ProblemNote error={q.error ?? act.error} />
        {items.length === 0 && q.isSuccess && (
          <Panel>
            <Empty title="There is no notice.">Notices appear in a bar above every page; the ones you hid there are listed here.</Empty>
          </Panel>
        )}
        {items.map((n) => (
          <Panel key={n.id} title={n.title} padded>
            {n.text && <p className="soft">{n.text}</p>}
            <div className="row" style={{ marginTop: 8, flexWrap: 'wrap' }}>
              {(n.actions ?? []).map((a) => (
                <Button key={a.label} loading={act.isPending && act.variables === a} onClick={() => act.mutate(a)}>
                  {a.label}
                </Button>
              ))}
              {(n.links ?? []).map((l) => (
                <Button key={l.path} variant="subtle" onClick={() => void navigate({ href: l.path })}>
                  {l.label}
                </Button>
              ))}
            </div>
          </Panel>
        ))}
      </PageBody>
    </>
  );
}
