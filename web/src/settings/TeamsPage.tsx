import { PageHeader } from '../shared';

export function TeamsPage() {
  return <PageHeader title="Teams" />;
}
