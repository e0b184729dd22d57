import type { Message } from '@bufbuild/protobuf';
import { createAsyncIterable, mergeNonProtocolHeaders } from '@connectrpc/connect/protocol';
import { codeToHttpStatus, errorToJsonBytes, trailerMux } from '@connectrpc/connect/protocol-connect';
import { OTHERS_CATCH_UP } from '../../../core/cohort.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { LARGE_BYTES } from '../../port/limits.ts';
import { connectError, type PlainMethod } from './plain-method.ts';
import type { WebContext } from './web-context.ts';
import type { WebProtocol } from './web-protocol.ts';

/** Answers a unary call of Connect with what its handler returns or throws: head and body in one write. */
export async function answerWhole(
  { spec, encode }: PlainMethod,
  { isBinary }: WebProtocol,
  call: WebCall,
  context: WebContext,
  request: Message,
): Promise<void> {
  const { responseHeader } = context;
  let status = 200;
  let body: Uint8Array;
  try {
    if (spec.kind !== 'unary') throw new TypeError('a stream is not answered whole');
    const answer = await spec.impl(request, context);
    await OTHERS_CATCH_UP;
    body = encode(answer, isBinary);
  } catch (thrown) {
    const error = connectError(thrown);
    status = codeToHttpStatus(error.code);
    responseHeader.set('content-type', 'application/json');
    mergeNonProtocolHeaders(responseHeader, error.metadata);
    body = errorToJsonBytes(error, {});
  }
  const header = context.trailers === undefined ? responseHeader : trailerMux(responseHeader, context.trailers);
  header.set('content-length', String(body.byteLength));
  if (body.byteLength > LARGE_BYTES) await call.respond({ status, header, body: createAsyncIterable([body]) });
  else {
    call.begin(status, header, body.byteLength);
    call.end(body);
  }
}
