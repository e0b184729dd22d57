import {
  create,
  type DescFile,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { SchemaIndex } from './schema-index.ts';

/** Services of others that the door has besides ours. */
const STANDARD = [Health, ServerReflection, ServerReflectionAlpha];

type ReplyParts = Exclude<MessageInitShape<typeof ServerReflectionResponseSchema>, ServerReflectionResponse>;
type Reply = NonNullable<ReplyParts['messageResponse']>;

/**
 * Adds server reflection, v1 and v1alpha, whose messages are the same, to a server. The descriptors are those of protobuf-es, as protoc
 * has made them; the error details are among them, for tools that decode errors. Nothing is read before the first question.
 *
 * @param own our services at this door
 */
export function addReflection(server: Server, own: readonly DescService[]): void {
  const services = [...own, ...STANDARD];
  let index: SchemaIndex | undefined;
  const answer = (request: ServerReflectionRequest): Reply => {
    index ??= new SchemaIndex([...services.map(({ file }) => file), file_google_rpc_error_details]);
    return replyTo(request, index, services);
  };
  for (const service of [ServerReflection, ServerReflectionAlpha])
    server.addService(definitionOf(service), handlers(answer));
}

/** How grpc-js is told of a service, with the messages of v1. */
function definitionOf(service: DescService) {
  const serialize =
    <Of>(encode: (message: Of) => Uint8Array) =>
    (message: Of) =>
      Buffer.from(encode(message));
  return {
    serverReflectionInfo: {
      path: `/${service.typeName}/ServerReflectionInfo`,
      requestStream: true,
      responseStream: true,
      requestSerialize: serialize((message: ServerReflectionRequest) =>
        toBinary(ServerReflectionRequestSchema, message),
      ),
      requestDeserialize: (bytes: Buffer) => fromBinary(ServerReflectionRequestSchema, bytes),
      responseSerialize: serialize((message: ServerReflectionResponse) =>
        toBinary(ServerReflectionResponseSchema, message),
      ),
      responseDeserialize: (bytes: Buffer) => fromBinary(ServerReflectionResponseSchema, bytes),
    },
  };
}

function handlers(answer: (request: ServerReflectionRequest) => Reply) {
  return {
    serverReflectionInfo: (call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>) => {
      call.on('end', () => call.end());
      call.on('data', (request: ServerReflectionRequest) => {
        const reply = { validHost: request.host, originalRequest: request, messageResponse: answer(request) };
        call.write(create(ServerReflectionResponseSchema, reply));
      });
    },
  };
}

function replyTo(
  { messageRequest: asked }: ServerReflectionRequest,
  index: SchemaIndex,
  services: readonly DescService[],
): Reply {
  switch (asked.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: services.map(({ typeName: name }) => ({ name })) } };
    case 'fileByFilename':
      return filesOf(index, index.named(asked.value), 'file');
    case 'fileContainingSymbol':
      return filesOf(index, index.defining(asked.value), 'symbol');
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = asked.value;
      return filesOf(index, index.extensionsOf(containingType)?.get(extensionNumber), 'extension');
    }
    case 'allExtensionNumbersOfType': {
      const numbers = index.extensionsOf(asked.value)?.keys();
      // A message without extensions is known all the same.
      if (numbers === undefined && index.defining(asked.value) === undefined)
        return problem(Code.NotFound, 'no such message');
      const value = { baseTypeName: asked.value, extensionNumber: [...(numbers ?? [])] };
      return { case: 'allExtensionNumbersResponse', value };
    }
    case undefined:
      return problem(Code.InvalidArgument, 'message_request must be set');
  }
}

function filesOf(index: SchemaIndex, file: DescFile | undefined, what: string): Reply {
  if (file === undefined) return problem(Code.NotFound, `no such ${what}`);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: index.encode(file) } };
}

function problem(errorCode: Code, errorMessage: string): Reply {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
