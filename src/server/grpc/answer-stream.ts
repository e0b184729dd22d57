import type { MethodImplSpec } from '@connectrpc/connect';
import type { Metadata } from '@grpc/grpc-js';
import { forbidsRepeat } from '../errors/status.ts';
import { EventStream } from '../handlers/event-stream.ts';
import { CLOSE_STALLED_STREAM } from '../handlers/run-request.ts';
import type { CallStream } from './calls/call-stream.ts';
import { callStatus, hideForeign } from './calls/call-status.ts';
import { decodeRequest } from './calls/decode-message.ts';
import type { OpenCalls } from './calls/open-calls.ts';
import { GrpcStreamWriter } from './streams/stream-writer.ts';

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
  const writer = new GrpcStreamWriter(call, spec.method.output, headers);
  try {
    const messages = spec.impl(decodeRequest(spec.method.input, call), context);
    const more = messages instanceof EventStream ? () => messages.take() : () => undefined;
    for await (const message of messages) {
      // The handler has seen the signal and ends at once; what it throws may say more than the signal's reason.
      for (let first: typeof message | undefined = message; first !== undefined && !context.signal.aborted;) {
        const writable = writer.write(first, more);
        if (writable === undefined) break;
        await writable;
        first = more();
      }
    }
    if (context.signal.aborted) throw context.signal.reason;
    writer.flush();
    reply.end(headers, context.trailerMetadata);
  } catch (thrown) {
    const error = hideForeign(thrown);
    writer.flush();
    reply.fail(callStatus(error), forbidsRepeat(error) ? headers() : undefined);
  } finally {
    writer.close();
    close();
  }
}
