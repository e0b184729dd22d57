import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { toBinary } from '@bufbuild/protobuf';
import { expect, onTestFinished, test } from 'vitest';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { webDoor } from '../support/doors.ts';
import { fakeGateway, SERVING, success } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { endOf, enveloped } from '../support/web-envelopes.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';

const SERVICE = '/understudy.v1.LlmService';
const JSON_CHAT = JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] });
const PROTO_CHAT = toBinary(ChatRequestSchema, chat());

interface Protocol {
  readonly type: string;
  readonly message: Uint8Array | string;
  readonly malformed: Uint8Array | string;
  /** What a message that cannot be decoded is answered with. */
  readonly undecodable: string;
  readonly encodingHeader: string;
  readonly timeoutHeader: string;
  readonly methods: readonly string[];
}

const GRPC_WEB = { encodingHeader: 'grpc-encoding', timeoutHeader: 'grpc-timeout', methods: ['Chat', 'StreamChat'] };
const CONNECT = {
  encodingHeader: 'connect-content-encoding',
  timeoutHeader: 'connect-timeout-ms',
  methods: ['StreamChat'],
};
const OF_JSON = { message: JSON_CHAT, malformed: '{x', undecodable: 'invalid_argument' };
const OF_PROTO = { message: PROTO_CHAT, malformed: Buffer.of(0xff, 0xff), undecodable: 'internal' };

const protocols: readonly Protocol[] = [
  { type: 'application/connect+json', ...CONNECT, ...OF_JSON },
  { type: 'application/connect+proto', ...CONNECT, ...OF_PROTO },
  { type: 'application/grpc-web+proto', ...GRPC_WEB, ...OF_PROTO },
  { type: 'application/grpc-web+json', ...GRPC_WEB, ...OF_JSON },
];

type Headers = Readonly<Record<string, string>>;

/** Each fault with the code of its answer. */
function faultsOf(protocol: Protocol): readonly (readonly [string, string, Buffer<ArrayBuffer>, Headers?])[] {
  const { message, malformed, undecodable, encodingHeader, timeoutHeader } = protocol;
  const whole = enveloped(message);
  const gzipped = gzipSync(message);
  const gzip = { [encodingHeader]: 'gzip' };
  return [
    ['no message', 'unimplemented', Buffer.alloc(0)],
    ['half a prefix', 'invalid_argument', Buffer.alloc(3)],
    ['half a message', 'invalid_argument', enveloped(message, { length: 1_000 })],
    ['two messages', 'unimplemented', Buffer.concat([whole, whole])],
    ['something behind the message', 'invalid_argument', Buffer.concat([whole, Buffer.alloc(2)])],
    ['no message of the contract', undecodable, enveloped(malformed)],
    ['a length above the limit', 'resource_exhausted', enveloped('x', { length: 30_000_000 })],
    ['the greatest length', 'resource_exhausted', enveloped('x', { length: 0xffff_ffff })],
    ['compression that nobody names', 'internal', enveloped(gzipped, { flag: 1 })],
    ['compression that is not known', 'unimplemented', enveloped(message, { flag: 1 }), { [encodingHeader]: 'odd' }],
    ['no gzip', 'invalid_argument', enveloped('not gzip', { flag: 1 }), gzip],
    ['half of a gzip', 'invalid_argument', enveloped(gzipped.subarray(0, 15), { flag: 1 }), gzip],
    ['gzip of no message', undecodable, enveloped(gzipSync(malformed), { flag: 1 }), gzip],
    ['every flag', 'internal', enveloped(message, { flag: 0xff })],
    ...['x', '5 S', 'a5S', '-1S', '', '12345678901'].map(
      (value) => [`the timeout "${value}"`, 'invalid_argument', whole, { [timeoutHeader]: value }] as const,
    ),
  ];
}

const answering = (): ReturnType<typeof fakeGateway> =>
  fakeGateway((call) => {
    call.client?.started(SERVING);
    return Promise.resolve(success([{ kind: 'text', index: 0, text: 'hi' }]));
  });

test.each(
  protocols.flatMap((protocol) => protocol.methods.map((method) => ({ method, protocol, type: protocol.type }))),
)(
  '$type: each framing fault of $method has its answer, reaches nobody, and harms nobody',
  async ({ method, protocol }) => {
    const gateway = answering();
    const { baseUrl } = await webDoor(gateway);
    const send = async (body: Buffer<ArrayBuffer>, headers: Headers = {}): Promise<string> =>
      endOf(
        await fetch(`${baseUrl}${SERVICE}/${method}`, {
          method: 'POST',
          body,
          headers: { 'content-type': protocol.type, ...headers },
        }),
      );
    const seen: string[] = [];
    const faults = faultsOf(protocol);
    for (const [name, , body, headers] of faults) seen.push(`${name}: ${await send(body, headers)}`);
    expect(seen).toEqual(faults.map(([name, code]) => `${name}: ${code}`));
    expect(gateway.calls).toEqual([]);
    expect(await send(enveloped(protocol.message))).toBe('ok');
  },
);

test('faults of unary Connect have their answers, too', async () => {
  const gateway = answering();
  const { baseUrl } = await webDoor(gateway);
  const send = async (type: string, body: string | Buffer<ArrayBuffer>, headers: Headers = {}): Promise<string> =>
    endOf(
      await fetch(`${baseUrl}${SERVICE}/Chat`, { method: 'POST', body, headers: { 'content-type': type, ...headers } }),
    );
  expect(await send('application/json', '{x')).toBe('invalid_argument');
  expect(await send('application/json', '')).toBe('invalid_argument');
  expect(await send('application/proto', Buffer.of(0xff, 0xff))).toBe('internal');
  for (const value of ['x', '-1', '5.5', '12345678901']) {
    expect(await send('application/json', JSON_CHAT, { 'connect-timeout-ms': value })).toBe('invalid_argument');
  }
  expect(await send('application/json', 'not gzip', { 'content-encoding': 'gzip' })).toBe('invalid_argument');
  expect(await send('application/json', JSON_CHAT, { 'content-encoding': 'odd' })).toBe('unimplemented');
  expect(await send('application/grpc-web-text', 'AAAA')).toBe('HTTP 415');
  expect(gateway.calls).toEqual([]);
});

test('a malformed error message is answered with 400, where no protocol can carry it', async () => {
  const { baseUrl } = await webDoor(answering());
  const response = await fetch(`${baseUrl}${SERVICE}/Chat`, {
    method: 'POST',
    body: enveloped(String.raw`{"\ud800":1}`),
    headers: { 'content-type': 'application/grpc-web+json' },
  });
  expect(response.status).toBe(400);
});

test('a request that says that it is too large gets its answer before it has come', async () => {
  const { transfers } = transfersByHand({ maxMessageBytes: 100_000 });
  const { door } = await webDoor(answering(), { transfers });
  const socket = connect(Number(door.address.split(':')[1]), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  const said = (part: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (part.test(text)) resolve();
      };
      socket.on('data', look);
      socket.once('close', () => reject(new Error(`closed after: ${text}`)));
      look();
    });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const head = (path: string, type: string, length: number): string =>
    `POST ${SERVICE}/${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
  socket.write(head('StreamChat', 'application/connect+json', 200_000));
  await said(/resource_exhausted/);
});

test.each(['!!!', 'AAA=A', 'A'])(
  'a GET whose message `%s` is no base64 is the fault of its sender',
  async (message) => {
    const { baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(success())));
    const query = new URLSearchParams({ connect: 'v1', encoding: 'proto', base64: '1', message });
    const answer = await fetch(`${baseUrl}${SERVICE}/ListModels?${query.toString()}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('not base64');
  },
);
