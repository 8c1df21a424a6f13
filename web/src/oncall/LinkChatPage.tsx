import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import '../theme/forms';
import { api } from '../api/client';
import { PageHeader, Panel, ProblemNote } from '../shared';

/** accountOf reads which account of which channel a link is about; only the server checks it. */
export function accountOf(token: string): { channel: string; account: string } | undefined {
  try {
    const [channel, account] = JSON.parse(atob((token.split('.')[0] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as unknown[];
    return typeof channel === 'string' && typeof account === 'string' ? { channel, account } : undefined;
  } catch {
    return undefined;
  }
}

/** LinkChatPage: somebody who pressed a button in a chat says that the account there is theirs. */
export function LinkChatPage() {
  const navigate = useNavigate();
  const { token } = useSearch({ strict: false }) as { token?: string };
  const [given] = useState(token ?? '');
  // The token is worth an account for an hour: it does not stay in the address.
  useEffect(() => {
    if (token) void navigate({ to: '.', search: ((old: object) => ({ ...old, token: undefined })) as never, replace: true });
  }, [token, navigate]);
  const of = accountOf(given);
  const link = useMutation({ mutationFn: () => api.post('/chat-links', { token: given }) });
  return (
    <>
      <PageHeader title="Link a chat" question="Is this account in a chat mine?" answer={link.isSuccess ? 'It is yours now: buttons that you press there act as you.' : given === '' ? 'There is no link here: press the button in the chat again and open what it answers.' : 'You pressed a button in a chat, and Reeve did not know who you are.'} />
      <Panel padded>
        <ProblemNote error={link.error} />
        {link.isSuccess ? (
          <p>Go back to the chat and press the button again.</p>
        ) : (
          <>
            {of && (
              <p>
                The account is <code>{of.account.split('/').pop()}</code> of workspace <code>{of.account.split('/')[0]}</code>, in the channel <strong>{of.channel}</strong>.
              </p>
            )}
            <p>Link it only if you pressed the button yourself a moment ago. What is pressed from that account then acknowledges and decides in your name.</p>
            <Button variant="filled" disabled={given === ''} loading={link.isPending} onClick={() => link.mutate()}>
              Link my account in the chat
            </Button>
          </>
        )}
      </Panel>
    </>
  );
}
