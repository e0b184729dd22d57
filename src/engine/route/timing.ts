import type { AttemptTiming } from '../port/call.ts';

/** Limits for the first output without statistics, in milliseconds (engine, "Timers"). */
const USUAL_FIRST_OUTPUT_MS = 12_000;
const THINKING_FIRST_OUTPUT_MS = 120_000;
/** Added for the reading of every so many tokens of the prompt. */
const PROMPT_TOKENS_PER_SECOND = 10_000;
/** Limits between two outputs, in milliseconds; providers hold tool arguments and reasoning back. */
const USUAL_PROGRESS_MS = 30_000;
const SLOW_PROGRESS_MS = 180_000;
/** How fast an answer is written that is not streamed, at the least. */
const ANSWER_TOKENS_PER_SECOND = 10;
/** Tokens that an answer is thought to have where the request sets no limit. */
export const UNLIMITED_ANSWER_TOKENS = 1_024;

/** What of a request and its target decides the timers of an attempt. */
export interface TimingFacts {
  readonly streams: boolean;
  /** Whether the model may be silent for long before its first output: it reasons, loads, or is not known. */
  readonly mayBeSilent: boolean;
  /** Whether the request asks for tools or reasoning. */
  readonly usesToolsOrReasoning: boolean;
  readonly maxTokens: number | undefined;
  readonly promptTokens: number;
  /** What a person has set for the target, in milliseconds. */
  readonly firstOutputMs?: number | undefined;
  readonly progressMs?: number | undefined;
  /** What the caller has set for the request, in milliseconds; wins. */
  readonly requestFirstOutputMs?: number | undefined;
}

/** Chooses the timers of an attempt (engine, "Timers"). */
export function attemptTiming(facts: TimingFacts): AttemptTiming {
  const setMs = facts.requestFirstOutputMs ?? facts.firstOutputMs;
  return {
    streams: facts.streams,
    firstOutputMs: setMs ?? (facts.mayBeSilent ? THINKING_FIRST_OUTPUT_MS : USUAL_FIRST_OUTPUT_MS),
    firstOutputAdapts: setMs === undefined,
    mayThink: facts.mayBeSilent,
    promptTokens: facts.promptTokens,
    promptMs: setMs === undefined ? Math.floor(facts.promptTokens / PROMPT_TOKENS_PER_SECOND) * 1_000 : 0,
    progressMs: facts.progressMs ?? (facts.usesToolsOrReasoning ? SLOW_PROGRESS_MS : USUAL_PROGRESS_MS),
    answerMs: ((facts.maxTokens ?? UNLIMITED_ANSWER_TOKENS) / ANSWER_TOKENS_PER_SECOND) * 1_000,
  };
}
