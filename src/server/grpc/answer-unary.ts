import type { MethodImplSpec } from '@connectrpc/connect';
import { OTHERS_CATCH_UP } from '../../core/cohort.ts';
import { forbidsRepeat } from '../errors/status.ts';
import type { CallStream } from './calls/call-stream.ts';
import { callStatus, hideForeign } from './calls/call-status.ts';
import { decodeRequest } from './calls/decode-message.ts';
import { encodeAnswer } from './calls/encode-message.ts';
import type { OpenCalls } from './calls/open-calls.ts';

/** Answers a unary call with what its handler returns or throws. Never rejects. */
export async function answerUnary(
  spec: Extract<MethodImplSpec, { kind: 'unary' }>,
  call: CallStream,
  openCalls: OpenCalls,
): Promise<void> {
  const { context, close } = openCalls.open(spec, call);
  try {
    const request = decodeRequest(spec.method.input, call);
    await OTHERS_CATCH_UP;
    const encoded = encodeAnswer(spec.method.output, await spec.impl(request, context));
    await OTHERS_CATCH_UP;
    call.reply.answer(encoded, context.responseHeader.metadata, context.trailerMetadata);
  } catch (thrown) {
    const error = hideForeign(thrown);
    call.reply.fail(callStatus(error), forbidsRepeat(error) ? context.responseHeader.metadata : undefined);
  } finally {
    close();
  }
}
