import { status } from '@grpc/grpc-js';

import { ErrorInfoSchema, QuotaFailureSchema, RetryInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { collect, detailOf, failureOf, streamChat, unary, withClient } from './bare-calls.ts';

const PROMPT = 'Say hello.';
const MESSAGES = [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: PROMPT } }] }];

/**
 * Calls with the key of the environment, and says what comes of it, and when.
 *
 * @param timeoutMs of the call
 * @param streams whether it is a StreamChat; default: Generate
 */
export function keyed(timeoutMs: number, streams = false): Promise<unknown> {
  return withClient('UNDERSTUDY_CALLERS_ADDRESS', async (client) => {
    const headers = { authorization: `Bearer ${process.env['UNDERSTUDY_API_KEY'] ?? ''}` };
    const options = { timeoutMs, headers };
    const begunAtMs = performance.now();
    const call = streams
      ? collect(streamChat(client, { messages: MESSAGES }, options))
      : unary(client, LlmService.method.generate, { prompt: PROMPT }, options);
    const error = await call.then(
      () => undefined,
      () => failureOf(call),
    );
    const ms = Math.round(performance.now() - begunAtMs);
    if (error === undefined) return { code: 'OK', ms };
    const info = detailOf(error, ErrorInfoSchema);
    const [pushback] = error.metadata.get('grpc-retry-pushback-ms');
    const delay = detailOf(error, RetryInfoSchema)?.retryDelay;
    const delayMs = delay === undefined ? null : Number(delay.seconds) * 1_000 + delay.nanos / 1_000_000;
    return {
      code: status[error.code],
      reason: info?.reason ?? '',
      retryAfterMs: Number(pushback) > 0 ? Number(pushback) : delayMs,
      quota: detailOf(error, QuotaFailureSchema)?.violations.map(({ subject }) => subject) ?? [],
      renewsAt: info?.metadata['renewsAt'] ?? '',
      ms,
    };
  });
}
