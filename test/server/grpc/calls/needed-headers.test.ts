import type { ClientHttp2Session } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test, vi } from 'vitest';
import { ChatRequestSchema, HealthRequestSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { grpcDoor, rawCall } from '../../support/doors.ts';
import { fakeGateway, success } from '../../support/fake-gateway.ts';
import { chat } from '../../support/requests.ts';

const SECRET = 'gehe\xefmnis';

const HEADERS = {
  authorization: `Bearer ${SECRET}`,
  'x-long': SECRET.repeat(100),
  'secret-bin': SECRET,
  'x-request-id': SECRET,
};

describe('headers that gRPC cannot hold', () => {
  test.each([
    ['a plain unary call', 'Chat', {}],
    ['a unary call that grpc-js reads', 'Chat', { 'content-type': 'application/grpc+json' }],
    ['a stream', 'StreamChat', {}],
    ['a method that is not there', 'Nothing', {}],
    ['a content type that is none', 'Chat', { 'content-type': SECRET }],
    ['an encoding that is none', 'Chat', { 'grpc-encoding': SECRET }],
    ['a deadline that is none', 'StreamChat', { 'grpc-timeout': SECRET }],
  ])('are written nowhere: %s', async (_what, method, headers) => {
    const lines: unknown[] = [];
    const note = (...words: unknown[]): boolean => lines.push(words) > 0;
    vi.spyOn(console, 'error').mockImplementation(note);
    vi.spyOn(process.stderr, 'write').mockImplementation(note);
    const { session } = await open();
    const answer = await rawCall(session, method, toBinary(ChatRequestSchema, chat()), { ...HEADERS, ...headers });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
    vi.restoreAllMocks();
    expect(lines).toEqual([]);
  });

  test('harm no call, and an id that cannot be one is replaced', async () => {
    const { session } = await open();
    const { headers, trailers } = await rawCall(session, 'Chat', toBinary(ChatRequestSchema, chat()), HEADERS);
    expect(trailers?.['grpc-status']).toBe('0');
    expect(headers['x-request-id']).toBe('made-here');
  });
});

test('the id of a request is read from the headers of every kind of call, however many others there are', async () => {
  const { session } = await open();
  const headers = { 'x-request-id': 'mine', ...Object.fromEntries(manyHeaders()) };
  for (const contentType of ['application/grpc', 'application/grpc+json']) {
    const body = toBinary(HealthRequestSchema, create(HealthRequestSchema));
    const answer = await rawCall(session, 'Health', body, { ...headers, 'content-type': contentType });
    expect(answer.headers['x-request-id']).toBe('mine');
  }
});

function manyHeaders(): [string, string][] {
  return Array.from({ length: 50 }, (_, index) => [`x-${index}`, 'x']);
}

async function open(): Promise<{ readonly session: ClientHttp2Session }> {
  const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
  return { session: door.session() };
}
