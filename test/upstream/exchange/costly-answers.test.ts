import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { adapterFor } from '../../../src/providers/registry.ts';
import { chunk, head, respond, send } from '../../support/chaos-upstream.ts';
import { awaitClose, failureOf, streamed, useExchangeHarness, words } from './exchange-harness.ts';

const harness = useExchangeHarness();

/** Deeper than what is parsed, and harmless all the same. */
const DEEP = `${'['.repeat(1_000)}1${']'.repeat(1_000)}`;

describe('JSON that is nested too deeply is not parsed, and is of class protocol', () => {
  it('as a whole answer', async () => {
    harness.upstream.script(respond(200, 'application/json', DEEP));
    const failure = await failureOf(harness.open());
    expect(failure).toMatchObject({ class: 'protocol', message: 'The provider sent JSON that is nested too deeply.' });
  });

  it.each(['openai', 'anthropic', 'deepseek'] as const)('as an event of a stream of %s', async (provider) => {
    harness.upstream.script(head(200, streamed), chunk(words(`{"choices":${DEEP}}`)), awaitClose);
    const adapter = adapterFor(provider, 'chat_completions', 'http://127.0.0.1');
    expect(await failureOf(harness.open({ adapter }))).toMatchObject({ class: 'protocol' });
  });

  it('as a line of Ollama’s, and as the last one, which has no line feed', async () => {
    const adapter = adapterFor('ollama', 'chat_completions', 'http://127.0.0.1');
    for (const end of ['\n', '']) {
      harness.upstream.script(respond(200, 'application/x-ndjson', `{"message":${DEEP}}${end}`));
      expect(await failureOf(harness.open({ adapter }))).toMatchObject({ class: 'protocol' });
    }
  });

  it('as the body of an error, of which the status counts then', async () => {
    harness.upstream.script(respond(503, 'application/json', `{"error":${DEEP}}`));
    const adapter = adapterFor('openai', 'chat_completions', 'http://127.0.0.1');
    expect(await failureOf(harness.open({ adapter }))).toMatchObject({ class: 'overload', httpStatus: 503 });
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 304, 307, 308])(
    'with status %i is of use to nobody and is of no use to repeat',
    async (status) => {
      harness.upstream.script(head(status, { location: 'http://127.0.0.1/elsewhere', 'content-length': 0 }));
      const adapter = adapterFor('openai', 'chat_completions', 'http://127.0.0.1');
      expect(await failureOf(harness.open({ adapter }))).toMatchObject({
        class: 'protocol',
        httpStatus: status,
        repeatIsUseless: true,
      });
    },
  );
});

describe('more than is read is of class protocol', () => {
  it('in the headers', async () => {
    harness.upstream.script(head(200, { 'x-long': 'x'.repeat(70_000) }), awaitClose);
    expect(await failureOf(harness.open())).toMatchObject({
      class: 'protocol',
      providerCode: 'UND_ERR_HEADERS_OVERFLOW',
    });
  });

  it('behind the decoding of the body', async () => {
    const packed = gzipSync(Buffer.alloc(3 * 1024 * 1024));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': packed.length };
    harness.upstream.script(head(200, headers), send(packed));
    expect(await failureOf(harness.open())).toMatchObject({ class: 'protocol' });
  });
});
