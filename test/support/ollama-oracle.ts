import type { FinishReason } from '../../src/core/answer.ts';
import type { FailureVerdict } from './openai-oracle.ts';
import type { Expectation, ProviderRecording } from './recordings.ts';

/** Returns how an error of Ollama's own API has to be classified. */
export function ollamaVerdict({ categories }: ProviderRecording): FailureVerdict | undefined {
  return categories.includes('context-length') ? ['capability', 'CONTEXT_LENGTH_EXCEEDED'] : undefined;
}

/** Returns how an error inside a stream has to be classified: as the server's own fault. */
export function ollamaInBandVerdict(): FailureVerdict {
  return ['overload', 'PROVIDER_UNAVAILABLE'];
}

/** Returns the finish reason of an answer; the server says `stop` of calls, too. */
export function ollamaFinish(expect: Expectation): FinishReason {
  if (expect.finish_reason === 'length') return 'LENGTH';
  return expect.tool_calls.length > 0 ? 'TOOL_CALLS' : 'STOP';
}

/** Returns what is expected of us where the body says it otherwise: errors are mere texts, and calls may have no id. */
export function ollamaExpectation(expected: Expectation): Expectation {
  return {
    ...expected,
    tool_calls: expected.tool_calls.map((call, index) => ({ ...call, id: call.id ?? `call_${index}` })),
    ...(typeof expected.error === 'string' && { error: { message: expected.error } }),
  };
}
