import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach } from 'vitest';

import type { Failure } from '../../../src/core/failure.ts';
import { networkFailure } from '../../../src/upstream/network/socket-failure.ts';
import type { Transport } from '../../../src/core/transport.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import type { UndiciTransportOptions } from '../../../src/upstream/network/undici-transport.ts';
import { startChaosUpstream } from '../../support/chaos-upstream.ts';
import type { ChaosUpstream } from '../../support/chaos-upstream.ts';
import { record } from '../head/http-recorder.ts';
import type { HttpRecord } from '../head/http-recorder.ts';

/** A chaos upstream and a transport, new for each test. */
export interface TransportHarness {
  readonly upstream: ChaosUpstream;
  readonly transport: Transport;
  /** Sends a request to the upstream. */
  send(heard?: (call: string) => void): HttpRecord;
  /** Sends a request to the upstream as if it spoke TLS. */
  sendTls(): HttpRecord;
}

/** Registers what starts and stops the harness around each test of a file. */
export function useTransportHarness(options: Partial<UndiciTransportOptions> = {}): TransportHarness {
  let upstream: ChaosUpstream;
  let transport: Transport;
  beforeEach(async () => {
    upstream = await startChaosUpstream();
    // Longer than any test: what ends a connection attempt here is not its timer.
    transport = createUndiciTransport(system, { connectTimeoutMs: 60_000, ...options });
  });
  afterEach(async () => {
    await transport.close();
    await upstream.close();
  });
  return {
    get upstream() {
      return upstream;
    },
    get transport() {
      return transport;
    },
    send: (heard) => record(transport, upstream.origin, '{}', heard),
    sendTls: () => record(transport, upstream.origin.replace('http:', 'https:')),
  };
}

/** Resolves when a call has ended and its connection is free: undici waits one turn of the event loop before that. */
export async function finished(sent: HttpRecord): Promise<Awaited<HttpRecord['outcome']>> {
  const outcome = await sent.outcome;
  await setImmediate();
  return outcome;
}

/** Resolves with the failure that a call ended with. */
export async function failureOf(sent: HttpRecord): Promise<Failure> {
  return networkFailure((await sent.outcome).error);
}

/** The step that waits for the client's close. */
export const awaitClose = { do: 'await_close' } as const;

/** Headers of a chunked body. */
export const chunked = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' };
