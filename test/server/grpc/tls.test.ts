import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, expect, test } from 'vitest';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { LiveTls } from '../../../src/server/tls/live-tls.ts';
import { grpcDoor, type TestDoor } from '../support/doors.ts';
import { fakeGateway, success } from '../support/fake-gateway.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-tls-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Pair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Makes a certificate for localhost that signs itself. */
function makePair(name: string): Pair {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const form = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...form, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function clientOf(door: TestDoor, ca: string, own?: Pair) {
  const nodeOptions = { ca, ...(own && { cert: own.certPem, key: own.keyPem }) };
  const baseUrl = `https://${door.door.address}`;
  return createClient(LlmService, createGrpcTransport({ baseUrl, nodeOptions }));
}

const gateway = fakeGateway(() => Promise.resolve(success()));

// Without the openssl tool there is nothing to make certificates with.
test.skipIf(!hasOpenssl())(
  'the door speaks TLS, and with an authority for clients only to those that it has signed',
  async () => {
    const server = makePair('server');
    const plain = await grpcDoor(gateway, { tls: new LiveTls(server) });
    expect((await clientOf(plain, server.certPem).health({})).version).toBe('0.0.0-test');
    await expect(plain.client().health({})).rejects.toThrow();
    const client = makePair('client');
    const mutual = await grpcDoor(gateway, {
      tls: new LiveTls({ ...server, clientCaPem: client.certPem }),
    });
    expect((await clientOf(mutual, server.certPem, client).health({})).version).toBe('0.0.0-test');
    await expect(clientOf(mutual, server.certPem).health({})).rejects.toThrow();
    await expect(clientOf(mutual, server.certPem, makePair('stranger')).health({})).rejects.toThrow();
  },
);
