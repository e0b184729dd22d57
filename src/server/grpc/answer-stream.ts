import type { MethodImplSpec } from '@connectrpc/connect';
import type { Metadata } from '@grpc/grpc-js';
import { forbidsRepeat } from '../errors/status.ts';
import { CLOSE_STALLED_STREAM } from '../handlers/run-request.ts';
import type { CallStream } from './calls/call-stream.ts';
import { callStatus, hideForeign } from './calls/call-status.ts';
import { decodeRequest } from './calls/decode-message.ts';
import { encodeMessage } from './calls/encode-message.ts';
import type { OpenCalls } from './calls/open-calls.ts';
import { GrpcStreamWriter } from './calls/stream-writer.ts';

/** Answers a server-streaming call with what its handler yields or throws, no faster than the caller reads. Never rejects. */
export async function answerStream(
  spec: Extract<MethodImplSpec, { kind: 'server_streaming' }>,
  call: CallStream,
  openCalls: OpenCalls,
): Promise<void> {
  const { context, close } = openCalls.open(spec, call);
  const { reply } = call;
  const headers = (): Metadata => context.responseHeader.metadata;
  context.values.set(CLOSE_STALLED_STREAM, () => reply.reset());
  const writer = new GrpcStreamWriter(call, headers);
  try {
    for await (const message of spec.impl(decodeRequest(spec.method.input, call), context)) {
      // The handler has seen the signal and ends at once; what it throws may say more than the signal's reason.
      if (context.signal.aborted) continue;
      const writable = writer.write(encodeMessage(spec.method.output, message));
      if (writable !== undefined) await writable;
    }
    if (context.signal.aborted) throw context.signal.reason;
    reply.end(headers, context.trailerMetadata);
  } catch (thrown) {
    const error = hideForeign(thrown);
    reply.fail(callStatus(error), forbidsRepeat(error) ? headers() : undefined);
  } finally {
    writer.close();
    close();
  }
}
