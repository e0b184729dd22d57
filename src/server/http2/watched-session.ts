import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Runtime, TimerHandle } from '../../core/ports.ts';
import { ResetBudget } from './reset-budget.ts';

/** Time as a session needs it. */
export type SessionClock = Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;

/** The highest id of a stream: a GOAWAY that names it refuses nothing that is on its way (RFC 9113, section 6.8). */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** How long a client may take to acknowledge that it has read the GOAWAY, in milliseconds. */
const ACKNOWLEDGE_MS = 1_000;

/** One HTTP/2 connection of a server: its streams, how long it is idle, and its end in order. */
export class WatchedSession {
  readonly #session: ServerHttp2Session;
  readonly #clock: SessionClock;
  readonly #idleTimeoutMs: number;
  readonly #resets: ResetBudget;
  /** One listener for all streams, which hears of each as `this`. */
  readonly #onStreamClosed: (this: ServerHttp2Stream) => void;
  #openStreams = 0;
  #idleSinceMs: number;
  #idleTimer: TimerHandle | undefined;
  #retired: Promise<void> | undefined;
  #endWait: (() => void) | undefined;

  /** Watches a new session until {@link release} is called. */
  constructor(session: ServerHttp2Session, clock: SessionClock, idleTimeoutMs: number) {
    this.#session = session;
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#resets = new ResetBudget(() => clock.now());
    this.#onStreamClosed = listenerOf((stream) => this.#closed(stream));
    this.#idleSinceMs = clock.now();
    this.#watchIdleness(idleTimeoutMs);
  }

  /**
   * Takes a new stream, or refuses it in a way that lets clients repeat it elsewhere, where the callers of this connection
   * have left too many calls. Tells whether it was taken.
   */
  admit(stream: ServerHttp2Stream): boolean {
    const verdict = this.#resets.ask();
    if (verdict !== 'ADMIT') {
      stream.on('error', () => undefined);
      if (verdict === 'REFUSE') stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return false;
    }
    this.#openStreams += 1;
    stream.on('close', this.#onStreamClosed);
    return true;
  }

  /**
   * Sends the client away with GOAWAY while its streams run on, and closes the connection behind the last of them. What it
   * had sent before it could know is still taken. Resolves when no new stream can come.
   */
  retire(): Promise<void> {
    this.#retired ??= this.#sendAway();
    return this.#retired;
  }

  /** Stops the timers; for a session that is closed. */
  release(): void {
    if (this.#idleTimer !== undefined) this.#clock.clearTimer(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#endWait?.();
  }

  /** A first GOAWAY refuses nothing; once the client has it, and has said so, the second ends what may come (RFC 9113, 6.8). */
  async #sendAway(): Promise<void> {
    const session = this.#session;
    // Node reads no acknowledgement where no stream is open.
    if (this.#openStreams > 0 && !session.closed && !session.destroyed) await this.#acknowledged();
    if (!session.closed && !session.destroyed) session.close();
  }

  #acknowledged(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(ACKNOWLEDGE_MS, () => this.#endWait?.());
      this.#endWait = () => {
        this.#endWait = undefined;
        this.#clock.clearTimer(timer);
        resolve();
      };
      try {
        this.#session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
        if (!this.#session.ping(() => this.#endWait?.())) this.#endWait();
      } catch {
        // The connection has gone meanwhile.
        this.#endWait();
      }
    });
  }

  #closed(stream: ServerHttp2Stream): void {
    this.#openStreams -= 1;
    if (stream.aborted) this.#resets.spend();
    if (this.#openStreams > 0) return;
    this.#idleSinceMs = this.#clock.now();
    this.#endWait?.();
  }

  #watchIdleness(ms: number): void {
    this.#idleTimer = this.#clock.setTimer(ms, () => {
      this.#idleTimer = undefined;
      const idleMs = this.#openStreams > 0 ? 0 : this.#clock.now() - this.#idleSinceMs;
      if (idleMs >= this.#idleTimeoutMs) void this.retire();
      else this.#watchIdleness(this.#idleTimeoutMs - idleMs);
    });
  }
}

function listenerOf(hear: (stream: ServerHttp2Stream) => void): (this: ServerHttp2Stream) => void {
  return function onClosed() {
    hear(this);
  };
}
