import { PageHeader } from '../shared';

export function Connect() {
  return <PageHeader title="Connect" />;
}
