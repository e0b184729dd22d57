import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, type ContextValues, createContextValues, type HandlerContext } from '@connectrpc/connect';
import type { Runtime, TimerHandle } from '../../../core/ports.ts';
import { endAtDeadline } from '../../handlers/call-deadline.ts';
import { CLOSE_STALLED_STREAM } from '../../handlers/run-request.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { authorityOf, type WebRequest } from '../../http/exchange.ts';
import { CALLER } from '../../port/caller-key.ts';
import { SHARE_KEY } from '../../port/share-key.ts';
import type { WebProtocol } from './web-protocol.ts';

type Clock = Pick<Runtime, 'setTimer' | 'clearTimer'>;

/**
 * What a handler gets to know of a plain call over HTTP. Its signal aborts, with a ConnectError, when the client is gone, the deadline
 * passes or the server ends all calls; unlike Connect's, it does not abort when a call ends well. What handlers seldom ask for is
 * made when they do.
 */
export class WebContext implements HandlerContext {
  readonly method: DescMethod;
  readonly protocolName: WebProtocol['name'];
  readonly requestMethod = 'POST';
  readonly responseHeader: Headers;
  readonly #call: WebCall;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #deadlineTimer: TimerHandle | undefined;
  #requestHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;

  constructor(method: DescMethod, protocol: WebProtocol, call: WebCall, clock: Clock) {
    this.method = method;
    this.protocolName = protocol.name;
    this.responseHeader = new Headers({ 'content-type': protocol.contentType });
    this.#call = call;
    this.#clock = clock;
    call.transfer.whenClosed(() => this.abort(new ConnectError('The caller is gone.', Code.Canceled)));
    this.#deadlineTimer = endAtDeadline(clock, this.timeoutMs(), (reason) => this.abort(reason));
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    const { request } = this.#call;
    const scheme = 'encrypted' in request.socket ? 'https' : 'http';
    return new URL(request.url ?? '', `${scheme}://${authorityOf(request)}`).href;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= headersOf(this.#call.request);
    return this.#requestHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** The trailers, where a handler has asked for them. */
  get trailers(): Headers | undefined {
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    const { transfer, caller, reset } = this.#call;
    this.#values ??= createContextValues()
      .set(SHARE_KEY, transfer.callerKey)
      .set(CALLER, caller)
      .set(CLOSE_STALLED_STREAM, reset);
    return this.#values;
  }

  /** Returns the milliseconds that are left by the monotonic clock, at least 0, or undefined without a deadline. */
  readonly timeoutMs = (): number | undefined => this.#call.transfer.timeLeftMs();

  /** Aborts the signal; only the first reason counts. */
  abort(reason: ConnectError): void {
    this.#controller.abort(reason);
  }

  /** Stops listening to the call. */
  close(): void {
    this.#call.transfer.whenClosed(undefined);
    if (this.#deadlineTimer !== undefined) this.#clock.clearTimer(this.#deadlineTimer);
  }
}

/** As Connect hands headers on: without those of HTTP/2 itself. */
function headersOf({ headers }: WebRequest): Headers {
  const made = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    if (typeof value === 'string') made.append(name, value);
    else for (const one of value) made.append(name, one);
  }
  return made;
}
