import { expect, it } from 'vitest';

import { ask } from '../../src/upstream/ask.ts';
import { chunk, head, lastChunk, respond } from '../support/chaos-upstream.ts';
import { awaitClose, chunked, useTransportHarness } from './network/transport-harness.ts';

const harness = useTransportHarness();

function question(path = '/models', body?: Readonly<Record<string, unknown>>, signal = new AbortController().signal) {
  const url = new URL(`${harness.upstream.origin}${path}`);
  return ask(harness.transport, { url, headers: { authorization: 'Bearer key' } }, body, signal);
}

it('a question is a GET, or a POST where it has a body, and its answer is read whole', async () => {
  harness.upstream.script(head(200, chunked), chunk('{"a":'), chunk('1}'), lastChunk);
  expect(await question()).toEqual({ status: 200, body: '{"a":1}' });
  expect(await harness.upstream.request(0)).toMatchObject({ method: 'GET', path: '/models', body: '' });
  harness.upstream.script(respond(404, 'text/plain', 'no'));
  expect(await question('/api/show', { model: 'x' })).toEqual({ status: 404, body: 'no' });
  expect(await harness.upstream.request(1)).toMatchObject({ method: 'POST', path: '/api/show', body: '{"model":"x"}' });
});

it('nobody answers where the connection breaks', async () => {
  harness.upstream.script(head(200, chunked), chunk('{"a":'), { do: 'reset' });
  expect(await question()).toBeUndefined();
});

it('an answer without end is given up at 4 MiB, and its connection closed', async () => {
  const mebibyte = 'x'.repeat(1024 * 1024);
  harness.upstream.script(head(200, chunked), ...Array.from({ length: 6 }, () => chunk(mebibyte)), awaitClose);
  expect(await question()).toBeUndefined();
  await (
    await harness.upstream.connection(0)
  ).closed;
});

it('an abort closes the connection, also before anything was sent', async () => {
  harness.upstream.script(awaitClose);
  const abort = new AbortController();
  const asked = question('/models', undefined, abort.signal);
  await harness.upstream.request(0);
  abort.abort();
  expect(await asked).toBeUndefined();
  await (
    await harness.upstream.connection(0)
  ).closed;
  expect(await question('/models', undefined, AbortSignal.abort())).toBeUndefined();
});
