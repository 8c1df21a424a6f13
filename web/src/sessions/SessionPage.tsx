import { PageHeader } from '../shared';

export function SessionPage() {
  return <PageHeader title="Session" />;
}
