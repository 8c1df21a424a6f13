import { Link } from '@tanstack/react-router';
import { useMe } from '../api/queries';
import { Snippet } from '../shared';
import css from '../sources/sources.module.css';

/** firstAlert is the command that sends an alert to try, which is over after five minutes. */
export function firstAlert(origin: string, dev: boolean): string {
  return `curl -sS ${origin}/api/v2/alerts${dev ? '' : " \\\n  -H 'Authorization: Bearer YOUR_INTAKE_KEY'"} \\\n  -H 'Content-Type: application/json' \\\n  -d '[{"labels":{"alertname":"Answers are slow","severity":"warning","agent":"my-first-agent"}}]'`;
}

/** First says how a first alert is sent, by the very command. */
export function First() {
  const dev = useMe()?.dev ?? false;
  return (
    <ol className={css.ways}>
      <li>
        Send one to try. It appears here at once, and is over after five minutes without further word.
        <Snippet label="command" text={firstAlert(location.origin, dev)} />
      </li>
      <li>
        Let Prometheus take Reeve for an Alertmanager.
        <Snippet label="configuration" text={`# prometheus.yml\nalerting:\n  alertmanagers:\n    - static_configs: [{ targets: ['${location.host}'] }]${dev ? '' : '\n      authorization: { credentials: YOUR_INTAKE_KEY }'}`} />
      </li>
      <li>
        Grafana, Datadog, PagerDuty, Sentry, Splunk, BigPanda, CloudEvents and any JSON: register each under <Link to={'/settings/alert-sources' as never}>Alert sources</Link>, and try what it sends there first.
      </li>
    </ol>
  );
}
