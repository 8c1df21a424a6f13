import { PageHeader } from '../shared';

export function SignInPage() {
  return <PageHeader title="SignIn" />;
}
