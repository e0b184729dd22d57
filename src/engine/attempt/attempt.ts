import type { Failure } from '../../core/failure.ts';
import type { AttemptEvent, AttemptHandle, Runtime, TokenUsage } from '../../core/ports.ts';
import { Alarm } from './alarm.ts';
import type { AttemptOutput } from './output.ts';
import type { Arrived, AttemptLimits } from './time-limits.ts';
import { allowedSilenceMs, arrivedHead, firstOutputLimitMs } from './time-limits.ts';
import type { AttemptPhase, Prepared } from '../port/call.ts';
import {
  cutShort,
  deadlineExceeded,
  heldUp,
  internalFault,
  silence,
  slowReader,
  stalled,
  truncated,
} from '../port/failures.ts';

/** Wait for usage after the terminal marker, and for the end of the body once usage is known (engine rule G7). */
const TAIL_MS = 2_000;
const TAIL_WITH_USAGE_MS = 50;

/** How an attempt ended. */
export type AttemptEnd<Final> =
  | { readonly ok: true; readonly final: Final }
  | { readonly ok: false; readonly failure: Failure };

/** One upstream call from its start to its settlement: the commit gate and the timers (engine rules G1 to G7, X1). */
export class Attempt<Output, Final> {
  readonly #runtime: Runtime;
  readonly #prepared: Pick<Prepared<Output, Final>, 'open'>;
  readonly #limits: AttemptLimits;
  readonly #output: AttemptOutput<Output>;
  readonly #startedAtMs: number;
  #handle: AttemptHandle | undefined;
  #resolve: ((end: AttemptEnd<Final>) => void) | undefined;
  readonly #alarm: Alarm;
  /** Most attempts never need it. */
  #stallAlarm: Alarm | undefined;
  #final: { readonly value: Final } | undefined;
  #arrived: Arrived = 'nothing';
  #progressAtMs = 0;
  #paused = false;
  /** How far the attempt has come; stays at its last phase before the end. */
  phase: AttemptPhase = 'CONNECTING';
  usage: TokenUsage | undefined;
  httpStatus: number | undefined;
  providerRequestId: string | undefined;
  reportedModel: string | undefined;
  /** Milliseconds to the first meaningful output. */
  firstOutputMs: number | undefined;
  /** Size of the output, about in bytes; 0 where only the terminal marker came. */
  outputBytes = 0;

  constructor(
    runtime: Runtime,
    prepared: Pick<Prepared<Output, Final>, 'open'>,
    limits: AttemptLimits,
    output: AttemptOutput<Output>,
  ) {
    this.#runtime = runtime;
    this.#alarm = new Alarm(runtime);
    this.#prepared = prepared;
    this.#limits = limits;
    this.#output = output;
    this.#startedAtMs = runtime.now();
  }

  /** Opens the upstream call; resolves when it has ended in whatever way. Call once. */
  start(): Promise<AttemptEnd<Final>> {
    const { promise, resolve } = Promise.withResolvers<AttemptEnd<Final>>();
    this.#resolve = resolve;
    this.#awaitFirstOutput(Math.min(this.#limits.noHeadMs, this.#limits.headAloneMs), 0);
    try {
      this.#handle = this.#prepared.open((event) => {
        this.#receive(event);
      });
    } catch (error) {
      this.stop(internalFault(error));
    }
    return promise;
  }

  /** Ends the attempt from outside, closing its connection in the same turn (engine rule D1). */
  stop(failure: Failure): void {
    this.#settle({ ok: false, failure });
  }

  /** Whether the caller does not read. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** How long the attempt has run, in milliseconds. */
  get elapsedMs(): number {
    return this.#runtime.now() - this.#startedAtMs;
  }

  /** How long it was to wait for its first output, given what has come of it, in milliseconds. */
  get allowedSilenceMs(): number {
    return allowedSilenceMs(this.#limits, this.#arrived, this.#startedAtMs);
  }

  /** Whoever takes the output may fail, which is a fault of ours and none of the upstream's (class C21). */
  #receive(event: AttemptEvent<Output, Final>): void {
    try {
      if (!this.#isSettled) this.#onEvent(event);
    } catch (error) {
      this.stop(internalFault(error));
    }
  }

  #onEvent(event: AttemptEvent<Output, Final>): void {
    switch (event.type) {
      case 'headers':
        this.phase = 'GATED';
        this.#arrived = arrivedHead(this.#limits, this);
        this.httpStatus = event.status;
        this.providerRequestId = event.requestId;
        break;
      case 'startup':
        this.#arrived = 'sign';
        this.reportedModel = event.model ?? this.reportedModel;
        break;
      case 'output':
        this.outputBytes += event.bytes;
        this.#commit();
        // Whoever hears of the commit may end the attempt.
        if (this.#isSettled) return;
        this.#progressAtMs = this.#runtime.now();
        if (!this.#output.deliver(event.value)) this.#pause();
        break;
      case 'usage':
        this.usage = event.usage;
        this.#arrived = 'sign';
        if (this.#final !== undefined) this.#armTail();
        break;
      case 'terminal':
        this.#commit();
        this.#final = { value: event.final };
        this.phase = 'TAIL';
        this.#armTail();
        break;
      case 'end':
        this.#settle(this.#success() ?? { ok: false, failure: truncated() });
        break;
      case 'error':
        this.#settle(this.#success() ?? { ok: false, failure: event.failure });
        break;
    }
  }

  get #isSettled(): boolean {
    return this.#resolve === undefined;
  }

  #success(): AttemptEnd<Final> | undefined {
    return this.#final && { ok: true, final: this.#final.value };
  }

  #commit(): void {
    if (this.firstOutputMs !== undefined) return;
    this.firstOutputMs = this.elapsedMs;
    this.phase = 'FLOWING';
    this.#progressAtMs = this.#runtime.now();
    this.#armProgress(this.#limits.progressMs);
    this.#output.commit();
  }

  #arm(ms: number, fire: (lateMs: number) => void): void {
    if (!this.#isSettled) this.#alarm.set(ms, fire);
  }

  /**
   * Waits until the attempt is `untilMs` old, and longer where what has come by then allows it: nothing touches the timer. The
   * limit tells whom to blame, not the time that has passed: a real timer may fire a moment early.
   */
  #awaitFirstOutput(untilMs: number, elapsedMs: number): void {
    const untilDeadlineMs = this.#limits.deadlineAtMs - this.#startedAtMs;
    const mostMs = Math.min(this.#limits.sliceMs, untilDeadlineMs);
    const dueMs = Math.min(untilMs, mostMs);
    this.#arm(dueMs - elapsedMs, () => {
      // Armed anew behind a hold-up it may be due long since.
      const lateMs = this.elapsedMs - dueMs;
      const limitMs = firstOutputLimitMs(this.#limits, this.#arrived);
      if (Math.min(limitMs, mostMs) > dueMs) this.#awaitFirstOutput(limitMs, this.elapsedMs);
      else if (dueMs >= Math.min(limitMs, this.#limits.blameAfterMs)) this.stop(lateMs > dueMs ? heldUp() : silence());
      else this.stop(dueMs < untilDeadlineMs ? cutShort() : deadlineExceeded());
    });
  }

  /** One timer for progress and deadline, moved on when it fires rather than with every output. */
  #armProgress(ms: number): void {
    const untilDeadlineMs = this.#limits.deadlineAtMs - this.#runtime.now();
    const isLast = untilDeadlineMs <= ms;
    this.#arm(isLast ? untilDeadlineMs : ms, (lateMs) => {
      const leftMs = this.#progressAtMs + this.#limits.progressMs - this.#runtime.now();
      if (isLast) this.stop(deadlineExceeded());
      else if (this.#paused) this.#armProgress(this.#limits.progressMs);
      else if (leftMs > 0) this.#armProgress(leftMs);
      else this.stop(lateMs > this.#limits.progressMs ? heldUp() : stalled());
    });
  }

  #armTail(): void {
    queueMicrotask(() => {
      const untilDeadlineMs = this.#limits.deadlineAtMs - this.#runtime.now();
      this.#arm(Math.min(this.usage === undefined ? TAIL_MS : TAIL_WITH_USAGE_MS, untilDeadlineMs), () => {
        const success = this.#success();
        if (success !== undefined) this.#settle(success);
      });
    });
  }

  #pause(): void {
    if (this.#paused || this.#isSettled) return;
    this.#paused = true;
    this.#handle?.pause();
    this.#stallAlarm ??= new Alarm(this.#runtime);
    this.#stallAlarm.set(this.#limits.clientStallMs, () => {
      this.stop(slowReader());
    });
    this.#output.whenWritable(() => {
      this.#resume();
    });
  }

  #resume(): void {
    if (!this.#paused || this.#isSettled) return;
    this.#paused = false;
    this.#stallAlarm?.clear();
    this.#progressAtMs = this.#runtime.now();
    this.#handle?.resume();
  }

  #settle(end: AttemptEnd<Final>): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    this.#alarm.clear();
    this.#stallAlarm?.clear();
    if (end.ok) this.#handle?.release();
    else this.#handle?.abort();
    resolve(end);
  }
}
