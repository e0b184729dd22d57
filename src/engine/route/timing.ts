import type { Silence } from '../../core/provider.ts';
import type { AttemptTiming } from '../port/attempt-timing.ts';

/**
 * Limits for the first output where nothing is known of the target, in milliseconds, all from the start of the attempt (engine,
 * "Timers"): while nothing has come, with a head alone, and with a sign of life behind it. What they rest on says
 * docs/providers/silence.md.
 */
const COLD_MS = {
  short: [12_000, 12_000, 12_000],
  unknown: [12_000, 12_000, 12_000],
  behind_signs: [40_000, 12_000, 180_000],
  without_head: [120_000, 40_000, 180_000],
  loaded: [120_000, 40_000, 180_000],
} as const satisfies Record<Silence, ColdLimits>;
/** A model of which nothing is known, at a server that somebody runs, may read a prompt for long with its head out. */
const UNKNOWN_ELSEWHERE_MS: ColdLimits = [12_000, 12_000, 120_000];
/**
 * For a call that is not streamed, of which nothing comes before the end, in milliseconds: the answer timer is added, and whatever
 * limits the tokens of an answer limits those of its thinking with them.
 */
const WHOLE_USUAL_MS = 12_000;
const WHOLE_SILENT_MS = 120_000;
/** A second is added for every so many tokens of the prompt; by the latter at a server that somebody runs, once its head has come. */
const PROMPT_TOKENS_PER_SECOND = 10_000;
const PROMPT_TOKENS_PER_SECOND_ELSEWHERE = 1_000;
/** Limits between two outputs, in milliseconds; providers hold tool arguments and reasoning back. */
const USUAL_PROGRESS_MS = 30_000;
const SLOW_PROGRESS_MS = 180_000;
/** How fast an answer is written that is not streamed, at the least. */
const ANSWER_TOKENS_PER_SECOND = 10;
/** Tokens that an answer is thought to have where the request sets no limit. */
export const UNLIMITED_ANSWER_TOKENS = 1_024;

type ColdLimits = readonly [noHeadMs: number, headAloneMs: number, withSignMs: number];

/** What of a request and its target decides the timers of an attempt. */
export interface TimingFacts {
  readonly streams: boolean;
  /** How long the call may say nothing of its answer, and what comes of it meanwhile. */
  readonly silence: Silence;
  /** Whether the provider itself answers, and not another server that speaks its API. */
  readonly ownHost: boolean;
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
  const promptMs = setMs === undefined ? readingMs(facts.promptTokens, PROMPT_TOKENS_PER_SECOND) : 0;
  const cold = setMs === undefined && facts.streams ? coldLimits(facts) : undefined;
  const slowlyMs = cold === undefined ? 0 : slowReadingMs(facts, promptMs);
  return {
    streams: facts.streams,
    firstOutputMs: setMs ?? (cold === undefined ? wholeMs(facts) : cold[2] + slowlyMs),
    noHeadMs: cold?.[0],
    headAloneMs: cold && cold[1] + slowlyMs,
    firstOutputAdapts: setMs === undefined,
    signsAreSure: isLong(facts.silence),
    headComesWithWords: facts.silence === 'without_head' || facts.silence === 'loaded',
    mayThink: isLong(facts.silence),
    promptTokens: facts.promptTokens,
    promptMs,
    progressMs: facts.progressMs ?? (facts.usesToolsOrReasoning ? SLOW_PROGRESS_MS : USUAL_PROGRESS_MS),
    answerMs: ((facts.maxTokens ?? UNLIMITED_ANSWER_TOKENS) / ANSWER_TOKENS_PER_SECOND) * 1_000,
  };
}

/** Whether a model may say nothing for long, as far as one knows. */
export function isLong(silence: Silence): boolean {
  return silence !== 'short' && silence !== 'unknown';
}

function coldLimits({ silence, ownHost }: TimingFacts): ColdLimits {
  return silence === 'unknown' && !ownHost ? UNKNOWN_ELSEWHERE_MS : COLD_MS[silence];
}

function wholeMs({ silence, maxTokens }: TimingFacts): number {
  const mayBeLong = silence === 'loaded' || (isLong(silence) && maxTokens === undefined);
  return mayBeLong ? WHOLE_SILENT_MS : WHOLE_USUAL_MS;
}

/** What a server that somebody runs needs for the prompt beyond `promptMs`, once its head has come. */
function slowReadingMs({ silence, ownHost, promptTokens }: TimingFacts, promptMs: number): number {
  return ownHost || silence === 'short' ? 0 : readingMs(promptTokens, PROMPT_TOKENS_PER_SECOND_ELSEWHERE) - promptMs;
}

function readingMs(tokens: number, perSecond: number): number {
  return Math.floor(tokens / perSecond) * 1_000;
}
