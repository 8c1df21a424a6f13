import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Alert, AlertSource, List } from '../api/types';
import type { Level } from '../shared/Marks';
import { useView } from '../state/url';

/** severities in words, worst first, with the shape that they are drawn in. */
export const severities: Record<string, { level: Level; letter: string; label: string }> = {
  critical: { level: 'bad', letter: 'C', label: 'critical' },
  error: { level: 'bad', letter: 'E', label: 'error' },
  warning: { level: 'warn', letter: 'W', label: 'warning' },
  info: { level: 'info', letter: 'I', label: 'info' },
  '': { level: 'unknown', letter: '?', label: 'unknown' },
};

/** severity is how bad an alert is; one that is over is good whatever it was. */
export function severity(a: Pick<Alert, 'severity'>) {
  return severities[a.severity] ?? severities['']!;
}

/** stateOf says how an alert stands in a word, with its shape. */
export function stateOf(a: Pick<Alert, 'state' | 'acknowledged'>): { level: Level; letter: string; label: string } {
  if (a.state === 'resolved') return { level: 'good', letter: 'R', label: 'resolved' };
  if (a.acknowledged) return { level: 'info', letter: 'A', label: 'acknowledged' };
  return { level: 'bad', letter: 'F', label: 'firing' };
}

/** matches reports an alert that holds every word. */
export function matches(a: Alert, words: string): boolean {
  const text = [a.title, a.text, a.key, a.source, a.agent, a.team, a.severity, ...Object.entries(a.labels ?? {}).map(([k, v]) => `${k}=${v}`)].join('\n').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => text.includes(w));
}

/** useAlerts lists what fires, and what was seen in the period. */
export function useAlerts() {
  const view = useView();
  return useQuery({
    queryKey: ['alerts', view.env, view.team, view.filter.from],
    queryFn: ({ signal }) => api.get<List<Alert>>('/alerts', { environment: view.env, team: view.team, from: view.from, limit: 1000 }, signal),
    refetchInterval: 30_000,
  });
}

/** useAlertSources lists who sends alerts and changes. */
export function useAlertSources() {
  return useQuery({ queryKey: ['alert-sources'], queryFn: async ({ signal }) => (await api.get<List<AlertSource>>('/alert-sources', undefined, signal)).items, refetchInterval: 30_000 });
}

export interface SourceKind {
  name: string;
  title: string;
  purpose: 'alerts' | 'changes';
  auth: ('token' | 'signature')[];
  /** The sender makes the secret. */
  theirs?: boolean;
  mapping?: boolean;
  branches?: boolean;
  /** The lines of configuration that send to a source, where they are known. */
  config?: (url: string, secret: string) => string;
}

/** kinds of sources: what each speaks, and how it is told to send. */
export const kinds: SourceKind[] = [
  {
    name: 'alertmanager', title: 'Prometheus and Alertmanager', purpose: 'alerts', auth: ['token'],
    config: (url, secret) => `# alertmanager.yml\nreceivers:\n  - name: reeve\n    webhook_configs:\n      - url: ${url}\n        send_resolved: true\n        http_config: { authorization: { credentials: ${secret} } }`,
  },
  { name: 'grafana', title: 'Grafana', purpose: 'alerts', auth: ['token', 'signature'], config: (url, secret) => `# Alerting, Contact points: Webhook\nURL: ${url}\nAuthorization header scheme: Bearer\nAuthorization header credentials: ${secret}` },
  { name: 'datadog', title: 'Datadog monitors', purpose: 'alerts', auth: ['token'], config: (url, secret) => `# Integrations, Webhooks; the payload is in docs/alerts.md\nURL: ${url}\nCustom headers: {"Authorization": "Bearer ${secret}"}` },
  { name: 'pagerduty', title: 'PagerDuty', purpose: 'alerts', auth: ['signature'], theirs: true, config: (url) => `# Integrations, Generic Webhooks (v3)\nWebhook URL: ${url}` },
  { name: 'sentry', title: 'Sentry', purpose: 'alerts', auth: ['signature'], theirs: true, config: (url) => `# Settings, Developer Settings, internal integration\nWebhook URL: ${url}\nWebhooks: issue, and Alert Rule Action on` },
  { name: 'splunk', title: 'Splunk (HEC and alert webhook)', purpose: 'alerts', auth: ['token'], config: (url, secret) => `curl ${url}/services/collector/event \\\n  -H 'Authorization: Splunk ${secret}' \\\n  -d '{"event":{"name":"Queue is long","status":"open","severity":"high"}}'` },
  { name: 'splunk_observability', title: 'Splunk Observability Cloud', purpose: 'alerts', auth: ['signature', 'token'], config: (url, secret) => `# Data Management, Webhook\nURL: ${url}\nShared secret: ${secret}` },
  { name: 'bigpanda', title: "BigPanda's Alerts API", purpose: 'alerts', auth: ['token'], config: (url, secret) => `curl ${url} -H 'Authorization: Bearer ${secret}' -H 'Content-Type: application/json' \\\n  -d '{"status":"critical","host":"refund-agent","check":"containment"}'` },
  { name: 'cloudevents', title: 'CloudEvents', purpose: 'alerts', auth: ['token', 'signature'], config: (url, secret) => `curl ${url} -H 'Authorization: Bearer ${secret}' -H 'Content-Type: application/cloudevents+json' \\\n  -d '{"specversion":"1.0","id":"1","source":"/monitor","type":"alert.fired","subject":"refund-agent"}'` },
  { name: 'json', title: 'Any JSON', purpose: 'alerts', auth: ['token', 'signature'], mapping: true, config: (url, secret) => `curl ${url} -H 'Authorization: Bearer ${secret}' -H 'Content-Type: application/json' \\\n  -d '{"title":"Backup did not run","status":"firing","severity":"warning"}'` },
  { name: 'github', title: 'GitHub', purpose: 'changes', auth: ['signature'], branches: true, config: (url, secret) => `# Settings, Webhooks: deployments, deployment statuses, releases, pushes\nPayload URL: ${url}\nContent type: application/json\nSecret: ${secret}` },
  { name: 'gitlab', title: 'GitLab', purpose: 'changes', auth: ['token'], branches: true, config: (url, secret) => `# Settings, Webhooks: deployment, release, push and feature flag events\nURL: ${url}\nSecret token: ${secret}` },
  { name: 'openfeature', title: 'OpenFeature flag changes', purpose: 'changes', auth: ['token'], config: (url, secret) => `OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, (details) =>\n  fetch('${url}', { method: 'POST', body: JSON.stringify({ ...details, time: new Date().toISOString() }),\n    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ${secret}' } }));` },
];

export const kindOf = (name: string): SourceKind => kinds.find((k) => k.name === name) ?? kinds[0]!;
