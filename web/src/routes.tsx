import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, retainSearchParams } from '@tanstack/react-router';
import type { QueryClient } from '@tanstack/react-query';
import { readView, viewKeys, type View } from './state/url';
import { Root } from './shell/Root';
import { Shell } from './shell/Shell';
import { Broken, NotFound } from './shell/Broken';
import { keepAnswer } from './upstreams/answer';

// Every route is its own chunk: the first load stays under 180 kB and a page
// adds 100 kB at most (scripts/check.mjs). A page reads and checks its own
// search parameters; the view (state/url.ts) travels with every link.

type Search = View & Record<string, unknown>;

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Root,
  notFoundComponent: NotFound,
  validateSearch: (s: Record<string, unknown>): Search => readView(s),
  search: { middlewares: [retainSearchParams([...viewKeys])] },
});

const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell, errorComponent: Broken });

const at = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) => createRoute({ getParentRoute: () => shell, path, component });

const settings = createRoute({ getParentRoute: () => shell, path: '/settings', component: lazyRouteComponent(() => import('./settings/SettingsPage'), 'SettingsPage') });
const settingsRoutes = [
  createRoute({ getParentRoute: () => settings, path: '/', component: lazyRouteComponent(() => import('./settings/HealthPage'), 'HealthPage') }),
  createRoute({ getParentRoute: () => settings, path: 'health', component: lazyRouteComponent(() => import('./settings/HealthPage'), 'HealthPage') }),
  createRoute({ getParentRoute: () => settings, path: 'people', component: lazyRouteComponent(() => import('./settings/PeoplePage'), 'PeoplePage') }),
  createRoute({ getParentRoute: () => settings, path: 'teams', component: lazyRouteComponent(() => import('./settings/TeamsPage'), 'TeamsPage') }),
  createRoute({ getParentRoute: () => settings, path: 'tokens', component: lazyRouteComponent(() => import('./settings/TokensPage'), 'TokensPage') }),
  createRoute({ getParentRoute: () => settings, path: 'intake-keys', component: lazyRouteComponent(() => import('./settings/IntakeKeysPage'), 'IntakeKeysPage') }),
  createRoute({ getParentRoute: () => settings, path: 'alert-sources', component: lazyRouteComponent(() => import('./settings/AlertSourcesPage'), 'AlertSourcesPage') }),
  createRoute({ getParentRoute: () => settings, path: 'channels', component: lazyRouteComponent(() => import('./settings/ChannelsPage'), 'ChannelsPage') }),
  createRoute({ getParentRoute: () => settings, path: 'upstreams', component: lazyRouteComponent(() => import('./settings/UpstreamsPage'), 'UpstreamsPage') }),
  createRoute({ getParentRoute: () => settings, path: 'relay', component: lazyRouteComponent(() => import('./settings/RelayPage'), 'RelayPage') }),
  createRoute({ getParentRoute: () => settings, path: 'pollers', component: lazyRouteComponent(() => import('./settings/PollersPage'), 'PollersPage') }),
  createRoute({ getParentRoute: () => settings, path: 'identity', component: lazyRouteComponent(() => import('./settings/IdentityPage'), 'IdentityPage') }),
  createRoute({ getParentRoute: () => settings, path: 'retention', component: lazyRouteComponent(() => import('./settings/RetentionPage'), 'RetentionPage') }),
  createRoute({ getParentRoute: () => settings, path: 'connections', component: lazyRouteComponent(() => import('./settings/ConnectionsPage'), 'ConnectionsPage') }),
  createRoute({ getParentRoute: () => settings, path: 'backup', component: lazyRouteComponent(() => import('./settings/BackupPage'), 'BackupPage') }),
  createRoute({ getParentRoute: () => settings, path: 'notices', component: lazyRouteComponent(() => import('./settings/NoticesPage'), 'NoticesPage') }),
];

const tree = root.addChildren([
  createRoute({ getParentRoute: () => root, path: '/sign-in', component: lazyRouteComponent(() => import('./signin/SignInPage'), 'SignInPage') }),
  shell.addChildren([
    at('/', lazyRouteComponent(() => import('./overview/OverviewPage'), 'OverviewPage')),
    at('/map', lazyRouteComponent(() => import('./map/MapPage'), 'MapPage')),
    at('/inbox', lazyRouteComponent(() => import('./inbox/InboxPage'), 'InboxPage')),
    at('/approvals/$id', lazyRouteComponent(() => import('./approvals/ApprovalPage'), 'ApprovalPage')),
    createRoute({ getParentRoute: () => shell, path: '/upstreams/connected', beforeLoad: keepAnswer, component: lazyRouteComponent(() => import('./upstreams/ConnectedPage'), 'ConnectedPage') }),
    at('/tools', lazyRouteComponent(() => import('./tools/ToolsPage'), 'ToolsPage')),
    at('/findings', lazyRouteComponent(() => import('./findings/FindingsPage'), 'FindingsPage')),
    at('/sources', lazyRouteComponent(() => import('./sources/SourcesPage'), 'SourcesPage')),
    at('/incidents', lazyRouteComponent(() => import('./incidents/IncidentsPage'), 'IncidentsPage')),
    at('/incidents/$id', lazyRouteComponent(() => import('./incidents/IncidentPage'), 'IncidentPage')),
    at('/link-chat', lazyRouteComponent(() => import('./oncall/LinkChatPage'), 'LinkChatPage')),
    at('/on-call', lazyRouteComponent(() => import('./oncall/OnCallPage'), 'OnCallPage')),
    at('/alerts', lazyRouteComponent(() => import('./alerts/AlertsPage'), 'AlertsPage')),
    at('/changes', lazyRouteComponent(() => import('./changes/ChangesPage'), 'ChangesPage')),
    at('/decisions', lazyRouteComponent(() => import('./decisions/DecisionsPage'), 'DecisionsPage')),
    at('/policies', lazyRouteComponent(() => import('./policies/PoliciesPage'), 'PoliciesPage')),
    at('/agents', lazyRouteComponent(() => import('./agents/AgentsPage'), 'AgentsPage')),
    at('/agents/$name', lazyRouteComponent(() => import('./agents/AgentPage'), 'AgentPage')),
    at('/feedback', lazyRouteComponent(() => import('./feedback/FeedbackPage'), 'FeedbackPage')),
    at('/evaluations', lazyRouteComponent(() => import('./evaluations/EvaluationsPage'), 'EvaluationsPage')),
    at('/evaluations/experiments/$id', lazyRouteComponent(() => import('./evaluations/ExperimentPage'), 'ExperimentPage')),
    at('/outcomes', lazyRouteComponent(() => import('./kpis/OutcomesPage'), 'OutcomesPage')),
    at('/value', lazyRouteComponent(() => import('./kpis/ValuePage'), 'ValuePage')),
    at('/objectives', lazyRouteComponent(() => import('./objectives/ObjectivesPage'), 'ObjectivesPage')),
    at('/topics', lazyRouteComponent(() => import('./topics/TopicsPage'), 'TopicsPage')),
    at('/compliance', lazyRouteComponent(() => import('./compliance/CompliancePage'), 'CompliancePage')),
    at('/cost', lazyRouteComponent(() => import('./cost/CostPage'), 'CostPage')),
    at('/connect', lazyRouteComponent(() => import('./connect/ConnectPage'), 'ConnectPage')),
    at('/standards', lazyRouteComponent(() => import('./standards/StandardsPage'), 'StandardsPage')),
    at('/audit', lazyRouteComponent(() => import('./audit/AuditPage'), 'AuditPage')),
    at('/account', lazyRouteComponent(() => import('./settings/AccountPage'), 'AccountPage')),

    // Activity (web/src/runs, run, sessions)
    at('/runs', lazyRouteComponent(() => import('./runs/RunsPage'), 'RunsPage')),
    at('/steps', lazyRouteComponent(() => import('./runs/StepsPage'), 'StepsPage')),
    at('/logs', lazyRouteComponent(() => import('./runs/LogsPage'), 'LogsPage')),
    at('/runs/$id', lazyRouteComponent(() => import('./run/RunPage'), 'RunPage')),
    at('/sessions', lazyRouteComponent(() => import('./sessions/SessionsPage'), 'SessionsPage')),
    at('/sessions/$id', lazyRouteComponent(() => import('./sessions/SessionPage'), 'SessionPage')),
    // Whatever else: said within the shell, so that there is a way on.
    createRoute({ getParentRoute: () => shell, path: '$', component: NotFound }),

    settings.addChildren(settingsRoutes),
  ]),
]);

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: Broken,
    scrollRestoration: false,
  });
}
