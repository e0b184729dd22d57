import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { ChannelCredentials, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';

import { RpcError } from './rpc-error.ts';

/** What a call says besides its message. */
export interface RpcOptions {
  /** Milliseconds from now; without it the call has no deadline. */
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Hears of the response headers. */
  readonly onHeaders?: (headers: Metadata) => void;
}

/** A stream of responses as it comes. */
export interface RpcStream<Response> {
  /** All responses so far. */
  readonly received: readonly Response[];
  /** Resolves with the n-th response (from 0); rejects with {@link RpcError} where the stream ends before. */
  at(index: number): Promise<Response>;
  /** Resolves with all responses when the stream has ended with OK; rejects with {@link RpcError} otherwise. */
  readonly done: Promise<readonly Response[]>;
  cancel(): void;
}

/** A native gRPC client (grpc-js) with a connection of its own. */
export interface RpcClient {
  call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    options?: RpcOptions,
  ): Promise<MessageShape<Output>>;
  stream<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodServerStreaming<Input, Output>,
    request: MessageInitShape<Input>,
    options?: RpcOptions,
  ): RpcStream<MessageShape<Output>>;
  close(): void;
}

/** Makes a client of `host:port`, with TLS one of a server that is called `localhost`; it connects with its first call. */
export function openRpcClient(address: string, channel: ChannelCredentials = credentials.createInsecure()): RpcClient {
  const name = channel._isSecure() ? { 'grpc.ssl_target_name_override': 'localhost' } : {};
  const client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1, ...name });
  return {
    call: (method, request, options = {}) =>
      new Promise((resolve, reject) => {
        const call = client.makeUnaryRequest(
          pathOf(method),
          (bytes: Uint8Array) => Buffer.from(bytes),
          (bytes: Buffer) => fromBinary(method.output, bytes),
          toBinary(method.input, create(method.input, request)),
          metadataOf(options),
          callOptions(options),
          (error: ServiceError | null, response) => {
            if (error !== null) reject(new RpcError(error));
            else if (response === undefined) reject(new Error('neither an error nor a response'));
            else resolve(response);
          },
        );
        listen(call, options);
      }),
    stream: (method, request, options = {}) => {
      const call = client.makeServerStreamRequest(
        pathOf(method),
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        toBinary(method.input, create(method.input, request)),
        metadataOf(options),
        callOptions(options),
      );
      listen(call, options);
      return collect(call);
    },
    close: () => client.close(),
  };
}

function collect<Response>(call: ClientReadableStream<Response>): RpcStream<Response> {
  const received: Response[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const resume of waiting.splice(0)) resume();
  };
  let outcome: { readonly error?: RpcError } | undefined;
  const done = new Promise<readonly Response[]>((resolve, reject) => {
    call.on('data', (response: Response) => {
      received.push(response);
      wake();
    });
    call.on('error', (error: ServiceError) => {
      outcome ??= { error: new RpcError(error) };
      reject(outcome.error);
      wake();
    });
    // 'end' comes before 'status' and 'error'; only the status tells a good end.
    call.on('status', ({ code }) => {
      if (code !== status.OK) return;
      outcome ??= {};
      resolve(received);
      wake();
    });
  });
  // Tests that look at single responses need not look at the end.
  done.catch(() => undefined);
  return {
    received,
    done,
    at: async (index) => {
      for (;;) {
        const response = received[index];
        if (response !== undefined) return response;
        if (outcome !== undefined) throw outcome.error ?? new Error(`the stream has ended after ${index} responses`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    cancel: () => call.cancel(),
  };
}

function listen(
  call: { cancel(): void; on(event: 'metadata', listener: (headers: Metadata) => void): unknown },
  { signal, onHeaders }: RpcOptions,
): void {
  signal?.addEventListener('abort', () => call.cancel(), { once: true });
  if (onHeaders !== undefined) call.on('metadata', onHeaders);
}

function pathOf(method: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function metadataOf({ metadata = {} }: RpcOptions): Metadata {
  const made = new Metadata();
  for (const [name, value] of Object.entries(metadata)) made.set(name, value);
  return made;
}

function callOptions({ deadlineMs }: RpcOptions): { deadline?: number } {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}
