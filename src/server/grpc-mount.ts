import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextValues,
  createHandlerContext,
  createServiceImplSpec,
  type HandlerContext,
  type MethodImplSpec,
  type ServiceImpl,
} from '@connectrpc/connect';
import {
  Metadata,
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import type { Runtime } from '../core/ports.ts';
import { encodeStatus } from './error-details.ts';
import { closeStalledStream, GrpcStreamWriter } from './grpc-stream.ts';
import { cleanHeaders } from './limits.ts';
import type { LiveCalls } from './live-calls.ts';
import { CLOSE_STALLED_STREAM } from './run-request.ts';
import { forbidsRepeat } from './status.ts';

/** How a service is mounted on grpc-js. */
export interface GrpcMountOptions {
  readonly runtime: Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>;
  /** Ends all calls, with its reason, a ConnectError. */
  readonly shutdownSignal: AbortSignal;
  /** How long a stream may wait for its reader, in milliseconds. */
  readonly clientStallMs: number;
  /** Counts the calls, where they have to be waited for. */
  readonly calls?: LiveCalls;
}

/** A status as grpc-js takes it; the numbers of its codes are those of Connect's. */
interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

type UnaryCall = ServerUnaryCall<Message, Buffer>;
type StreamCall = ServerWritableStream<Message, Buffer>;
type AnyCall = Pick<UnaryCall, 'metadata' | 'cancelled' | 'getDeadline' | 'getPath' | 'once' | 'off'>;
type SpecOf<Kind extends MethodImplSpec['kind']> = Extract<MethodImplSpec, { kind: Kind }>;

/**
 * Mounts Connect handlers on a grpc-js server: unary and server-streaming methods, messages encoded by protobuf-es. Cancel,
 * lost connection and deadline abort the handler's context in the turn in which grpc-js tells of them.
 */
export function mountService<Service extends DescService>(
  server: Server,
  service: Service,
  implementation: ServiceImpl<Service>,
  options: GrpcMountOptions,
): void {
  for (const spec of Object.values(createServiceImplSpec<Service>(service, implementation).methods)) {
    const path = `/${service.typeName}/${spec.method.name}`;
    const decode = (bytes: Buffer): Message => fromBinary(spec.method.input, bytes);
    const encode = (bytes: Buffer): Buffer => bytes;
    if (spec.kind === 'unary') {
      const handle = (call: UnaryCall, callback: sendUnaryData<Buffer>): void => {
        void answerUnary(spec, call, callback, options);
      };
      server.register(path, handle, encode, decode, 'unary');
    } else if (spec.kind === 'server_streaming') {
      const handle = (call: StreamCall): void => {
        void answerStream(spec, call, options);
      };
      server.register(path, handle, encode, decode, 'serverStream');
    } else {
      throw new TypeError(`${path} streams its requests, which is not supported`);
    }
  }
}

async function answerUnary(
  spec: SpecOf<'unary'>,
  call: UnaryCall,
  callback: sendUnaryData<Buffer>,
  options: GrpcMountOptions,
): Promise<void> {
  const scope = openScope(spec, call, options);
  try {
    const bytes = encodeMessage(spec.method.output, await spec.impl(call.request, scope.context));
    call.sendMetadata(metadataOf(scope.context.responseHeader));
    callback(null, bytes, metadataOf(scope.context.responseTrailer));
  } catch (thrown) {
    const error = ConnectError.from(hideForeign(thrown));
    if (forbidsRepeat(error)) call.sendMetadata(metadataOf(scope.context.responseHeader));
    callback(statusOf(error));
  } finally {
    scope.close();
  }
}

async function answerStream(
  spec: SpecOf<'server_streaming'>,
  call: StreamCall,
  options: GrpcMountOptions,
): Promise<void> {
  const scope = openScope(spec, call, options);
  const { context } = scope;
  context.values.set(CLOSE_STALLED_STREAM, () => closeStalledStream(call));
  const writer = new GrpcStreamWriter(call, options.runtime, options.clientStallMs);
  try {
    for await (const message of spec.impl(call.request, context)) {
      if (context.signal.aborted) break;
      if (!writer.hasWritten) call.sendMetadata(metadataOf(context.responseHeader));
      await writer.write(encodeMessage(spec.method.output, message));
    }
    if (context.signal.aborted) throw context.signal.reason;
    call.end(metadataOf(context.responseTrailer));
  } catch (thrown) {
    const error = ConnectError.from(hideForeign(thrown));
    if (call.destroyed) return;
    if (forbidsRepeat(error)) call.sendMetadata(metadataOf(context.responseHeader));
    call.emit('error', statusOf(error));
  } finally {
    writer.close();
    scope.close();
  }
}

/** The context of one call, and the end of it. */
interface CallScope {
  readonly context: HandlerContext;
  close(): void;
}

/** Makes the context of a call. grpc-js tells of 'cancelled' also after a good end; then nothing listens any more. */
function openScope(spec: MethodImplSpec, call: AnyCall, options: GrpcMountOptions): CallScope {
  const deadlineAtMs = Number(call.getDeadline());
  const context = createHandlerContext({
    service: spec.method.parent,
    method: spec.method,
    protocolName: 'grpc',
    requestMethod: 'POST',
    url: call.getPath(),
    requestHeader: headersOf(call.metadata),
    shutdownSignal: options.shutdownSignal,
    contextValues: createContextValues(),
    // grpc-js has made the deadline by the wall clock, and it is the wall clock that takes it back.
    ...(Number.isFinite(deadlineAtMs) ? { timeoutMs: Math.max(0, deadlineAtMs - options.runtime.wall()) } : {}),
  });
  const endCall = options.calls?.begin();
  const onCancel = (): void => context.abort(new ConnectError('The caller cancelled the request.', Code.Canceled));
  call.once('cancelled', onCancel);
  if (call.cancelled) onCancel();
  const close = (): void => {
    call.off('cancelled', onCancel);
    context.abort();
    endCall?.();
  };
  return { context, close };
}

function encodeMessage<Output extends DescMessage>(schema: Output, message: MessageInitShape<Output>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Replaces what no handler of ours throws on purpose; its words may be anyone's. */
function hideForeign(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError
    ? thrown
    : new ConnectError('The gateway failed.', Code.Internal, undefined, undefined, thrown);
}

/** Makes of an error what grpc-js sends: code, message, trailers, details. */
function statusOf(error: ConnectError): GrpcStatus {
  const metadata = metadataOf(error.metadata);
  if (error.details.length > 0) {
    metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(error.code, error.rawMessage, error.details)));
  }
  const code: number = error.code;
  return { code, details: error.rawMessage, metadata };
}

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  return metadata;
}

/** Makes web headers of metadata; binary values in base64, as on the wire. */
function headersOf(metadata: Metadata): Headers {
  const pairs: [string, string][] = [];
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) {
      pairs.push([name, typeof value === 'string' ? value : value.toString('base64')]);
    }
  }
  return cleanHeaders(pairs);
}
