import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import type { Backup, Backups, BackupTrial } from '../api/types';
import { bytes, count, duration, Empty, Icon, KeyedTable, Mark, PageHeader, Panel, ProblemNote, Snippet, Time, useShortcuts } from '../shared';
import type { Level } from '../shared/Marks';
import css from './settings.module.css';

const states: Record<string, { level: Level; letter: string; label: string }> = {
  whole: { level: 'good', letter: 'W', label: 'whole' },
  sent: { level: 'info', letter: 'S', label: 'sent as a file' },
  gone: { level: 'idle', letter: 'G', label: 'not there any more' },
  failed: { level: 'bad', letter: 'F', label: 'failed' },
};

/** BackupPage: could we restore it? */
export function BackupPage() {
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['backups'], queryFn: ({ signal }) => api.get<Backups>('/backups', undefined, signal), refetchInterval: 5000, retry: false });
  const may = useMay('MakeBackup');
  const again = () => void client.invalidateQueries({ queryKey: ['backups'] });
  const make = useMutation({ mutationFn: () => api.post<Backup>('/backups'), onSettled: again });
  const attempt = useMutation({ mutationFn: (id: string) => api.post<BackupTrial>(`/backups/${id}/try`), onSettled: again });
  const b = q.data;
  const newest = b?.items.find((x) => x.state === 'whole');
  const busy = make.isPending || attempt.isPending || !!b?.doing;
  useShortcuts(
    'Backup',
    may
      ? [
          { keys: 'n', label: 'Back up now', run: () => !busy && make.mutate() },
          ...(newest ? [{ keys: 'y', label: 'Try the newest', run: () => !busy && attempt.mutate(newest.id) }] : []),
        ]
      : [],
  );
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} loading={make.isPending} disabled={busy && !make.isPending} onClick={() => make.mutate()}>
      Back up now
    </Button>
  );
  return (
    <>
      <PageHeader title="Backup" question="Could we restore it?" answer={b && `${b.text}${b.doing ? ` Now: ${b.doing}.` : ''}`} actions={button} />
      <div className={css.wide}>
        <ProblemNote error={q.error ?? make.error ?? attempt.error} retry={() => void q.refetch()} />
        <div role="status">
          {make.data?.state === 'making' && <p>It is being made, and will be listed when it is whole.</p>}
          {attempt.data && !attempt.data.pending && <p>{attempt.data.ok ? `${attempt.data.id} restores: ${(attempt.data.logs ?? []).map((l) => `the log of ${l.what} with ${count(l.records)} records is whole`).join(', ')}. Nothing of the trial was kept.` : `${attempt.data.id} does not restore: ${attempt.data.error}.`}</p>}
        </div>
        {b && (
          <Panel padded>
            <p>
              Kept in <code>{b.dir}</code>, the newest {count(b.keep)}; {b.every_ms ? `one is made every ${duration(b.every_ms)}` : 'one is made only when somebody asks'}. {b.sealed ? 'The keys in them are sealed with a passphrase.' : 'The keys in them are not sealed: whoever has one is this installation.'}
              {b.same_disk && ' That is the disk of the data: when it goes, so do they. Name a folder on another disk (backup.dir), or take one as a file.'}
            </p>
          </Panel>
        )}
        <Panel>
          <KeyedTable
            label="Backups"
            rows={b?.items ?? []}
            rowKey={(x) => x.id}
            mark={(x) => (x.state === 'failed' || x.tried_error ? 'bad' : undefined)}
            empty={
              q.isSuccess && (
                <Empty title="No backup was ever made." actions={button}>
                  A backup is all that this installation is: people, policies and their records, keys, decisions, telemetry. It is taken while Reeve works.
                </Empty>
              )
            }
            fields={[
              { head: 'Made', cell: (x) => <><Time at={x.at} /><span className={css.under}>{x.id}</span></> },
              { head: 'State', cell: (x) => <><Mark {...(states[x.state] ?? states.failed!)} words />{x.error && <span className={css.under}>{x.error}</span>}</> },
              { head: 'Size', num: true, cell: (x) => (x.state === 'failed' ? '' : <>{bytes(x.bytes)}<span className={css.under}>{count(x.files)} files</span></>) },
              { head: 'Took', num: true, cell: (x) => (x.state === 'failed' ? '' : duration(x.took_ms)) },
              { head: 'Keys', cell: (x) => (x.sealed ? 'sealed' : 'as they are') },
              { head: 'By', cell: (x) => x.by },
              { head: 'Restored on trial', cell: (x) => (x.tried_at ? <>{x.tried_error ? <Mark level="bad" letter="X" label="does not restore" words /> : <Mark level="good" letter="R" label="restores" words />}<span className={css.under}>{x.tried_error || <Time at={x.tried_at} />}</span></> : <span className="muted">never</span>) },
              {
                head: 'Actions',
                end: true,
                cell: (x) =>
                  may &&
                  x.state === 'whole' && (
                    <Button size="compact-xs" loading={attempt.isPending && attempt.variables === x.id} disabled={busy && !(attempt.isPending && attempt.variables === x.id)} onClick={() => attempt.mutate(x.id)}>
                      Try it
                    </Button>
                  ),
              },
            ]}
          />
        </Panel>
        <Panel title="Away from here, and back" padded>
          <p className="soft">One file, made by the server and written where you are; then into an empty folder, on any machine with the same release or a later one.</p>
          <Snippet label="the command that takes one as a file" text="reeve backup reeve.tar" />
          <Snippet label="the command that restores it" text={'reeve backup verify reeve.tar\nreeve restore reeve.tar --data ./restored\nreeve serve --data ./restored'} />
        </Panel>
      </div>
    </>
  );
}
