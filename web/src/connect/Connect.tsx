import { Modal } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import '../theme/forms';
import { useAddresses } from '../api/addresses';
import { useMe } from '../api/queries';
import { dialogs } from '../shell/dialogs';
import css from './connect.module.css';
import { Snippets } from './Snippets';

/** Connect tells how an agent of one's own joins. */
export function Connect() {
  const dev = useMe()?.dev;
  const { otlpGRPC } = useAddresses();
  return (
    <Modal opened onClose={dialogs.close} title="Connect an agent" size={720}>
      <ol className={css.steps}>
        {!dev && (
          <li>
            <h3>Make an intake key</h3>
            One for each team and environment; it can write and read nothing.{' '}
            <Link className="link" to={'/settings/intake-keys' as never} onClick={dialogs.close}>
              Intake keys
            </Link>
          </li>
        )}
        <li>
          <h3>Point the agent's OpenTelemetry at Reeve</h3>
          <Snippets />
        </li>
        <li>
          <h3>Name it</h3>
          Set <code>gen_ai.agent.name</code> on its root span. Without it Reeve falls back to <code>service.name</code> and says so.
        </li>
      </ol>
      <p className="muted">OTLP over HTTP (protobuf or JSON) at {location.origin}/v1/*{otlpGRPC && `, and over gRPC at ${otlpGRPC}`}. OpenInference and OpenLLMetry attributes are understood as well.</p>
    </Modal>
  );
}
