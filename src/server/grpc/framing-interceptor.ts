import { Duplex } from 'node:stream';
import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { RequestFraming } from './request-framing.ts';

type InterceptedCall = Parameters<ServerInterceptor>[1];

/**
 * Ends calls that grpc-js reads with the same status for the same framing fault as those that pass it by: grpc-js itself overlooks
 * unknown flags and what follows a message, and says of half a message that there is none. Methods that stream their requests
 * are left alone. grpc-js calls it once a call, when it has put its own listeners on the HTTP/2 stream; ours come before them.
 */
export const checkFraming: ServerInterceptor = ({ requestStream }, call) => {
  const stream = streamOf(call);
  if (requestStream || stream === undefined) return unwrapped(call);
  const framing = new RequestFraming(namesEncoding(call));
  let isRefused = false;
  const check = (status: ReturnType<RequestFraming['end']>): void => {
    if (status === undefined) return;
    isRefused = true;
    // From here on grpc-js counts the call as over, and neither reads this piece nor calls the handler.
    call.sendStatus(status);
  };
  stream.prependListener('data', (chunk: Buffer) => {
    if (!isRefused) check(framing.read(chunk));
  });
  stream.prependListener('end', () => {
    if (!isRefused && !stream.destroyed) check(framing.end());
  });
  return unwrapped(call);
};

/** grpc-js keeps the stream of a call to itself (`stream`); a test watches that it is still there. */
function streamOf(call: InterceptedCall): Duplex | undefined {
  const stream: unknown = Reflect.get(call, 'stream');
  return stream instanceof Duplex ? stream : undefined;
}

/** Whether a request says how it is compressed. grpc-js has taken the header out of the metadata (`incomingEncoding`). */
function namesEncoding(call: InterceptedCall): boolean {
  return Reflect.get(call, 'incomingEncoding') !== 'identity';
}

/** Hands the call back as it is. grpc-js asks for one of its wrappers, but uses of it only what every call has. */
function unwrapped(call: InterceptedCall): ServerInterceptingCall {
  return call as ServerInterceptingCall;
}
