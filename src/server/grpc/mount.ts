import type { DescService } from '@bufbuild/protobuf';
import { createServiceImplSpec, type ServiceImpl } from '@connectrpc/connect';
import type { sendUnaryData, Server, ServerUnaryCall } from '@grpc/grpc-js';
import type { Cohort } from '../../core/cohort.ts';
import type { Runtime } from '../../core/ports.ts';
import { answerStream, type StreamCall, type StreamOptions } from './answer-stream.ts';
import { answerUnary } from './answer-unary.ts';
import { OpenCalls, type OpenCallsOptions } from './open-calls.ts';
import { type UnaryCall, unaryCall } from './unary-call.ts';

/** How a service is mounted on grpc-js. */
export interface GrpcMountOptions extends OpenCallsOptions, StreamOptions {
  readonly runtime: Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>;
  /** Begins the calls that come in one turn of the event loop together. */
  readonly cohort: Cohort;
}

/**
 * Mounts Connect handlers on a grpc-js server: unary and server-streaming methods. Cancel, lost connection and deadline
 * abort the handler's context in the turn in which grpc-js tells of them.
 *
 * @returns the unary methods by path, for calls that grpc-js does not read
 */
export function mountService<Service extends DescService>(
  server: Server,
  service: Service,
  implementation: ServiceImpl<Service>,
  options: GrpcMountOptions,
): ReadonlyMap<string, (call: UnaryCall) => void> {
  const unary = new Map<string, (call: UnaryCall) => void>();
  const openCalls = new OpenCalls(options);
  for (const spec of Object.values(createServiceImplSpec<Service>(service, implementation).methods)) {
    const path = `/${service.typeName}/${spec.method.name}`;
    // grpc-js keeps what it has decoded as long as the stream, which is longer than the call: bytes take less than messages.
    const same = (bytes: Buffer): Buffer => bytes;
    if (spec.kind === 'unary') {
      const handle = (call: UnaryCall): void => {
        options.cohort.add(() => void answerUnary(spec, call, openCalls));
      };
      unary.set(path, handle);
      const handleRead = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
        handle(unaryCall(call, callback));
      };
      server.register(path, handleRead, same, same, 'unary');
    } else if (spec.kind === 'server_streaming') {
      const handle = (call: StreamCall): void => {
        options.cohort.add(() => void answerStream(spec, call, openCalls, options));
      };
      server.register(path, handle, same, same, 'serverStream');
    } else {
      throw new TypeError(`${path} streams its requests, which is not supported`);
    }
  }
  return unary;
}
