import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client';
import { useMay } from '../api/queries';
import { Badge, Beside, type Column, Copy, count, duration, Empty, Facts, Icon, KeyedTable, KeyTable, Mark, PageBody, PageHeader, Panel, pickView, plural, ProblemNote, Tabs, Time, Unknown, useShortcuts, useWide } from '../shared';
import { visible } from '../tools/data';
import { ChannelDialog, TestDialog } from './ChannelDialog';
import { answerOf, channelPath, deliveryStates, useChannelKinds, useChannels, useDeliveries, type Channel, type Delivery } from './channels';
import { Sure } from './parts';

const stateOf = (d: Delivery) => deliveryStates[d.state] ?? { ...deliveryStates.unknown!, label: d.state };
const notAsked = <span className="muted">not asked yet</span>;

const columns: Column<Delivery>[] = [
  { id: 'state', head: 'State', width: '110px', cell: (d) => <Mark {...stateOf(d)} words /> },
  { id: 'channel', head: 'Channel', width: 'minmax(90px, 1fr)', cell: (d) => d.channel },
  { id: 'purpose', head: 'For', width: '76px', cell: (d) => d.purpose },
  { id: 'what', head: 'What', width: 'minmax(110px, 2fr)', cell: (d) => <span title={visible(d.title)}>{visible(d.title)}</span> },
  { id: 'answer', head: 'Answer', width: 'minmax(110px, 2fr)', cell: (d) => { const a = answerOf(d); return a === undefined ? notAsked : <span title={visible(a)}>{visible(a)}</span>; } },
  { id: 'at', head: 'When', width: '94px', align: 'right', cell: (d) => <Time at={d.created_at} /> },
];
const few = (...ids: string[]) => columns.filter((c) => ids.includes(c.id));

/** ChannelsPage: by what people are told, and what came of each message. */
export function ChannelsPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { state = '', delivery } = useSearch({ strict: false }) as { state?: string; delivery?: string };
  const set = (change: object) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...change })) as never, replace: true });
  const channels = useChannels();
  const kinds = useChannelKinds();
  const deliveries = useDeliveries(state);
  const may = useMay('PutChannel');
  const mayTry = useMay('TryChannel');
  const wide = useWide(760);
  const [dialog, setDialog] = useState<{ of?: Channel } | undefined>();
  const [asking, setAsking] = useState<Channel>();
  const [tested, setTested] = useState<Delivery>();
  const again = () => {
    for (const key of ['channel', 'delivery']) void client.invalidateQueries({ queryKey: [key] });
  };
  const test = useMutation({ mutationFn: (name: string) => api.post<Delivery>(`${channelPath(name)}/try`, {}), onMutate: () => setTested(undefined), onSuccess: setTested, onSettled: again });
  const remove = useMutation({ mutationFn: (name: string) => api.delete(channelPath(name)), onSettled: again });
  useShortcuts('Channels', may ? [{ keys: 'n', label: 'Add a channel', run: () => setDialog({}) }] : []);
  const items = channels.data ?? [];
  const sent = deliveries.data ?? [];
  const lost = sent.filter((d) => d.state === 'failed' || d.state === 'unknown').length;
  const chosen = sent.find((d) => d.id === delivery);
  const kindOf = (c: Channel) => kinds.data?.find((k) => k.name === c.kind);
  const button = may && (
    <Button variant="filled" leftSection={<Icon name="plus" size={14} />} onClick={() => setDialog({})}>
      Add a channel
    </Button>
  );
  const tryIt = (c: Channel) => (kindOf(c)?.address && c.kind === 'email' && !c.settings.channel ? setAsking(c) : test.mutate(c.name));
  return (
    <>
      <PageHeader
        title="Channels"
        question="By what are people told?"
        answer={
          channels.isSuccess &&
          (items.length === 0 ? 'There is none: Reeve tells nobody outside of this console.' : (
            <>
              {plural(items.length, 'channel')}
              {items.some((c) => c.off) && `, ${count(items.filter((c) => c.off).length)} off`}
              {deliveries.isSuccess && state === '' && sent.length > 0 && (lost === 0 ? `; no delivery of ${count(sent.length)} failed or is unknown` : <>; <strong>{count(lost)} of {plural(sent.length, 'delivery', 'deliveries')} failed or unknown</strong></>)}.
            </>
          ))
        }
        actions={button}
      />
      <PageBody width={1180}>
        {tested && (
          <p role="status">
            <Mark {...stateOf(tested)} /> Test of {tested.channel}: {stateOf(tested).label}. {answerOf(tested) !== undefined && visible(answerOf(tested)!)}
          </p>
        )}
        <ProblemNote error={channels.error ?? test.error ?? remove.error} retry={channels.error ? () => void channels.refetch() : undefined} />
        <Panel>
          <KeyedTable
            label="Channels"
            rows={items}
            rowKey={(c) => c.name}
            empty={channels.isSuccess && <Empty title="No channel exists." actions={button}>Escalation policies call people by channels; a channel may also tell of every incident of a severity. On the command line: <code>reeve channel put</code>.</Empty>}
            fields={[
              { head: 'Name', cell: (c) => <>{c.name} {c.off && <Badge tone="warn" title="Nothing but tests is sent">off</Badge>}</> },
              { head: 'Kind', cell: (c) => kindOf(c)?.title ?? c.kind },
              { head: 'Team', cell: (c) => c.team || <span className="muted">all teams</span> },
              { head: 'Where', width: '190px', title: where, cell: (c) => where(c) || <span className="muted">in its secret</span> },
              { head: 'Tells of', cell: (c) => (c.incidents ? `incidents, ${c.incidents} and worse` : <span className="muted">when called</span>) },
              { head: 'Repeats', cell: (c) => (c.keyed ? 'kept once' : <span className="muted" title="What may have arrived is not sent again: it is shown as unknown">never sent twice</span>) },
              { head: 'Answers', cell: (c) => (c.answers ? <span title={c.answers}>{c.settings.signing ? 'verified' : <span className="muted">no signing secret</span>} <Copy text={c.answers} label="Copy the address for its answers" /></span> : <span className="muted">none</span>) },
              {
                head: 'Actions', end: true,
                cell: (c) => (
                  <span style={{ display: 'inline-flex', gap: 4 }}>
                    {mayTry && <Button size="compact-xs" aria-label={`Test ${c.name}`} loading={test.isPending && test.variables === c.name} onClick={() => tryIt(c)}>Test</Button>}
                    {may && <Button size="compact-xs" aria-label={`Change ${c.name}`} onClick={() => setDialog({ of: c })}>Change</Button>}
                    {may && <Sure label="Remove" sure="End it now" pending={remove.isPending && remove.variables === c.name} onDo={() => remove.mutate(c.name)} />}
                  </span>
                ),
              },
            ]}
          />
        </Panel>
        <Tabs
          label="Deliveries"
          tabs={[{ id: '', label: 'All deliveries' }, ...['queued', 'sent', 'failed', 'unknown'].map((id) => ({ id, label: deliveryStates[id]!.label }))]}
          on={state}
          onPick={(id) => set({ state: id || undefined, delivery: undefined })}
        />
        <ProblemNote error={deliveries.error} retry={() => void deliveries.refetch()} />
        <Beside label="The delivery" side={chosen && <DeliveryPanel d={chosen} onClose={() => set({ delivery: undefined })} />}>
          <Panel title="Deliveries" note="the newest first">
            <KeyTable
              label="Deliveries"
              columns={!wide ? few('state', 'what', 'at') : chosen ? few('state', 'channel', 'what', 'at') : columns}
              rows={sent}
              rowKey={(d) => d.id}
              active={delivery}
              onOpen={(d) => set({ delivery: d.id })}
              height={Math.min(520, 70 + Math.max(sent.length, 3) * 38)}
              empty={deliveries.isSuccess && <Empty small title={state ? 'No delivery stands so.' : 'Nothing was sent yet.'}>A test shows what a receiver answers.</Empty>}
            />
          </Panel>
        </Beside>
      </PageBody>
      {dialog && <ChannelDialog of={dialog.of} onClose={() => setDialog(undefined)} onDone={() => { setDialog(undefined); again(); }} />}
      {asking && <TestDialog of={asking} address={kindOf(asking)?.address ?? 'address'} onClose={() => setAsking(undefined)} onDone={(d) => { setAsking(undefined); setTested(d); again(); }} />}
    </>
  );
}

const where = (c: Channel) => [c.settings.url, c.settings.channel].filter(Boolean).join(' ');

/** aboutOf is the page of what a delivery is about. */
const aboutOf = (d: Delivery) => (d.object.startsWith('inc_') ? `/incidents/${d.object}` : d.purpose === 'approval' ? `/approvals/${d.object}` : undefined);

function DeliveryPanel({ d, onClose }: { d: Delivery; onClose: () => void }) {
  const about = aboutOf(d);
  return (
    <Panel title={visible(d.title)} padded actions={<Button size="compact-xs" onClick={onClose}>Close the panel</Button>}>
      <Facts>
        <dt>State</dt>
        <dd><Mark {...stateOf(d)} words />{d.state === 'unknown' && <span className="muted"> it may have arrived</span>}</dd>
        <dt>Channel</dt>
        <dd>{d.channel}</dd>
        <dt>For</dt>
        <dd>{d.purpose}{d.person && `, to ${d.person}`}</dd>
        <dt>About</dt>
        <dd>{about ? <Link to={about as never} search={((old: Record<string, unknown>) => pickView(old)) as never}>{d.object}</Link> : d.object}</dd>
        <dt>Made</dt>
        <dd><Time at={d.created_at} as="day" /></dd>
        {d.next_at && <><dt>Next try</dt><dd><Time at={d.next_at} /></dd></>}
        {d.done_at && <><dt>Over</dt><dd><Time at={d.done_at} as="day" /></dd></>}
        {d.tries.map((t, i) => (
          <div key={i} style={{ display: 'contents' }}>
            <dt>Try {i + 1}</dt>
            <dd style={{ overflowWrap: 'anywhere' }}>
              {t.outcome}{t.status ? `, ${t.status}` : ''} <span className="muted"><Time at={t.at} as="seconds" />, {duration(t.took_ms)}</span>
              <br />
              {t.text ? <code>{visible(t.text)}</code> : <Unknown why="The receiver said nothing, or could not be asked." />}
              {t.ref && <span className="muted"> its name there: {visible(t.ref)}</span>}
            </dd>
          </div>
        ))}
      </Facts>
    </Panel>
  );
}
