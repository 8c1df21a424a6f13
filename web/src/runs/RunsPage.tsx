import { PageHeader } from '../shared';

export function RunsPage() {
  return <PageHeader title="Runs" />;
}
