import type { IconName } from '../shared/icons';

/** Page is one entry of the navigation: one question each (the information architecture). */
export interface Page {
  to: string;
  name: string;
  icon: IconName;
  question: string;
  /** Typed after "g". */
  go?: string;
}

export interface Group {
  name: string;
  pages: Page[];
}

export const groups: Group[] = [
  {
    name: 'Now',
    pages: [
      { to: '/', name: 'Overview', icon: 'overview', question: 'Are the agents helping, and what needs a person?', go: 'o' },
      { to: '/inbox', name: 'Inbox', icon: 'inbox', question: 'What waits for me?', go: 'i' },
    ],
  },
  {
    name: 'Fleet',
    pages: [
      { to: '/agents', name: 'Agents', icon: 'agents', question: 'Who works for us, and how well?', go: 'a' },
      { to: '/map', name: 'Map', icon: 'map', question: 'Who depends on what?', go: 'm' },
      { to: '/tools', name: 'Tools and models', icon: 'tools', question: 'Is what they call sound?', go: 't' },
      { to: '/sources', name: 'Sources', icon: 'sources', question: 'Is what they read fresh?', go: 'f' },
    ],
  },
  {
    name: 'Activity',
    pages: [
      { to: '/runs', name: 'Runs', icon: 'runs', question: 'What happened?', go: 'r' },
      { to: '/decisions', name: 'Decisions', icon: 'decisions', question: 'What was refused, held, or would have been?', go: 'd' },
      { to: '/changes', name: 'Changes', icon: 'changes', question: 'What did we change?', go: 'h' },
    ],
  },
  {
    name: 'Respond',
    pages: [
      { to: '/incidents', name: 'Incidents', icon: 'incidents', question: 'What is broken, and for whom?', go: 'n' },
      { to: '/findings', name: 'Findings and rules', icon: 'findings', question: 'Is this worth a person?', go: 'b' },
      { to: '/alerts', name: 'Alerts', icon: 'bell', question: 'What do others say is wrong?', go: 'l' },
      { to: '/on-call', name: 'On call', icon: 'oncall', question: 'Who is it now?', go: 'w' },
    ],
  },
  {
    name: 'Results',
    pages: [
      { to: '/outcomes', name: 'Outcomes and KPIs', icon: 'outcomes', question: 'What do we get?', go: 'v' },
      { to: '/value', name: 'Value', icon: 'cost', question: 'What is it worth?', go: 'x' },
      { to: '/objectives', name: 'Objectives', icon: 'objectives', question: 'How much room is left?', go: 'j' },
      { to: '/feedback', name: 'Feedback', icon: 'quality', question: 'What do people say?', go: 'k' },
      { to: '/topics', name: 'Topics', icon: 'findings', question: 'What do people ask for?', go: 'y' },
      { to: '/evaluations', name: 'Evaluations', icon: 'quality', question: 'Are answers right?', go: 'q' },
      { to: '/cost', name: 'Cost', icon: 'cost', question: 'Who pays for what, and can it be less?', go: 'c' },
    ],
  },
  {
    name: 'Rules',
    pages: [
      { to: '/policies', name: 'Policies and limits', icon: 'policies', question: 'Who may do what?', go: 'p' },
      { to: '/standards', name: 'Standards', icon: 'standards', question: 'What do we not see, or not meet?', go: 'e' },
      { to: '/compliance', name: 'Compliance', icon: 'standards', question: 'What can records show?', go: 'z' },
      { to: '/audit', name: 'Audit', icon: 'audit', question: 'Can we prove it?', go: 'u' },
    ],
  },
  {
    name: 'Settings',
    pages: [{ to: '/settings', name: 'Settings', icon: 'settings', question: 'Who and what may use Reeve, and is it well?', go: 's' }],
  },
];

export const pages: Page[] = groups.flatMap((g) => g.pages);

export const settingsPages: { to: string; name: string; question: string }[] = [
  { to: '/settings/health', name: 'Health of Reeve', question: 'Does Reeve itself see, keep and answer?' },
  { to: '/settings/intake-keys', name: 'Intake keys', question: 'Who may send telemetry?' },
  { to: '/settings/alert-sources', name: 'Alert sources', question: 'Who tells us of alerts and changes?' },
  { to: '/settings/channels', name: 'Channels', question: 'By what are people told?' },
  { to: '/settings/upstreams', name: 'Upstreams', question: 'What does the door forward to?' },
  { to: '/settings/relay', name: 'Relay', question: 'Where does telemetry go on to?' },
  { to: '/settings/pollers', name: 'Pollers', question: 'Whose own records do we read?' },
  { to: '/settings/identity', name: 'Identity of agents', question: 'Whose word do we take for who an agent is?' },
  { to: '/settings/people', name: 'People', question: 'Who may sign in, and as what?' },
  { to: '/settings/teams', name: 'Teams', question: 'Who owns agents?' },
  { to: '/settings/tokens', name: 'API tokens', question: 'What may call the API?' },
  { to: '/settings/notices', name: 'Notices', question: 'What does this installation want to tell us?' },
  { to: '/settings/retention', name: 'Retention', question: 'What is kept, and for how long?' },
  { to: '/settings/connections', name: 'Connections', question: 'What does Reeve speak to?' },
  { to: '/settings/backup', name: 'Backup', question: 'Could we restore it?' },
];
