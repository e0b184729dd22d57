import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Agent, type Dispatcher } from 'undici';
import { expect, test } from 'vitest';

import type { HttpHandler, HttpRequest } from '../../../src/core/transport.ts';
import { UndiciExchange } from '../../../src/upstream/network/undici-exchange.ts';
import { chunk, head, startChaosUpstream } from '../../support/chaos-upstream.ts';
import { chunked } from './transport-harness.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
}

/** Shows what undici holds of the answer. */
class SeenExchange extends UndiciExchange {
  controller: Dispatcher.DispatchController | undefined;

  override onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    super.onRequestStart(controller);
  }
}

test('an answer that lasts holds neither its request nor the bytes of its head', async () => {
  const upstream = await startChaosUpstream();
  const agent = new Agent();
  upstream.script(head(200, chunked), chunk('begun'));
  const begun = Promise.withResolvers<void>();
  const told: unknown[] = [];
  const handler: HttpHandler = {
    onHeaders: (status, headers) => told.push(status, headers['transfer-encoding']),
    onData: () => begun.resolve(),
    onEnd: () => undefined,
    onError: begun.reject,
  };
  const open = (): { exchange: SeenExchange; request: WeakRef<HttpRequest> } => {
    const request: HttpRequest = { method: 'POST', url: new URL(upstream.origin), headers: {}, body: '{}' };
    const exchange = new SeenExchange(request, handler);
    exchange.start(agent);
    return { exchange, request: new WeakRef(request) };
  };
  const { exchange, request } = open();
  await begun.promise;
  collectGarbage();
  expect(told).toEqual([200, 'chunked']);
  expect(request.deref()).toBeUndefined();
  expect(exchange.controller?.rawHeaders).toBeNull();
  exchange.abort();
  await agent.destroy();
  await upstream.close();
});
