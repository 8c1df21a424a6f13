import { PageHeader } from '../shared';

export function PeoplePage() {
  return <PageHeader title="People" />;
}
