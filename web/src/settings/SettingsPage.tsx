import { PageHeader } from '../shared';

export function SettingsPage() {
  return <PageHeader title="Settings" />;
}
