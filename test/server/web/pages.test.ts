import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { openAdmin } from '../../../src/server/admin/operator-door.ts';
import { createAdminHandlers } from '../../../src/server/admin/operator-service.ts';
import { webDoor } from '../support/doors.ts';
import { failed, fakeGateway, SERVING, success } from '../support/fake-gateway.ts';
import { endOf, enveloped } from '../support/web-envelopes.ts';
import { system } from '../../../src/system.ts';

const CHAT = '/understudy.v1.LlmService/Chat';
const STREAM = '/understudy.v1.LlmService/StreamChat';
const JSON_CHAT = JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] });

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks with whatever Host and Origin: `fetch` sets its own. Without a body it is a GET. */
function ask(baseUrl: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(`${baseUrl}${path}`, { method, headers: { 'content-type': 'application/json', ...headers } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    sent.end(body);
  });
}

const answering = (text = 'hi'): ReturnType<typeof fakeGateway> =>
  fakeGateway((call) => {
    call.client?.started(SERVING);
    call.client?.output({ kind: 'text', index: 0, text });
    return Promise.resolve(success([{ kind: 'text', index: 0, text }]));
  });

test.each([
  [{ host: 'evil.example' }],
  [{ host: 'evil.example:8080', origin: 'http://evil.example:8080' }],
  [{ origin: 'https://evil.example' }],
  [{ origin: 'http://localhost:3000' }],
  [{ origin: 'null' }],
])('a page with %j gets 403 and reaches nobody', async (headers) => {
  const gateway = answering();
  const { baseUrl } = await webDoor(gateway);
  const answer = await ask(baseUrl, CHAT, headers, JSON_CHAT);
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  expect(answer.body).toMatch(/^(This Host|Scripts of this origin) .*\n$/);
  expect((await ask(baseUrl, '/understudy.v1.LlmService/Health?encoding=json&message={}', headers)).status).toBe(403);
  expect(gateway.calls).toEqual([]);
});

test('clients that are no browsers, the pages of the door itself and of allowed origins may call', async () => {
  const gateway = answering();
  const corsOrigins = ['https://app.example'];
  const { baseUrl, door } = await webDoor(gateway, { corsOrigins, allowedHosts: ['gateway.internal'] });
  const own = { host: 'localhost:8080', origin: 'http://localhost:8080' };
  const proxied = { host: 'gateway.internal', origin: 'https://gateway.internal' };
  const allowed = { host: door.address, origin: 'https://app.example' };
  for (const headers of [{}, { host: 'localhost' }, { host: '[::1]:9' }, own, proxied, allowed]) {
    expect((await ask(baseUrl, CHAT, headers, JSON_CHAT)).status).toBe(200);
  }
  expect((await ask(baseUrl, CHAT, { ...allowed, host: 'evil.example' }, JSON_CHAT)).status).toBe(403);
});

test('probes are answered under any name: balancers call by their own', async () => {
  const { baseUrl } = await webDoor(answering());
  expect((await ask(baseUrl, '/readyz', { host: 'balancer.example' })).status).toBe(200);
});

test('the admin listener is for no page at all, and under no foreign name', async () => {
  const operator = { force: () => true, reset: () => true, hasModel: () => true };
  const listener = await openAdmin({
    address: '127.0.0.1:0',
    isReady: () => true,
    runtime: system,
    metrics: () => Promise.resolve({ contentType: 'text/plain', body: 'up 1\n' }),
    handlers: createAdminHandlers({ gateway: answering(), operator, acted: () => undefined }),
    allowedHosts: ['metrics.internal'],
  });
  onTestFinished(() => listener.close());
  const baseUrl = `http://${listener.address}`;
  const reset = '/understudy.v1.AdminService/ResetTarget';
  for (const headers of [
    { host: 'evil.example' },
    { origin: baseUrl, host: listener.address },
    { origin: 'https://evil.example' },
  ]) {
    expect((await ask(baseUrl, '/metrics', headers)).status).toBe(403);
    expect((await ask(baseUrl, reset, headers, '{"target":"lead"}')).status).toBe(403);
  }
  for (const host of ['localhost', 'metrics.internal:9464', listener.address]) {
    expect((await ask(baseUrl, '/metrics', { host })).body).toBe('up 1\n');
    expect((await ask(baseUrl, reset, { host }, '{"target":"lead"}')).status).toBe(200);
  }
  const malformed = await ask(baseUrl, reset, {}, '{x');
  expect([malformed.status, JSON.parse(malformed.body)]).toMatchObject([400, { code: 'invalid_argument' }]);
});

test('the id of a request stands once in a response, also of an error', async () => {
  const { baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(failed())));
  const unary = await ask(baseUrl, CHAT, { 'x-request-id': 'mine' }, JSON_CHAT);
  expect([unary.status, unary.headers['x-request-id']]).toEqual([503, 'mine']);
  for (const type of ['application/connect+json', 'application/grpc-web+json']) {
    const stream = await fetch(`${baseUrl}${STREAM}`, {
      method: 'POST',
      headers: { 'content-type': type, 'x-request-id': 'mine' },
      body: enveloped(JSON_CHAT),
    });
    expect(stream.headers.get('x-request-id')).toBe('mine');
    expect(await stream.text()).not.toContain('x-request-id');
  }
});

test('half a surrogate pair of a provider leaves as valid JSON, in answers and in streams', async () => {
  const { baseUrl } = await webDoor(answering('half \ud83d'));
  const unary = await ask(baseUrl, CHAT, {}, JSON_CHAT);
  expect(JSON.parse(unary.body)).toMatchObject({ text: 'half \ufffd' });
  const stream = await fetch(`${baseUrl}${STREAM}`, {
    method: 'POST',
    headers: { 'content-type': 'application/connect+json' },
    body: enveloped(JSON_CHAT),
  });
  const text = await stream.text();
  expect(text).toContain('half \\ufffd');
  expect(unary.body + text).not.toContain('\\ud83d');
});

test('streams ask proxies not to hold them back, and answers do not', async () => {
  const { baseUrl } = await webDoor(answering());
  const stream = await fetch(`${baseUrl}${STREAM}`, {
    method: 'POST',
    headers: { 'content-type': 'application/connect+json' },
    body: enveloped(JSON_CHAT),
  });
  expect(stream.headers.get('x-accel-buffering')).toBe('no');
  expect(await endOf(stream)).toBe('ok');
  expect((await ask(baseUrl, CHAT, {}, JSON_CHAT)).headers['x-accel-buffering']).toBeUndefined();
});
