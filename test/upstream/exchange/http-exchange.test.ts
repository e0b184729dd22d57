import { describe, expect, it } from 'vitest';

import type { Adapter } from '../../../src/providers/port/adapter.ts';
import { chunk, head, lastChunk, respond, send } from '../../support/chaos-upstream.ts';
import { awaitClose, headers200, ok, streamed, terminal, text, useExchangeHarness, words } from './exchange-harness.ts';
import { createToyAdapter } from './toy-adapter.ts';

const harness = useExchangeHarness();

describe('a streamed answer', () => {
  it('is reported as it comes', async () => {
    harness.upstream.script(head(200, { ...streamed, 'x-request-id': 'req_1' }), chunk(ok), lastChunk);
    expect(await harness.open().last).toEqual([
      { type: 'headers', status: 200, requestId: 'req_1' },
      { type: 'startup', bytes: ok.length, model: 'toy' },
      text('Hello'),
      { type: 'usage', usage: { outputTokens: 3 } },
      terminal,
      { type: 'end' },
    ]);
    expect(await harness.upstream.request(0)).toMatchObject({ path: '/toy', body: '{"ask":"ü"}' });
  });

  it.each([200, 429])('begins with what its headers say of rate limits, whatever the status (%d)', async (status) => {
    harness.upstream.script(head(status, { ...streamed, 'x-left': '7' }), chunk(ok), lastChunk);
    const limits: Adapter['limits'] = (headers, wallMs) => [
      { dimension: 'requests', limit: 9, remaining: Number(headers['x-left']), resetInMs: wallMs > 0 ? 5 : 0 },
    ];
    const [first] = await harness.open({ adapter: { ...createToyAdapter(), limits } }).last;
    expect(first).toMatchObject({
      type: 'headers',
      status,
      limits: [{ dimension: 'requests', limit: 9, remaining: 7, resetInMs: 5 }],
    });
  });

  it('has what the adapter does not know counted, and is no different for it', async () => {
    const odd = 'data: unknown\n\n';
    harness.upstream.script(head(200, streamed), chunk(odd), chunk(odd), chunk(ok), lastChunk);
    let count = 0;
    const onUnknown = () => {
      count += 1;
    };
    const events = await harness.open({ onUnknown }).last;
    expect(count).toBe(2);
    expect(events.filter(({ type }) => type !== 'startup')).toEqual([
      headers200,
      text('Hello'),
      { type: 'usage', usage: { outputTokens: 3 } },
      terminal,
      { type: 'end' },
    ]);
  });

  it('is the same in single bytes, each of them told', async () => {
    harness.upstream.script(
      head(200, streamed),
      ...[...Buffer.from(ok)].map((byte) => chunk(Uint8Array.of(byte))),
      lastChunk,
    );
    const events = await harness.open().last;
    expect(events.filter(({ type }) => type !== 'startup')).toEqual([
      headers200,
      text('Hello'),
      { type: 'usage', usage: { outputTokens: 3 } },
      terminal,
      { type: 'end' },
    ]);
    const before = events.slice(
      1,
      events.findIndex(({ type }) => type === 'output'),
    );
    expect(before.every((event) => event.type === 'startup' && event.bytes === 1)).toBe(true);
    expect(before).toHaveLength(ok.indexOf('Hello') + 'Hello\n\n'.length - 1);
  });

  it('tells the bytes of a chunk that holds no event', async () => {
    harness.upstream.script(head(200, streamed), chunk(': ping\n\n'), chunk(words('role')), chunk(ok), lastChunk);
    expect((await harness.open().last).slice(1, 3)).toEqual([
      { type: 'startup', bytes: 8 },
      { type: 'startup', bytes: 12 },
    ]);
  });

  it('takes an empty delta for no output', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text')), chunk(ok), lastChunk);
    expect((await harness.open().last)[1]).toEqual({ type: 'startup', bytes: 12 });
  });

  it('of NDJSON is read line by line, the last without its line feed', async () => {
    const lines = ['model toy', 'text Hello', 'finish stop'].map((word) => JSON.stringify(word)).join('\n');
    harness.upstream.script(respond(200, 'application/x-ndjson', lines));
    const events = await harness.open({ adapter: createToyAdapter('ndjson') }).last;
    expect(events.slice(2)).toEqual([text('Hello'), terminal, { type: 'end' }]);
  });

  it('without a content-type is read as what was asked for', async () => {
    harness.upstream.script(head(200, { 'content-length': ok.length }), send(ok));
    expect((await harness.open().last).at(-1)).toEqual({ type: 'end' });
    const json = '["text Hello","finish stop"]';
    harness.upstream.script(head(200, { 'content-length': json.length }), send(json));
    expect((await harness.open({ stream: false }).last).at(-1)).toEqual({ type: 'end' });
  });

  it('that comes as JSON is read as JSON', async () => {
    harness.upstream.script(
      respond(200, 'application/json; charset=utf-8', '["model toy","text Hello","finish stop"]'),
    );
    expect(await harness.open({ stream: true }).last).toEqual([
      headers200,
      { type: 'startup', bytes: 40 },
      { type: 'startup', bytes: 0, model: 'toy' },
      text('Hello'),
      terminal,
      { type: 'end' },
    ]);
  });

  it('ends with the connection where only its marker came', async () => {
    harness.upstream.script(head(200, streamed), chunk(words('text Hello', 'finish stop')), { do: 'reset' });
    expect((await harness.open().last).slice(-2)).toMatchObject([{ type: 'terminal' }, { type: 'end' }]);
    harness.upstream.script(head(200, streamed), chunk(words('text Hello', 'finish stop')), lastChunk);
    expect((await harness.open().last).slice(-2)).toMatchObject([{ type: 'terminal' }, { type: 'end' }]);
  });

  it('keeps what its marker said whatever comes behind it', async () => {
    harness.upstream.script(
      head(200, streamed),
      chunk(words('finish stop', 'text late', 'finish again', 'fail')),
      awaitClose,
    );
    expect(await harness.open().last).toMatchObject([headers200, { type: 'terminal' }, { type: 'end' }]);
    await (
      await harness.upstream.connection(0)
    ).closed;
  });
});
