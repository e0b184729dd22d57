import type { MethodImplSpec } from '@connectrpc/connect';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Runtime } from '../../core/ports.ts';
import { forbidsRepeat } from '../errors/status.ts';
import { CLOSE_STALLED_STREAM } from '../handlers/run-request.ts';
import { callStatus, hideForeign } from './call-status.ts';
import { decodeMessage } from './decode-message.ts';
import { encodeMessage } from './encode-message.ts';
import type { OpenCalls } from './open-calls.ts';
import { closeStalledStream, GrpcStreamWriter } from './stream-writer.ts';

/** A server-streaming call that grpc-js has read. */
export type StreamCall = ServerWritableStream<Buffer, Buffer>;

/** How streams are written. */
export interface StreamOptions {
  readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  /** How long a stream may wait for its reader, in milliseconds. */
  readonly clientStallMs: number;
}

/** Answers a server-streaming call with what its handler yields or throws, no faster than the caller reads. Never rejects. */
export async function answerStream(
  spec: Extract<MethodImplSpec, { kind: 'server_streaming' }>,
  call: StreamCall,
  openCalls: OpenCalls,
  { runtime, clientStallMs }: StreamOptions,
): Promise<void> {
  const { context, close } = openCalls.open(spec, call);
  context.values.set(CLOSE_STALLED_STREAM, () => closeStalledStream(call));
  const writer = new GrpcStreamWriter(call, runtime, clientStallMs);
  try {
    for await (const message of spec.impl(decodeMessage(spec.method.input, call.request), context)) {
      // The handler has seen the signal and ends at once; what it throws may say more than the signal's reason.
      if (context.signal.aborted) continue;
      if (!writer.hasWritten) call.sendMetadata(context.responseHeader.metadata);
      const writable = writer.write(encodeMessage(spec.method.output, message));
      if (writable !== undefined) await writable;
    }
    if (context.signal.aborted) throw context.signal.reason;
    call.end(context.trailerMetadata);
  } catch (thrown) {
    const error = hideForeign(thrown);
    if (call.destroyed) return;
    if (forbidsRepeat(error)) call.sendMetadata(context.responseHeader.metadata);
    call.emit('error', callStatus(error));
  } finally {
    writer.close();
    close();
  }
}
