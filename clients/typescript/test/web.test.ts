import { Code as StatusCode, ConnectError } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from 'vitest';
import { BadRequestSchema, ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.js';
import { Code, createLlmClient, decodeError, type LlmClientOptions } from '../src/web.ts';
import { finished, numbered, textDelta } from './support/events.ts';
import { startWebDoor } from './support/web-door.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

type Handlers = Parameters<typeof startWebDoor>[0];

async function clientOf(handlers: Handlers, options?: LlmClientOptions) {
  const door = await startWebDoor(handlers);
  const client = createLlmClient(door.url, options);
  closers.push(door.close, client.close);
  return client;
}

describe('the client of the web door', () => {
  it('calls and streams, with the headers and the deadline of the call', async () => {
    const seen: Record<string, string>[] = [];
    const client = await clientOf(
      {
        generate: (_request, { requestHeader }) => {
          seen.push(Object.fromEntries(requestHeader));
          return { text: 'ok' };
        },
        streamChat: async function* (_request, { requestHeader }) {
          seen.push(Object.fromEntries(requestHeader));
          for (const response of numbered([textDelta('a'), textDelta('b'), finished()]))
            yield await Promise.resolve(response);
        },
      },
      { apiKey: () => 'k' },
    );
    expect((await client.generate({ prompt: 'x' }, { requestId: 'r' })).text).toBe('ok');
    expect((await client.streamChat({}, { timeoutMs: 5000 }).collect()).text).toBe('ab');
    expect(seen[0]).toMatchObject({ authorization: 'Bearer k', 'x-request-id': 'r' });
    expect(seen[0]?.['x-user-agent']).toMatch(/^understudy-typescript\//);
    expect(Number(seen[0]?.['connect-timeout-ms'])).toBeGreaterThan(110_000);
    expect(Number(seen[1]?.['connect-timeout-ms'])).toBeLessThanOrEqual(5000);
  });

  it('aborts a stream that is left, and one whose time is up', async () => {
    const ended: Promise<void>[] = [];
    const client = await clientOf({
      streamChat: async function* (_request, { signal }) {
        const aborted = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        });
        ended.push(aborted);
        for (const response of numbered([textDelta('a')])) yield response;
        await aborted;
        signal.throwIfAborted();
      },
    });
    for await (const _event of client.streamChat({})) break;
    const late = client.streamChat({}, { timeoutMs: 100 }).collect();
    await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    expect(ended).toHaveLength(2);
    await Promise.all(ended);
  });

  it('decodes errors with their details, and repeats what no provider has seen', async () => {
    let calls = 0;
    const client = await clientOf({
      generate: ({ prompt }) => {
        calls += 1;
        const details = [
          { desc: ErrorInfoSchema, value: { reason: prompt, domain: 'understudy' } },
          { desc: BadRequestSchema, value: { fieldViolations: [{ field: 'prompt', description: 'bad' }] } },
        ];
        const isRefused = prompt === 'CIRCUIT_OPEN';
        const metadata = { 'grpc-retry-pushback-ms': isRefused ? '5' : '-1' };
        throw new ConnectError(
          'no',
          isRefused ? StatusCode.Unavailable : StatusCode.InvalidArgument,
          metadata,
          details,
        );
      },
    });
    const invalid: unknown = await client.generate({ prompt: 'INVALID_REQUEST' }).catch((caught: unknown) => caught);
    expect(decodeError(invalid)).toMatchObject({ reason: 'INVALID_REQUEST', violations: [{ field: 'prompt' }] });
    expect(calls).toBe(1);
    const open: unknown = await client.generate({ prompt: 'CIRCUIT_OPEN' }).catch((caught: unknown) => caught);
    expect(decodeError(open)).toMatchObject({ reason: 'CIRCUIT_OPEN', mayRetry: true, retryAfterMs: 5 });
    expect(calls).toBe(4);
  });

  it('says UNAVAILABLE where nobody listens, and cannot tell whether the call was sent', async () => {
    const client = createLlmClient('http://127.0.0.1:1', {
      fetch: () => Promise.reject(new TypeError('Failed to fetch')),
    });
    const error: unknown = await client.generate({ prompt: 'x' }).catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, mayRetry: false });
  });

  it('takes the URL of a door or of a path, and no key in plaintext', () => {
    createLlmClient('https://gateway.example/llm/');
    for (const address of ['gateway:8080', '', 'ftp://gateway', 'https://u:p@gateway', 'https://gateway?x']) {
      expect(() => createLlmClient(address)).toThrow(TypeError);
    }
    expect(() => createLlmClient('http://gateway.example', { apiKey: 'k' })).toThrow(/needs TLS/);
  });
});
