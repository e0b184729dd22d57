import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { RequestHead } from '../../../src/upstream/port/request-head.ts';
import { chunk, head, lastChunk, respond } from '../../support/chaos-upstream.ts';
import { awaitClose, failureOf, ok, streamed, text, useExchangeHarness, words } from './exchange-harness.ts';
import type { Attempt } from './exchange-harness.ts';
import { stopReader } from './toy-adapter.ts';

const harness = useExchangeHarness();

describe('the connection', () => {
  it('that cannot be made is told once, after open has returned', async () => {
    const { origin } = harness.upstream;
    await harness.upstream.close();
    const attempt = harness.open({ head: { url: new URL(origin), headers: {} } });
    expect(attempt.events).toEqual([]);
    expect(await failureOf(attempt)).toMatchObject({ class: 'connect', neverSent: true, providerCode: 'ECONNREFUSED' });
  });

  it('is used again after release', async () => {
    const gate = Promise.withResolvers<void>();
    const finished = words('text Hello', 'finish stop');
    harness.upstream.script(
      head(200, streamed),
      chunk(finished),
      { do: 'hold', until: gate.promise },
      chunk(': bye\n\n'),
      lastChunk,
    );
    const attempt = harness.open();
    await attempt.until('terminal');
    attempt.handle.pause();
    attempt.handle.release();
    gate.resolve();
    while (harness.runtime.pendingTimers() > 0) await setImmediate();
    await setImmediate();
    harness.upstream.script(respond(200, 'text/event-stream', ok));
    await harness.open().last;
    expect(harness.upstream.connectionCount).toBe(1);
    expect(attempt.events.at(-1)?.type).toBe('terminal');
  });

  it('is closed after release where the rest takes more than a second', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('finish stop')), awaitClose);
    const attempt = harness.open();
    await attempt.until('terminal');
    attempt.handle.release();
    const connection = await harness.upstream.connection(0);
    await harness.runtime.advance(999);
    expect(connection.isOpen()).toBe(true);
    await harness.runtime.advance(1);
    await connection.closed;
  });

  it('is closed after release where the rest is more than 64 KiB', async () => {
    const gate = Promise.withResolvers<void>();
    const rest = chunk('x'.repeat(80 * 1024));
    harness.upstream.script(
      head(200, streamed),
      chunk(words('finish stop')),
      { do: 'hold', until: gate.promise },
      rest,
      awaitClose,
    );
    const attempt = harness.open();
    await attempt.until('terminal');
    attempt.handle.release();
    gate.resolve();
    await (
      await harness.upstream.connection(0)
    ).closed;
    expect(harness.runtime.pendingTimers()).toBe(0);
  });

  it('is closed by a release before the end marker', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text Hello')), awaitClose);
    const attempt = harness.open();
    await attempt.until('output');
    attempt.handle.release();
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('is closed by an end that cancels', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text Hello', 'finish stop', 'cancel')), awaitClose);
    expect((await harness.open().last).at(-1)).toEqual({ type: 'end' });
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it.each([
    ['while headers are awaited', [awaitClose], undefined],
    ['at its headers', [head(200, streamed), awaitClose], 'headers'],
    ['at its first bytes', [head(200, streamed), chunk(': ping\n\n'), awaitClose], 'startup'],
    ['at its first output', [head(200, streamed), chunk(words('text a', 'text b')), awaitClose], 'output'],
    ['at its end marker', [head(200, streamed), chunk(words('finish stop', 'usage 1')), awaitClose], 'terminal'],
  ] as const)('is closed by an abort %s, after which nothing is told', async (_when, steps, type) => {
    harness.upstream.script(...steps);
    const attempt: Attempt = harness.open({}, (event) => {
      if (event.type === type) attempt.handle.abort();
    });
    await harness.upstream.request(0);
    if (type === undefined) attempt.handle.abort();
    await (
      await harness.upstream.connection(0)
    ).closed;
    expect(attempt.events.at(-1)?.type).toBe(type);
    attempt.handle.abort();
    attempt.handle.release();
    attempt.handle.pause();
    attempt.handle.resume();
    expect(harness.runtime.pendingTimers()).toBe(0);
  });

  it('stops being read, and is read on', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text a')), chunk(words('finish stop')), lastChunk);
    const attempt: Attempt = harness.open({}, (event) => {
      if (event.type === 'output') attempt.handle.pause();
    });
    await attempt.until('output');
    await setImmediate();
    expect(attempt.events.at(-1)?.type).toBe('output');
    attempt.handle.resume();
    expect((await attempt.last).at(-1)).toEqual({ type: 'end' });
  });
});

describe('a wrapped reader', () => {
  it('ends a stream and stops the provider', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text a', 'text STOP', 'text b')), awaitClose);
    const events = await harness.open({ wrapReader: stopReader }).last;
    expect(events.slice(1)).toMatchObject([text('a'), { type: 'terminal' }, { type: 'end' }]);
    await (
      await harness.upstream.connection(0)
    ).closed;
  });

  it('ends a whole answer', async () => {
    harness.upstream.script(respond(200, 'application/json', '["text a","text STOP","text b","finish length"]'));
    const events = await harness.open({ wrapReader: stopReader }).last;
    expect(events.slice(2)).toMatchObject([text('a'), { type: 'terminal', final: { raw: 'stop' } }, { type: 'end' }]);
  });
});

describe('a head that is still being formed', () => {
  it('is waited for', async () => {
    harness.upstream.script(respond(200, 'text/event-stream', ok));
    const url = new URL(`${harness.upstream.origin}/later`);
    expect((await harness.open({ head: Promise.resolve({ url, headers: {} }) }).last).at(-1)).toEqual({ type: 'end' });
    expect((await harness.upstream.request(0)).path).toBe('/later');
  });

  it('remembers that it was paused', async () => {
    const later = Promise.withResolvers<RequestHead>();
    harness.upstream.script(head(200, streamed), chunk(ok), lastChunk);
    const attempt = harness.open({ head: later.promise });
    attempt.handle.pause();
    later.resolve({ url: new URL(harness.upstream.origin), headers: {} });
    await attempt.until('headers');
    await setImmediate();
    expect(attempt.events).toHaveLength(1);
    attempt.handle.resume();
    expect((await attempt.last).at(-1)).toEqual({ type: 'end' });
  });

  it('and fails is a fault of ours', async () => {
    expect(await failureOf(harness.open({ head: Promise.reject(new TypeError('Invalid URL')) }))).toMatchObject({
      class: 'internal',
      neverSent: true,
    });
  });

  it('that is there, but of a request that cannot be sent, is told after open has returned', async () => {
    const broken = {
      send: () => {
        throw new TypeError('a fault');
      },
      retire: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const attempt = harness.open({ transport: broken });
    expect(attempt.events).toEqual([]);
    expect(await failureOf(attempt)).toMatchObject({ class: 'internal', neverSent: true });
    expect(attempt.events).toHaveLength(1);
  });

  it('and is no longer needed sends nothing', async () => {
    const later = Promise.withResolvers<RequestHead>();
    const attempt = harness.open({ head: later.promise });
    attempt.handle.abort();
    later.resolve({ url: new URL(harness.upstream.origin), headers: {} });
    harness.upstream.script(respond(200, 'text/event-stream', ok));
    await harness.open().last;
    expect(harness.upstream.requestCount).toBe(1);
    expect(attempt.events).toEqual([]);
  });
});
