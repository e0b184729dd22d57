import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';

/** Services of others that the door has besides ours. */
const STANDARD = [Health, ServerReflection, ServerReflectionAlpha];

/**
 * Adds server reflection, v1 and v1alpha, to a server. The descriptors are those of protobuf-es, with which Go clients get on
 * (those of proto-loader fail on maps and durations); the error details are among them, for tools that decode errors.
 *
 * @param own our services at this door
 */
export function addReflection(server: Server, own: readonly DescService[]): void {
  const all = [...own, ...STANDARD];
  const described = new Set<DescFile>();
  for (const service of all) collectFiles(service.file, described);
  collectFiles(file_google_rpc_error_details, described);
  const fileDescriptorProtos = [...described].map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)),
  );
  // The package reads the files alone; of the forms that its type allows this one asks for nothing else.
  const files = { format: 'Protocol Buffer 3 EnumDescriptorProto', type: {}, fileDescriptorProtos } as const;
  const services = all.map((service) => service.typeName);
  new ReflectionService({ files }, { services }).addToServer(server);
}

function collectFiles(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  for (const dependency of file.dependencies) collectFiles(dependency, files);
  files.add(file);
}
