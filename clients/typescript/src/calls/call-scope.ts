import { Code, ConnectError } from '@connectrpc/connect';

/** Longest time that a timer of JavaScript can wait, in milliseconds (24.8 days). */
const MAX_TIMER_MS = 0x7f_ff_ff_ff;

/**
 * One call of a caller, with all its repeats: when it must end, and what ends it before. Its signal is aborted by the deadline,
 * by the signal of the caller, by the end of the client and by {@link abort}. `end` clears its timer and its listeners.
 */
export class CallScope {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #deadlineAtMs: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #error: ConnectError | undefined;
  #hasEnded = false;

  /** A timeout of 0 is none. */
  constructor(timeoutMs: number, callerSignal: AbortSignal | undefined, clientSignal: AbortSignal) {
    this.#deadlineAtMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    this.#sources = callerSignal === undefined ? [clientSignal] : [clientSignal, callerSignal];
    for (const source of this.#sources) {
      if (source.aborted) this.#follow(source);
      else source.addEventListener('abort', this.#onAbort);
    }
    if (timeoutMs > 0 && timeoutMs <= MAX_TIMER_MS && !this.signal.aborted) {
      this.#timer = setTimeout(() => afterInput(() => this.#expire(timeoutMs)), timeoutMs);
    }
  }

  /** Aborted when the call must stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds until the deadline; Infinity for none. */
  get remainingMs(): number {
    return this.#deadlineAtMs - performance.now();
  }

  /** Ends the call with an error, unless it has one. The transport is told of a cancelled call, whatever the error. */
  abort(error: ConnectError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#controller.abort(error.code === Code.Canceled ? error : new ConnectError(error.rawMessage, Code.Canceled));
  }

  /** What the caller is told where a call fails: why it was ended, or else the error itself. */
  errorOf(error: unknown): unknown {
    return this.#error ?? error;
  }

  /** Rejects with what ends the call, as soon as that happens; otherwise does what the promise does. */
  async within<Value>(promise: Promise<Value>): Promise<Value> {
    if (this.signal.aborted) {
      promise.catch(() => {});
      throw this.#error;
    }
    const { signal } = this;
    let onAbort = (): void => {};
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(this.#error ?? new ConnectError('the call has ended', Code.Canceled));
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Waits. Rejects as {@link within} does. */
  async wait(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    try {
      await this.within(waited);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Clears what the call holds: the timer of its deadline, and its listeners at signals that live longer. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (event: Event): void => {
    for (const source of this.#sources) {
      if (source === event.target) this.#follow(source);
    }
  };

  #expire(timeoutMs: number): void {
    if (!this.#hasEnded) this.abort(timeoutError(timeoutMs));
  }

  #follow({ reason }: AbortSignal): void {
    this.abort(
      reason instanceof ConnectError
        ? reason
        : new ConnectError('the caller aborted the call', Code.Canceled, undefined, undefined, reason),
    );
  }
}

function timeoutError(timeoutMs: number): ConnectError {
  return new ConnectError(`the deadline of ${timeoutMs} ms was reached`, Code.DeadlineExceeded);
}

/**
 * Runs a function once what has arrived is read. A turn of Node runs timers before it reads, so that one that is late would throw
 * away the gateway's last word, which says why there is no answer.
 */
function afterInput(run: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(() => setImmediate(run));
  else setTimeout(run, 0);
}
