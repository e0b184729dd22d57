import { once } from 'node:events';
import { connect, createSecureServer, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pacedSession } from '../../../src/server/http2/paced-session.ts';
import { createAuthority, hasOpenssl } from '../../support/certificates.ts';

async function connected(secured: boolean) {
  const authority = secured ? createAuthority() : undefined;
  const server = authority === undefined ? createServer() : createSecureServer(authority.issue('localhost'));
  const opened = once(server, 'session') as Promise<[ServerHttp2Session]>;
  const arrived = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const scheme = secured ? 'https' : 'http';
  const client = connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  client.on('error', () => undefined);
  onTestFinished(() => {
    client.destroy();
    server.close();
    authority?.remove();
  });
  await once(client, 'remoteSettings');
  const [session] = await opened;
  return { client, session, arrived };
}

describe.each(hasOpenssl() ? [false, true] : [false])('a connection that is told to wait, with TLS: %s', (secured) => {
  test('hands over nothing until it may go on', async () => {
    const { client, session, arrived } = await connected(secured);
    const source = pacedSession(session);
    expect(pacedSession(session)).toBe(source);
    source.pause();
    let came = 0;
    void arrived.then(() => {
      came += 1;
    });
    const request = client.request({ ':method': 'POST', ':path': '/' });
    request.on('error', () => undefined);
    // The kernel of the server has it when that of the client says so: nothing but reading is left to do.
    await new Promise((resolve) => request.write('begun', resolve));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(came).toBe(0);
    source.resume();
    const [stream] = await arrived;
    expect(String(await once(stream, 'data'))).toBe('begun');
  });

  test('may go away meanwhile', async () => {
    const { client, session } = await connected(secured);
    const source = pacedSession(session);
    source.pause();
    const closed = once(session, 'close');
    session.destroy();
    await closed;
    source.resume();
    source.pause();
    client.destroy();
  });
});
