import { gzipSync } from 'node:zlib';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../../../gen/google/rpc/error_details_pb.ts';
import {
  ChatRequestSchema,
  type ChatResponse,
  ChatResponseSchema,
  type LlmService,
  StreamChatResponseSchema,
} from '../../../../gen/understudy/v1/llm_pb.ts';
import { chat } from '../../support/requests.ts';
import { bareWeb, type RawRequest } from '../../support/raw-web.ts';
import { enveloped } from '../../support/web-envelopes.ts';

/** What a handler does, by the model that is asked for. */
const ANSWERS: Readonly<Record<string, (context: HandlerContext) => ChatResponse>> = {
  '': () => create(ChatResponseSchema, { text: 'hi', latencyMs: 0.1, metadata: { a: 'ä', b: '"' } }),
  empty: () => create(ChatResponseSchema),
  surrogate: () => create(ChatResponseSchema, { text: 'half \ud83d of a pair, \u2028, 😀' }),
  long: () => create(ChatResponseSchema, { text: 'ä'.repeat(200_000) }),
  headers: (context) => {
    context.responseHeader.set('x-mine', 'head');
    context.responseHeader.append('x-mine', 'twice');
    context.responseTrailer.set('x-tail', 'tail');
    context.responseTrailer.set('a-first', 'tail');
    return create(ChatResponseSchema, { text: `${context.requestHeader.get('x-request-id')} ${context.protocolName}` });
  },
  context: ({ url, requestMethod, requestHeader, timeoutMs, service, method }) => {
    const headers = [...requestHeader].filter(([name]) => name !== 'host').join('; ');
    const timeout = (timeoutMs() ?? Infinity) > 20_000;
    const where = new URL(url).pathname;
    return create(ChatResponseSchema, {
      text: [where, requestMethod, headers, timeout, service.name, method.name].join(),
    });
  },
  error: () => {
    const details = [{ desc: ErrorInfoSchema, value: { reason: 'R', domain: 'd', metadata: { ä: '😀' } } }];
    const metadata = { 'grpc-retry-pushback-ms': '-1', 'content-type': 'no', 'x-more': 'm' };
    throw new ConnectError('no ü "way"', Code.ResourceExhausted, metadata, details);
  },
  wordless: () => {
    throw new ConnectError('', Code.Unauthenticated);
  },
  foreign: () => {
    throw new RangeError('a secret of ours');
  },
  unsendable: (context) => {
    context.responseHeader.set('x-mine', 'ok');
    throw new ConnectError('no', Code.Aborted, { 'x-odd': 'é' });
  },
  wrong: () => create(ChatResponseSchema, { tokensUsed: 0.5 }),
};

function act(model: string, context: HandlerContext): ChatResponse {
  context.responseHeader.set('x-request-id', context.requestHeader.get('x-request-id') ?? 'made-here');
  return (ANSWERS[model] ?? ANSWERS['empty'])?.(context) ?? create(ChatResponseSchema);
}

const service = {
  chat: async ({ model }, context) => act(model, context),
  async *streamChat({ model }, context): AsyncGenerator<MessageInitShape<typeof StreamChatResponseSchema>> {
    if (model === 'none') return;
    if (model === 'late') yield create(StreamChatResponseSchema, { sequence: 1n });
    const { text } = act(model === 'late' ? 'error' : model, context);
    for (const sequence of [1n, 2n, 3n]) {
      yield { sequence, event: { case: 'textDelta', value: { partIndex: 0, text } } };
      if (sequence === 2n) await new Promise((resolve) => setImmediate(resolve));
    }
    yield { sequence: 4n, event: { case: 'ping', value: {} } };
  },
} satisfies Partial<ServiceImpl<typeof LlmService>>;

const implementation = service as unknown as ServiceImpl<typeof LlmService>;

const TYPES = [
  ['Chat', 'application/json'],
  ['Chat', 'application/proto'],
  ['Chat', 'application/grpc-web+proto'],
  ['Chat', 'application/grpc-web+json'],
  ['StreamChat', 'application/connect+json'],
  ['StreamChat', 'application/connect+proto'],
  ['StreamChat', 'application/grpc-web'],
  ['StreamChat', 'application/grpc-web+json'],
] as const;

/** The same kinds of requests for every content type. */
function requestsFor(method: string, type: string): readonly (readonly [name: string, request: RawRequest])[] {
  const isJson = type.endsWith('json');
  const isEnveloped = !['application/json', 'application/proto'].includes(type);
  const path = `/understudy.v1.LlmService/${method}`;
  const encoded = (model: string): Buffer =>
    isJson
      ? Buffer.from(JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }], model }))
      : Buffer.from(toBinary(ChatRequestSchema, { ...chat(), model }));
  const framed = (message: Uint8Array): Buffer => (isEnveloped ? enveloped(message) : Buffer.from(message));
  const request = (message: Uint8Array, headers: Record<string, string> = {}): RawRequest => ({
    path,
    headers: { 'content-type': type, ...headers },
    body: framed(message),
  });
  const hello = encoded('');
  const with_ = (headers: Record<string, string>): RawRequest => request(hello, headers);
  const models = [...Object.keys(ANSWERS), 'none', 'late'];
  const gzip = { 'content-encoding': 'gzip', 'connect-content-encoding': 'gzip', 'grpc-encoding': 'gzip' };
  const timeouts = ['0', '1', '30000', '99999999999', '5 S', '', 'x', '30S', '1n', '0S', '999999999S'];
  const accepted = ['gzip', 'br, gzip', 'identity', 'br', ''];
  return [
    ...models.map((model) => [`model ${model}`, request(encoded(model), { 'x-request-id': 'mine' })] as const),
    ['nothing', request(Buffer.alloc(0))],
    ['no body at all', { ...with_({}), body: Buffer.alloc(0) }],
    ['half a prefix', { ...with_({}), body: Buffer.alloc(3) }],
    ['two messages', { ...with_({}), body: Buffer.concat([framed(hello), framed(hello)]) }],
    ['half a message', { ...with_({}), body: framed(hello).subarray(0, 20) }],
    ['a flag', { ...with_({}), body: enveloped(hello, { flag: 2 }) }],
    ['compression that nobody names', { ...with_({}), body: enveloped(gzipSync(hello), { flag: 1 }) }],
    ['gzip', { ...with_(gzip), body: isEnveloped ? enveloped(gzipSync(hello), { flag: 1 }) : gzipSync(hello) }],
    ['coding unknown', with_({ 'content-encoding': 'odd', 'connect-content-encoding': 'odd', 'grpc-encoding': 'odd' })],
    ['identity', with_({ 'content-encoding': 'identity', 'connect-content-encoding': 'identity' })],
    ['no JSON', request(Buffer.from('{x'))],
    ['unknown fields', request(Buffer.from('{"mesages":[]}'))],
    ['a wrong type', request(Buffer.from('{"messages":[{"role":7.5}]}'))],
    ['the same twice', request(Buffer.from('{"model":"error","model":"empty"}'))],
    ['a mark of byte order', request(Buffer.from('\ufeff{"model":"empty"}'))],
    ['wrong UTF-8', request(Buffer.from([0x0a, 0x02, 0xc3, 0x28]))],
    ['wrong UTF-8 in JSON', request(Buffer.from([...Buffer.from('{"model":"'), 0xc3, ...Buffer.from('"}')]))],
    ['half a pair in JSON', request(Buffer.from(String.raw`{"model":"\ud800"}`))],
    ['proto names', request(Buffer.from('{"request_id":"a","model":"headers"}'))],
    ...timeouts.flatMap((timeout) => [
      [`connect-timeout-ms ${timeout}`, with_({ 'connect-timeout-ms': timeout })] as const,
      [`grpc-timeout ${timeout}`, with_({ 'grpc-timeout': timeout })] as const,
    ]),
    ...accepted.map(
      (accept) =>
        [
          `accepting ${accept}`,
          with_({ 'accept-encoding': accept, 'connect-accept-encoding': accept, 'grpc-accept-encoding': accept }),
        ] as const,
    ),
    ['version 2', with_({ 'connect-protocol-version': '2' })],
    ['charset', with_({ 'content-type': `${type}; charset=utf-8` })],
    ['charset without space', with_({ 'content-type': `${type};charset=utf-8` })],
    ['capitals', with_({ 'content-type': type.toUpperCase() })],
    ['another charset', with_({ 'content-type': `${type}; charset=latin1` })],
    ['text of gRPC-Web', with_({ 'content-type': 'application/grpc-web-text' })],
    ['the type of streams', with_({ 'content-type': 'application/connect+proto' })],
    ['the type of one message', with_({ 'content-type': 'application/json' })],
    ['PUT', { ...with_({}), method: 'PUT' }],
    [
      'GET',
      { ...with_({}), method: 'GET', path: `${path}?connect=v1&encoding=json&message=%7B%7D`, body: Buffer.alloc(0) },
    ],
    ['a query', { ...with_({}), path: `${path}?a=b` }],
    ['an unknown method', { ...with_({}), path: `${path}s` }],
    ['headers for the handler', request(encoded('context'), { cookie: 'a=b', 'x-twice': 'a', traceparent: '00-1' })],
  ];
}

describe.each(TYPES)('%s as %s', (method, type) => {
  test.each(['http1', 'http2'] as const)('has the answers of Connect over %s, byte for byte', async (version) => {
    const [plain, connect] = [await bareWeb(implementation, true), await bareWeb(implementation, false)];
    for (const [name, request] of requestsFor(method, type)) {
      const [seen, wanted] = [await plain[version](request), await connect[version](request)];
      expect({ name, head: seen.head, body: seen.body.toString('latin1') }).toEqual({
        name,
        head: wanted.head,
        body: wanted.body.toString('latin1'),
      });
    }
  });
});
