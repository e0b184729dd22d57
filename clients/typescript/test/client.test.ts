import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Code,
  createLlmClient,
  decodeError,
  HealthStatus,
  type LlmClientOptions,
  ServingStatus,
  userMessage,
} from '../src/index.ts';
import { type Gateway, type GatewayScript, startGateway, StatusError } from './support/gateway.ts';
import { startRelay } from './support/relay.ts';

/** A type and a flag of frames (RFC 9113, section 6.5). */
const SETTINGS = 4;
const ACK = 1;

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function serve(script: GatewayScript, credentials?: ServerCredentials): Promise<Gateway> {
  const gateway = await startGateway(script, credentials);
  closers.push(gateway.close);
  return gateway;
}

function clientOf(address: string, options?: LlmClientOptions) {
  const client = createLlmClient(address, options);
  closers.push(client.close);
  return client;
}

describe('a client', () => {
  it('sends plain objects and returns messages, for every unary method', async () => {
    const { address } = await serve({
      generate: ({ request }) => ({ text: `to ${request.prompt}` }),
      chat: ({ request }) => ({ text: `${request.messages.length} messages for ${request.model}` }),
      health: () => ({ status: HealthStatus.SERVING }),
      listModels: ({ request }) => ({ models: [{ id: 'one', target: request.target }] }),
    });
    const client = clientOf(address);
    expect((await client.generate({ prompt: 'hello' })).text).toBe('to hello');
    expect((await client.chat({ model: 'm', messages: [userMessage('hi')] })).text).toBe('1 messages for m');
    expect((await client.health()).status).toBe(HealthStatus.SERVING);
    expect((await client.listModels({ target: 'mock' })).models).toMatchObject([{ id: 'one', target: 'mock' }]);
  });

  it.each(['http://', ''])('takes an address that begins with "%s"', async (scheme) => {
    const { address } = await serve({ generate: () => ({ text: 'ok' }) });
    expect((await clientOf(`${scheme}${address}`).generate({ prompt: 'x' })).text).toBe('ok');
  });

  it('sends the headers of the client, those of the call before them, and the id of the request', async () => {
    const { address } = await serve({
      generate: ({ metadata }) => ({ metadata: flat(metadata.getMap()) }),
    });
    const client = clientOf(address, { headers: { authorization: 'Bearer a', 'x-team': 'blue' } });
    const answer = await client.generate({ prompt: 'x' }, { headers: { 'X-Team': 'red' }, requestId: 'id-1' });
    expect(answer.metadata).toMatchObject({ authorization: 'Bearer a', 'x-team': 'red', 'x-request-id': 'id-1' });
  });

  it('asks for changing headers at each call', async () => {
    const { address } = await serve({ generate: ({ metadata }) => ({ metadata: flat(metadata.getMap()) }) });
    let asked = 0;
    const client = clientOf(address, { headers: () => Promise.resolve({ authorization: `Bearer ${++asked}` }) });
    await client.generate({ prompt: 'x' });
    expect((await client.generate({ prompt: 'x' })).metadata).toMatchObject({ authorization: 'Bearer 2' });
  });

  it('keeps to the deadline while headers are made', async () => {
    const { address } = await serve({ generate: () => ({}) });
    const client = clientOf(address, { headers: () => new Promise(() => {}) });
    await expect(client.generate({ prompt: 'x' }, { timeoutMs: 20 })).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
  });

  it('refuses a reply that is larger than it may read', async () => {
    const { address } = await serve({ generate: () => ({ text: 'x'.repeat(2000) }) });
    await expect(clientOf(address, { readMaxBytes: 1000 }).generate({ prompt: 'x' })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
    });
  });

  it('reads a reply of 8 MiB', async () => {
    const { address } = await serve({ generate: () => ({ text: 'x'.repeat(8 << 20) }) });
    expect((await clientOf(address).generate({ prompt: 'x' })).text).toHaveLength(8 << 20);
  });

  it('says who it is, and passes the trace on', async () => {
    const { address } = await serve({ generate: ({ metadata }) => ({ metadata: flat(metadata.getMap()) }) });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { metadata } = await clientOf(address).generate({ prompt: 'x' }, { traceparent });
    expect(metadata['traceparent']).toBe(traceparent);
    expect(metadata['user-agent']).toMatch(/^understudy-typescript\/\d+\.\d+\.\d+ node\//);
  });

  it('lists the models of all pages', async () => {
    const { address } = await serve({
      listModels: ({ request }) =>
        request.pageToken === ''
          ? { models: [{ id: 'one' }], nextPageToken: 'n' }
          : { models: [{ id: request.pageToken }] },
    });
    const ids: string[] = [];
    for await (const { id } of clientOf(address).models()) ids.push(id);
    expect(ids).toEqual(['one', 'n']);
  });

  it('asks and watches grpc.health.v1; leaving the watch ends the call', async () => {
    const cancelled = Promise.withResolvers<void>();
    const { address } = await serve({
      check: ({ request }) => ({ status: request.service === '' ? ServingStatus.SERVING : ServingStatus.NOT_SERVING }),
      watch: (call) => {
        call.once('cancelled', () => cancelled.resolve());
        expect(call.getDeadline()).toBe(Number.POSITIVE_INFINITY);
        call.write({ status: ServingStatus.SERVING });
        call.write({ status: ServingStatus.NOT_SERVING });
      },
    });
    const client = clientOf(address);
    expect((await client.check()).status).toBe(ServingStatus.SERVING);
    expect((await client.check({ service: 'other' })).status).toBe(ServingStatus.NOT_SERVING);
    const seen: ServingStatus[] = [];
    for await (const { status } of client.watch()) {
      seen.push(status);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
    await cancelled.promise;
  });
});

describe('an API key', () => {
  const script: GatewayScript = { generate: ({ metadata }) => ({ text: String(metadata.get('authorization')[0]) }) };

  it('is sent as a bearer token; a header of the call wins', async () => {
    const { address } = await serve(script);
    const client = clientOf(address, { apiKey: 'k' });
    expect((await client.generate({ prompt: 'x' })).text).toBe('Bearer k');
    const headers = { Authorization: 'Basic y' };
    expect((await client.generate({ prompt: 'x' }, { headers })).text).toBe('Basic y');
  });

  it('may come from a function, which is asked at each call', async () => {
    const { address } = await serve(script);
    let asked = 0;
    const client = clientOf(address, { apiKey: () => Promise.resolve(`k${++asked}`) });
    await client.generate({ prompt: 'x' });
    expect((await client.generate({ prompt: 'x' })).text).toBe('Bearer k2');
  });

  it('with what no header can have is not told in the error', async () => {
    expect(() => clientOf('127.0.0.1:50051', { apiKey: 'se\ncret' })).toThrow(/^apiKey has characters that no header/);
    const { address } = await serve(script);
    const call = clientOf(address, { apiKey: () => 'se\ncret' }).generate({ prompt: 'x' });
    await expect(call).rejects.toMatchObject({ rawMessage: expect.stringMatching(/^apiKey has characters/) });
    // As it comes from a file.
    expect((await clientOf(address, { apiKey: 'k\n' }).generate({ prompt: 'x' })).text).toBe('Bearer k');
  });

  it('that is given as a header, and that no header can have, is not told in the error either', async () => {
    const headers = { authorization: 'Bearer se\ncret' };
    for (const ask of [
      () => clientOf('127.0.0.1:1').generate({ prompt: 'hi' }, { headers }),
      () => clientOf('127.0.0.1:1', { headers }).generate({ prompt: 'hi' }),
    ]) {
      const error: unknown = await ask().catch((thrown: unknown) => thrown);
      expect(String(error)).toContain('the header "authorization" has');
      expect(inspect(error, { depth: 9 })).not.toContain('cret');
    }
  });

  it('is refused over plaintext to another host, unless that is allowed', () => {
    expect(() => clientOf('gateway:50051', { apiKey: 'k' })).toThrow(/needs TLS/);
    expect(() => clientOf('127.0.0.1:1,http://gateway:50051', { apiKey: 'k' })).toThrow(/needs TLS/);
    expect(() => clientOf('127.0.0.1:50051', { apiKey: ' ' })).toThrow(/empty/);
    clientOf('gateway:50051', { apiKey: 'k', allowApiKeyWithoutTls: true });
    clientOf('gateway:50051', { apiKey: 'k', tls: true });
    for (const host of ['localhost', '[::1]', '127.1.2.3']) clientOf(`${host}:50051`, { apiKey: 'k' });
  });
});

describe('a deadline', () => {
  async function sentDeadline(options: LlmClientOptions, timeoutMs?: number): Promise<number> {
    const { address } = await serve({
      generate: (call) => ({ metadata: { left: String(Number(call.getDeadline()) - Date.now()) } }),
    });
    const answer = await clientOf(address, options).generate({ prompt: 'x' }, { timeoutMs });
    return Number(answer.metadata['left']);
  }

  it('is 120 s for a unary call that sets none', async () => {
    const leftMs = await sentDeadline({});
    expect(leftMs).toBeGreaterThan(110_000);
    expect(leftMs).toBeLessThanOrEqual(120_000);
  });

  it('can be set per method and per call', async () => {
    const perMethod = await sentDeadline({ defaultTimeoutMs: { generate: 50_000 } });
    expect(perMethod).toBeGreaterThan(40_000);
    expect(perMethod).toBeLessThanOrEqual(50_000);
    const perCall = await sentDeadline({ defaultTimeoutMs: { generate: 50_000 } }, 30_000.5);
    expect(perCall).toBeGreaterThan(20_000);
    expect(perCall).toBeLessThanOrEqual(30_001);
  });

  it('is not sent for 0 and Infinity', async () => {
    expect(await sentDeadline({}, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(await sentDeadline({}, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it('that is longer than gRPC can say is shortened, not turned into one of now', async () => {
    expect(await sentDeadline({}, 1e12)).toBeGreaterThan(99_000_000);
  });

  it('ends a call with DEADLINE_EXCEEDED, and the server sees the end', async () => {
    const cancelled = Promise.withResolvers<void>();
    const seen = { calls: 0 };
    const { address } = await serve({
      chat: (call) => {
        seen.calls += 1;
        call.once('cancelled', () => cancelled.resolve());
        return new Promise(() => {});
      },
    });
    const client = clientOf(address);
    // On a busy machine time may be up before the server has the call.
    for (let timeoutMs = 30; seen.calls === 0; timeoutMs *= 2) {
      await expect(client.chat({}, { timeoutMs })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    }
    await cancelled.promise;
  });

  it('hears what the server said in time, however late the turn of the event loop is', async () => {
    let endAtMs = 0;
    const { address } = await serve({
      generate: () => {
        // From before the answer to behind the deadline nothing else runs.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, endAtMs - performance.now()));
        throw new StatusError(Code.DeadlineExceeded, 'the last word');
      },
    });
    const client = clientOf(address);
    await client.generate({ prompt: 'x' }, { timeoutMs: 5000, maxRetries: 0 }).catch(() => {});
    const timeoutMs = 1000;
    endAtMs = performance.now() + timeoutMs + 20;
    const call = client.generate({ prompt: 'x' }, { timeoutMs });
    await expect(call).rejects.toMatchObject({ rawMessage: 'the last word' });
  });

  it('that is negative or no number is refused', async () => {
    const client = clientOf('127.0.0.1:1');
    await expect(client.generate({ prompt: 'x' }, { timeoutMs: -1 })).rejects.toThrow(RangeError);
    expect(() => createLlmClient('127.0.0.1:1', { defaultTimeoutMs: { chat: Number.NaN } })).toThrow(RangeError);
  });
});

describe('a signal', () => {
  it('aborts a call, and the server sees it', async () => {
    const arrived = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const { address } = await serve({
      chat: (call) => {
        call.once('cancelled', () => cancelled.resolve());
        arrived.resolve();
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const answer = clientOf(address).chat({}, { signal: controller.signal });
    await arrived.promise;
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: Code.Canceled });
    await cancelled.promise;
  });
});

describe('a connection', () => {
  it('is one for all calls, and opened anew after a loss', async () => {
    const gateway = await serve({ generate: () => ({ text: 'ok' }) });
    const relay = await startRelay(gateway.port);
    closers.push(relay.close);
    const client = clientOf(relay.address);
    await Promise.all([client.generate({ prompt: '1' }), client.generate({ prompt: '2' })]);
    expect(relay.opened).toBe(1);
    relay.cut();
    await relay.whenAllClosed();
    // The client may hear of the loss by this very call.
    await client.generate({ prompt: '3' }).catch(() => {});
    expect((await client.generate({ prompt: '4' })).text).toBe('ok');
  });

  it.each([
    [
      'plaintext at a port of TLS',
      'http',
      (socket: Socket) => socket.end(Buffer.of(21, 3, 1, 0, 2, 2, 70)),
      /spoke no HTTP\/2.*https:/,
    ],
    [
      'plaintext at a port that resets it',
      'http',
      (socket: Socket) => socket.resetAndDestroy(),
      /spoke no HTTP\/2.*https:/,
    ],
    [
      'TLS at a port of plaintext',
      'https',
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /not speak TLS.*http:/,
    ],
  ])('that speaks %s is UNAVAILABLE, and says what is likely wrong', async (_what, scheme, answer, words) => {
    const { port } = await startTalker((socket) => socket.once('data', () => answer(socket)));
    const error: unknown = await clientOf(`${scheme}://127.0.0.1:${port}`)
      .generate({ prompt: 'x' })
      .catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, mayRetry: false });
    expect(String(error)).toMatch(words);
  });

  it.each([
    ['closes', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ])('that the other end %s ends the calls on it with UNAVAILABLE', async (_how, leave) => {
    let sent = Buffer.of();
    const { port } = await startTalker((socket) => {
      socket.write(Buffer.of(0, 0, 0, SETTINGS, 0, 0, 0, 0, 0));
      socket.on('data', (data: Buffer) => {
        sent = Buffer.concat([sent, data]);
        if (sent.includes(Buffer.of(0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0))) leave(socket);
      });
    });
    const answer = clientOf(`127.0.0.1:${port}`).chat({}, { maxRetries: 0 });
    await expect(answer).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining('before the end of the call') as unknown,
    });
  });

  it('ends with the client: open calls are cancelled, the socket is closed, further calls are refused', async () => {
    const arrived = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const gateway = await serve({
      chat: (call) => {
        call.once('cancelled', () => cancelled.resolve());
        arrived.resolve();
        return new Promise(() => {});
      },
    });
    const relay = await startRelay(gateway.port);
    closers.push(relay.close);
    const client = clientOf(relay.address);
    const answer = client.chat({});
    await arrived.promise;
    expect(relay.open).toBe(1);
    client.close();
    await expect(answer).rejects.toMatchObject({ code: Code.Canceled });
    await Promise.all([cancelled.promise, relay.whenAllClosed()]);
    await expect(client.chat({})).rejects.toMatchObject({ code: Code.Canceled, rawMessage: 'the client is closed' });
    expect(relay.opened).toBe(1);
  });

  it('ends with the client while it is being opened', async () => {
    const gateway = await serve({ generate: () => ({ text: 'ok' }) });
    const relay = await startRelay(gateway.port);
    closers.push(relay.close);
    const client = clientOf(relay.address);
    const answer = client.generate({ prompt: 'x' });
    client.close();
    await expect(answer).rejects.toMatchObject({ code: Code.Canceled });
    await relay.whenAllClosed();
    expect(relay.open).toBe(0);
  });

  it('ends with the client while it is being verified after a pause', async () => {
    const gateway = await serve({ generate: () => ({ text: 'ok' }) });
    const relay = await startRelay(gateway.port);
    closers.push(relay.close);
    const client = clientOf(relay.address, { pingIntervalMs: 1 });
    await client.generate({ prompt: '1' });
    const idleSinceMs = Date.now();
    while (Date.now() < idleSinceMs + 3) await setImmediate();
    const answer = client.generate({ prompt: '2' });
    client.close();
    await expect(answer).rejects.toMatchObject({ code: Code.Canceled, rawMessage: 'the client is closed' });
    await relay.whenAllClosed();
    expect(relay.open).toBe(0);
  });
});

const openssl = hasOpenssl();

describe.skipIf(!openssl)(`TLS${openssl ? '' : ' (skipped: no openssl on this machine)'}`, () => {
  it('trusts the given authority and shows the given certificate', async () => {
    const { cert, key } = makeCertificate();
    const credentials = ServerCredentials.createSsl(
      Buffer.from(cert),
      [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
      true,
    );
    const { port } = await serve({ generate: () => ({ text: 'ok' }) }, credentials);
    const trusting = clientOf(`localhost:${port}`, { tls: { ca: cert, cert, key } });
    expect((await trusting.generate({ prompt: 'x' })).text).toBe('ok');
    const distrusting = clientOf(`localhost:${port}`, { tls: true });
    const error: unknown = await distrusting.generate({ prompt: 'x' }).catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, mayRetry: false });
    expect(String(error)).toMatch(/self.signed/);
    const unknown = clientOf(`localhost:${port}`, { tls: { ca: cert } }).generate({ prompt: 'x' });
    await expect(unknown).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it('refuses a certificate without its key', () => {
    expect(() => clientOf('localhost:1', { tls: { cert: 'x' } })).toThrow(/mTLS needs cert and key/);
  });
});

/** Starts a server that answers whatever it reads first with these bytes, and hangs up. */
async function startTalker(talk: (socket: Socket) => void): Promise<{ readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    talk(socket);
  });
  closers.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return bound;
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function makeCertificate(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-client-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', ['req', '-x509', ...algorithm, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function flat(map: Record<string, string | Buffer>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]));
}
