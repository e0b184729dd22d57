import type { FailureReason } from '../../core/failure.ts';
import type { Runtime, TimerHandle } from '../../core/ports.ts';
import type { ClientSink, Serving } from '../port/call.ts';

/** After so many milliseconds without an event a stream gets a ping (engine rules G2 and G4a). */
const PING_MS = 15_000;

/** The caller's end of a stream: passes events on and keeps the connection alive while there are none. */
export class ClientStream<Output> {
  readonly #runtime: Runtime;
  readonly #sink: ClientSink<Output>;
  readonly #mayPing: () => boolean;
  #lastEventAtMs: number;
  #timer: TimerHandle | undefined;

  /** @param mayPing whether a ping may be sent now: a provider was contacted and the caller reads */
  constructor(runtime: Runtime, sink: ClientSink<Output>, mayPing: () => boolean) {
    this.#runtime = runtime;
    this.#sink = sink;
    this.#mayPing = mayPing;
    this.#lastEventAtMs = runtime.now();
    this.#arm(PING_MS);
  }

  started(serving: Serving): void {
    this.#lastEventAtMs = this.#runtime.now();
    this.#sink.started(serving);
  }

  restarted(serving: Serving, reason: FailureReason): void {
    this.#lastEventAtMs = this.#runtime.now();
    this.#sink.restarted(serving, reason);
  }

  output(value: Output): boolean {
    this.#lastEventAtMs = this.#runtime.now();
    return this.#sink.output(value);
  }

  whenWritable(resume: () => void): void {
    this.#sink.whenWritable(resume);
  }

  /** Stops the pings. */
  close(): void {
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** One timer, moved on when it fires rather than with every event. */
  #arm(ms: number): void {
    this.#timer = this.#runtime.setTimer(ms, () => {
      const leftMs = this.#lastEventAtMs + PING_MS - this.#runtime.now();
      if (leftMs > 0) {
        this.#arm(leftMs);
        return;
      }
      this.#lastEventAtMs = this.#runtime.now();
      if (this.#mayPing()) this.#sink.ping();
      this.#arm(PING_MS);
    });
  }
}
