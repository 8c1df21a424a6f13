import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useFollow } from '../api/queries';
import type { List } from '../api/types';
import type { Level } from '../shared';

type Shapes = components['schemas'];
export type Channel = Shapes['Channel'];
export type ChannelKind = Shapes['ChannelKind'];
export type Delivery = Shapes['Delivery'];

export const channelPath = (name: string) => `/channels/${encodeURIComponent(name)}`;

// The keys begin as the server's events do: channel.updated, delivery.sent.
export function useChannels() {
  const every = useFollow(30_000);
  return useQuery({ queryKey: ['channel'], queryFn: async ({ signal }) => (await api.get<List<Channel>>('/channels', undefined, signal)).items, refetchInterval: every });
}

export function useChannelKinds() {
  return useQuery({ queryKey: ['channel-kinds'], queryFn: async ({ signal }) => (await api.get<List<ChannelKind>>('/channel-kinds', undefined, signal)).items, staleTime: Infinity });
}

export function useDeliveries(state: string) {
  const every = useFollow();
  return useQuery({ queryKey: ['delivery', state], queryFn: async ({ signal }) => (await api.get<List<Delivery>>('/deliveries', { state: state || undefined, limit: 200 }, signal)).items, refetchInterval: every });
}

export const deliveryStates: Record<string, { level: Level; letter: string; label: string }> = {
  queued: { level: 'info', letter: 'Q', label: 'queued' },
  claimed: { level: 'info', letter: 'C', label: 'being sent' },
  sent: { level: 'good', letter: 'S', label: 'sent' },
  failed: { level: 'bad', letter: 'F', label: 'failed' },
  unknown: { level: 'unknown', letter: '?', label: 'unknown' },
  cancelled: { level: 'idle', letter: 'X', label: 'cancelled' },
};

/** Ask is what a kind of channel wants to know; an absent one is not asked. */
export interface Ask {
  token: { label: string; description: string; optional?: boolean };
  url?: { label: string; description: string; optional?: boolean };
  channel?: { label: string; description: string };
  from?: boolean;
  user?: string;
  signing?: string;
  insecure?: boolean;
}

const region = { label: 'Address', description: 'Empty: the usual one; else that of your region', optional: true };

export const asks: Record<string, Ask> = {
  slack: { token: { label: 'Secret', description: 'A bot’s token (xoxb-…) or an incoming webhook’s address' }, channel: { label: 'Channel', description: 'Needed with a bot’s token: #incidents' }, signing: 'The app’s signing secret: with it, buttons in messages work' },
  teams: { token: { label: 'Secret', description: 'The address of a Workflow: when a Teams webhook request is received' } },
  email: { token: { label: 'Password', description: 'Of the user; empty without one', optional: true }, url: { label: 'Mail server', description: 'smtps://mail.example.com:465' }, channel: { label: 'To', description: 'Where nobody in particular is meant' }, from: true, user: 'Empty: the server asks for none', insecure: true },
  pagerduty: { token: { label: 'Integration key', description: '32 characters, of Events API v2' }, url: region, signing: 'Of a v3 webhook subscription: with it, what people do there comes back' },
  jsm: { token: { label: 'Integration key', description: 'Of an API integration' }, url: region, signing: 'That its webhook sends as a bearer token: with it, what people do there comes back' },
  servicenow: { token: { label: 'Secret', description: 'The user’s password; without a user an access token' }, url: { label: 'Instance', description: 'https://acme.service-now.com' }, channel: { label: 'Assignment group', description: 'Empty: as the instance decides' }, signing: 'That a business rule sends as a bearer token: with it, what people do there comes back', user: 'Empty: the secret is a token' },
  webhook: { token: { label: 'Secret', description: 'At least 16 characters, by which the receiver verifies' }, url: { label: 'Address', description: 'https://hooks.example.com/reeve' } },
};
const any: Ask = { token: { label: 'Secret', description: 'What sends' }, url: region };
export const askOf = (kind: string): Ask => asks[kind] ?? any;

/** answerOf is the receiver's last word on a delivery; undefined when it was not asked yet. */
export function answerOf(d: Pick<Delivery, 'tries'>): string | undefined {
  const last = d.tries[d.tries.length - 1];
  if (!last) return undefined;
  return [last.status ? String(last.status) : '', last.text ?? ''].filter(Boolean).join(' ') || (last.outcome === 'sent' ? 'taken, without a word' : 'no answer');
}
