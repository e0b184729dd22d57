import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Proxy } from '../../../src/core/outbound/proxy.ts';
import type { Transport } from '../../../src/core/transport.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { type Authority, createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { chunk, head, respond, startChaosUpstream, type ChaosUpstream } from '../../support/chaos-upstream.ts';
import { startForwardProxy, type ForwardProxyServer } from '../../support/forward-proxy.ts';
import { record } from '../head/http-recorder.ts';
import { awaitClose, chunked, failureOf, finished } from './transport-harness.ts';

const ANSWER = respond(200, 'application/json', '{}');
const SECRET = `Basic ${Buffer.from('me:hunter2').toString('base64')}`;

const transports: Transport[] = [];
let proxy: ForwardProxyServer;
let upstream: ChaosUpstream;

/** Makes a transport through the proxy of the test. Its timers, where they are given, are not those of the machine. */
function throughProxy(more: Partial<Proxy> = {}, timers: Partial<typeof system> = {}): Transport {
  const through = { origin: proxy.origin, ...more };
  const transport = createUndiciTransport({ ...system, ...timers }, { connectTimeoutMs: 60_000, proxy: through });
  transports.push(transport);
  return transport;
}

/** Aborts a request in the middle of its answer, and resolves when its connections to the proxy and to the upstream are closed. */
async function abortedInBody() {
  upstream.script(head(200, chunked), chunk('1'), awaitClose);
  const sent = record(throughProxy(), upstream.origin);
  await sent.firstData;
  sent.exchange.abort();
  await (
    await proxy.nthAsked(1)
  ).closed;
  await (
    await upstream.connection(0)
  ).closed;
  return sent;
}

beforeEach(async () => {
  proxy = await startForwardProxy();
});

afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
  await proxy.close();
});

describe('what is asked without TLS, through a proxy,', () => {
  beforeEach(async () => {
    upstream = await startChaosUpstream();
  });

  afterEach(() => upstream.close());

  it('is asked of the proxy as it stands, with the credentials for the proxy, on one connection', async () => {
    upstream.script(ANSWER);
    upstream.script(ANSWER);
    const transport = throughProxy({ authorization: SECRET });
    const url = `${upstream.origin}/v1/chat?x=1`;
    for (const _ of [1, 2]) expect(await finished(record(transport, url))).toMatchObject({ body: '{}' });
    expect(proxy.asked).toEqual([`POST ${url}`, `POST ${url}`]);
    expect(proxy.credentials).toEqual([SECRET, SECRET]);
    const { headers } = await upstream.request(0);
    expect(headers).toMatchObject({ host: new URL(upstream.origin).host });
    expect(JSON.stringify(headers)).not.toContain(SECRET);
  });

  it('fails with class auth where the proxy wants credentials', async () => {
    proxy.refuse(407);
    expect(await failureOf(record(throughProxy(), upstream.origin))).toMatchObject({
      class: 'auth',
      message: 'The proxy has refused the credentials of the gateway, or wants some.',
      providerCode: 'PROXY_407',
    });
  });

  it('closes the connection to the proxy in the turn of the abort', async () => {
    await abortedInBody();
  });
});

describe.skipIf(!hasOpenssl())('what is asked over TLS, through a proxy,', () => {
  const trusted = getCACertificates('default');
  let authority: Authority;

  beforeAll(() => {
    authority = createAuthority();
    setDefaultCACertificates([...trusted, authority.cert]);
  });

  afterAll(() => {
    setDefaultCACertificates(trusted);
    authority.remove();
  });

  beforeEach(async () => {
    upstream = await startChaosUpstream(authority.issue('127.0.0.1', { names: ['IP:127.0.0.1'] }));
  });

  afterEach(() => upstream.close());

  it('is asked in a tunnel, which is kept for the next call', async () => {
    upstream.script(ANSWER);
    upstream.script(ANSWER);
    const transport = throughProxy({ authorization: SECRET });
    for (const _ of [1, 2]) expect(await finished(record(transport, upstream.origin))).toMatchObject({ body: '{}' });
    expect(proxy.asked).toEqual([`CONNECT ${new URL(upstream.origin).host}`]);
    expect(proxy.credentials).toEqual([SECRET]);
    expect(JSON.stringify((await upstream.request(0)).headers)).not.toContain(SECRET);
  });

  it('is asked in a tunnel of a proxy that speaks TLS itself', async () => {
    const secure = await startForwardProxy(authority.issue('localhost'));
    upstream.script(ANSWER);
    const transport = throughProxy({ origin: secure.origin.replace('127.0.0.1', 'localhost') });
    expect(await finished(record(transport, upstream.origin))).toMatchObject({ body: '{}' });
    expect(secure.asked).toHaveLength(1);
    await transport.close();
    await secure.close();
  });

  it.each([
    [407, 'auth', 'The proxy has refused the credentials of the gateway, or wants some.'],
    [403, 'connect', 'The proxy has refused to connect to the provider.'],
    [502, 'connect', 'The proxy has refused to connect to the provider.'],
  ] as const)('fails where the proxy answers %d, with class %s and a clear word', async (status, kind, message) => {
    proxy.refuse(status);
    const failure = await failureOf(record(throughProxy({ authorization: SECRET }), upstream.origin));
    expect(failure).toMatchObject({ class: kind, message, providerCode: `PROXY_${status}`, neverSent: true });
    expect(upstream.connectionCount).toBe(0);
  });

  it('fails with class connect where nobody listens at the address of the proxy', async () => {
    await proxy.close();
    expect(await failureOf(record(throughProxy(), upstream.origin))).toMatchObject({
      class: 'connect',
      message: 'The proxy could not be reached.',
      providerCode: 'ECONNREFUSED',
      neverSent: true,
    });
    proxy = await startForwardProxy();
  });

  it('fails with class tls where the proxy is not whom it says it is', async () => {
    const stranger = await startForwardProxy(authority.issue('somebody.else'));
    const transport = throughProxy({ origin: stranger.origin.replace('127.0.0.1', 'localhost') });
    expect(await failureOf(record(transport, upstream.origin))).toMatchObject({
      class: 'tls',
      message: 'No secure connection to the proxy could be made.',
    });
    await stranger.close();
  });

  it('fails with class tls where the provider in the tunnel is not whom it says it is', async () => {
    const stranger = await startChaosUpstream(authority.issue('somebody.else'));
    expect(await failureOf(record(throughProxy(), stranger.origin))).toMatchObject({
      class: 'tls',
      message: 'No secure connection to the provider could be made.',
      neverSent: true,
    });
    await stranger.close();
  });

  it('fails with class connect where the proxy closes without an answer', async () => {
    proxy.refuse('none');
    const sent = record(throughProxy(), upstream.origin);
    await proxy.nthAsked(1);
    await proxy.close();
    expect(await failureOf(sent)).toMatchObject({
      class: 'connect',
      message: 'The proxy did not connect to the provider.',
      neverSent: true,
    });
    proxy = await startForwardProxy();
  });

  it('has one limit of time for proxy, tunnel and TLS', async () => {
    proxy.refuse('none');
    const fires: (() => void)[] = [];
    const timers = { setTimer: (_ms: number, fire: () => void) => fires.push(fire), clearTimer: () => undefined };
    const sent = record(throughProxy({}, timers), upstream.origin);
    const { closed } = await proxy.nthAsked(1);
    expect(fires).toHaveLength(1);
    fires[0]?.();
    expect(await failureOf(sent)).toMatchObject({ class: 'connect', providerCode: 'UND_ERR_CONNECT_TIMEOUT' });
    await closed;
  });

  it('closes the connection to the proxy in the turn of the abort, while the tunnel is awaited', async () => {
    proxy.refuse('none');
    const sent = record(throughProxy(), upstream.origin);
    const { closed } = await proxy.nthAsked(1);
    sent.exchange.abort();
    await closed;
    expect(sent.calls).toEqual([]);
  });

  it('closes the tunnel in the turn of the abort, while TLS is being set up', async () => {
    const mute = await startChaosUpstream();
    const sent = record(throughProxy(), mute.origin.replace('http:', 'https:'));
    const connection = await mute.connection(0);
    sent.exchange.abort();
    await connection.closed;
    await (
      await proxy.nthAsked(1)
    ).closed;
    expect(sent.calls).toEqual([]);
    await mute.close();
  });

  it('closes the tunnel in the turn of the abort, within the body', async () => {
    const sent = await abortedInBody();
    expect(sent.calls).toEqual(['headers 200', 'data']);
  });

  it('is given up with the transport, while the tunnel is awaited', async () => {
    proxy.refuse('none');
    const transport = throughProxy();
    const sent = record(transport, upstream.origin);
    const { closed } = await proxy.nthAsked(1);
    await transport.close();
    await closed;
    expect((await sent.outcome).error).toBeInstanceOf(Error);
  });

  it('goes on where the tunnel breaks behind the answer: the next call makes a new one', async () => {
    upstream.script(ANSWER, { do: 'end' });
    const transport = throughProxy();
    await finished(record(transport, upstream.origin));
    await (
      await proxy.nthAsked(1)
    ).closed;
    upstream.script(ANSWER);
    expect(await finished(record(transport, upstream.origin))).toMatchObject({ body: '{}' });
    expect(proxy.asked).toHaveLength(2);
  });
});
