import type { MethodImplSpec } from '@connectrpc/connect';
import type { Metadata } from '@grpc/grpc-js';
import { forbidsRepeat } from '../errors/status.ts';
import { EventStream } from '../handlers/event-stream.ts';
import { CLOSE_STALLED_STREAM } from '../handlers/run-request.ts';
import type { CallStream } from './calls/call-stream.ts';
import { callStatus, hideForeign } from './calls/call-status.ts';
import { decodeRequest } from './calls/decode-message.ts';
import type { OpenCalls } from './calls/open-calls.ts';
import { pumpEvents } from './streams/event-pump.ts';
import { pumpMessages } from './streams/message-pump.ts';
import { GrpcStreamWriter } from './streams/stream-writer.ts';

/** Answers a server-streaming call with what its handler yields or throws, no faster than the caller reads. Never throws. */
export function answerStream(
  spec: Extract<MethodImplSpec, { kind: 'server_streaming' }>,
  call: CallStream,
  openCalls: OpenCalls,
): void {
  const { context, close } = openCalls.open(spec, call);
  const { reply } = call;
  const headers = (): Metadata => context.responseHeader.metadata;
  context.values.set(CLOSE_STALLED_STREAM, () => reply.reset());
  const writer = new GrpcStreamWriter(call, spec.method.output, headers);
  const ended = (fault: { readonly thrown: unknown } | undefined): void => {
    if (fault === undefined) {
      reply.end(headers, context.trailerMetadata);
    } else {
      const error = hideForeign(fault.thrown);
      reply.fail(callStatus(error), forbidsRepeat(error) ? headers() : undefined);
    }
    writer.close();
    close();
  };
  try {
    const messages = spec.impl(decodeRequest(spec.method.input, call), context);
    if (messages instanceof EventStream) pumpEvents(messages, writer, context.signal, ended);
    else void pumpMessages(messages, writer, context.signal, ended);
  } catch (thrown) {
    ended({ thrown });
  }
}
