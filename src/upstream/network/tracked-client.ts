import type { Socket } from 'node:net';

import { Client } from 'undici';

import type { Connecting, Connector } from './connector.ts';
import type { TrackedConnection } from './undici-exchange.ts';
import { UndiciExchange } from './undici-exchange.ts';

/** How old connections may become, on the clock that measures it; in milliseconds. */
export interface ConnectionAges {
  readonly now: () => number;
  /** Returns the age from which a new connection serves one call more. */
  readonly drawMaxMs: () => number;
}

/**
 * Makes an undici client that tells each exchange which connection serves it. undici gives a request no hold on its
 * connection before it is written; without this an abort during DNS, TCP or TLS would leave the socket open. A client
 * without pipelining has at most one request, so that its connecting socket is that request's alone.
 *
 * A connection that is too old serves one call more, which says so (`connection: close`), and is closed behind its answer.
 */
export function createTrackedClient(
  origin: string | URL,
  options: Client.Options,
  connector: Connector,
  connecting: Set<Connecting>,
  ages: ConnectionAges,
): Client {
  let pending: Connecting | undefined;
  let standing: Socket | undefined;
  let lastCallAtMs = Infinity;
  const connection: TrackedConnection = {
    requests: 0,
    cancelConnecting: () => {
      pending?.destroy(new Error('aborted while connecting'));
    },
  };
  const client = new Client(origin, {
    ...options,
    pipelining: 1,
    connect: (target, callback) => {
      connection.requests = 0;
      const settled = (): void => {
        if (pending !== undefined) connecting.delete(pending);
        pending = undefined;
      };
      pending = connector(target, (...outcome) => {
        settled();
        standing = outcome[1] ?? undefined;
        lastCallAtMs = ages.now() + ages.drawMaxMs();
        callback(...outcome);
      });
      connecting.add(pending);
    },
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request, handler) => {
    if (handler instanceof UndiciExchange) handler.assign(connection);
    const isOld = standing?.destroyed === false && ages.now() >= lastCallAtMs;
    return dispatch(isOld ? { ...request, reset: true } : request, handler);
  };
  return client;
}
