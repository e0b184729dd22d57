import { once } from 'node:events';
import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { networkFailure } from '../../../src/upstream/network/socket-failure.ts';
import { chunk, head, respond, send, startChaosUpstream } from '../../support/chaos-upstream.ts';
import { phaseOf, record } from '../head/http-recorder.ts';
import { awaitClose, chunked, failureOf, finished, useTransportHarness } from './transport-harness.ts';

const harness = useTransportHarness();

describe('a connection that fails', () => {
  it('where nobody listens is of class connect, and cost nothing', async () => {
    const { origin } = harness.upstream;
    await harness.upstream.close();
    const failure = await failureOf(record(harness.transport, origin));
    expect(failure).toMatchObject({ class: 'connect', providerCode: 'ECONNREFUSED', neverSent: true });
  });

  it('on all addresses of a name is of class connect', async () => {
    const { port } = new URL(harness.upstream.origin);
    await harness.upstream.close();
    const failure = await failureOf(record(harness.transport, `http://localhost:${port}`));
    expect(failure).toMatchObject({ class: 'connect', neverSent: true });
  });

  it('during the TLS handshake is of class connect', async () => {
    const mute = await startChaosUpstream();
    const sent = record(harness.transport, mute.origin.replace('http:', 'https:'));
    await mute.connection(0);
    await mute.close();
    expect(await failureOf(sent)).toMatchObject({ class: 'connect', neverSent: true });
  });

  it('because the other side speaks no TLS is of class tls', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const port = Reflect.get(Object(plain.address()), 'port');
    const failure = await failureOf(record(harness.transport, `https://127.0.0.1:${port}`));
    plain.close();
    expect(failure).toMatchObject({ class: 'tls', neverSent: true });
  });

  it.each([
    ['reset before the answer', [{ do: 'reset' } as const], 'sent'],
    ['close before the answer', [{ do: 'end' } as const], 'sent'],
    ['reset within the headers', [send('HTTP/1.1 200 OK\r\nx-a'), { do: 'reset' } as const], 'answered'],
    ['reset within the body', [head(200, chunked), chunk('1'), { do: 'reset' } as const], 'answered'],
    ['close within a chunked body', [head(200, chunked), chunk('1'), { do: 'end' } as const], 'answered'],
    [
      'a body shorter than its length',
      [head(200, { 'content-length': 9 }), send('12'), { do: 'end' } as const],
      'answered',
    ],
    [
      'a closed body shorter than its length',
      [head(200, { 'content-length': 9, connection: 'close' }), send('12'), { do: 'end' } as const],
      'answered',
    ],
    [
      'a closed chunked body without its end',
      [head(200, { ...chunked, connection: 'close' }), chunk('1'), { do: 'end' } as const],
      'answered',
    ],
  ])('by %s is of class reset', async (_what, steps, phase) => {
    harness.upstream.script(...steps);
    const { error } = await harness.send().outcome;
    expect(phaseOf(error)).toBe(phase);
    const failure = networkFailure(error);
    expect(failure).toMatchObject({ class: 'reset', reason: 'PROVIDER_UNAVAILABLE' });
    expect(failure.neverSent).toBeUndefined();
  });

  it.each([['reset'], ['end']] as const)(
    'on an idle connection (%s) before any answer is of class stale_socket',
    async (how) => {
      harness.upstream.script(respond(200, 'application/json', '1'));
      harness.upstream.script({ do: how });
      await finished(harness.send());
      const { error } = await harness.send().outcome;
      expect(phaseOf(error)).toBe('sent, reused');
      expect(networkFailure(error)).toMatchObject({ class: 'stale_socket' });
    },
  );

  it('on a new connection in the place of an old one is of class reset', async () => {
    const gate = Promise.withResolvers<void>();
    const hold = { do: 'hold', until: gate.promise } as const;
    harness.upstream.script(hold, respond(200, 'application/json', '1'), { do: 'end' });
    harness.upstream.script(hold, respond(200, 'application/json', '2'));
    harness.upstream.script({ do: 'reset' });
    const calls = [harness.send(), harness.send()];
    await harness.upstream.request(1);
    gate.resolve();
    await Promise.all(calls.map(async (call) => finished(call)));
    const { connection } = await harness.upstream.request(0);
    await (
      await harness.upstream.connection(connection)
    ).closed;
    const { error } = await harness.send().outcome;
    expect(phaseOf(error)).toBe('sent');
    expect(harness.upstream.connectionCount).toBe(3);
  });

  it('on a reused connection within an answer is of class reset', async () => {
    harness.upstream.script(respond(200, 'application/json', '1'));
    harness.upstream.script(head(200, chunked), { do: 'reset' });
    await finished(harness.send());
    expect(await failureOf(harness.send())).toMatchObject({ class: 'reset' });
  });

  it.each([
    ['no HTTP', [send('hello world\r\n\r\n')]],
    ['a bad chunk size', [head(200, chunked), send('zz\r\nxx\r\n')]],
    ['headers without end', [send(`HTTP/1.1 200 OK\r\nx-a: ${'x'.repeat(200_000)}`)]],
  ])('by %s is of class protocol', async (_what, steps) => {
    harness.upstream.script(...steps, awaitClose);
    expect(await failureOf(harness.send())).toMatchObject({ class: 'protocol' });
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('by a header that HTTP cannot carry is a fault of ours and sends nothing', async () => {
    const outcome = Promise.withResolvers<unknown>();
    harness.transport.send(
      { method: 'POST', url: new URL(harness.upstream.origin), headers: { authorization: 'Bearer a\nb' }, body: '{}' },
      { onHeaders: () => undefined, onData: () => undefined, onEnd: () => undefined, onError: outcome.resolve },
    );
    const failure = networkFailure(await outcome.promise);
    expect(failure).toMatchObject({ class: 'internal', neverSent: true });
    expect(harness.upstream.connectionCount).toBe(0);
  });
});
