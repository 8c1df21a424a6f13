import { PageHeader } from '../shared';

export function StepsPage() {
  return <PageHeader title="Steps" />;
}
