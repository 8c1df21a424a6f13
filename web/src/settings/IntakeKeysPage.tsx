import { PageHeader } from '../shared';

export function IntakeKeysPage() {
  return <PageHeader title="IntakeKeys" />;
}
