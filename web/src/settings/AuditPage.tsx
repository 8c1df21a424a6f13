import { PageHeader } from '../shared';

export function AuditPage() {
  return <PageHeader title="Audit" />;
}
