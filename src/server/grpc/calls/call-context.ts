import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, type ContextValues, createContextValues, type HandlerContext } from '@connectrpc/connect';
import type { Metadata } from '@grpc/grpc-js';
import type { Caller } from '../../../callers/port/caller.ts';
import type { Runtime, TimerHandle } from '../../../core/ports.ts';
import { endAtDeadline } from '../../handlers/call-deadline.ts';
import { CALLER } from '../../port/caller-key.ts';
import { SHARE_KEY } from '../../port/share-key.ts';
import { GrpcHeaders } from './metadata-headers.ts';

/** What a context reads of its call. */
export interface ContextCall {
  readonly metadata: Metadata;
  /** Whether the caller has cancelled, or is gone. */
  readonly cancelled: boolean;
  /** Returns when the deadline is, by the monotonic clock; Infinity where there is none. */
  getDeadline(): number;
  getPath(): string;
  /** Whom it is counted for. */
  readonly callerKey: string;
  /** Who makes it, where callers are named. */
  readonly caller: Caller | undefined;
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

type Clock = Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;

/**
 * What a handler gets to know of a gRPC call. Its signal aborts, with a ConnectError, when the caller cancels, the deadline
 * passes or the server ends all calls; unlike Connect's, it does not abort when a call ends well. Headers and values
 * are made when somebody asks for them.
 */
export class GrpcContext implements HandlerContext {
  readonly method: DescMethod;
  readonly protocolName = 'grpc';
  readonly requestMethod = 'POST';
  readonly #call: ContextCall;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #deadlineAtMs: number;
  readonly #onCancel = (): void => this.abort(new ConnectError('The caller cancelled the request.', Code.Canceled));
  readonly #deadlineTimer: TimerHandle | undefined;
  #requestHeader: GrpcHeaders | undefined;
  #responseHeader: GrpcHeaders | undefined;
  #responseTrailer: GrpcHeaders | undefined;
  #values: ContextValues | undefined;

  constructor(method: DescMethod, call: ContextCall, clock: Clock) {
    this.method = method;
    this.#call = call;
    this.#clock = clock;
    this.#deadlineAtMs = call.getDeadline();
    if (call.cancelled) this.#onCancel();
    else call.on('cancelled', this.#onCancel);
    this.#deadlineTimer = endAtDeadline(clock, this.timeoutMs(), (reason) => this.abort(reason));
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    return this.#call.getPath();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get requestHeader(): GrpcHeaders {
    this.#requestHeader ??= new GrpcHeaders(this.#call.metadata);
    return this.#requestHeader;
  }

  get responseHeader(): GrpcHeaders {
    this.#responseHeader ??= new GrpcHeaders();
    return this.#responseHeader;
  }

  get responseTrailer(): GrpcHeaders {
    this.#responseTrailer ??= new GrpcHeaders();
    return this.#responseTrailer;
  }

  /** The trailers, where a handler has asked for them. */
  get trailerMetadata(): Metadata | undefined {
    return this.#responseTrailer?.metadata;
  }

  get values(): ContextValues {
    this.#values ??= createContextValues().set(SHARE_KEY, this.#call.callerKey).set(CALLER, this.#call.caller);
    return this.#values;
  }

  /** Returns the milliseconds that are left, at least 0, or undefined without a deadline. */
  readonly timeoutMs = (): number | undefined =>
    Number.isFinite(this.#deadlineAtMs) ? Math.max(0, this.#deadlineAtMs - this.#clock.now()) : undefined;

  /** Aborts the signal; only the first reason counts. */
  abort(reason: ConnectError): void {
    this.#controller.abort(reason);
  }

  /** Stops listening to the call. */
  close(): void {
    this.#call.off('cancelled', this.#onCancel);
    if (this.#deadlineTimer !== undefined) this.#clock.clearTimer(this.#deadlineTimer);
  }
}
