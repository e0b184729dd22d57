import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { chunk, head, lastChunk, respond, send } from '../../support/chaos-upstream.ts';
import { awaitClose, failureOf, ok, streamed, useExchangeHarness, words } from './exchange-harness.ts';
import { createToyAdapter } from './toy-adapter.ts';

const harness = useExchangeHarness();

describe('a cut answer is never a success', () => {
  it.each([
    ['between events', [chunk(words('text Hello')), lastChunk], 'reset'],
    ['within an event', [chunk(`${words('text Hello')}data: fin`), lastChunk], 'reset'],
    ['with its marker but without the blank line', [chunk('data: finish stop\n'), lastChunk], 'reset'],
    ['by a reset', [chunk(words('text Hello')), { do: 'reset' } as const], 'reset'],
    ['by a close', [chunk(words('text Hello')), { do: 'end' } as const], 'reset'],
    ['before its first event', [chunk(': ping\n\n'), lastChunk], 'protocol'],
    ['at once', [lastChunk], 'protocol'],
    ['though it says so', [chunk(words('text Hello', '[DONE]')), lastChunk], 'reset'],
  ])('%s', async (_where, steps, expected) => {
    harness.upstream.script(head(200, streamed), ...steps);
    expect(await failureOf(harness.open())).toMatchObject({ class: expected, httpStatus: 200 });
  });

  it('in NDJSON within a line', async () => {
    harness.upstream.script(respond(200, 'application/x-ndjson', '"text Hello"\n"finish st'));
    expect(await failureOf(harness.open({ adapter: createToyAdapter('ndjson') }))).toMatchObject({ class: 'reset' });
  });

  it('in JSON, or without its end marker', async () => {
    harness.upstream.script(respond(200, 'application/json', '["text Hello","fini'));
    expect(await failureOf(harness.open())).toMatchObject({ class: 'protocol' });
    harness.upstream.script(respond(200, 'application/json', '["text Hello"]'));
    expect(await failureOf(harness.open())).toMatchObject({ class: 'protocol' });
    harness.upstream.script(head(200, { 'content-type': 'application/json', 'content-length': 99 }), send('["te'), {
      do: 'end',
    });
    expect(await failureOf(harness.open())).toMatchObject({ class: 'reset' });
  });
});

describe('an answer that breaks the rules is of class protocol', () => {
  it.each([
    ['HTML', respond(200, 'text/html', '<html>Sign in</html>')],
    ['plain text', respond(200, 'text/plain', 'Sign in, please')],
    ['invalid UTF-8', respond(200, 'text/event-stream', Uint8Array.of(0x64, 0xff, 0x0a))],
    ['invalid UTF-8 in JSON', respond(200, 'application/json', Uint8Array.of(0x22, 0xff, 0x22))],
    ['an empty JSON body', respond(200, 'application/json', '')],
    ['no content', head(204)],
  ])('%s', async (_what, step) => {
    harness.upstream.script(step);
    const failure = await failureOf(harness.open());
    expect(failure).toMatchObject({ class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR' });
    expect(JSON.stringify(failure)).not.toContain('Sign in');
  });

  it('a stream that never ends, once its answer is larger than allowed', async () => {
    const pieces = Array.from({ length: 20 }, () => chunk(words(`text ${'x'.repeat(100)}`)));
    harness.upstream.script(head(200, streamed), ...pieces, awaitClose);
    const attempt = harness.open({ limits: { answerBytes: 1000 } });
    expect(await failureOf(attempt)).toMatchObject({ class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR' });
    const outputs = attempt.events.filter(({ type }) => type === 'output');
    expect(outputs.length).toBeLessThan(10);
  });

  it('a stream of very many tiny pieces, which take more memory than their text', async () => {
    harness.upstream.script(
      head(200, streamed),
      chunk(words(...Array.from({ length: 100 }, () => 'text x'))),
      awaitClose,
    );
    expect(await failureOf(harness.open({ limits: { answerBytes: 1000 } }))).toMatchObject({ class: 'protocol' });
  });

  it('a line or a body that is longer than allowed, and its connection is closed', async () => {
    harness.upstream.script(head(200, streamed), chunk('data: '), chunk('x'.repeat(2000)), awaitClose);
    expect(await failureOf(harness.open({ limits: { eventChars: 1000 } }))).toMatchObject({ class: 'protocol' });
    await (
      await harness.upstream.connection(0)
    ).closed;
    harness.upstream.script(
      head(200, { ...streamed, 'content-type': 'application/json' }),
      chunk('x'.repeat(2000)),
      awaitClose,
    );
    expect(await failureOf(harness.open({ limits: { jsonBodyBytes: 1000 } }))).toMatchObject({ class: 'protocol' });
    await (
      await harness.upstream.connection(1)
    ).closed;
  });
});

describe('an error status', () => {
  it('is classified by the adapter, with headers, body and time, and its connection is used again', async () => {
    harness.upstream.script(
      head(429, { 'content-length': 6, 'retry-after': 7, 'request-id': 'req_2', 'content-type': 'text/plain' }),
      send('abcdef'),
    );
    const attempt = harness.open();
    expect(await failureOf(attempt)).toMatchObject({
      class: 'overload',
      httpStatus: 429,
      retryAfterMs: 7000,
      providerRequestId: 'req_2',
      cause: { length: 6, end: 'def', wallMs: 1_000_000 },
    });
    expect(attempt.events[0]).toEqual({ type: 'headers', status: 429, requestId: 'req_2' });
    await setImmediate();
    harness.upstream.script(respond(200, 'text/event-stream', ok));
    await harness.open().last;
    expect(harness.upstream.connectionCount).toBe(1);
    expect(harness.runtime.pendingTimers()).toBe(0);
  });

  it('is classified with 64 KiB of a longer body, whose connection is closed', async () => {
    harness.upstream.script(head(500, streamed), chunk('x'.repeat(100 * 1024)), awaitClose);
    expect(await failureOf(harness.open())).toMatchObject({ httpStatus: 500, cause: { length: 64 * 1024 } });
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it.each([
    ['is cut off', { do: 'reset' } as const],
    ['is not UTF-8', send(Uint8Array.of(0x33, 0x0d, 0x0a, 0xff, 0xfe, 0xfd, 0x0d, 0x0a, 0x30, 0x0d, 0x0a, 0x0d, 0x0a))],
  ])('counts although its body %s', async (_what, step) => {
    harness.upstream.script(head(503, streamed), chunk('abc'), step);
    expect(await failureOf(harness.open())).toMatchObject({ class: 'overload', httpStatus: 503 });
  });

  it('counts although its body never ends', async () => {
    harness.upstream.script(head(503, streamed), chunk('abc'), awaitClose);
    const attempt = harness.open();
    await harness.upstream.request(0);
    await attempt.until('startup');
    await harness.runtime.advance(5_000);
    expect(await failureOf(attempt)).toMatchObject({ class: 'overload', httpStatus: 503, cause: { length: 3 } });
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('of a redirect is not followed', async () => {
    harness.upstream.script(head(302, { location: `${harness.upstream.origin}/other`, 'content-length': 0 }));
    expect(await failureOf(harness.open())).toMatchObject({ httpStatus: 302 });
    expect(harness.upstream.requestCount).toBe(1);
  });

  it('in a coding that nobody knows counts as well', async () => {
    harness.upstream.script(head(503, { ...streamed, 'content-encoding': 'x-secret' }), chunk('abc'), lastChunk);
    expect(await failureOf(harness.open())).toMatchObject({ class: 'overload', httpStatus: 503 });
  });
});

describe('a failure of the adapter', () => {
  it('ends the attempt and its connection', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text Hello', 'fail', 'text more')), awaitClose);
    const attempt = harness.open();
    expect(await failureOf(attempt)).toMatchObject({ class: 'overload', httpStatus: 200 });
    expect(attempt.events.map(({ type }) => type)).toEqual(['headers', 'output', 'error']);
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('that is a fault of ours is of class internal', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('bug secret')), awaitClose);
    const failure = await failureOf(harness.open());
    expect(failure).toMatchObject({ class: 'internal', reason: 'INTERNAL' });
    expect(failure.message).not.toContain('secret');
    expect(failure.cause).toBeInstanceOf(TypeError);
    harness.upstream.script(respond(200, 'application/json', '["bug secret"]'));
    expect(await failureOf(harness.open())).toMatchObject({ class: 'internal' });
  });
});
