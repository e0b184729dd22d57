import { constants } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { ErrorInfoSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.js';
import {
  AttemptKind,
  AttemptTrailSchema,
  Code,
  createLlmClient,
  decodeError,
  type LlmClientOptions,
} from '../src/index.ts';
import { finished, numbered, textDelta } from './support/events.ts';
import { detail, type Gateway, type GatewayScript, startGateway, StatusError } from './support/gateway.ts';
import { answerEmpty, startRawServer } from './support/raw-server.ts';
import { freePort } from './support/relay.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function serve(script: GatewayScript, port?: number): Promise<Gateway> {
  const gateway = await startGateway(script, undefined, port);
  closers.push(gateway.close);
  return gateway;
}

function clientOf(address: string, options?: LlmClientOptions) {
  const client = createLlmClient(address, options);
  closers.push(client.close);
  return client;
}

function refusal(pushbackMs: string | undefined, reason = 'CIRCUIT_OPEN', ...more: Parameters<typeof detail>[]) {
  const details = [detail(ErrorInfoSchema, { reason, domain: 'understudy' }), ...more.map((each) => detail(...each))];
  return new StatusError(
    Code.Unavailable,
    'not now',
    details,
    pushbackMs === undefined ? {} : { 'grpc-retry-pushback-ms': pushbackMs },
  );
}

/** Serves calls that fail until the last; tells when they came. */
async function serveFailures(error: StatusError, failures = Number.POSITIVE_INFINITY) {
  const atMs: number[] = [];
  const gateway = await serve({
    generate: () => {
      atMs.push(performance.now());
      if (atMs.length <= failures) throw error;
      return { text: 'ok' };
    },
  });
  return { ...gateway, atMs };
}

describe('a call that no provider has seen', () => {
  it('is repeated after the time that the gateway asks for', async () => {
    const { address, atMs } = await serveFailures(refusal('60'), 1);
    expect((await clientOf(address).generate({ prompt: 'x' })).text).toBe('ok');
    expect(atMs).toHaveLength(2);
    expect((atMs[1] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThanOrEqual(59);
  });

  it('is repeated twice at most, or as often as the options say', async () => {
    const { address, atMs } = await serveFailures(refusal('1'));
    const client = clientOf(address);
    await expect(client.generate({ prompt: 'x' })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(atMs.splice(0)).toHaveLength(3);
    await client.generate({ prompt: 'x' }, { maxRetries: 0 }).catch(() => {});
    expect(atMs.splice(0)).toHaveLength(1);
    await clientOf(address, { maxRetries: 1 })
      .generate({ prompt: 'x' })
      .catch(() => {});
    expect(atMs).toHaveLength(2);
  });

  it('comes back at once where the wait is longer than the deadline', async () => {
    const { address, atMs } = await serveFailures(refusal('60000'));
    const call = clientOf(address).generate({ prompt: 'x' }, { timeoutMs: 30_000 });
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable, rawMessage: 'not now' });
    expect(atMs).toHaveLength(1);
  });

  it('is repeated where RetryInfo alone says when', async () => {
    const retryDelay = { seconds: 0n, nanos: 20_000_000 };
    const { address, atMs } = await serveFailures(refusal(undefined, 'NEWER', [RetryInfoSchema, { retryDelay }]), 1);
    await clientOf(address).generate({ prompt: 'x' });
    expect(atMs).toHaveLength(2);
  });

  it('ends the wait with the signal of its caller', async () => {
    const { address } = await serveFailures(refusal('60000'));
    const controller = new AbortController();
    const call = clientOf(address).generate({ prompt: 'x' }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    await expect(call).rejects.toMatchObject({ code: Code.Canceled });
  });

  it('gives all repeats one deadline', async () => {
    const left: number[] = [];
    const { address } = await serve({
      generate: (call) => {
        left.push(Number(call.getDeadline()) - Date.now());
        throw refusal('50');
      },
    });
    await clientOf(address)
      .generate({ prompt: 'x' }, { timeoutMs: 5000 })
      .catch(() => {});
    expect(left).toHaveLength(3);
    expect(left[2] ?? 0).toBeLessThan((left[0] ?? 0) - 90);
  });
});

describe('a call that may have cost money', () => {
  const attempts = [{ number: 1, kind: AttemptKind.FIRST }];
  const retryDelay = { seconds: 0n, nanos: 1_000_000 };

  it.each([
    ['a pushback forbids it', refusal('-1')],
    ['a provider was asked', refusal(undefined, 'ALL_PROVIDERS_FAILED', [AttemptTrailSchema, { attempts }])],
    [
      'a provider was asked, whatever RetryInfo says',
      refusal(
        undefined,
        'PROVIDER_RATE_LIMITED',
        [AttemptTrailSchema, { attempts }],
        [RetryInfoSchema, { retryDelay }],
      ),
    ],
    ['nobody says anything', new StatusError(Code.Unavailable, 'from a proxy')],
  ])('is not repeated: %s', async (_why, error) => {
    const { address, atMs } = await serveFailures(error);
    await expect(clientOf(address).generate({ prompt: 'x' })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(atMs).toHaveLength(1);
  });
});

describe('a stream', () => {
  it('is repeated before its first event, and not after it', async () => {
    let calls = 0;
    const { address } = await serve({
      streamChat: (call) => {
        calls += 1;
        if (calls > 1) for (const response of numbered([textDelta('a'), finished()])) call.write(response);
        if (calls > 1) call.end();
        else call.emit('error', refusal('1'));
      },
    });
    expect((await clientOf(address).streamChat({}).collect()).text).toBe('a');
    expect(calls).toBe(2);
    let late = 0;
    const broken = await serve({
      streamChat: (call) => {
        late += 1;
        for (const response of numbered([textDelta('a')])) call.write(response);
        call.emit('error', refusal('1'));
      },
    });
    await expect(clientOf(broken.address).streamChat({}).collect()).rejects.toMatchObject({ rawMessage: 'not now' });
    expect(late).toBe(1);
  });
});

describe('a call that the gateway has not looked at', () => {
  it('is sent again, even where nothing is to be repeated', async () => {
    let calls = 0;
    const server = await startRawServer((stream) => {
      calls += 1;
      stream.on('error', () => {});
      if (calls === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else answerEmpty(stream);
    });
    closers.push(server.close);
    await clientOf(server.address, { maxRetries: 0 }).generate({ prompt: 'x' });
    expect(calls).toBe(2);
  });

  it('is not sent again and again', async () => {
    let calls = 0;
    const server = await startRawServer((stream) => {
      calls += 1;
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    closers.push(server.close);
    const error: unknown = await clientOf(server.address, { maxRetries: 0 })
      .generate({ prompt: 'x' })
      .catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, mayRetry: true });
    expect(calls).toBe(2);
  });
});

describe('a gateway that cannot be reached', () => {
  it('is waited for where the call says so', async () => {
    const port = await freePort();
    const client = clientOf(`127.0.0.1:${port}`);
    const call = client.generate({ prompt: 'x' }, { waitForReady: true });
    await expect(client.generate({ prompt: 'x' }, { maxRetries: 0 })).rejects.toMatchObject({ code: Code.Unavailable });
    await serve({ generate: () => ({ text: 'ok' }) }, port);
    expect((await call).text).toBe('ok');
  });

  it('is not waited for beyond the deadline', async () => {
    const client = clientOf(`127.0.0.1:${await freePort()}`);
    const call = client.generate({ prompt: 'x' }, { waitForReady: true, timeoutMs: 300 });
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
