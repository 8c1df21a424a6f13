import { PageHeader } from '../shared';

export function TokensPage() {
  return <PageHeader title="Tokens" />;
}
