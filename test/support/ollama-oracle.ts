import type { FinishReason } from '../../src/core/answer.ts';
import { asRecord, parseJson, recordsOf, textOf } from '../../src/providers/shared/json/value.ts';
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

/**
 * Returns what is expected of us where the body says it otherwise: errors are mere texts, and calls may have no id; then they
 * are known by the time of their line.
 */
export function ollamaExpectation(expected: Expectation, body: string): Expectation {
  const times = body.split('\n').flatMap(timesOfCalls);
  return {
    ...expected,
    tool_calls: expected.tool_calls.map((call, index) => ({ ...call, id: call.id ?? `call_${times[index]}_${index}` })),
    ...(typeof expected.error === 'string' && { error: { message: expected.error } }),
  };
}

/** The digits of a line's time, once for each call in it. */
function timesOfCalls(line: string): readonly string[] {
  const data = asRecord(parseJson(line));
  const time = textOf(data?.['created_at']).replace(/\D/g, '');
  return recordsOf(asRecord(data?.['message'])?.['tool_calls']).map(() => time);
}
