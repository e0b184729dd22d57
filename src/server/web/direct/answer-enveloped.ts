import type { Message } from '@bufbuild/protobuf';
import { OTHERS_CATCH_UP } from '../../../core/cohort.ts';
import { pumpEvents } from '../../grpc/streams/event-pump.ts';
import { oneMessage } from '../../grpc/streams/one-message.ts';
import { EventStream } from '../../handlers/event-stream.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { EnvelopeWriter } from './envelope-writer.ts';
import { connectError, type PlainMethod } from './plain-method.ts';
import type { WebContext } from './web-context.ts';
import { namedCoding, type WebProtocol } from './web-protocol.ts';

/** Answers a call whose messages stand in envelopes, a stream or one of gRPC-Web, no faster than its client reads. */
export async function answerEnveloped(
  { spec, addTo }: PlainMethod,
  protocol: WebProtocol,
  call: WebCall,
  context: WebContext,
  request: Message,
): Promise<void> {
  const { isBinary, envelopes } = protocol;
  const { responseHeader } = context;
  const coding = namedCoding(protocol, call.request.headers);
  if (envelopes !== undefined && coding !== undefined) responseHeader.set(envelopes.encoding, coding);
  const writer = new EnvelopeWriter<typeof spec.method.output>(call, responseHeader, (frames, message) =>
    addTo(frames, message, isBinary),
  );
  /** Begins in the turn of its caller, so that what was written there goes out with it. */
  const end = async (fault: { readonly thrown: unknown } | undefined): Promise<void> => {
    const { flags, data } = protocol.end(context.trailers, fault && connectError(fault.thrown));
    await writer.end(flags, data);
  };
  try {
    if (spec.kind === 'unary') {
      const answer = await spec.impl(request, context);
      await OTHERS_CATCH_UP;
      writer.write(oneMessage(answer));
    } else {
      const messages = spec.impl(request, context);
      if (messages instanceof EventStream)
        return new Promise((resolve) => {
          pumpEvents(messages, writer, undefined, (fault) => resolve(end(fault)));
        });
      for await (const message of messages) {
        // What was written before may have left, and shown that the client is behind, while the handler made this one.
        while (writer.isFull) await new Promise<void>((resolve) => writer.whenRoom(resolve));
        if (call.isGone) break;
        writer.write(oneMessage(message));
      }
    }
  } catch (thrown) {
    return end({ thrown });
  }
  return end(undefined);
}
