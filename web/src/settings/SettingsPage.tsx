import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { settingsPages } from '../shell/nav';
import css from './settings.module.css';

/** SettingsPage frames the pages of Settings. */
export function SettingsPage() {
  const path = useLocation({ select: (l) => l.pathname });
  const at = path.replace(/\/$/, '') === '/settings' ? '/settings/health' : path;
  return (
    <div className={css.layout}>
      <nav className={css.side} aria-label="Settings">
        <div className={css.sideTitle}>Settings</div>
        {settingsPages.map((p) => (
          <Link key={p.to} to={p.to as never} className={css.item} data-on={at === p.to || undefined} aria-current={at === p.to ? 'page' : undefined} title={p.question}>
            {p.name}
          </Link>
        ))}
      </nav>
      <div className={css.content} tabIndex={0} role="region" aria-label="Setting">
        <Outlet />
      </div>
    </div>
  );
}
