import { afterEach, beforeEach } from 'vitest';

import { createHeadSource } from '../../../src/upstream/head/sdk.ts';
import type { HeadTarget } from '../../../src/upstream/port/request-head.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { startReplayServer } from '../../support/replay-server.ts';
import type { Recording, ReplayRequest, ReplayServer } from '../../support/replay-server.ts';

/** A loopback server that shows what an SDK sends and what the gateway sends in its place. */
export interface SdkHarness {
  readonly server: ReplayServer;
  /** Lets an SDK make a call, answered with `answer`, and returns the request that it has sent. */
  theirs(answer: Recording, call: () => PromiseLike<unknown>): Promise<ReplayRequest>;
  /** Sends a body with the head that is formed for it, as the gateway does, and returns the request. */
  ours(
    target: HeadTarget,
    path: string,
    body: { readonly model: string; readonly stream?: boolean },
  ): Promise<ReplayRequest>;
}

/** An empty answer as JSON. */
export const JSON_ANSWER: Recording = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

/** Registers what starts and stops the harness around each test of a file, without the variables of `leaks` meanwhile. */
export function useSdkHarness(leaks: Readonly<Record<string, string>>): SdkHarness {
  let server: ReplayServer;
  let environment: Readonly<Record<string, string | undefined>>;
  beforeEach(async () => {
    environment = Object.fromEntries(Object.keys(leaks).map((name) => [name, process.env[name]]));
    for (const name of Object.keys(leaks)) delete process.env[name];
    server = await startReplayServer();
  });
  afterEach(async () => {
    for (const [name, value] of Object.entries(environment)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await server.close();
  });
  const lastRequest = (): ReplayRequest => {
    const request = server.requests.at(-1);
    if (request === undefined) throw new Error('no request came');
    return request;
  };
  return {
    get server() {
      return server;
    },
    theirs: async (answer, call) => {
      server.enqueue(answer);
      await call();
      return lastRequest();
    },
    ours: async (target, path, body) => {
      const head = await createHeadSource(target).head({ path, stream: body.stream === true, model: body.model });
      server.enqueue(JSON_ANSWER);
      const transport = createUndiciTransport(system);
      const done = Promise.withResolvers<void>();
      transport.send(
        { method: 'POST', ...head, body: JSON.stringify(body) },
        { onHeaders: () => undefined, onData: () => undefined, onEnd: done.resolve, onError: done.reject },
      );
      await done.promise;
      await transport.close();
      return lastRequest();
    },
  };
}

/**
 * What of a request must be the same. The rest belongs to whoever carries it: `connection` and `accept-encoding` (we refuse
 * encoded bodies), `accept-language` and `sec-fetch-mode` (made by `fetch`), `content-length` (follows from the body).
 */
export function comparable({ method, path, headers, body }: ReplayRequest): object {
  const { connection: _1, 'accept-encoding': _2, 'accept-language': _3, 'sec-fetch-mode': _4, ...rest } = headers;
  return { method, path, headers: rest, body };
}
