import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import '../theme/forms';
import { api, type Problem } from '../api/client';
import type { Setup } from '../api/types';
import { useFocusBack } from '../shared/keys';
import { ProblemNote } from '../shared/Layout';
import css from '../settings/settings.module.css';
import { askPasskey, hasPasskeys } from '../shared/passkey';
import { settleFactor } from './factor';

/** FactorPrompt asks for a code before something that is hard to undo, and then lets it go on. */
export function FactorPrompt({ why }: { why: Problem }) {
  useFocusBack();
  const [code, setCode] = useState('');
  const client = useQueryClient();
  const navigate = useNavigate();
  const missing = why.code === 'identity.factor_missing';
  const setup = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => api.get<Setup>('/setup', undefined, signal), enabled: !missing });
  const onSuccess = () => {
    void client.invalidateQueries({ queryKey: ['me'] });
    settleFactor(true);
  };
  const show = useMutation({ mutationFn: () => api.post('/me/fresh', { code }), onSuccess });
  const passkey = useMutation({ mutationFn: async () => api.post('/me/fresh/passkey', { credential: await askPasskey('/me/fresh/passkey/options') }), onSuccess });
  if (missing) {
    return (
      <Modal opened onClose={() => settleFactor(false)} title="This needs a second factor" size={440}>
        <div className={css.form}>
          <p>It is hard to undo, so a password alone is not enough. Your account has no second factor yet: add a passkey or an authenticator app, then do this again.</p>
          <div className={css.formEnd}>
            <Button onClick={() => settleFactor(false)}>Cancel</Button>
            <Button
              variant="filled"
              data-autofocus
              onClick={() => {
                settleFactor(false);
                void navigate({ to: '/account' as never });
              }}
            >
              Add one under Account
            </Button>
          </div>
        </div>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={() => settleFactor(false)} title="Show your second factor" size={440}>
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault();
          show.mutate();
        }}
      >
        <p>This is hard to undo. The current code of your authenticator, a recovery code or your passkey is good for five minutes.</p>
        <TextInput label="Code" inputMode="numeric" autoComplete="one-time-code" required withAsterisk={false} data-autofocus value={code} onChange={(e) => setCode(e.currentTarget.value)} />
        {(show.error ?? passkey.error) && <ProblemNote error={show.error ?? passkey.error} />}
        {(setup.data?.providers ?? []).map((p) => (
          <a key={p.name} className="link" href={`${p.url}?fresh=1&back=${encodeURIComponent(location.pathname + location.search)}`}>
            Show it at {p.label} instead, then do this again
          </a>
        ))}
        <div className={css.formEnd}>
          <Button onClick={() => settleFactor(false)}>Cancel</Button>
          {hasPasskeys() && (
            <Button loading={passkey.isPending} onClick={() => passkey.mutate()}>
              Use a passkey
            </Button>
          )}
          <Button type="submit" variant="filled" loading={show.isPending}>
            Go on
          </Button>
        </div>
      </form>
    </Modal>
  );
}
