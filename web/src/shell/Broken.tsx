import { Button } from '@mantine/core';
import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Empty, PageHeader } from '../shared/Layout';

/** Broken is shown where a page threw: what failed, and ways on. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHeader title="This page failed" />
      <Empty title="Something in the console broke." actions={<Button onClick={() => { reset(); location.reload(); }}>Load it again</Button>}>
        {error instanceof Error ? error.message : String(error)}
      </Empty>
    </>
  );
}

/** NotFound is what an address that names no page comes to. */
export function NotFound() {
  return (
    <>
      <PageHeader title="Not found" />
      <Empty title="There is no such page." actions={<Link className="link" to="/">Go to the overview</Link>}>
        The address may have been mistyped, or what it named is gone.
      </Empty>
    </>
  );
}
