import { PageHeader } from '../shared';

export function SettingsLater() {
  return <PageHeader title="SettingsLater" />;
}
