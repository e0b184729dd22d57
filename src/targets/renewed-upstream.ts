import type { Delta, Finish } from '../core/answer.ts';
import type { AttemptEvent, AttemptHandle, AttemptSink } from '../core/ports.ts';
import type { UpstreamCall, UpstreamTarget } from '../upstream/target-client.ts';

/** An upstream whose key may be replaced. */
export interface RenewedUpstream {
  readonly upstream: UpstreamTarget;
  /** Makes what begins from now on through another, with the new key: the old one may be good no more. */
  readonly goOnAs: (next: UpstreamTarget) => void;
}

/**
 * Makes an upstream go on with another key once there is one, for the calls under way as well: a call that the old key has just been
 * refused for is made again with the new one, as a part of the same attempt.
 */
export function renewable(made: UpstreamTarget): RenewedUpstream {
  let current = made;
  const now = (): UpstreamTarget => current;
  return {
    upstream: {
      open: (call, sink) => new RenewedCall(call, sink, now),
      ask: (question, signal) => current.ask(question, signal),
      prepare: () => current.prepare(),
      installedModel: (signal) => current.installedModel(signal),
      close: () => made.close(),
    },
    goOnAs: (next) => {
      current = next;
    },
  };
}

/** A call that is made again where its key is refused and there is a new one. */
class RenewedCall implements AttemptHandle {
  readonly #call: UpstreamCall;
  readonly #sink: AttemptSink<Delta, Finish>;
  readonly #now: () => UpstreamTarget;
  readonly #asked: UpstreamTarget;
  #handle: AttemptHandle;
  #refusal: AttemptEvent<Delta, Finish> | undefined;
  #isAborted = false;

  constructor(call: UpstreamCall, sink: AttemptSink<Delta, Finish>, now: () => UpstreamTarget) {
    this.#call = call;
    this.#sink = sink;
    this.#now = now;
    this.#asked = now();
    this.#handle = this.#asked.open(call, (event) => this.#receive(event));
  }

  abort(): void {
    this.#isAborted = true;
    this.#handle.abort();
  }

  release(): void {
    this.#handle.release();
  }

  pause(): void {
    this.#handle.pause();
  }

  resume(): void {
    this.#handle.resume();
  }

  #receive(event: AttemptEvent<Delta, Finish>): void {
    if (event.type === 'headers' && event.status === 401) {
      this.#refusal = event;
      return;
    }
    const next = this.#now();
    if (event.type === 'error' && event.failure.class === 'auth' && next !== this.#asked && !this.#isAborted) {
      this.#handle = next.open(this.#call, this.#sink);
      return;
    }
    if (this.#refusal !== undefined) this.#sink(this.#refusal);
    this.#refusal = undefined;
    this.#sink(event);
  }
}
