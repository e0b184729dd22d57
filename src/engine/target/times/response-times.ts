import type { AttemptTiming } from '../../port/attempt-timing.ts';
import { RecentSamples } from './recent-samples.ts';
import { Silences } from './silences.ts';

/** From so many samples on the times of a class are known (engine, "Timers"). */
const MIN_SAMPLES = 20;
/** The learnt limit is so many times the 95th percentile: who has become three times slower is not to blame. */
const USUAL_FACTOR = 3.1;
/** Or so many times the 99th, which below 100 samples is the longest: rare answers that take long are well too. */
const RARE_FACTOR = 1.5;
/**
 * No limit is surer than this, in milliseconds: two retransmissions in a row at TCP's least timeout on Linux (200 and 400 ms, RFC 6298)
 * and a pause of either process of a few hundred.
 */
const FLOOR_MS = 900;
/** A model that may think is silent for as long as the question is hard. */
const THINKING_FLOOR_MS = 10_000;
/** An answer that comes as a whole may be a long one: this share of the time that the answer timer adds, which is 20 tokens a second. */
const WHOLE_FLOOR_SHARE = 0.5;
const MAX_LIMIT_MS = 120_000;
const LAST_TARGET_MS = 30_000;
/** Silence is suspicious from this many times the usual on (engine rule X1); three in a row are as sure as the floor. */
const SUSPECT_FACTOR = 1.5;
const SUSPECT_FLOOR_MS = 300;
/** Without enough samples silence is the provider's fault from this many times the usual on, and from so many milliseconds. */
const BLAME_FACTOR = 3;
const MIN_BLAME_MS = 5_000;
/** What was learnt is forgotten when it was not in use for so long: servers unload models, or go down to none, after 5 min. */
const MAX_IDLE_MS = 300_000;
/** Sizes from which on a prompt is of the next class, in estimated tokens. */
const SIZES_FROM = [0, 500, 2_000, 8_000, 32_000, 128_000] as const;
/** First output is thought to cost as much as the reading of so many tokens, however short the prompt. */
const FIXED_SIZE = 500;

/** From when on the silence of an attempt is what, in milliseconds. */
export interface SilenceLimits {
  /** Longest wait for the first output, or for the end where it does not stream. */
  readonly firstOutputMs: number;
  /** The same as long as not even a head has come; at most `firstOutputMs`. */
  readonly noHeadMs: number;
  /** The same where the head has come and nothing else; at most `firstOutputMs`. */
  readonly headAloneMs: number;
  /** From here on the provider is to blame; never more than `firstOutputMs` (engine rule X1). */
  readonly blameAfterMs: number;
  /** From here on it is suspicious; infinite where nothing is known. */
  readonly suspectAfterMs: number;
  /** How many times as long as usual the learnt limit is (engine rule X6); undefined where nothing is known. */
  readonly trial: number | undefined;
}

/**
 * How long one target takes to begin, or, where it does not stream, to finish an answer of one model: by whether it streams, whether
 * it may think, and the size of the prompt.
 */
export class ResponseTimes {
  readonly #now: () => number;
  /** What was not heard since the last first output. */
  readonly silences = new Silences();
  /** By class, as {@link classOf} counts them. */
  readonly #samples: (RecentSamples | undefined)[] = [];
  #usedAtMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes the first output of an attempt, after so many milliseconds. Of a whole answer it says only that it is under way. */
  began(timing: AttemptTiming, ms: number): void {
    const { patience } = this.silences;
    this.silences.heard();
    if (ms > (this.#usualLimitMs(timing, this.#known(timing)) ?? Infinity)) {
      this.silences.cameLate();
      // Whom only a longer wait has found alive is no longer who was measured (RFC 6298, section 5: clear what is likely bogus).
      if (patience > 1) this.#forget();
    }
    if (timing.streams) this.#add(timing, ms);
  }

  /** Notes the end of a complete answer after so many milliseconds; of a stream its beginning was told. */
  completed(timing: AttemptTiming, ms: number): void {
    if (!timing.streams) this.#add(timing, ms);
  }

  /** Returns the 95th percentile in milliseconds of what is known best of calls that are about like this one; undefined: nothing. */
  p95Ms(timing: AttemptTiming): number | undefined {
    if (this.#isIdle) return undefined;
    const { streams, mayThink } = timing;
    return (
      this.#known(timing) ??
      this.#any(timing) ??
      this.#any({ ...timing, mayThink: !mayThink }) ??
      this.#any({ ...timing, streams: !streams })
    )?.quantileMs(0.95);
  }

  /**
   * Returns what an attempt that begins now may take.
   * @param isLast whether no other target is available
   */
  limits(timing: AttemptTiming, isLast: boolean): SilenceLimits {
    const now = this.#now();
    if (this.#isIdle) this.#forget();
    this.#usedAtMs = now;
    const known = this.#known(timing);
    const learntMs = this.#learntMs(timing, known);
    const adaptsTo = timing.firstOutputAdapts ? learntMs : undefined;
    const leastMs = isLast && timing.firstOutputAdapts ? coldMs(timing, LAST_TARGET_MS) : 0;
    const firstOutputMs = Math.max(adaptsTo ?? coldMs(timing, timing.firstOutputMs), leastMs);
    /** Of what an API is sure to send the want is telling also where its times are known. */
    const without = (signMs: number | undefined): number => {
      if (signMs === undefined || (adaptsTo !== undefined && timing.signsAreSure !== true)) return firstOutputMs;
      return Math.min(firstOutputMs, Math.max(coldMs(timing, signMs), leastMs));
    };
    /** Where heads come with the first words, the want of one says no more than theirs: who is known to think for long is not cut. */
    const isWithWords = adaptsTo !== undefined && known !== undefined && timing.headComesWithWords === true;
    const withoutHeadMs = isWithWords ? Math.min(firstOutputMs, RARE_FACTOR * known.quantileMs(0.95)) : 0;
    return {
      firstOutputMs,
      noHeadMs: Math.max(without(timing.noHeadMs), withoutHeadMs),
      headAloneMs: without(timing.headAloneMs),
      blameAfterMs: Math.min(firstOutputMs, learntMs ?? this.#coldBlameMs(timing)),
      suspectAfterMs: known === undefined ? this.silences.suspectAfterMs : suspectMs(known, timing),
      trial: known && this.silences.trial,
    };
  }

  /** Returns the learnt limit in milliseconds, with the patience of probes, and longer on trial; undefined where nothing is known. */
  #learntMs(timing: AttemptTiming, known: RecentSamples | undefined): number | undefined {
    const usualMs = this.#usualLimitMs(timing, known, this.silences.patience);
    if (usualMs === undefined) return undefined;
    return Math.max(usualMs, Math.min(usualMs * this.silences.trial, coldMs(timing, timing.firstOutputMs)));
  }

  #usualLimitMs(timing: AttemptTiming, known: RecentSamples | undefined, patience = 1): number | undefined {
    if (known === undefined) return undefined;
    const p95 = known.quantileMs(0.95);
    const floorMs = Math.max(
      timing.mayThink ? THINKING_FLOOR_MS : FLOOR_MS,
      timing.streams ? 0 : WHOLE_FLOOR_SHARE * timing.answerMs,
    );
    const measuredMs = Math.max(floorMs, USUAL_FACTOR * p95, RARE_FACTOR * known.quantileMs(0.99));
    const wishedMs = Math.max(measuredMs * stretch(known, timing), p95 + timing.promptMs) * patience;
    // Who is known to be silent for longer than any limit is never cut.
    const capMs = Math.max(MAX_LIMIT_MS, timing.firstOutputMs);
    return Math.min(wishedMs, Math.max(coldMs(timing, capMs), RARE_FACTOR * p95));
  }

  get #isIdle(): boolean {
    return this.#now() - this.#usedAtMs >= MAX_IDLE_MS;
  }

  #forget(): void {
    this.#samples.length = 0;
    this.silences.forgetTrial();
  }

  #coldBlameMs(timing: AttemptTiming): number {
    const any = this.#any(timing);
    return any === undefined ? Infinity : Math.max(MIN_BLAME_MS, BLAME_FACTOR * any.quantileMs(0.95));
  }

  #add(timing: AttemptTiming, ms: number): void {
    const index = classOf(timing);
    const samples = this.#samples[index] ?? new RecentSamples();
    this.#samples[index] = samples;
    this.#usedAtMs = this.#now();
    samples.add(ms, sizeOf(timing), this.#usedAtMs);
  }

  /** What is known of a class, or else of the next larger prompts, which is an upper bound; never of smaller ones. */
  #known(timing: AttemptTiming): RecentSamples | undefined {
    return this.#atLeast(timing, MIN_SAMPLES);
  }

  #any(timing: AttemptTiming): RecentSamples | undefined {
    return this.#atLeast(timing, 1);
  }

  #atLeast(timing: AttemptTiming, count: number): RecentSamples | undefined {
    const end = firstClassOf(timing) + SIZES_FROM.length;
    for (let index = classOf(timing); index < end; index++) {
      const samples = this.#samples[index];
      if (samples !== undefined && samples.count(this.#now()) >= count) return samples;
    }
    return undefined;
  }
}

/** What counts as the size of a call: an answer that comes as a whole weighs a hundred tokens of prompt for each of its own. */
function sizeOf({ streams, promptTokens, answerMs }: AttemptTiming): number {
  return Math.round(promptTokens + (streams ? 0 : answerMs));
}

function firstClassOf({ streams, mayThink }: AttemptTiming): number {
  return ((streams ? 0 : 2) + (mayThink ? 1 : 0)) * SIZES_FROM.length;
}

function classOf(timing: AttemptTiming): number {
  const size = sizeOf(timing);
  return firstClassOf(timing) + SIZES_FROM.findLastIndex((fromSize) => size >= fromSize);
}

/** How much more time a prompt may take that is larger than those of its class that were measured; at least 1. */
function stretch(known: RecentSamples, timing: AttemptTiming): number {
  return Math.max(1, (sizeOf(timing) + FIXED_SIZE) / (known.averageSize + FIXED_SIZE));
}

function suspectMs(known: RecentSamples, timing: AttemptTiming): number {
  const usualMs = SUSPECT_FACTOR * known.quantileMs(0.95) * stretch(known, timing);
  return Math.max(SUSPECT_FLOOR_MS, usualMs, known.quantileMs(0.95) + timing.promptMs);
}

/** A limit with what the size of the prompt, and of an answer that is not streamed, adds to it. */
function coldMs({ streams, promptMs, answerMs }: AttemptTiming, firstOutputMs: number): number {
  return firstOutputMs + promptMs + (streams ? 0 : answerMs);
}
