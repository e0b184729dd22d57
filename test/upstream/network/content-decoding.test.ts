import { randomBytes } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { networkFailure } from '../../../src/upstream/network/socket-failure.ts';
import { chunk, head, lastChunk, respond, send } from '../../support/chaos-upstream.ts';
import { awaitClose, chunked, failureOf, finished, useTransportHarness } from './transport-harness.ts';

const harness = useTransportHarness();

describe('a body that comes encoded all the same', () => {
  const text = 'data: one ü\n\ndata: [DONE]\n\n'.repeat(50);
  const encoded = (coding: string) => ({ 'content-type': 'text/event-stream', 'content-encoding': coding });

  it.each([
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
  ])('in %s is decoded', async (coding, bytes) => {
    harness.upstream.script(head(200, { ...encoded(coding), 'content-length': bytes.length }), send(bytes));
    const sent = harness.send();
    expect(await finished(sent)).toMatchObject({ body: text });
    harness.upstream.script(respond(200, 'application/json', '2'));
    await finished(harness.send());
    expect(harness.upstream.connectionCount).toBe(1);
  });

  it('and is cut off is of class reset', async () => {
    const half = gzipSync(text).subarray(0, 40);
    harness.upstream.script(head(200, { ...encoded('gzip'), 'content-length': half.length }), send(half));
    expect(await failureOf(harness.send())).toMatchObject({ class: 'reset' });
  });

  it('and is not what it says is of class protocol', async () => {
    harness.upstream.script(head(200, { ...encoded('gzip'), ...chunked }), chunk('plain text'), awaitClose);
    expect(await failureOf(harness.send())).toMatchObject({ class: 'protocol' });
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('in a coding that nobody knows is of class protocol', async () => {
    harness.upstream.script(head(200, { ...encoded('x-secret'), ...chunked }), awaitClose);
    const sent = harness.send();
    expect(await failureOf(sent)).toMatchObject({ class: 'protocol' });
    expect(sent.calls).toEqual(['headers 200', 'error']);
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('and is a bomb is of class protocol', async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    harness.upstream.script(head(200, { ...encoded('gzip'), ...chunked }), chunk(bomb), awaitClose);
    const { error, body } = await harness.send().outcome;
    expect(networkFailure(error)).toMatchObject({ class: 'protocol' });
    expect(body.length).toBeLessThan(8 * 1024 * 1024);
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('and is empty is an empty body', async () => {
    harness.upstream.script(head(200, { ...encoded('gzip'), 'content-length': 0 }));
    expect(await harness.send().outcome).toEqual({ body: '', pieces: 0 });
  });

  it('and is large is decoded whole', async () => {
    const large = randomBytes(3 * 1024 * 1024).toString('base64');
    harness.upstream.script(head(200, { ...encoded('gzip'), ...chunked }), chunk(gzipSync(large)), lastChunk);
    expect((await harness.send().outcome).body === large).toBe(true);
  });

  it('can be paused, resumed and aborted', async () => {
    harness.upstream.script(head(200, { ...encoded('gzip'), ...chunked }), chunk(gzipSync(text)), lastChunk);
    const sent = harness.send();
    sent.exchange.pause();
    await sent.headers;
    sent.exchange.resume();
    expect(await sent.outcome).toMatchObject({ body: text });
    harness.upstream.script(head(200, { ...encoded('gzip'), ...chunked }), chunk(gzipSync(text)), awaitClose);
    const aborted = harness.send();
    await aborted.headers;
    aborted.exchange.abort();
    await (
      await harness.upstream.connection(0)
    ).closed;
    expect(aborted.calls).toEqual(['headers 200']);
  });
});
