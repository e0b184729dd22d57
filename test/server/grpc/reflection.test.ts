import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { create, equals, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.ts';
import { ServerReflection, ServerReflectionRequestSchema } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { file_understudy_v1_llm } from '../../../gen/understudy/v1/llm_pb.ts';
import { grpcDoor } from '../support/doors.ts';
import { fakeGateway, success } from '../support/fake-gateway.ts';

const BUF = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url));
const run = promisify(execFile);

/** Calls by reflection with the Go client of buf. Resolves with what it writes, also where the call fails. */
async function curl(url: string, version: string, ...more: string[]): Promise<string> {
  const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--reflect-protocol', version, ...more, url];
  try {
    return (await run(BUF, args)).stdout;
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  }
}

describe.each(['grpc-v1', 'grpc-v1alpha'])('reflection %s', (version) => {
  test('lists the services and lets a tool call without a proto file', async () => {
    const door = await grpcDoor(fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text: 'hi' }]))));
    const services = await curl(door.baseUrl, version, '--list-services');
    expect(services.trim().split('\n').toSorted()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'understudy.v1.LlmService',
    ]);
    const methods = await curl(door.baseUrl, version, '--list-methods');
    expect(methods).toContain('understudy.v1.LlmService/StreamChat');
    const data = JSON.stringify({ prompt: 'hello', labels: { team: 'a' }, routing: { firstOutputTimeout: '3s' } });
    const answer = await curl(`${door.baseUrl}/understudy.v1.LlmService/Generate`, version, '--data', data);
    expect(JSON.parse(answer)).toMatchObject({ text: 'hi', requestId: 'made-here' });
    const health = await curl(
      `${door.baseUrl}/grpc.health.v1.Health/Check`,
      version,
      '--data',
      '{"service":"liveness"}',
    );
    expect(JSON.parse(health)).toEqual({ status: 'SERVING' });
  });
});

test('the files are the originals, those of the error details among them; what is unknown is not found', async () => {
  const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: door.baseUrl }));
  const symbols = ['understudy.v1.ChatRequest', 'google.rpc.ErrorInfo', 'nobody.Knows'];
  const requests = async function* () {
    for (const value of symbols) {
      yield create(ServerReflectionRequestSchema, { messageRequest: { case: 'fileContainingSymbol', value } });
    }
    await Promise.resolve();
  };
  const answers = [];
  for await (const { messageResponse } of client.serverReflectionInfo(requests())) answers.push(messageResponse);
  const files = answers.flatMap((answer) =>
    answer.case === 'fileDescriptorResponse'
      ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      : [],
  );
  for (const original of [file_understudy_v1_llm, file_google_rpc_error_details]) {
    const served = files.find((file) => file.name === original.proto.name);
    expect(served && equals(FileDescriptorProtoSchema, served, original.proto)).toBe(true);
  }
  expect(answers.at(-1)).toMatchObject({ case: 'errorResponse', value: { errorCode: 5 } });
});

test('every kind of question is answered, also the empty one, and the stream goes on', async () => {
  const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: door.baseUrl }));
  const requests = async function* () {
    const ask = (messageRequest: MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']) =>
      create(ServerReflectionRequestSchema, { host: 'here', ...(messageRequest && { messageRequest }) });
    yield ask(undefined);
    yield ask({ case: 'fileByFilename', value: 'understudy/v1/llm.proto' });
    yield ask({ case: 'fileByFilename', value: 'nobody.proto' });
    yield ask({
      case: 'fileContainingExtension',
      value: { containingType: 'understudy.v1.Message', extensionNumber: 7 },
    });
    yield ask({ case: 'allExtensionNumbersOfType', value: 'understudy.v1.Message' });
    yield ask({ case: 'allExtensionNumbersOfType', value: 'nobody.Knows' });
    await Promise.resolve();
    yield ask({ case: 'listServices', value: '*' });
  };
  const answers = [];
  for await (const answer of client.serverReflectionInfo(requests())) answers.push(answer);
  expect(
    answers.map(({ messageResponse: { case: kind, value } }) => [
      kind,
      value && 'errorCode' in value ? value.errorCode : 0,
    ]),
  ).toEqual([
    ['errorResponse', 3],
    ['fileDescriptorResponse', 0],
    ['errorResponse', 5],
    ['errorResponse', 5],
    ['allExtensionNumbersResponse', 0],
    ['errorResponse', 5],
    ['listServicesResponse', 0],
  ]);
  expect(answers[1]).toMatchObject({
    validHost: 'here',
    originalRequest: { messageRequest: { value: 'understudy/v1/llm.proto' } },
  });
});

test('it can be switched off', async () => {
  const door = await grpcDoor(
    fakeGateway(() => Promise.resolve(success())),
    { reflection: false },
  );
  expect(await curl(door.baseUrl, 'grpc-v1', '--list-services')).toContain('nimplemented');
  expect((await door.client().health({})).version).toBe('0.0.0-test');
});
