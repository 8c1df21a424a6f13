import type { Agent } from '../api/types';
import { Badge } from '../shared';

const lifecycleWords: Record<string, string> = {
  draft: 'a draft: acts only in development mode',
  pilot: 'a pilot: acts within the pilot limits',
  production: 'in production',
  retired: 'retired: refused for good',
};

/** AgentState says how far an agent may go now: lifecycle, containment, and whether verdicts are enforced. In the row of a table it keeps to one line. */
export function AgentState({ agent, line = false }: { agent: Agent | undefined; line?: boolean }) {
  if (!agent) return <Badge tone="warn" title="Its name stands in telemetry, and nobody answers for it.">not registered</Badge>;
  return (
    <span style={{ display: 'inline-flex', gap: 4, flexWrap: line ? 'nowrap' : 'wrap' }}>
      <Badge tone={agent.lifecycle === 'production' ? 'good' : agent.lifecycle === 'retired' ? 'bad' : undefined} title={lifecycleWords[agent.lifecycle]}>
        {agent.lifecycle}
      </Badge>
      {agent.containment !== 'none' && (
        <Badge tone={agent.containment === 'quarantined' ? 'bad' : 'warn'} title={agent.contained_till ? `until ${new Date(agent.contained_till).toLocaleString()}` : 'until somebody releases it'}>
          {agent.containment}
        </Badge>
      )}
      {agent.enforcement === 'observe' && (
        <Badge tone="info" title="Refuses nothing and records the verdict it would have given.">
          observe
        </Badge>
      )}
    </span>
  );
}
