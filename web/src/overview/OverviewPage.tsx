import { PageHeader } from '../shared';

export function OverviewPage() {
  return <PageHeader title="Overview" />;
}
