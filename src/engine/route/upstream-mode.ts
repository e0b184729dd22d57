/** Up to so many tokens an answer is so short that a whole JSON body is as safe as a stream, and cheaper to read. */
const SHORT_ANSWER_TOKENS = 256;

/** How a target is asked: as the engine sees fit, or always in one way. */
export type UpstreamMode = 'AUTO' | 'STREAM' | 'JSON';

/**
 * Decides whether an upstream call streams (engine rule U1). It does also where the caller wants the answer whole, because a
 * call that does not stream gives no sign of life, cannot be told apart from a hanging one, and is paid for when cancelled;
 * only an answer that is known to be short comes as JSON.
 *
 * @param maxTokens the limit that the request sets; undefined for none
 * @param mode what a person has set for the target
 */
export function streamsUpstream(callerStreams: boolean, maxTokens: number | undefined, mode: UpstreamMode): boolean {
  if (mode !== 'AUTO') return mode === 'STREAM';
  return callerStreams || maxTokens === undefined || maxTokens > SHORT_ANSWER_TOKENS;
}
