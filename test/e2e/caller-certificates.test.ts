import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';

import { fromBinary } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { valueAt } from '../../src/config/port/problem.ts';
import { type Authority, createAuthority, hasOpenssl } from '../support/certificates.ts';
import type { ChaosIdentity } from '../support/chaos-upstream.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { RpcError } from '../support/rpc-error.ts';
import { type ProcessDoors, startUnderstudy, type UnderstudyProcess } from '../support/understudy-process.ts';

const KEY = 'us_0123456789abcdefghijklmnopqrstuv';
const PATH = '/understudy.v1.LlmService/Generate';
const BODY = '{"prompt":"Hello"}';

/** Whom certificates are for, by their alternative names. */
const CERTIFICATES = {
  billing: ['URI:spiffe://example.org/billing', 'DNS:pod-7.example.org'],
  reports: ['DNS:reports.example.org'],
  nobody: ['URI:spiffe://example.org/nobody'],
  'two callers': ['URI:spiffe://example.org/billing', 'DNS:reports.example.org'],
  'a longer name': ['URI:spiffe://example.org/billing/admin', 'DNS:x.reports.example.org'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Holder = keyof typeof CERTIFICATES;
type Headers = Readonly<Record<string, string>>;

/** Makes one call, and returns the target that answered it, each caller has one of its own, or the reason of its refusal. */
type Way = (doors: ProcessDoors, identity: object, headers: Headers) => Promise<string>;

const WAYS: Readonly<Record<string, Way>> = {
  'the gRPC door': async ({ grpc }, identity, metadata) => {
    const { ca, cert, key } = pemOf(identity);
    const client = openRpcClient(new URL(grpc).host, credentials.createSsl(ca, key, cert));
    try {
      return (await client.call(LlmService.method.generate, { prompt: 'Hello' }, { metadata })).target;
    } catch (error) {
      return error instanceof RpcError ? `${error.code} ${error.reason}` : String(error);
    } finally {
      client.close();
    }
  },
  'the web door over HTTP/2': async ({ web }, identity, headers) => {
    const session = connectHttp2(web, { ...identity, servername: 'localhost' });
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/json',
      ...headers,
    });
    stream.end(BODY);
    const answer = await text(stream);
    session.destroy();
    return read(answer);
  },
  'the web door over HTTP/1.1': async ({ web }, identity, headers) => {
    const options = { ...identity, servername: 'localhost', method: 'POST', agent: false };
    const asked = request(`${web}${PATH}`, {
      ...options,
      headers: { 'content-type': 'application/json', ...headers },
    });
    asked.end(BODY);
    const [response] = await once(asked, 'response');
    return read(await text(response));
  },
};

function pemOf(identity: object) {
  const pem = (name: string): Buffer | null => {
    const value = valueAt(identity, [name]);
    return typeof value === 'string' ? Buffer.from(value) : null;
  };
  return { ca: pem('ca'), cert: pem('cert'), key: pem('key') };
}

function read(body: string): string {
  const answer: unknown = JSON.parse(body);
  const target = valueAt(answer, ['target']);
  if (typeof target === 'string') return target;
  const value = valueAt(answer, ['details', 0, 'value']);
  const info = fromBinary(ErrorInfoSchema, Buffer.from(typeof value === 'string' ? value : '', 'base64'));
  return `${String(valueAt(answer, ['code'])).toUpperCase()} ${info.reason}`;
}

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('where clients may show certificates, a caller', () => {
  let folder: string;
  let authority: Authority;
  let gateway: UnderstudyProcess;
  let doors: ProcessDoors;
  const identities = new Map<Holder, ChaosIdentity>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-mtls-'));
    authority = createAuthority();
    const server = authority.issue('localhost');
    writeFileSync(join(folder, 'ca.crt'), authority.cert);
    writeFileSync(join(folder, 'server.crt'), server.cert);
    writeFileSync(join(folder, 'server.key'), server.key);
    // The common name of each is that of a caller: it names nobody.
    for (const holder of ['billing', 'reports', 'nobody', 'two callers', 'a longer name'] as const) {
      identities.set(holder, authority.issue('billing', { names: CERTIFICATES[holder] }));
    }
    const names = ['billing', 'reports', 'keyed'];
    const ways = [
      'mtls: { san: spiffe://example.org/billing }',
      'mtls: { san: reports.example.org }',
      `api_keys: [{ sha256: ${hash('sha256', KEY)} }]`,
    ];
    const config = [
      `targets: [${names.map((name) => `{ name: ${name}, provider: mock }`).join(', ')}]`,
      `routes: [{ name: default, targets: [${names.join(', ')}] }]`,
      'callers:',
      ...names.map((name, index) => `  - { name: ${name}, ${ways[index]}, allow: { targets: [${name}] } }`),
      'server: { tls: { cert: server.crt, key: server.key, client_ca: ca.crt, client_auth: optional } }',
    ];
    writeFileSync(join(folder, 'config.yaml'), config.join('\n'));
    gateway = startUnderstudy(['--config', join(folder, 'config.yaml'), '--log-format', 'text']);
    doors = await gateway.doors;
  });

  afterAll(async () => {
    await gateway.close();
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  const trust = (holder?: Holder) => ({ ca: authority.cert, ...(holder && identities.get(holder)) });
  const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` });

  describe.each(Object.entries(WAYS))('at %s', (_name, call) => {
    test.each<[string, string, (Holder | undefined)?, Headers?]>([
      ['is known by the URI in its certificate', 'billing', 'billing'],
      ['is known by the DNS name in its certificate', 'reports', 'reports'],
      ['may show a key and no certificate', 'keyed', undefined, bearer(KEY)],
      ['is whom its key says, whatever its certificate', 'keyed', 'billing', bearer(KEY)],
      ['may have a certificate that names nobody, and a key', 'keyed', 'nobody', { 'x-api-key': KEY }],
      [
        'is refused with a wrong key, though its certificate would do',
        'UNAUTHENTICATED AUTH_INVALID',
        'billing',
        bearer('us_no'),
      ],
      ['is refused where its certificate names nobody', 'UNAUTHENTICATED AUTH_INVALID', 'nobody'],
      ['is refused where its certificate names two', 'UNAUTHENTICATED AUTH_INVALID', 'two callers'],
      ['is refused where its certificate begins or ends like a name', 'UNAUTHENTICATED AUTH_INVALID', 'a longer name'],
      ['is refused where it shows nothing', 'UNAUTHENTICATED AUTH_REQUIRED'],
    ])('%s', async (_what, ended, holder, headers = {}) => {
      expect(await call(doors, trust(holder), headers)).toBe(ended);
    });
  });

  test('is known on a connection that resumes its session', async () => {
    const { hostname: host, port } = new URL(doors.web);
    const options = { host, port: Number(port), servername: 'localhost', ...trust('billing') };
    const first = connect(options);
    const [session] = await once(first, 'session');
    first.destroy();
    const resumed = connect({ ...options, session });
    await once(resumed, 'secureConnect');
    expect(resumed.isSessionReused()).toBe(true);
    const head = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n`;
    resumed.write(`${head}content-length: ${BODY.length}\r\n\r\n${BODY}`);
    expect(await text(resumed)).toContain('"target":"billing"');
  });

  test('is told apart in the metrics and the log, which have no certificate in them and no key', async () => {
    const asked = request(`${doors.admin}/metrics`, { ...trust(), servername: 'localhost' }).end();
    const [response] = await once(asked, 'response');
    const metrics = await text(response);
    expect(metrics).toMatch(/^understudy_credentials_refused_total\{[^}]*"unknown_certificate"\} 9$/m);
    expect(metrics).toMatch(/^understudy_credentials_refused_total\{[^}]*"unknown_key"\} 3$/m);
    expect(metrics).toMatch(/^understudy_credentials_refused_total\{[^}]*"missing"\} 3$/m);
    const told = metrics + gateway.stdout() + gateway.stderr();
    for (const shown of ['spiffe:', 'reports.example.org', KEY, 'us_no']) expect(told).not.toContain(shown);
  });
});
