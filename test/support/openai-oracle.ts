import type { FinishReason } from '../../src/core/answer.ts';
import type { FailureClass, FailureReason } from '../../src/core/failure.ts';
import type { Expectation, ProviderRecording } from './recordings.ts';

/** Class and reason of a failure. */
export type FailureVerdict = readonly [FailureClass, FailureReason];

const BY_CODE: Readonly<Record<string, FailureVerdict>> = {
  context_length_exceeded: ['capability', 'CONTEXT_LENGTH_EXCEEDED'],
  invalid_function_parameters: ['capability', 'UNSUPPORTED_PARAMETER'],
  content_filter: ['content', 'PROMPT_BLOCKED'],
  insufficient_quota: ['quota', 'PROVIDER_QUOTA_EXHAUSTED'],
  unsupported_parameter: ['capability', 'UNSUPPORTED_PARAMETER'],
  unsupported_value: ['capability', 'UNSUPPORTED_PARAMETER'],
  model_not_found: ['not_found', 'PROVIDER_MODEL_NOT_FOUND'],
  unknown_model: ['not_found', 'PROVIDER_MODEL_NOT_FOUND'],
};

const BY_STATUS: Readonly<Record<number, FailureVerdict>> = {
  400: ['bad_request', 'INVALID_REQUEST'],
  401: ['auth', 'PROVIDER_AUTH_FAILED'],
  402: ['quota', 'PROVIDER_QUOTA_EXHAUSTED'],
  404: ['not_found', 'PROVIDER_MODEL_NOT_FOUND'],
  408: ['overload', 'PROVIDER_UNAVAILABLE'],
  413: ['bad_request', 'INVALID_REQUEST'],
  422: ['bad_request', 'INVALID_REQUEST'],
  429: ['rate_limit', 'PROVIDER_RATE_LIMITED'],
  500: ['overload', 'PROVIDER_UNAVAILABLE'],
};

/** Errors without a code, whose words say that the model cannot do what was asked. */
const UNSUPPORTED_WITHOUT_CODE: ReadonlySet<string> = new Set([
  'openai-err400-est-openai-test-openai-web-search-tool-model-not-supported-f69c9e',
  'openai-err400-test-structured-output-model-91cfec',
  'openai-responses-err400-test-call-with-params-openai-gpt-5-mini-85808d',
]);

/** Returns how an error of the OpenAI family has to be classified. */
export function openAiVerdict({ id, categories, status, expect }: ProviderRecording): FailureVerdict | undefined {
  if (categories.includes('context-length')) return ['capability', 'CONTEXT_LENGTH_EXCEEDED'];
  if (UNSUPPORTED_WITHOUT_CODE.has(id)) return ['capability', 'UNSUPPORTED_PARAMETER'];
  return BY_CODE[expect.code ?? ''] ?? BY_STATUS[status];
}

/** Returns how an error inside a stream of the OpenAI family has to be classified. */
export function openAiInBandVerdict({ error }: Expectation): FailureVerdict | undefined {
  switch (error?.code ?? error?.type) {
    case 'tool_use_failed':
      return ['capability', 'UNSUPPORTED_PARAMETER'];
    case 'insufficient_quota':
      return ['quota', 'PROVIDER_QUOTA_EXHAUSTED'];
    case 'server_error':
      return ['overload', 'PROVIDER_UNAVAILABLE'];
    default:
      return undefined;
  }
}

/** Returns the finish reason of an answer of Chat Completions. */
export function chatFinish(expect: Expectation): FinishReason {
  switch (expect.finish_reason ?? '') {
    case 'stop':
      if (expect.refusal !== '') return 'REFUSAL';
      return expect.tool_calls.length > 0 ? 'TOOL_CALLS' : 'STOP';
    case 'length':
      return 'LENGTH';
    case 'tool_calls':
    case 'function_call':
      return 'TOOL_CALLS';
    case 'content_filter':
      return 'CONTENT_FILTER';
    default:
      return 'OTHER';
  }
}

/** Returns the finish reason of an answer of the Responses API. */
export function responsesFinish(expect: Expectation): FinishReason {
  switch (expect.finish_reason ?? '') {
    case 'completed':
      if (expect.tool_calls.length > 0) return 'TOOL_CALLS';
      return expect.refusal === '' ? 'STOP' : 'REFUSAL';
    case 'incomplete:max_output_tokens':
      return 'LENGTH';
    case 'incomplete:content_filter':
      return 'CONTENT_FILTER';
    default:
      return 'OTHER';
  }
}
