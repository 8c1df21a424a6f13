import { useLocation } from '@tanstack/react-router';
import later from '../later/later.module.css';
import { Badge, PageHeader, Panel } from '../shared';
import { settingsPages } from '../shell/nav';
import css from './settings.module.css';

export function SettingsLater() {
  const path = useLocation({ select: (l) => l.pathname });
  const page = settingsPages.find((p) => p.to === path);
  if (!page?.later) return null;
  return (
    <>
      <PageHeader title={page.name} question={page.question} badge={<Badge>not in this version</Badge>} />
      <div className={css.body}>
        <Panel>
          <dl className={later.facts}>
            <dt>What it will answer</dt>
            <dd>{page.later.answers}</dd>
            <dt>How it is now</dt>
            <dd>{page.later.fedBy}</dd>
          </dl>
        </Panel>
      </div>
    </>
  );
}
