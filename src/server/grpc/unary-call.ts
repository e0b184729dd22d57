import type { Metadata, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type { ContextCall } from './call-context.ts';
import type { CallStatus } from './call-status.ts';

/** One unary call, whoever reads and writes its frames. */
export interface UnaryCall {
  readonly context: ContextCall;
  /** The message of the request, encoded. */
  readonly request: Buffer;
  /** Ends the call with the encoded message of a response. Does nothing where the caller is gone. */
  answer(message: Buffer, headers: Metadata, trailers: Metadata | undefined): void;
  /** Ends the call with an error; headers commit it at the client. Does nothing where the caller is gone. */
  fail(status: CallStatus, headers?: Metadata): void;
}

/** Makes a unary call of one that grpc-js has read, which grpc-js then answers. */
export function unaryCall(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): UnaryCall {
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
