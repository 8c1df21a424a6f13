import { PageHeader } from '../shared';

export function NoticesPage() {
  return <PageHeader title="Notices" />;
}
