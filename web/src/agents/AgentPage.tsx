import { PageHeader } from '../shared';

export function AgentPage() {
  return <PageHeader title="Agent" />;
}
