import type { AttemptTiming } from '../../../src/engine/port/call.ts';
import type { Arrival } from './arrivals.ts';
import { coldLimitMs } from './arrivals.ts';

/** From when on silence is the provider's fault, and when an attempt must have ended, in milliseconds of its life. */
export interface Blame {
  /** Before this it is nobody's fault. */
  readonly notBeforeMs: number;
  /** From this on it is the provider's. */
  readonly surelyFromMs: number;
  /** Longest wait for the first output that any rule allows. */
  readonly limitMs: number;
  /** The shortest that they may be. */
  readonly leastLimitMs: number;
}

const WINDOW_MS = 300_000;
/** The engine's histogram is right to within a tenth. */
const BLUR = 1.1;

/** Response times of one target, every one remembered (engine, "Timers"; rule X1). */
export class TimesModel {
  readonly #streamed: { readonly atMs: number; readonly ms: number }[] = [];
  readonly #whole: { readonly atMs: number; readonly ms: number }[] = [];

  add(streams: boolean, ms: number, atMs: number): void {
    (streams ? this.#streamed : this.#whole).push({ atMs, ms });
  }

  /** Bounds what the engine may make of silence from now on, by what comes before the first output. */
  blames(timing: AttemptTiming, nowMs: number): Readonly<Record<Arrival, Blame>> {
    const sign = this.#blame(timing, nowMs, timing.firstOutputMs);
    if (timing.noHeadMs === undefined) return { no_head: sign, head_alone: sign, sign_of_life: sign };
    return {
      no_head: this.#blame(timing, nowMs, coldLimitMs(timing, 'no_head')),
      head_alone: this.#blame(timing, nowMs, coldLimitMs(timing, 'head_alone')),
      sign_of_life: sign,
    };
  }

  /** `isLast` may depend on the moment, so that it stays open here. */
  #blame(timing: AttemptTiming, nowMs: number, coldMs: number): Blame {
    const least = this.#limit(timing, nowMs, 1 / BLUR, coldMs);
    const most = this.#limit(timing, nowMs, BLUR, coldMs);
    const last = timing.firstOutputAdapts ? 30_000 + timing.promptMs + (timing.streams ? 0 : timing.answerMs) : 0;
    const limitMs = Math.max(most, last);
    const p95 = percentile(recent(timing.streams ? this.#streamed : this.#whole, nowMs));
    if (p95 === undefined) return { notBeforeMs: least, surelyFromMs: limitMs, limitMs, leastLimitMs: least };
    return {
      notBeforeMs: Math.min(least, Math.max(5_000, (3 * p95) / BLUR)),
      surelyFromMs: Math.min(limitMs, Math.max(5_000, 3 * p95 * BLUR)),
      limitMs,
      leastLimitMs: least,
    };
  }

  #limit(timing: AttemptTiming, nowMs: number, blur: number, coldMs: number): number {
    const samples = recent(this.#streamed, nowMs);
    const p95 = percentile(samples);
    const adapts = timing.firstOutputAdapts && p95 !== undefined && samples.length >= 20;
    const firstOutputMs = adapts ? Math.min(Math.max(4 * p95 * blur, 10_000), 120_000) : coldMs;
    return firstOutputMs + timing.promptMs + (timing.streams ? 0 : timing.answerMs);
  }
}

/** The samples of this window and the one before. */
function recent(samples: readonly { readonly atMs: number; readonly ms: number }[], nowMs: number): number[] {
  const window = Math.floor(nowMs / WINDOW_MS);
  return samples.filter(({ atMs }) => Math.floor(atMs / WINDOW_MS) >= window - 1).map(({ ms }) => ms);
}

function percentile(samples: readonly number[]): number | undefined {
  return samples.toSorted((one, other) => one - other)[Math.ceil(samples.length * 0.95) - 1];
}
