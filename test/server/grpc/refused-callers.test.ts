import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http2';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import { credentialFailure } from '../../../src/callers/credentials/refusals.ts';
import type { CredentialFault } from '../../../src/callers/port/credentials.ts';
import { grpcDoor } from '../support/doors.ts';
import { fakeGateway } from '../support/fake-gateway.ts';

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
