import { PageHeader } from '../shared';

export function AccountPage() {
  return <PageHeader title="Account" />;
}
