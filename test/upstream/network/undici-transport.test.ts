import { describe, expect, it } from 'vitest';

import { chunk, head, lastChunk, respond, send } from '../../support/chaos-upstream.ts';
import { record } from '../head/http-recorder.ts';
import { awaitClose, chunked, failureOf, finished, useTransportHarness } from './transport-harness.ts';

const harness = useTransportHarness();

describe('the undici transport', () => {
  it('sends the request as it is, and asks for an unencoded body', async () => {
    harness.upstream.script(respond(200, 'application/json', '{"a":1}'));
    const sent = record(harness.transport, `${harness.upstream.origin}/v1/chat?x=1`, '{"text":"ü"}');
    expect(await sent.outcome).toMatchObject({ body: '{"a":1}' });
    const request = await harness.upstream.request(0);
    expect(request).toMatchObject({ method: 'POST', path: '/v1/chat?x=1', body: '{"text":"ü"}' });
    expect(request.headers).toMatchObject({
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      'content-length': '13',
      host: new URL(harness.upstream.origin).host,
    });
    expect(await sent.headers).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  });

  it('sends headers of one request alone beside those of its target', async () => {
    harness.upstream.script(respond(200, 'application/json', '1'));
    harness.upstream.script(respond(200, 'application/json', '2'));
    const url = new URL(`${harness.upstream.origin}/v1/chat`);
    const request = { method: 'POST', url, headers: { 'content-type': 'application/json' }, body: '{}' } as const;
    const heard = {
      onHeaders: () => undefined,
      onData: () => undefined,
      onEnd: () => undefined,
      onError: () => undefined,
    };
    harness.transport.send({ ...request, ownHeaders: ['traceparent', '00-a-b-01'] }, heard);
    expect((await harness.upstream.request(0)).headers).toMatchObject({ traceparent: '00-a-b-01' });
    harness.transport.send(request, heard);
    expect((await harness.upstream.request(1)).headers).not.toHaveProperty('traceparent');
  });

  it('opens nothing before the first request', () => {
    expect(harness.upstream.connectionCount).toBe(0);
  });

  it('tells the handler nothing before send has returned, not even of a request that cannot be sent', async () => {
    const order: string[] = [];
    await harness.transport.close();
    const sent = harness.send((call) => order.push(call));
    order.push('returned');
    expect(await failureOf(sent)).toMatchObject({ class: 'local_refusal', neverSent: true });
    expect(order).toEqual(['returned', 'error']);
  });

  it('uses a connection again', async () => {
    harness.upstream.script(respond(200, 'application/json', '1'));
    harness.upstream.script(head(200, chunked), chunk('2'), lastChunk);
    expect((await finished(harness.send())).body).toBe('1');
    expect((await harness.send().outcome).body).toBe('2');
    expect(harness.upstream.connectionCount).toBe(1);
  });

  it('keeps several calls on connections of their own', async () => {
    const gate = Promise.withResolvers<void>();
    harness.upstream.script({ do: 'hold', until: gate.promise }, respond(200, 'application/json', '1'));
    harness.upstream.script({ do: 'hold', until: gate.promise }, respond(200, 'application/json', '1'));
    const calls = [harness.send(), harness.send()];
    await harness.upstream.request(1);
    gate.resolve();
    await Promise.all(calls.map((call) => call.outcome));
    expect(harness.upstream.connectionCount).toBe(2);
  });

  it('hands a redirect on instead of following it', async () => {
    harness.upstream.script(head(307, { location: `${harness.upstream.origin}/elsewhere`, 'content-length': 0 }));
    const sent = harness.send();
    await sent.outcome;
    expect(await sent.headers).toMatchObject({
      status: 307,
      headers: { location: `${harness.upstream.origin}/elsewhere` },
    });
    expect(harness.upstream.requestCount).toBe(1);
  });

  it('joins repeated headers and overlooks interim answers', async () => {
    harness.upstream.script(
      send('HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n'),
    );
    const sent = harness.send();
    await sent.outcome;
    expect(await sent.headers).toMatchObject({ status: 200, headers: { 'x-a': '1, 2' } });
    expect(sent.calls).toEqual(['headers 200', 'end']);
  });

  it('takes a flood of interim answers for a broken provider', async () => {
    harness.upstream.script(send('HTTP/1.1 102 Wait\r\n\r\n'.repeat(1000)), awaitClose);
    expect(await failureOf(harness.send())).toMatchObject({ class: 'protocol' });
    await (
      await harness.upstream.connection(0)
    ).closed;
  });
});

describe('backpressure', () => {
  it('stops reading, and reads on', async () => {
    const gate = Promise.withResolvers<void>();
    harness.upstream.script(head(200, chunked), chunk('1'), { do: 'hold', until: gate.promise }, chunk('2'), lastChunk);
    const sent = harness.send();
    await sent.firstData;
    sent.exchange.pause();
    gate.resolve();
    harness.upstream.script(respond(200, 'application/json', 'other'));
    await finished(harness.send());
    sent.exchange.resume();
    sent.exchange.resume();
    expect(await sent.outcome).toMatchObject({ body: '12' });
  });

  it('set before the request was written holds the body back', async () => {
    harness.upstream.script(head(200, chunked), chunk('1'), lastChunk);
    const sent = harness.send();
    sent.exchange.pause();
    await sent.headers;
    expect(sent.calls).toEqual(['headers 200']);
    sent.exchange.resume();
    expect(await sent.outcome).toMatchObject({ body: '1' });
  });

  it('is lifted safely out of the callback of another call', async () => {
    harness.upstream.script(head(200, chunked), chunk('1'), chunk('2'), lastChunk);
    const held = harness.send();
    held.exchange.pause();
    await held.headers;
    harness.upstream.script(respond(200, 'application/json', 'other'));
    const other = harness.send((call) => {
      if (call === 'data') held.exchange.resume();
    });
    expect(await other.outcome).toMatchObject({ body: 'other' });
    expect(await held.outcome).toMatchObject({ body: '12' });
  });
});
