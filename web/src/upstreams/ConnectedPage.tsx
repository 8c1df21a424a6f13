import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { api } from '../api/client';
import type { Connection } from '../api/types';
import { Empty, PageHeader, Panel, ProblemNote } from '../shared';
import { takeAnswer, type Answer } from './answer';

/** ConnectedPage: where a browser comes back to from an upstream's authorization server. It hands in what that said, in the session of who is signed in. */
export function ConnectedPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const finish = useMutation({
    mutationFn: ({ upstream, ...said }: Answer) => api.post<Connection>(`/upstreams/${encodeURIComponent(upstream || 'unknown')}/connection/finish`, said),
    onSettled: () => void client.invalidateQueries({ queryKey: ['upstreams'] }),
  });
  const began = useRef(false);
  useEffect(() => {
    if (began.current) return; // development mounts twice, and an answer is good once
    began.current = true;
    const answer = takeAnswer();
    if (answer) finish.mutate(answer);
  }, [finish]);
  const name = finish.variables?.upstream;
  const back = (
    <Button variant="filled" onClick={() => void navigate({ to: '/settings/upstreams' as never })}>
      To the upstreams
    </Button>
  );
  return (
    <>
      <PageHeader title="Upstream" question="Is it connected?" answer={finish.isSuccess ? `${name} is connected to ${finish.data.issuer}.` : finish.isPending ? 'Handing in what the authorization server said.' : finish.isError ? 'It is not.' : 'There is nothing to finish.'} />
      <Panel padded>
        <ProblemNote error={finish.error} />
        {finish.isSuccess ? (
          <Empty title={`${name} is connected.`} actions={back}>
            {(finish.data.scopes?.length ?? 0) > 0 ? `It was granted ${finish.data.scopes!.join(', ')}. ` : ''}
            {finish.data.renews ? 'The door renews its token by itself.' : 'Nothing was given to renew its token with: when that ends, it must be connected again.'} You can close this page.
          </Empty>
        ) : (
          !finish.isPending && <Empty title={finish.isError ? 'Begin again.' : 'This page ends a connection that was begun elsewhere.'} actions={back}>Connections are begun on the page Upstreams, or with reeve upstream connect.</Empty>
        )}
      </Panel>
    </>
  );
}
