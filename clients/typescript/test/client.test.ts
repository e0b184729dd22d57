import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { Code, createLlmClient, HealthStatus, type LlmClientOptions, userMessage } from '../src/index.ts';
import { type Gateway, type GatewayScript, startGateway } from './support/gateway.ts';
import { startRelay } from './support/relay.ts';

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

  it('repeats nothing by itself', async () => {
    let calls = 0;
    const { address } = await serve({
      generate: () => {
        calls += 1;
        throw new Error('down');
      },
    });
    await expect(clientOf(address).generate({ prompt: 'x' })).rejects.toMatchObject({ code: Code.Internal });
    expect(calls).toBe(1);
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
    const { address } = await serve({
      chat: (call) => {
        call.once('cancelled', () => cancelled.resolve());
        return new Promise(() => {});
      },
    });
    await expect(clientOf(address).chat({}, { timeoutMs: 30 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await cancelled.promise;
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
    await expect(clientOf(`https://localhost:${port}`).generate({ prompt: 'x' })).rejects.toThrow(/self.signed/);
  });
});

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
