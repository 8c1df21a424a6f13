import { PageHeader } from '../shared';

export function LogsPage() {
  return <PageHeader title="Logs" />;
}
