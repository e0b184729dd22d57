import type { MethodImplSpec } from '@connectrpc/connect';
import { OTHERS_CATCH_UP } from '../../core/cohort.ts';
import { forbidsRepeat } from '../errors/status.ts';
import { callStatus, hideForeign } from './call-status.ts';
import { decodeMessage } from './decode-message.ts';
import { encodeMessage } from './encode-message.ts';
import type { OpenCalls } from './open-calls.ts';
import type { UnaryCall } from './unary-call.ts';

/** Answers a unary call with what its handler returns or throws. Never rejects. */
export async function answerUnary(
  spec: Extract<MethodImplSpec, { kind: 'unary' }>,
  call: UnaryCall,
  openCalls: OpenCalls,
): Promise<void> {
  const { context, close } = openCalls.open(spec, call.context);
  try {
    const request = decodeMessage(spec.method.input, call.request);
    await OTHERS_CATCH_UP;
    const bytes = encodeMessage(spec.method.output, await spec.impl(request, context));
    await OTHERS_CATCH_UP;
    call.answer(bytes, context.responseHeader.metadata, context.trailerMetadata);
  } catch (thrown) {
    const error = hideForeign(thrown);
    call.fail(callStatus(error), forbidsRepeat(error) ? context.responseHeader.metadata : undefined);
  } finally {
    close();
  }
}
