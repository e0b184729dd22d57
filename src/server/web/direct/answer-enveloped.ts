import type { Message } from '@bufbuild/protobuf';
import { OTHERS_CATCH_UP } from '../../../core/cohort.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { EnvelopeWriter } from './envelope-writer.ts';
import { connectError, type PlainMethod } from './plain-method.ts';
import type { WebContext } from './web-context.ts';
import { namedCoding, type WebProtocol } from './web-protocol.ts';

/** Answers a call whose messages stand in envelopes, a stream or one of gRPC-Web, no faster than its client reads. */
export async function answerEnveloped(
  { spec, encode }: PlainMethod,
  protocol: WebProtocol,
  call: WebCall,
  context: WebContext,
  request: Message,
): Promise<void> {
  const { isBinary, envelopes } = protocol;
  const { responseHeader } = context;
  const coding = namedCoding(protocol, call.request.headers);
  if (envelopes !== undefined && coding !== undefined) responseHeader.set(envelopes.encoding, coding);
  const writer = new EnvelopeWriter(call, responseHeader);
  let end;
  try {
    if (spec.kind === 'unary') {
      const answer = await spec.impl(request, context);
      await OTHERS_CATCH_UP;
      await writer.write(0, encode(answer, isBinary));
    } else {
      for await (const message of spec.impl(request, context)) {
        if (call.isGone) break;
        const writable = writer.write(0, encode(message, isBinary));
        if (writable !== undefined) await writable;
      }
    }
    end = protocol.end(context.trailers, undefined);
  } catch (thrown) {
    end = protocol.end(context.trailers, connectError(thrown));
  }
  await writer.end(end.flags, end.data);
}
