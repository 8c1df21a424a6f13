import { Link, useLocation } from '@tanstack/react-router';
import { Badge, Empty, PageHeader, Panel } from '../shared';
import { pages } from '../shell/nav';
import css from './later.module.css';

/** LaterPage is the honest face of a part that has not arrived: what it will answer and what feeds it. */
export function LaterPage() {
  const path = useLocation({ select: (l) => l.pathname });
  const page = pages.find((p) => p.to === path);
  if (!page?.later) {
    return (
      <>
        <PageHeader title="Not found" />
        <div className={css.body}>
          <Panel>
            <Empty title="There is no such page.">The address may have been mistyped, or what it named is gone.</Empty>
          </Panel>
        </div>
      </>
    );
  }
  return (
    <>
      <PageHeader title={page.name} question={page.question} badge={<Badge>not in this version</Badge>} />
      <div className={css.body}>
        <Panel>
          <dl className={css.facts}>
            <dt>What it will answer</dt>
            <dd>{page.later.answers}</dd>
            <dt>What feeds it</dt>
            <dd>{page.later.fedBy}</dd>
            {page.later.meanwhile && (
              <>
                <dt>Until then</dt>
                <dd>
                  <Link className="link" to={page.later.meanwhile.to as never}>
                    {page.later.meanwhile.label}
                  </Link>
                </dd>
              </>
            )}
          </dl>
        </Panel>
      </div>
    </>
  );
}
