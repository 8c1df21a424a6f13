import { PageHeader } from '../shared';

export function SessionsPage() {
  return <PageHeader title="Sessions" />;
}
