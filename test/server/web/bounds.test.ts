import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { toBinary } from '@bufbuild/protobuf';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { system } from '../../../src/system.ts';
import { webDoor } from '../support/doors.ts';
import { fakeGateway, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';
import { enveloped } from '../support/web-envelopes.ts';

const MIB = 1024 * 1024;
const PATH = '/understudy.v1.LlmService/';
const HELLO = Buffer.from(JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] }));
const BINARY = Buffer.from(toBinary(ChatRequestSchema, chat()));
const JSON_TYPE = { 'content-type': 'application/json' };

const answering = (answer = 'hi') =>
  fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text: answer }])));

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Posts bytes as they are; `fetch` would not let a body be shorter than its length. */
async function post(url: string, body: Uint8Array, headers: Record<string, string>, agent?: Agent): Promise<Answer> {
  const request = httpRequest(url, { method: 'POST', headers, ...(agent && { agent }) });
  request.on('error', () => undefined);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  // The words of gRPC-Web are percent-encoded.
  return { status: response.statusCode, body: (await text(response)).replaceAll('%20', ' ') };
}

/** Begins to post a body of a length, and sends little of it. */
function begin(baseUrl: string, length: number, headers: Record<string, string> = JSON_TYPE) {
  const request = httpRequest(`${baseUrl}${PATH}Chat`, {
    method: 'POST',
    headers: { ...headers, 'content-length': length },
  });
  onTestFinished(() => void request.destroy());
  request.on('error', () => undefined);
  request.write('{"messages');
  const answered = once(request, 'response').then(async ([response]: IncomingMessage[]) => {
    if (response === undefined) throw new Error('there is no answer');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  });
  answered.catch(() => undefined);
  return { request, answered };
}

test('room is made once for a body, whatever the libraries know of its length', async () => {
  const { transfers } = transfersByHand({ maxMessageBytes: 32 * MIB }, 256 * MIB);
  const { baseUrl } = await webDoor(answering(), { transfers });
  const before = process.memoryUsage().arrayBuffers;
  begin(baseUrl, 32 * MIB);
  await expect.poll(() => transfers.budget.requestBytes).toBe(32 * MIB);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48 * MIB);
});

describe.each([
  ['JSON', `Chat`, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, HELLO, false],
  ['protobuf', `Chat`, { 'content-type': 'application/proto', 'content-encoding': 'gzip' }, BINARY, false],
  [
    'a stream in JSON',
    'StreamChat',
    { 'content-type': 'application/connect+json', 'connect-content-encoding': 'gzip' },
    HELLO,
    true,
  ],
  [
    'a stream in protobuf',
    'StreamChat',
    { 'content-type': 'application/connect+proto', 'connect-content-encoding': 'gzip' },
    BINARY,
    true,
  ],
  ['gRPC-Web', 'Chat', { 'content-type': 'application/grpc-web+proto', 'grpc-encoding': 'gzip' }, BINARY, true],
] as const)('compressed, %s', (_name, method, headers, message, isEnveloped) => {
  const send = async (baseUrl: string, plain: Uint8Array) => {
    const compressed = gzipSync(plain);
    return post(`${baseUrl}${PATH}${method}`, isEnveloped ? enveloped(compressed, { flag: 1 }) : compressed, headers);
  };

  test('is read', async () => {
    const gateway = answering();
    const { baseUrl } = await webDoor(gateway);
    expect((await send(baseUrl, message)).status).toBe(200);
    expect(gateway.calls).toHaveLength(1);
  });

  test('may not expand beyond 1 MiB and a hundred times its size', async () => {
    const gateway = answering();
    const { transfers } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const { baseUrl } = await webDoor(gateway, { transfers });
    const { body } = await send(baseUrl, Buffer.alloc(2 * MIB, ' '));
    expect(body).toContain('expands');
    expect(gateway.calls).toEqual([]);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });

  test('is looked at before it is decoded', async () => {
    const gateway = answering();
    const { baseUrl } = await webDoor(gateway);
    const many = headers['content-type'].endsWith('json')
      ? `{"messages":[${'{},'.repeat(50_000)}{}]}`
      : Buffer.alloc(2 * 50_001, Buffer.of(10, 0));
    expect((await send(baseUrl, Buffer.from(many))).body).toContain('at most 50000 fields');
    expect(gateway.calls).toEqual([]);
  });

  test('that is not in its coding is refused', async () => {
    const { baseUrl } = await webDoor(answering());
    const body = isEnveloped ? enveloped(message, { flag: 1 }) : message;
    expect((await post(`${baseUrl}${PATH}${method}`, body, headers)).body).toContain('not in the coding');
  });
});

describe('a request', () => {
  test.each([
    ['too many fields', `{"labels":{${'"a":"",'.repeat(50_001)}"b":""}}`, 400, 'at most 50000 fields'],
    ['what is too deep', `{"options":${'['.repeat(101)}${' '.repeat(100_000)}`, 400, 'at most 100 deep'],
    ['too much text', `{"model":"${'a'.repeat(8 * MIB)}"}`, 429, 'besides its attachments'],
  ])('of %s is refused unparsed', async (_name, body, status, told) => {
    const { baseUrl } = await webDoor(answering());
    const answer = await post(`${baseUrl}${PATH}Chat`, Buffer.from(body), JSON_TYPE);
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(told)]);
  });

  test('in a query is expanded a little, and no more', async () => {
    const { baseUrl } = await webDoor(answering());
    const query = (message: string) => {
      const compressed = gzipSync(message).toString('base64url');
      return `${baseUrl}${PATH}Health?connect=v1&encoding=json&compression=gzip&base64=1&message=${compressed}`;
    };
    expect((await fetch(query('{}'))).status).toBe(200);
    expect((await fetch(query(`{}${' '.repeat(100_000)}`))).status).toBe(429);
  });

  test('that finds no room in the half of its address is refused before it is read; small ones are answered', async () => {
    const { transfers } = transfersByHand();
    const { baseUrl } = await webDoor(answering(), { transfers });
    const held = Array.from({ length: 4 }, () => begin(baseUrl, MIB));
    await expect.poll(() => transfers.budget.requestBytes).toBe(4 * MIB);
    const refused = await begin(baseUrl, MIB).answered;
    expect(refused).toMatchObject({
      status: 503,
      headers: { 'grpc-retry-pushback-ms': expect.any(String) as unknown },
    });
    expect(refused.body).toContain('OVERLOADED');
    expect((await post(`${baseUrl}${PATH}Chat`, HELLO, JSON_TYPE)).status).toBe(200);
    for (const { request } of held) request.destroy();
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });

  test('that says no length takes what has come', async () => {
    const { transfers } = transfersByHand();
    const { baseUrl } = await webDoor(answering(), { transfers });
    const request = httpRequest(`${baseUrl}${PATH}Chat`, { method: 'POST', headers: JSON_TYPE });
    request.on('error', () => undefined);
    request.write(HELLO.subarray(0, 10));
    await expect.poll(() => transfers.budget.requestBytes).toBe(10);
    request.end(HELLO.subarray(10));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
  });

  test('that is larger than allowed is refused, with its length or as soon as it is', async () => {
    const { transfers } = transfersByHand();
    const { baseUrl } = await webDoor(answering(), { transfers });
    expect((await begin(baseUrl, MIB + 100).answered).status).toBe(429);
    const request = httpRequest(`${baseUrl}${PATH}Chat`, { method: 'POST', headers: JSON_TYPE });
    request.on('error', () => undefined);
    request.write(Buffer.alloc(MIB + 100));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(429);
    request.destroy();
    expect(transfers.budget.refused.message_size).toBe(2);
  });

  test.each([
    ['the time for transfers', {}, 60_000],
    ['its deadline', { 'connect-timeout-ms': '3000' }, 4_000],
  ])('that does not arrive within %s is refused', async (_name, headers, ms) => {
    const { transfers, look } = transfersByHand();
    const { baseUrl } = await webDoor(answering(), { transfers });
    const { answered } = begin(baseUrl, 1_000, { ...JSON_TYPE, ...headers });
    await expect.poll(() => transfers.budget.requestBytes).toBe(1_000);
    look(1_000);
    look(ms);
    const { status, body } = await answered;
    expect([status, body]).toEqual([504, expect.stringContaining('did not arrive in time')]);
    expect(transfers.budget.refused.receive_timeout).toBe(1);
  });
});

/** Asks for an answer of 12 MiB, and more, and reads none of it. */
async function unread(headers = '') {
  const { transfers, look } = transfersByHand({ maxMessageBytes: 16 * MIB }, 64 * MIB);
  const { door } = await webDoor(answering('a'.repeat(6 * MIB)), { transfers });
  const { hostname, port } = new URL(`http://${door.address}`);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`POST ${PATH}Chat HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n${headers}`);
  socket.write(`content-length: ${HELLO.byteLength}\r\n\r\n${HELLO.toString()}`);
  await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(12 * MIB);
  return { transfers, look };
}

test('an answer that nobody reads counts, and is cut off in the end', async () => {
  const { transfers, look } = await unread();
  look(1_000);
  look(59_999);
  expect(transfers.budget.refused.send_timeout).toBe(0);
  look(60_000);
  expect(transfers.budget.refused.send_timeout).toBe(1);
  await expect.poll(() => transfers.budget.answerBytes).toBe(0);
});

test('an answer is not kept longer than its deadline, and the 2 s by which clients round it up', async () => {
  const { transfers, look } = await unread('connect-timeout-ms: 10000\r\n');
  look(1_000);
  look(8_000);
  expect(transfers.budget.refused.send_timeout).toBe(0);
  look(4_000);
  expect(transfers.budget.refused.send_timeout).toBe(1);
  await expect.poll(() => transfers.budget.answerBytes).toBe(0);
});

test.each(['application/json', 'APPLICATION/JSON'])(
  'nothing counts of what a client that has left is answered (%s)',
  async (type) => {
    const { transfers } = transfersByHand();
    const gateway = fakeGateway(untilAborted);
    const { baseUrl } = await webDoor(gateway, { transfers });
    const headers = { 'content-type': type };
    const request = httpRequest(`${baseUrl}${PATH}Chat`, { method: 'POST', headers });
    request.on('error', () => undefined);
    request.end(HELLO);
    await expect.poll(() => gateway.calls.length).toBe(1);
    request.destroy();
    await expect.poll(() => gateway.ends.length).toBe(1);
    // Its answer is made behind that.
    await new Promise((resolve) => setImmediate(resolve));
    expect(transfers.budget.answerBytes).toBe(0);
  },
);

/** A door whose turns can be held back, and whose clock can be set forward. */
async function doorInTurns() {
  const held: (() => void)[] = [];
  const state = { isHeld: false, laterMs: 0, answered: 0 };
  const runtime = {
    ...system,
    now: () => system.now() + state.laterMs,
    // The turn is asked for first; cohorts go on.
    afterInput: (run: () => void): void => {
      if (state.isHeld && held.length === 0) held.push(run);
      else system.afterInput(run);
    },
  };
  const { transfers } = transfersByHand({}, 64 * MIB);
  const { baseUrl } = await webDoor(answering(), { transfers, runtime });
  const agent = new Agent({ keepAlive: true, maxSockets: 80 });
  onTestFinished(() => agent.destroy());
  state.isHeld = true;
  const ask = async (headers?: Record<string, string>) => {
    const answer = await post(`${baseUrl}${PATH}Chat`, HELLO, { ...JSON_TYPE, ...headers }, agent);
    state.answered += 1;
    return answer;
  };
  /** Resolves when the 33 that begin at once are answered, and so many wait. */
  const waiting = (calls: number) =>
    expect.poll(() => [state.answered, transfers.budget.requestBytes]).toEqual([33, calls * HELLO.byteLength]);
  const turn = (): void => {
    for (const run of held.splice(0)) run();
  };
  const release = (laterMs: number): void => {
    state.laterMs = laterMs;
    state.isHeld = false;
    turn();
  };
  return { baseUrl, transfers, ask, waiting, turn, release };
}

test('calls of one address that arrive together begin in turns, and one that finds none is refused', async () => {
  const { transfers, ask, waiting, release } = await doorInTurns();
  const asked = Array.from({ length: 40 }, () => ask());
  await waiting(7);
  release(6_000);
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(33);
  expect(statuses.filter((status) => status === 503)).toHaveLength(7);
  expect(transfers.budget.refused.turn_wait).toBe(7);
});

test('a call that waits for its turn hears of its deadline, and is not counted as refused behind that', async () => {
  const { transfers, ask, waiting, release } = await doorInTurns();
  const first = Array.from({ length: 39 }, () => ask());
  await waiting(6);
  const { status, body } = await ask({ 'connect-timeout-ms': '50' });
  expect([status, JSON.parse(body)]).toMatchObject([504, { code: 'deadline_exceeded' }]);
  release(6_000);
  await Promise.all(first);
  expect(transfers.budget.refused.turn_wait).toBe(6);
});

test('a call whose deadline has passed while it waited takes no turn from those behind it', async () => {
  const { transfers, ask, turn, release } = await doorInTurns();
  await Promise.all(Array.from({ length: 33 }, () => ask()));
  const late = await Promise.all(Array.from({ length: 40 }, () => ask({ 'connect-timeout-ms': '50' })));
  expect(new Set(late.map(({ status }) => status))).toEqual(new Set([504]));
  const next = Array.from({ length: 10 }, () => ask());
  await expect.poll(() => transfers.budget.requestBytes).toBe(10 * HELLO.byteLength);
  turn();
  expect(new Set((await Promise.all(next)).map(({ status }) => status))).toEqual(new Set([200]));
  release(0);
});

test('a call whose caller has left while it waited takes no turn from those behind it', async () => {
  const { baseUrl, transfers, ask, turn, release } = await doorInTurns();
  await Promise.all(Array.from({ length: 33 }, () => ask()));
  const callers = new AbortController();
  const { signal } = callers;
  const left = Array.from({ length: 40 }, () =>
    fetch(`${baseUrl}${PATH}Chat`, { method: 'POST', body: HELLO, headers: JSON_TYPE, signal }),
  );
  await expect.poll(() => transfers.budget.requestBytes).toBe(40 * HELLO.byteLength);
  callers.abort();
  await Promise.allSettled(left);
  await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  const next = Array.from({ length: 10 }, () => ask());
  await expect.poll(() => transfers.budget.requestBytes).toBe(10 * HELLO.byteLength);
  turn();
  expect(new Set((await Promise.all(next)).map(({ status }) => status))).toEqual(new Set([200]));
  release(0);
});

test('what goes on behind a refusal is read at a pace, also where nothing of it was read before', async () => {
  // No step of the pace comes.
  const runtime = {
    ...system,
    setTimer: (ms: number, fire: () => void) => (ms === 50 ? 0 : system.setTimer(ms, fire)),
  };
  const { transfers } = transfersByHand({ maxMessageBytes: 64 * MIB }, 32 * MIB);
  const { baseUrl } = await webDoor(answering(), { transfers, runtime });
  const { hostname, port } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`POST ${PATH}Chat HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`);
  socket.write(`content-length: ${60 * MIB}\r\n\r\n`);
  socket.write(Buffer.alloc(60 * MIB, ' '));
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toContain('503');
  for (let count = 0; count < 50; count += 1) await post(`${baseUrl}${PATH}Chat`, HELLO, JSON_TYPE);
  expect(socket.writableLength).toBeGreaterThan(30 * MIB);
});
