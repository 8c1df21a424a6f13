import { Link, useLocation } from '@tanstack/react-router';
import { pickView } from '../shared/Values';
import css from './runs.module.css';

const TABS = [
  ['/runs', 'Runs'],
  ['/sessions', 'Sessions'],
  ['/steps', 'Steps'],
  ['/logs', 'Logs'],
] as const;

/** ActivityTabs leads between the four ways to look at what happened. */
export function ActivityTabs() {
  const { pathname } = useLocation();
  return (
    <nav className={css.tabs} aria-label="Activity">
      {TABS.map(([to, name]) => (
        <Link key={to} to={to as never} search={((old: Record<string, unknown>) => pickView(old)) as never} className={css.tab} aria-current={pathname === to ? 'page' : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  );
}
