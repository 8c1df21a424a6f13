import { Link } from '@tanstack/react-router';
import { useMe } from '../api/queries';
import { Panel } from '../shared/Layout';
import css from './connect.module.css';
import { Snippets } from './Snippets';

/** FirstTrace is what a Reeve that has never seen anything shows: how to send the first trace. */
export function FirstTrace() {
  const dev = useMe()?.dev;
  return (
    <Panel>
      <div className={css.first}>
        <h2>No agent has sent anything yet.</h2>
        <p>
          Any OpenTelemetry SDK can send to Reeve. What it sends shows up here within a second, while the agent still runs.{' '}
          <Link className="link" to={'/connect' as never}>
            Connect an agent
          </Link>{' '}
          has what to set for each framework, with its key.
        </p>
        <ol className={css.steps}>
          {!dev && (
            <li>
              <h3>Make an intake key</h3>
              It lets a sender write for one team and environment, and read nothing.{' '}
              <Link className="link" to={'/settings/intake-keys' as never}>
                Intake keys
              </Link>
            </li>
          )}
          <li>
            <h3>Send a trace</h3>
            <Snippets />
          </li>
          <li>
            <h3>See it</h3>
            <span className={css.wait} role="status">
              <span className={css.dot} /> Waiting for the first step. This page changes by itself.
            </span>
          </li>
        </ol>
      </div>
    </Panel>
  );
}
