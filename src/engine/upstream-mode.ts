/** Up to so many tokens an answer is so short that a whole JSON body is as safe as a stream, and cheaper to read. */
const SHORT_ANSWER_TOKENS = 256;

/**
 * Decides whether an upstream call streams (engine rule U1). It does also where the caller wants the answer whole, because a
 * call that does not stream gives no sign of life, cannot be told apart from a hanging one, and is paid for when cancelled;
 * only an answer that is known to be short comes as JSON.
 *
 * @param maxTokens the limit that the request sets; undefined for none
 */
export function streamsUpstream(callerStreams: boolean, maxTokens: number | undefined): boolean {
  return callerStreams || maxTokens === undefined || maxTokens > SHORT_ANSWER_TOKENS;
}
