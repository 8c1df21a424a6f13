import { PageHeader } from '../shared';

export function HealthPage() {
  return <PageHeader title="Health" />;
}
