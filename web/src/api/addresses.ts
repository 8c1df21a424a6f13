import { useQuery } from '@tanstack/react-query';
import { healthQuery } from './queries';
import type { Health } from './types';

/** Addresses are where this server's listeners are reached; undefined is not known yet, or off. */
export interface Addresses {
  door?: string;
  otlpHTTP?: string;
  otlpGRPC?: string;
  /** The server has answered: what is missing is off. */
  known: boolean;
}

/** reach puts the name by which this page was reached where a listener has every address, or only "this host". */
export function reach(at: string | undefined, hostname: string): string | undefined {
  const m = /^(https?:\/\/)(\[[^\]]*\]|[^:/]*)(.*)$/.exec(at ?? '');
  if (!m) return undefined;
  return m[1]! + (m[2] === '' || m[2] === 'localhost' ? hostname : m[2]!) + m[3]!.replace(/\/$/, '');
}

export function addressesOf(h: Health | undefined, hostname: string): Addresses {
  const a = h?.addresses;
  return { door: reach(a?.door, hostname), otlpHTTP: reach(a?.otlp_http, hostname), otlpGRPC: reach(a?.otlp_grpc, hostname), known: h !== undefined };
}

/** useAddresses asks the server where its listeners are. */
export function useAddresses(): Addresses {
  return addressesOf(useQuery(healthQuery).data, location.hostname);
}
