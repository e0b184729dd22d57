import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http2';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { credentialFailure } from '../../../src/callers/credentials/refusals.ts';
import type { CredentialFault, Identified } from '../../../src/callers/port/credentials.ts';
import { createHandlers } from '../../../src/server/handlers/rpc-handlers.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/server/port/limits.ts';
import { grpcDoor, rawCall } from '../support/doors.ts';
import { fakeGateway, success } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';

const FAULTS: readonly CredentialFault[] = ['missing', 'unknown_key', 'expired_key', 'issuer_unavailable'];

test('a caller that is refused is told why, with the id that it gave its request, whoever was refused before', async () => {
  const gateway = fakeGateway(() => Promise.reject(new Error('was called')));
  const identify = ({ apiKey }: { readonly apiKey?: string | undefined }) =>
    credentialFailure(FAULTS.find((fault) => fault === apiKey) ?? 'malformed');
  const authentication = { directory: { identify }, includesHealth: true, refused: () => undefined };
  const session = (await grpcDoor(gateway, { authentication: () => authentication })).session();
  const refused = async (fault: string, more: Readonly<Record<string, string>> = {}): Promise<IncomingHttpHeaders> => {
    const headers = { ':path': '/understudy.v1.LlmService/Chat', 'x-api-key': fault, ...more };
    const stream = session.request({ ':method': 'POST', 'content-type': 'application/grpc', ...headers });
    stream.resume().end();
    const [end]: IncomingHttpHeaders[] = await once(stream, 'response');
    return end ?? {};
  };
  for (const fault of FAULTS) {
    const first = await refused(fault);
    const other = await refused(fault, { 'x-request-id': 'mine' });
    const again = await refused(fault);
    const watch = await refused(fault, { ':path': '/grpc.health.v1.Health/Watch' });
    expect(statusOf(again)).toEqual(statusOf(first));
    expect(statusOf(first)).toMatchObject(credentialStatus(fault));
    expect(statusOf(first).info).not.toHaveProperty('request_id');
    expect(statusOf(other)).toMatchObject(credentialStatus(fault));
    expect(other['x-request-id']).toBe('mine');
    expect(watch['grpc-status']).toBe('12');
  }
});

test('a call of which is being found out who makes it is waited for by a door that drains', async () => {
  const gateway = fakeGateway(() => Promise.resolve(success()));
  const asked = Promise.withResolvers<void>();
  const found = Promise.withResolvers<Identified>();
  const identify = (): Promise<Identified> => {
    asked.resolve();
    return found.promise;
  };
  const authentication = { directory: { identify }, includesHealth: false, refused: () => undefined };
  const handlers = createHandlers(gateway, { random: () => 0.5, maxMessageBytes: MAX_MESSAGE_BYTES });
  const { door, session } = await grpcDoor(gateway, { authentication: () => authentication, handlers });
  const client = session();
  const answer = rawCall(client, 'Chat', toBinary(ChatRequestSchema, chat()));
  await asked.promise;
  const sentAway = once(client, 'goaway');
  const drained = door.drain(60_000);
  await sentAway;
  await door.sendAway();
  // What follows from that at the door has happened when this has.
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  found.resolve({ name: 'billing', metricName: 'billing', accounts: [] });
  expect((await answer).trailers).toMatchObject({ 'grpc-status': '0' });
  await drained;
});

test.each([
  ['at once', (fault: Identified) => fault],
  ['after a while', (fault: Identified) => Promise.resolve(fault)],
])('a caller that is refused %s holds up no door that drains, though its request goes on', async (_when, told) => {
  const gateway = fakeGateway(() => Promise.reject(new Error('was called')));
  const identify = (): Identified | Promise<Identified> => told(credentialFailure('unknown_key'));
  const authentication = { directory: { identify }, includesHealth: false, refused: () => undefined };
  // Whoever is refused may go on for a while: here for ever.
  const { transfers } = transfersByHand();
  const { door, session } = await grpcDoor(gateway, { authentication: () => authentication, transfers });
  const headers = { ':path': '/understudy.v1.LlmService/Chat', ':method': 'POST', 'content-type': 'application/grpc' };
  const stream = session().request(headers);
  const [end]: IncomingHttpHeaders[] = await once(stream.resume(), 'response');
  expect(end?.['grpc-status']).toBe('16');
  await door.drain(3_600_000);
});

function credentialStatus(fault: CredentialFault) {
  const { message, reason } = credentialFailure(fault);
  return { status: fault === 'issuer_unavailable' ? '14' : '16', message, reason };
}

function statusOf(headers: IncomingHttpHeaders) {
  const { details } = fromBinary(StatusSchema, Buffer.from(String(headers['grpc-status-details-bin']), 'base64'));
  const info = details.map((detail) => anyUnpack(detail, ErrorInfoSchema)).find((found) => found !== undefined);
  return {
    status: headers['grpc-status'],
    message: decodeURI(String(headers['grpc-message'])),
    reason: info?.reason,
    info: info?.metadata,
  };
}
