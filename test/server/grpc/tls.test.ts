import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { TlsEvent, TlsOptions } from '../../../src/server/port/tls-options.ts';
import { LiveTls } from '../../../src/server/tls/live-tls.ts';
import { type Authority, createAuthority, hasOpenssl } from '../../support/certificates.ts';
import type { ChaosIdentity } from '../../support/chaos-upstream.ts';
import { grpcDoor, rawCall } from '../support/doors.ts';
import { fakeGateway, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';

const { messages } = chat();

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('the gRPC door with TLS', () => {
  let authority: Authority;
  let stranger: Authority;
  let own: TlsOptions;
  beforeAll(() => {
    authority = createAuthority();
    stranger = createAuthority();
    own = serverPair();
  });
  afterAll(() => {
    authority.remove();
    stranger.remove();
  });

  const serverPair = (): TlsOptions => {
    const { cert, key } = authority.issue('localhost');
    return { certPem: cert, keyPem: key };
  };
  const trust = (identity?: ChaosIdentity) => ({ ca: authority.cert, servername: 'localhost', ...identity });

  async function open(options: Partial<TlsOptions> = {}, gateway = fakeGateway(() => Promise.resolve(success()))) {
    const tls = new LiveTls({ ...own, ...options });
    const events: TlsEvent[] = [];
    const { door, serving } = await grpcDoor(gateway, { tls, tlsHappened: (event) => events.push(event) });
    const client = (identity?: ChaosIdentity) => {
      const nodeOptions = trust(identity);
      return createClient(LlmService, createGrpcTransport({ baseUrl: `https://${door.address}`, nodeOptions }));
    };
    const session = (identity?: ChaosIdentity): ClientHttp2Session => {
      const opened = connectHttp2(`https://${door.address}`, trust(identity));
      opened.on('error', () => undefined);
      onTestFinished(() => opened.destroy());
      return opened;
    };
    return { tls, events, door, serving, client, session };
  }

  /** Shakes hands alone. Rejects with the code of the error. */
  async function handshake(address: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { hostname: host, port } = new URL(`https://${address}`);
    const socket = connect({ host, port: Number(port), ...trust(), ALPNProtocols: ['h2'], ...options });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  test('answers calls and streams, and hears of a cancel', async () => {
    const gateway = fakeGateway((call) => {
      call.client?.started(SERVING);
      return call.client === undefined ? Promise.resolve(success()) : untilAborted(call);
    });
    const { client } = await open({}, gateway);
    const llm = client();
    expect((await llm.chat({ messages })).finishReason).toBeDefined();
    const controller = new AbortController();
    const stream = llm.streamChat({ messages }, { signal: controller.signal });
    await expect(
      (async () => {
        for await (const { event } of stream) if (event.case === 'started') controller.abort();
      })(),
    ).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => gateway.calls.at(-1)?.signal.aborted).toBe(true);
  });

  test('drains: streams under way get UNAVAILABLE, and connections close', async () => {
    const gateway = fakeGateway(untilAborted);
    const { client, door } = await open({}, gateway);
    const ended = client()
      .chat({ messages })
      .catch((error: unknown) => error);
    await expect.poll(() => gateway.calls.length).toBe(1);
    await door.drain(0);
    expect(await ended).toMatchObject({ code: Code.Unavailable });
  });

  test('speaks h2 alone, TLS 1.2 and 1.3, or 1.3 alone', async () => {
    const { door } = await open();
    expect((await handshake(door.address)).alpnProtocol).toBe('h2');
    const old = await handshake(door.address, { maxVersion: 'TLSv1.2' });
    expect([old.getProtocol(), old.getCipher().name]).toEqual([
      'TLSv1.2',
      expect.stringMatching(/^ECDHE-.*(GCM|POLY1305)/),
    ]);
    await expect(handshake(door.address, { ALPNProtocols: ['http/1.1'] })).rejects.toThrow(/no application protocol/i);
    await expect(handshake(door.address, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })).rejects.toThrow();
    const strict = await open({ minVersion: 'TLSv1.3' });
    expect((await handshake(strict.door.address)).getProtocol()).toBe('TLSv1.3');
    await expect(handshake(strict.door.address, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    await expect
      .poll(() => strict.events)
      .toContainEqual(expect.objectContaining({ why: 'No version of TLS in common' }));
  });

  test('says to each call why its client is refused, and lets nothing of it in', async () => {
    const gateway = fakeGateway(() => Promise.resolve(success()));
    const { client, events } = await open({ clientCaPem: authority.cert }, gateway);
    const refusedWith = async (identity: ChaosIdentity | undefined, message: string) => {
      const llm = client(identity);
      for (const call of [llm.chat({ messages }), llm.health({})]) {
        await expect(call).rejects.toMatchObject({ code: Code.Unauthenticated, rawMessage: message });
      }
    };
    await refusedWith(undefined, 'A client certificate is required.');
    await refusedWith(authority.issue('a', { days: -1 }), 'The client certificate has expired.');
    const unknown = 'The client certificate is not signed by an authority that this gateway trusts.';
    await refusedWith(stranger.issue('a'), unknown);
    expect(gateway.calls).toHaveLength(0);
    expect(events.length).toBeGreaterThanOrEqual(3);
    expect((await client(authority.issue('a')).chat({ messages })).finishReason).toBeDefined();
  });

  test('lets clients come without a certificate where that is optional, but with none that is wrong', async () => {
    const { client } = await open({ clientCaPem: authority.cert, clientAuth: 'optional' });
    for (const identity of [undefined, authority.issue('a')]) {
      expect((await client(identity).health({})).version).toBe('0.0.0-test');
    }
    await expect(client(stranger.issue('a')).health({})).rejects.toMatchObject({ code: Code.Unauthenticated });
  });

  test('uses new certificates and authorities for new connections, while old ones go on', async () => {
    const { tls, session, door, client } = await open({ clientCaPem: authority.cert });
    const identity = authority.issue('a');
    const before = session(identity);
    expect((await rawCall(before, 'Health', new Uint8Array())).headers[':status']).toBe(200);
    const ticket = Promise.withResolvers<Buffer>();
    const first = await handshake(door.address, identity);
    first.on('session', (ticketOfSession) => ticket.resolve(ticketOfSession));
    const serial = first.getPeerCertificate().serialNumber;
    const resumed = await ticket.promise;
    tls.replace({ ...serverPair(), clientCaPem: stranger.cert });
    const second = await handshake(door.address, { ...identity, session: resumed });
    expect(second.getPeerCertificate().serialNumber).not.toBe(serial);
    expect(second.isSessionReused()).toBe(false);
    await expect(client(identity).health({})).rejects.toMatchObject({ code: Code.Unauthenticated });
    expect((await client(stranger.issue('b')).health({})).version).toBe('0.0.0-test');
    expect((await rawCall(before, 'Health', new Uint8Array())).trailers?.['grpc-status']).toBe('0');
    expect(() => tls.replace({ ...own, keyPem: authority.issue('x').key })).toThrow();
    expect((await client(stranger.issue('b')).health({})).version).toBe('0.0.0-test');
  });

  test('closes the connection of a client that speaks no TLS, and says so once it has looked', async () => {
    const { door, events } = await open();
    const { hostname, port } = new URL(`http://${door.address}`);
    const plain = connectPlain(Number(port), hostname);
    plain.on('error', () => undefined).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    plain.resume();
    await once(plain, 'close');
    const why = 'The client does not speak TLS';
    await expect.poll(() => events).toEqual([{ kind: 'refused', listener: 'gRPC door', why }]);
    // A check of the port alone is nothing to tell of.
    const check = connectPlain(Number(port), hostname);
    await once(check, 'connect');
    check.destroy();
    expect((await handshake(door.address)).alpnProtocol).toBe('h2');
    expect(events).toHaveLength(1);
  });
});
