import { ActionIcon, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Problem } from '../api/client';
import { useLive } from '../api/events';
import { meQuery } from '../api/queries';
import { Icon } from '../shared/icons';
import { useShortcuts } from '../shared/keys';
import { ProblemNote } from '../shared/Layout';
import { setPrefs, usePrefs } from '../state/prefs';
import { useView } from '../state/url';
import { useApprovals } from '../approvals/data';
import { AccountMenu } from './AccountMenu';
import { groups, pages } from './nav';
import { Notices } from './Notices';
import css from './shell.module.css';
import { TopBar } from './TopBar';
import { dialogs, useDialog } from './dialogs';
import { askForFactors, useFactorAsked } from './factor';

// What opens on demand is loaded on demand.
const Palette = lazy(() => import('./Palette').then((m) => ({ default: m.Palette })));
const Help = lazy(() => import('./Help').then((m) => ({ default: m.Help })));
const FactorPrompt = lazy(() => import('./FactorPrompt').then((m) => ({ default: m.FactorPrompt })));

/** Shell is the frame of every page: navigation, view bar, notices, palette, help. */
export function Shell() {
  const me = useQuery(meQuery);
  const path = useLocation({ select: (l) => l.pathname });
  const navigate = useNavigate();
  const prefs = usePrefs();
  const view = useView();
  const [navShown, showNav] = useState(false);
  const open = useDialog();
  const factor = useFactorAsked();
  useEffect(askForFactors, []);
  useLive(me.isSuccess && view.live);
  useEffect(() => showNav(false), [path]);

  useShortcuts('Everywhere', [
    { keys: 'ctrl+k', label: 'Find a page, run, agent or action', run: () => dialogs.open('palette'), always: true },
    { keys: '/', label: 'Find a page, run, agent or action', run: () => dialogs.open('palette') },
    { keys: '?', label: 'Shortcuts of this page', run: () => dialogs.open('help') },
    { keys: 'c', label: 'Connect an agent', run: () => void navigate({ to: '/connect' as never }) },
    { keys: '[', label: 'Fold the navigation', run: () => setPrefs({ nav: prefs.nav === 'open' ? 'closed' : 'open' }) },
  ], true);
  useShortcuts(
    'Go to',
    pages.filter((p) => p.go).map((p) => ({ keys: `g ${p.go}`, label: p.name, run: () => void navigate({ to: p.to as never }) })),
    true,
  );

  // Once, and never from the sign-in page itself: the shell is still shown
  // while the router is on its way there.
  const out = me.error instanceof Problem && me.error.status === 401;
  useEffect(() => {
    if (out && location.pathname !== '/sign-in') void navigate({ to: '/sign-in' as never, search: { next: location.pathname + location.search } as never, replace: true });
  }, [out, navigate]);
  // Nothing of the frame before it is known who looks: no flash of a console one may not see.
  if (out || me.isPending) return null;

  return (
    <div className={css.shell} data-nav={prefs.nav}>
      <a className={css.skip} href="#main">
        Skip to the page
      </a>
      <nav className={css.nav} aria-label="Pages" data-shown={navShown || undefined}>
        <div className={css.brand}>
          <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="var(--r-accent)" />
            <path d="M9 24V8h8.2c3.3 0 5.4 2 5.4 4.9 0 2.3-1.3 4-3.4 4.6L23.4 24h-4l-3.7-6.2h-3V24zm3.6-9.1h4.1c1.4 0 2.2-.7 2.2-1.900s-.8-1.9-2.2-1.900h-4.100z" fill="var(--r-on-accent)" />
          </svg>
          <span>Reeve</span>
        </div>
        <div className={css.scroll}>
          {groups.map((g) => (
            <div key={g.name}>
              <div className={css.groupName}>
                <span>{g.name}</span>
              </div>
              {g.pages.map((p) => (
                <Link key={p.to} to={p.to as never} className={css.item} activeOptions={{ exact: p.to === '/', includeSearch: false }} title={prefs.nav === 'open' ? p.question : p.name}>
                    <Icon name={p.icon} />
                    <span>{p.name}</span>
                    {p.to === '/inbox' && <InboxCount />}
                  </Link>
              ))}
            </div>
          ))}
        </div>
        <div className={css.foot}>
          <UnstyledButton className={css.footButton} onClick={() => void navigate({ to: '/connect' as never })}>
            <Icon name="plus" />
            <span>Connect an agent</span>
          </UnstyledButton>
          <AccountMenu me={me.data} />
        </div>
      </nav>
      <div className={css.top} role="region" aria-label="View">
        <ActionIcon className={css.onlyNarrow} aria-label="Pages" aria-expanded={navShown} onClick={() => showNav(!navShown)}>
          <Icon name="menu" />
        </ActionIcon>
        <TopBar />
      </div>
      <div className={css.notices}>
        <Notices />
      </div>
      <main className={css.main} id="main" tabIndex={-1}>
        {me.error ? <ProblemNote error={me.error} retry={() => void me.refetch()} /> : <Outlet />}
      </main>
      <Suspense fallback={null}>
        {open === 'palette' && <Palette />}
        {open === 'help' && <Help />}
        {factor && <FactorPrompt why={factor} />}
      </Suspense>
    </div>
  );
}

/** InboxCount is how many held actions wait now, wherever one is. */
function InboxCount() {
  const n = (useApprovals().data ?? []).filter((a) => a.can.approve || a.can.deny).length;
  return n > 0 ? (
    <span className={css.count} aria-label={`${n} held`}>
      {n}
    </span>
  ) : null;
}
