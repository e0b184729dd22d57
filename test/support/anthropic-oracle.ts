import type { FinishReason } from '../../src/core/answer.ts';
import type { FailureVerdict } from './openai-oracle.ts';
import type { Expectation, ProviderRecording } from './recordings.ts';

const BY_STATUS: Readonly<Record<number, FailureVerdict>> = {
  400: ['bad_request', 'INVALID_REQUEST'],
  401: ['auth', 'PROVIDER_AUTH_FAILED'],
  404: ['not_found', 'PROVIDER_MODEL_NOT_FOUND'],
  429: ['rate_limit', 'PROVIDER_RATE_LIMITED'],
  503: ['overload', 'PROVIDER_UNAVAILABLE'],
  529: ['overload', 'PROVIDER_UNAVAILABLE'],
};

/** Returns how an error of the Messages API has to be classified. */
export function anthropicVerdict({ categories, status, expect }: ProviderRecording): FailureVerdict | undefined {
  if (categories.includes('context-length') && status === 400) return ['capability', 'CONTEXT_LENGTH_EXCEEDED'];
  if (expect.message?.startsWith('Your credit balance') === true) return ['quota', 'PROVIDER_QUOTA_EXHAUSTED'];
  return BY_STATUS[status];
}

/** Returns how an error inside a stream of the Messages API has to be classified. */
export function anthropicInBandVerdict({ error }: Expectation): FailureVerdict | undefined {
  return error?.type === 'overloaded_error' ? ['overload', 'PROVIDER_UNAVAILABLE'] : undefined;
}

/** Returns the finish reason of an answer of the Messages API. */
export function anthropicFinish(expect: Expectation): FinishReason {
  switch (expect.finish_reason ?? '') {
    case 'end_turn':
    case 'stop_sequence':
      return 'STOP';
    case 'max_tokens':
      return 'LENGTH';
    case 'tool_use':
      return 'TOOL_CALLS';
    case 'refusal':
      return 'REFUSAL';
    default:
      return 'OTHER';
  }
}

/**
 * Returns what is expected of us where the body says it otherwise: a call without arguments has an empty object of them, and
 * the output count at the beginning of a stream is a placeholder, so that a stream that broke off has none.
 */
export function anthropicExpectation(expected: Expectation): Expectation {
  return {
    ...expected,
    tool_calls: expected.tool_calls.map((call) => ({ ...call, arguments: call.arguments || '{}' })),
    output_tokens: expected.done === false ? null : expected.output_tokens,
  };
}
