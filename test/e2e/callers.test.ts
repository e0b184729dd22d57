import { connect } from 'node:http2';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { OpenRcaService } from '../../gen/xds/service/orca/v3/orca_pb.ts';
import { startGateway, type RunningGateway } from '../support/gateway-doors.ts';
import { createIssuer } from '../support/token-issuer.ts';

const KEY = 'us_0123456789abcdefghijklmnopqrstuv';
const GENERATE = '/understudy.v1.LlmService/Generate';
const { generate, chat, streamChat, health, listModels } = LlmService.method;
const bearer = (key: string) => ({ metadata: { authorization: `Bearer ${key}` } });

const issuer = createIssuer();
const nowS = Math.floor(Date.now() / 1_000);
const token = (claims: object = {}) =>
  issuer.token({ iss: 'https://login.example.com/', aud: 'llm', sub: 'acme', exp: nowS + 600, ...claims });

let folder: string;
let gateway: RunningGateway;

const digest = (key: string) => hash('sha256', key);
const keysFile = (...keys: readonly string[]) =>
  writeFileSync(
    join(folder, 'keys.yaml'),
    `- { caller: rotating, sha256: "${keys.map(digest).join('" }\n- { caller: rotating, sha256: "')}" }\n`,
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-callers-'));
  keysFile('old');
  writeFileSync(join(folder, 'jwks.json'), issuer.jwks);
  gateway = await startGateway({
    targets: [{ name: 'mock', provider: 'mock' }],
    callers: [
      {
        name: 'billing',
        api_keys: [{ sha256: digest(KEY) }, { sha256: digest('expired'), expires: '2020-01-01T00:00:00Z' }],
      },
      { name: 'rotating' },
      {
        name: 'tenant',
        jwt: { issuer: 'https://login.example.com/', audience: 'llm', jwks: join(folder, 'jwks.json') },
      },
    ],
    api_keys_file: join(folder, 'keys.yaml'),
  });
});

afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

describe('the gRPC door, where callers are named,', () => {
  test('answers who shows an API key or a token', async () => {
    const { client } = gateway;
    expect((await client.call(generate, { prompt: 'Hello' }, bearer(KEY))).text).not.toBe('');
    expect((await client.call(generate, { prompt: 'Hello' }, { metadata: { 'x-api-key': KEY } })).text).not.toBe('');
    expect((await client.call(listModels, {}, bearer(token()))).models).not.toEqual([]);
    const stream = client.stream(
      streamChat,
      { messages: [{ role: 2, content: [{ part: { case: 'text', value: 'Hi' } }] }] },
      bearer(token()),
    );
    expect((await stream.done).length).toBeGreaterThan(1);
  });

  test.each([
    ['nothing', {}, 'AUTH_REQUIRED'],
    ['a key of nobody', bearer('us_nobody'), 'AUTH_INVALID'],
    ['a key that has expired', bearer('expired'), 'AUTH_INVALID'],
    ['two keys', { metadata: { ...bearer(KEY).metadata, 'x-api-key': 'old' } }, 'AUTH_INVALID'],
    ['a token that has expired', bearer(token({ exp: nowS - 1 })), 'AUTH_INVALID'],
    ['a token without a signature', bearer(token().replace(/[^.]+$/, '')), 'AUTH_INVALID'],
  ])('refuses whoever shows %s, and says nothing of what was shown', async (_what, options, reason) => {
    for (const call of [
      gateway.client.call(generate, { prompt: 'Hello' }, options),
      gateway.client.call(chat, {}, options),
      gateway.client.stream(streamChat, {}, options).done,
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason, trail: [], pushback: undefined });
    }
  });

  test('tells health to everybody', async () => {
    expect((await gateway.client.call(health, {})).unauthenticated).toBe(false);
    expect((await gateway.client.call(Health.method.check, { service: '' })).status).toBe(1);
  });

  test('refuses at the headers, before anything of the request has come', async () => {
    const session = connect(`http://${gateway.address}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': GENERATE,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    expect(headers['grpc-status']).toBe('16');
    stream.close();
    session.close();
  });

  test('lets a key go once it is taken away, and a call with it go on', async () => {
    const { client } = gateway;
    const ask = (key: string) =>
      client.call(generate, { prompt: 'Hello' }, bearer(key)).then(
        () => 'OK',
        (error) => error.code,
      );
    expect(await ask('old')).toBe('OK');
    keysFile('old', 'new');
    await expect.poll(() => ask('new')).toBe('OK');
    expect(await ask('old')).toBe('OK');
    const underWay = client.call(generate, { prompt: 'Hello', model: 'mock-slow' }, bearer('old'));
    keysFile('new');
    await expect.poll(() => ask('old')).toBe('UNAUTHENTICATED');
    expect(await ask('new')).toBe('OK');
    expect((await underWay).text).not.toBe('');
  });
});

describe('the web door, where callers are named,', () => {
  const post = (path: string, headers: Record<string, string>, body: string) =>
    fetch(`${gateway.web}/understudy.v1.LlmService/${path}`, { method: 'POST', headers, body });
  const json = { 'content-type': 'application/json' };

  test('answers 401, and a challenge, to who shows nothing that is good', async () => {
    for (const headers of [json, { ...json, 'x-api-key': 'wrong' }, { ...json, authorization: 'Basic QQ==' }]) {
      const response = await post('Generate', headers, '{"prompt":"Hello"}');
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(await response.json()).toMatchObject({
        code: 'unauthenticated',
        details: [{ type: 'google.rpc.ErrorInfo' }],
      });
    }
  });

  test('answers who shows a key', async () => {
    expect((await post('Generate', { ...json, 'x-api-key': KEY }, '{"prompt":"Hello"}')).status).toBe(200);
  });

  test('lets no cache keep what a caller is told', async () => {
    const url = `${gateway.web}/understudy.v1.LlmService/ListModels?connect=v1&encoding=json&message=%7B%7D`;
    const response = await fetch(url, { headers: { 'x-api-key': KEY } });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });

  test('asks for GET as well, and not for health and probes', async () => {
    const of = (method: string) =>
      `${gateway.web}/understudy.v1.LlmService/${method}?connect=v1&encoding=json&message=%7B%7D`;
    expect((await fetch(of('ListModels'))).status).toBe(401);
    expect((await fetch(of('ListModels'), { headers: { 'x-api-key': KEY } })).status).toBe(200);
    expect((await fetch(of('Health'))).status).toBe(200);
    expect((await fetch(`${gateway.web}/livez`)).status).toBe(200);
  });

  test('ends streams of Connect and calls of gRPC-Web as their protocols do', async () => {
    const connectStream = await post('StreamChat', { 'content-type': 'application/connect+json' }, '');
    expect([connectStream.status, await connectStream.text()]).toEqual([
      200,
      expect.stringContaining('unauthenticated'),
    ]);
    const grpcWeb = await post('Generate', { 'content-type': 'application/grpc-web+proto' }, '');
    const trailers = grpcWeb.headers.get('grpc-status') ?? (await grpcWeb.text());
    expect(trailers).toContain('16');
  });

  test('answers preflights without a key', async () => {
    const origin = gateway.web;
    const response = await fetch(`${gateway.web}${GENERATE}`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toMatch(/x-api-key/i);
  });
});

test('health, load reports and reflection are for callers where the configuration says so', async () => {
  const closed = await startGateway({
    targets: [{ name: 'mock', provider: 'mock' }],
    callers: [{ name: 'billing', api_keys: [{ sha256: digest(KEY) }] }],
    server: { authenticate_health: true },
  });
  try {
    await expect(closed.client.call(health, {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(closed.client.call(Health.method.check, { service: '' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect((await closed.client.call(health, {}, bearer(KEY))).version).not.toBe('');
    // Clients that check health before they call go on with this status alone (gRFC A17).
    const watching = closed.client.stream(Health.method.watch, { service: '' });
    await expect(watching.done).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
    const reports = closed.client.stream(OpenRcaService.method.streamCoreMetrics, {});
    await expect(reports.done).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
    const own = closed.client.stream(Health.method.watch, { service: '' }, bearer(KEY));
    expect((await own.at(0)).status).toBe(1);
    own.cancel();
    expect((await fetch(`${closed.web}/readyz`)).status).toBe(200);
  } finally {
    await closed.close();
  }
});

test('health says so where other machines reach doors that ask nobody', async () => {
  const open = await startGateway({ server: { grpc_address: '0.0.0.0:50051', allow_unauthenticated: true } });
  try {
    expect((await open.client.call(health, {})).unauthenticated).toBe(true);
  } finally {
    await open.close();
  }
});
