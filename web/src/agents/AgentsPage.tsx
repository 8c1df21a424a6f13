import { PageHeader } from '../shared';

export function AgentsPage() {
  return <PageHeader title="Agents" />;
}
