import type { AttemptTiming } from '../../../src/engine/port/attempt-timing.ts';
import type { Arrival } from './arrivals.ts';
import { coldLimitMs } from './arrivals.ts';

/** From when on silence is the provider's fault, and when an attempt must have ended, in milliseconds of its life. */
export interface Blame {
  /** Before this it is nobody's fault. */
  readonly notBeforeMs: number;
  /** From this on it is the provider's. */
  readonly surelyFromMs: number;
  /** From this on it is suspicious (X1); infinite: never. */
  readonly suspectFromMs: number;
  /** Longest wait for the first output that any rule allows. */
  readonly limitMs: number;
  /** The shortest that they may be. */
  readonly leastLimitMs: number;
  /** The learnt limit at the least, and how often it was doubled on trial (X6); undefined where nothing is known. */
  readonly learnt: { readonly leastMs: number; readonly trials: readonly [least: number, most: number] } | undefined;
}

/** An attempt that ended without output; all but `startedAtMs` and `endedAtMs` where the rules leave its limit open. */
export interface SilentCall {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Whether it counts as suspicious; undefined where that cannot be told from outside. */
  readonly isSuspicious: boolean | undefined;
  readonly suspectFromMs: number;
}

interface Sample {
  readonly kind: string;
  readonly size: number;
  readonly atMs: number;
  readonly ms: number;
}

const CLASSES = [0, 500, 2_000, 8_000, 32_000, 128_000];

/** Response times of one model of a target, every one remembered, and its silences (engine, "Timers"; rules X1 and X6). */
export class TimesModel {
  #samples: Sample[] = [];
  #usedAtMs = Number.NEGATIVE_INFINITY;
  /** The silences in a row, and whether that is sure. */
  #inARow = 0;
  #isUnsure = false;
  #lastSilenceEndedAtMs = Number.NEGATIVE_INFINITY;
  #lastSuspectFromMs = Number.POSITIVE_INFINITY;
  #silentProbes = 0;
  /** How often the learnt limit was doubled on trial, at the least and at the most. */
  #trials: readonly [least: number, most: number] = [0, 0];
  #isTrialOver = false;
  /** A call that was left at the learnt limit, by the doublings it had: surely, or perhaps. */
  #left: { readonly trials: readonly [number, number]; readonly isSure: boolean } | undefined;

  /**
   * Takes in that an attempt begins, and bounds what the engine may make of its silence, by what comes before the first output; `isLast`
   * stays open here.
   */
  asked(timing: AttemptTiming, nowMs: number): Readonly<Record<Arrival, Blame>> {
    if (nowMs - this.#usedAtMs >= 300_000) this.#forget();
    this.#usedAtMs = nowMs;
    const known = this.#known(timing, nowMs);
    const usual = known && this.#learnt(timing, known, 2 ** Math.min(2, this.#silentProbes));
    const [least, most] = this.#trials;
    const learnt = usual && onTrial(timing, usual, 2 ** least);
    const learntAtMost = usual && onTrial(timing, usual, 2 ** most);
    const told = learnt === undefined ? undefined : { leastMs: learnt, trials: this.#trials };
    const suspectFromMs = known === undefined ? this.#suspectAnyway : suspect(timing, known);
    const some = this.#standIn(timing, nowMs, 1);
    const blame = (arrival: Arrival): Blame => {
      const cold = withAdditions(timing, coldLimitMs(timing, arrival));
      const thinksMs =
        arrival === 'no_head' && timing.headComesWithWords === true ? 1.5 * percentile(known ?? [], 0.95) : 0;
      const signTells = timing.signsAreSure === true ? Math.max(cold, thinksMs || 0) : Number.POSITIVE_INFINITY;
      const shortest = (byTimes: number): number =>
        arrival === 'sign_of_life' ? byTimes : Math.min(byTimes, signTells);
      const leastLimitMs = shortest(learnt ?? cold);
      const limitMs = Math.max(shortest(learntAtMost ?? cold), withAdditions(timing, 30_000));
      const usually = some === undefined ? limitMs : Math.max(5_000, 3 * percentile(some, 0.95));
      const notBeforeMs = Math.min(leastLimitMs, learnt ?? usually);
      const surelyFromMs = Math.min(limitMs, learntAtMost ?? usually);
      return { notBeforeMs, surelyFromMs, suspectFromMs, limitMs, leastLimitMs, learnt: told };
    };
    return { no_head: blame('no_head'), head_alone: blame('head_alone'), sign_of_life: blame('sign_of_life') };
  }

  /** Takes in a first output. */
  began(timing: AttemptTiming, ms: number, nowMs: number): void {
    const known = this.#known(timing, nowMs);
    this.#concludeTrial();
    if (known !== undefined && ms > this.#learnt(timing, known, 1)) {
      this.#trials = [0, 0];
      if (this.#silentProbes > 0) this.#forget();
    }
    this.#inARow = 0;
    this.#isUnsure = false;
    this.#lastSuspectFromMs = Number.POSITIVE_INFINITY;
    this.#silentProbes = 0;
    if (timing.streams) this.#add(timing, ms, nowMs);
  }

  /** Takes in the end of a complete answer. */
  completed(timing: AttemptTiming, ms: number, nowMs: number): void {
    if (!timing.streams) this.#add(timing, ms, nowMs);
  }

  /** Takes in a silence; returns whether it is the third suspicious one in a row, undefined where that is open. */
  silent({ startedAtMs, endedAtMs, isSuspicious, suspectFromMs }: SilentCall): boolean | undefined {
    if (isSuspicious === false) return false;
    if (isSuspicious === undefined) {
      this.#isUnsure = true;
      return undefined;
    }
    this.#lastSuspectFromMs = suspectFromMs;
    if (this.#inARow === 0 || startedAtMs >= this.#lastSilenceEndedAtMs) {
      this.#inARow += 1;
      this.#lastSilenceEndedAtMs = endedAtMs;
    }
    return this.#inARow >= 3 ? true : this.#isUnsure ? undefined : false;
  }

  /** Takes in that the silence of an ordinary call was a failure; `isSure`: it was left at its limit to the moment. */
  left({ learnt }: Blame, silentMs: number, isSure: boolean): void {
    if (learnt === undefined || (isSure && silentMs < learnt.leastMs)) return;
    this.#left = { trials: learnt.trials, isSure };
  }

  /** Takes in that an operator has reset the target. */
  reset(): void {
    this.#inARow = 0;
    this.#isUnsure = false;
    this.#lastSuspectFromMs = Number.POSITIVE_INFINITY;
    this.#silentProbes = 0;
    this.#left = undefined;
  }

  /** Takes in that a probe failed by silence. */
  probeFailed(): void {
    this.#silentProbes += 1;
  }

  /** Behind a silence that an answer follows, the limit is tried at twice the length, up to sixteen times, and then no more (X6). */
  #concludeTrial(): void {
    const left = this.#left;
    this.#left = undefined;
    if (left === undefined || this.#isTrialOver || this.#inARow >= 3) return;
    const [least, most] = this.#trials;
    const isSure = left.isSure && !this.#isUnsure && least === most && left.trials[0] === left.trials[1];
    if (isSure && left.trials[0] !== least) return;
    if (isSure && least === 4) {
      this.#isTrialOver = true;
      this.#trials = [0, 0];
    } else this.#trials = [isSure ? least + 1 : 0, Math.min(4, most + 1)];
  }

  #forget(): void {
    this.#samples = [];
    this.#trials = [0, 0];
    this.#isTrialOver = false;
    this.#left = undefined;
  }

  get #suspectAnyway(): number {
    return this.#inARow >= 3 ? this.#lastSuspectFromMs : Number.POSITIVE_INFINITY;
  }

  #learnt(timing: AttemptTiming, known: readonly Sample[], patience: number): number {
    const p95 = percentile(known, 0.95);
    const floors = [3.1 * p95, 1.5 * percentile(known, 0.99), timing.mayThink ? 10_000 : 900];
    if (!timing.streams) floors.push(timing.answerMs / 2);
    const wished = Math.max(Math.max(...floors) * stretched(timing, known), p95 + timing.promptMs) * patience;
    const most = Math.max(120_000, timing.firstOutputMs);
    return Math.min(wished, Math.max(withAdditions(timing, most), 1.5 * p95));
  }

  #add(timing: AttemptTiming, ms: number, atMs: number): void {
    this.#usedAtMs = atMs;
    this.#samples.push({ kind: kindOf(timing, classOf(timing)), size: sizeOf(timing), atMs, ms });
  }

  #known(timing: AttemptTiming, nowMs: number): readonly Sample[] | undefined {
    return this.#standIn(timing, nowMs, 20);
  }

  /** The samples of a class, or of the smallest larger one, that has so many. */
  #standIn(timing: AttemptTiming, nowMs: number, least: number): readonly Sample[] | undefined {
    return CLASSES.slice(classOf(timing))
      .map((_, above) => {
        const kind = kindOf(timing, classOf(timing) + above);
        return this.#samples
          .filter((sample) => sample.kind === kind)
          .slice(-128)
          .filter(({ atMs }) => nowMs - atMs < 600_000);
      })
      .find((samples) => samples.length >= least);
  }
}

function onTrial(timing: AttemptTiming, usualMs: number, times: number): number {
  return Math.max(usualMs, Math.min(usualMs * times, withAdditions(timing, timing.firstOutputMs)));
}

function suspect(timing: AttemptTiming, known: readonly Sample[]): number {
  const p95 = percentile(known, 0.95);
  return Math.max(300, 1.5 * p95 * stretched(timing, known), p95 + timing.promptMs);
}

function stretched(timing: AttemptTiming, known: readonly Sample[]): number {
  const average = known.reduce((sum, { size }) => sum + size, 0) / known.length;
  return Math.max(1, (sizeOf(timing) + 500) / (average + 500));
}

function sizeOf({ streams, promptTokens, answerMs }: AttemptTiming): number {
  return streams ? promptTokens : promptTokens + answerMs;
}

function classOf(timing: AttemptTiming): number {
  return CLASSES.filter((from) => from <= sizeOf(timing)).length - 1;
}

function kindOf({ streams, mayThink }: AttemptTiming, sizeClass: number): string {
  return `${streams ? 'streams' : 'whole'} ${mayThink ? 'thinks' : 'speaks'} ${sizeClass}`;
}

function withAdditions({ streams, promptMs, answerMs }: AttemptTiming, ms: number): number {
  return ms + promptMs + (streams ? 0 : answerMs);
}

function percentile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
