import { type DescMessage, type DescService, fromBinary, type Message } from '@bufbuild/protobuf';
import { Code, ConnectError, createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from '@connectrpc/connect';
import {
  Metadata,
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { type Cohort, NEXT_STAGE } from '../../core/cohort.ts';
import { LiveList } from '../../core/live-list.ts';
import type { Runtime } from '../../core/ports.ts';
import { encodeMessage } from './encode-message.ts';
import { encodeStatus } from '../errors/details.ts';
import { type ContextCall, GrpcContext } from './call-context.ts';
import { closeStalledStream, GrpcStreamWriter } from './stream-call.ts';
import type { LiveCalls } from '../http/live-calls.ts';
import { CLOSE_STALLED_STREAM } from '../handlers/run-request.ts';
import { forbidsRepeat } from '../errors/status.ts';
import type { GrpcStatus, UnaryCall } from './unary-stream.ts';

/** How a service is mounted on grpc-js. */
export interface GrpcMountOptions {
  readonly runtime: Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>;
  /** Ends all calls, with its reason, a ConnectError. */
  readonly shutdownSignal: AbortSignal;
  /** How long a stream may wait for its reader, in milliseconds. */
  readonly clientStallMs: number;
  /** In which calls are begun that come in one turn. */
  readonly cohort: Cohort;
  /** Counts the calls, where they have to be waited for. */
  readonly calls?: LiveCalls;
}

type StreamCall = ServerWritableStream<Buffer, Buffer>;
type SpecOf<Kind extends MethodImplSpec['kind']> = Extract<MethodImplSpec, { kind: Kind }>;

/**
 * Mounts Connect handlers on a grpc-js server: unary and server-streaming methods. Cancel,
 * lost connection and deadline abort the handler's context in the turn in which grpc-js tells of them.
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
  const scopes = new CallScopes(options);
  for (const spec of Object.values(createServiceImplSpec<Service>(service, implementation).methods)) {
    const path = `/${service.typeName}/${spec.method.name}`;
    // What grpc-js decodes lives as long as its stream, which is longer than the call; bytes cost less there than messages.
    const same = (bytes: Buffer): Buffer => bytes;
    if (spec.kind === 'unary') {
      const handle = (call: UnaryCall): void => {
        options.cohort.add(() => void answerUnary(spec, call, scopes));
      };
      unary.set(path, handle);
      const handleRead = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
        handle(unaryCall(call, callback));
      };
      server.register(path, handleRead, same, same, 'unary');
    } else if (spec.kind === 'server_streaming') {
      const handle = (call: StreamCall): void => {
        options.cohort.add(() => void answerStream(spec, call, options, scopes));
      };
      server.register(path, handle, same, same, 'serverStream');
    } else {
      throw new TypeError(`${path} streams its requests, which is not supported`);
    }
  }
  return unary;
}

/** A unary call that grpc-js has read. */
function unaryCall(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): UnaryCall {
  return {
    context: call,
    request: call.request,
    answer: (message, headers, trailers) => {
      call.sendMetadata(headers);
      callback(null, message, trailers);
    },
    fail: (status, headers) => {
      if (headers !== undefined) call.sendMetadata(headers);
      callback(status);
    },
  };
}

async function answerUnary(spec: SpecOf<'unary'>, call: UnaryCall, scopes: CallScopes): Promise<void> {
  const scope = scopes.open(spec, call.context);
  const { context } = scope;
  try {
    const request = decodeMessage(spec.method.input, call.request);
    await NEXT_STAGE;
    const bytes = encodeMessage(spec.method.output, await spec.impl(request, context));
    await NEXT_STAGE;
    call.answer(bytes, context.responseHeader.metadata, context.trailerMetadata);
  } catch (thrown) {
    const error = ConnectError.from(hideForeign(thrown));
    call.fail(statusOf(error), forbidsRepeat(error) ? context.responseHeader.metadata : undefined);
  } finally {
    scope.close();
  }
}

async function answerStream(
  spec: SpecOf<'server_streaming'>,
  call: StreamCall,
  options: GrpcMountOptions,
  scopes: CallScopes,
): Promise<void> {
  const scope = scopes.open(spec, call);
  const { context } = scope;
  context.values.set(CLOSE_STALLED_STREAM, () => closeStalledStream(call));
  const writer = new GrpcStreamWriter(call, options.runtime, options.clientStallMs);
  try {
    for await (const message of spec.impl(decodeMessage(spec.method.input, call.request), context)) {
      // The handler ends at once; it may have more to say of why.
      if (context.signal.aborted) continue;
      if (!writer.hasWritten) call.sendMetadata(context.responseHeader.metadata);
      const writable = writer.write(encodeMessage(spec.method.output, message));
      if (writable !== undefined) await writable;
    }
    if (context.signal.aborted) throw context.signal.reason;
    call.end(context.trailerMetadata);
  } catch (thrown) {
    const error = ConnectError.from(hideForeign(thrown));
    if (call.destroyed) return;
    if (forbidsRepeat(error)) call.sendMetadata(context.responseHeader.metadata);
    call.emit('error', statusOf(error));
  } finally {
    writer.close();
    scope.close();
  }
}

/** The context of one call, and the end of it. */
interface CallScope {
  readonly context: GrpcContext;
  close(): void;
}

/** The calls of one service; the end of the server aborts those that are under way. */
class CallScopes {
  readonly #options: GrpcMountOptions;
  readonly #open = new LiveList<GrpcContext>();

  constructor(options: GrpcMountOptions) {
    const { shutdownSignal } = options;
    this.#options = options;
    shutdownSignal.addEventListener(
      'abort',
      () => {
        for (const context of this.#open.all()) context.abort(shutdownSignal.reason);
      },
      { once: true },
    );
  }

  open(spec: MethodImplSpec, call: ContextCall): CallScope {
    const { calls, runtime, shutdownSignal } = this.#options;
    const context = new GrpcContext(spec.method, call, runtime);
    if (shutdownSignal.aborted) context.abort(shutdownSignal.reason);
    const place = this.#open.add(context);
    const endCall = calls?.begin();
    const close = (): void => {
      this.#open.remove(place);
      context.close();
      endCall?.();
    };
    return { context, close };
  }
}

function decodeMessage(schema: DescMessage, bytes: Buffer): Message {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new ConnectError('The request is no message of the contract.', Code.Internal, undefined, undefined, cause);
  }
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
