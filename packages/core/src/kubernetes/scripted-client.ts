import type { Clock } from '../ports/clock.ts';
import { ApiClient } from './api-client.ts';
import type { TlsIdentity } from './request-credentials.ts';
import type { ScriptedServer } from './scripted-server.ts';
import { UndiciTransport } from './undici-transport.ts';

/** A clock that never waits and remembers for how long it was asked to. */
export class SkippingClock implements Clock {
  readonly sleeps: number[] = [];

  now(): Date {
    return new Date(0);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
  }
}

/** Options of {@link scriptedClient}. */
export interface ScriptedClientOptions {
  readonly clock?: Clock;
  readonly connections?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly identity?: () => TlsIdentity;
}

/** A client of a scripted server whose retries take no time and no chance. */
export function scriptedClient(
  { url }: Pick<ScriptedServer, 'url'>,
  options: ScriptedClientOptions = {},
): ApiClient {
  const {
    clock = new SkippingClock(),
    connections = 4,
    headers = {},
    identity = () => ({}),
  } = options;
  const transport = new UndiciTransport(
    { name: 'scripted', server: url, skipTLSVerify: true },
    { connections },
  );
  const credentials = { forRequest: async () => ({ headers, tls: identity() }) };
  return new ApiClient({ transport, credentials, clock, random: () => 0 });
}
