import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { chunk, head, respond } from '../../support/chaos-upstream.ts';
import { awaitClose, chunked, failureOf, finished, useTransportHarness } from './transport-harness.ts';

const harness = useTransportHarness();

describe('an abort is seen by the upstream as a close', () => {
  it('while TLS is being set up', async () => {
    const sent = harness.sendTls();
    const connection = await harness.upstream.connection(0);
    sent.exchange.abort();
    await connection.closed;
    expect(sent.calls).toEqual([]);
  });

  it('while headers are awaited', async () => {
    harness.upstream.script(awaitClose);
    const sent = harness.send();
    await harness.upstream.request(0);
    sent.exchange.abort();
    await (
      await harness.upstream.connection(0)
    ).closed;
    expect(sent.calls).toEqual([]);
  });

  it('within the body', async () => {
    harness.upstream.script(head(200, chunked), chunk('data: 1\n\n'), awaitClose);
    const sent = harness.send();
    await sent.firstData;
    sent.exchange.abort();
    await (
      await harness.upstream.connection(0)
    ).closed;
    expect(sent.calls).toEqual(['headers 200', 'data']);
  });

  it('within a paused body', async () => {
    harness.upstream.script(head(200, chunked), chunk('data: 1\n\n'), awaitClose);
    const sent = harness.send();
    await sent.headers;
    sent.exchange.pause();
    sent.exchange.abort();
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('out of the callback that brings data', async () => {
    harness.upstream.script(head(200, chunked), chunk('1'), chunk('2'), awaitClose);
    const sent = harness.send((call) => {
      if (call === 'data') sent.exchange.abort();
    });
    await (
      await harness.upstream.connection(0)
    ).closed;
    expect(sent.calls).toEqual(['headers 200', 'data']);
  });

  it('and before anything was opened, nothing is', async () => {
    const aborted = harness.send();
    aborted.exchange.abort();
    harness.upstream.script(respond(200, 'application/json', '1'));
    await finished(harness.send());
    expect(harness.upstream.connectionCount).toBe(1);
    expect(aborted.calls).toEqual([]);
  });

  it('but before its request was written on an open connection, that connection stays', async () => {
    harness.upstream.script(respond(200, 'application/json', '1'));
    harness.upstream.script(respond(200, 'application/json', '3'));
    await finished(harness.send());
    const aborted = harness.send();
    // One microtask later undici has the request, but writes only after it has looked at the idle socket.
    await Promise.resolve();
    aborted.exchange.abort();
    expect((await harness.send().outcome).body).toBe('3');
    expect(aborted.calls).toEqual([]);
  });

  it('and one that comes after the end leaves the connection to the next call', async () => {
    const gate = Promise.withResolvers<void>();
    harness.upstream.script(respond(200, 'application/json', '1'));
    harness.upstream.script({ do: 'hold', until: gate.promise }, respond(200, 'application/json', '2'));
    const first = harness.send();
    await finished(first);
    const second = harness.send();
    await harness.upstream.request(1);
    first.exchange.abort();
    first.exchange.pause();
    gate.resolve();
    expect((await second.outcome).body).toBe('2');
    expect(harness.upstream.connectionCount).toBe(1);
  });

  it('also when the whole transport is closed, in every phase', async () => {
    harness.upstream.script(head(200, chunked), chunk('1'), awaitClose);
    const reading = harness.send();
    await reading.firstData;
    const connecting = harness.sendTls();
    const second = await harness.upstream.connection(1);
    await harness.transport.close();
    await (
      await harness.upstream.connection(0)
    ).closed;
    await second.closed;
    expect(await failureOf(reading)).toMatchObject({ class: 'local_refusal' });
    expect((await failureOf(connecting)).neverSent).toBe(true);
  });
});

describe('with one connection at most', () => {
  const single = useTransportHarness({ connections: 1 });

  it('an abort takes a waiting call out of the queue and leaves the connection alone', async () => {
    const gate = Promise.withResolvers<void>();
    single.upstream.script({ do: 'hold', until: gate.promise }, respond(200, 'application/json', 'first'));
    single.upstream.script(respond(200, 'application/json', 'third'));
    const first = single.send();
    await single.upstream.request(0);
    const second = single.send();
    const third = single.send();
    await setImmediate();
    second.exchange.abort();
    gate.resolve();
    expect((await first.outcome).body).toBe('first');
    expect((await third.outcome).body).toBe('third');
    expect(second.calls).toEqual([]);
    expect(single.upstream).toMatchObject({ connectionCount: 1, requestCount: 2 });
  });
});
