import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Code, type ConnectError } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import type { Caller } from '../../../callers/port/caller.ts';
import type { TimerHandle } from '../../../core/ports.ts';
import { callError, endedByShutdown } from '../../errors/status.ts';
import { type TransferFault, transferError } from '../../errors/transfer-errors.ts';
import { callerShareKey } from '../../port/authentication.ts';
import { LARGE_BYTES, LATE_MS } from '../../port/limits.ts';
import type { RefusedTransfer } from '../../port/transfer-figures.ts';
import { hearStream, type StreamHearer } from '../../http2/hear-stream.ts';
import { dropInput, paceInput } from '../../http2/unread-input.ts';
import type { BytesHeld } from '../../wire/byte-budget.ts';
import type { ArrivedCall } from '../../wire/fair-turns.ts';
import { RefusedRest } from '../../wire/refused-rest.ts';
import { type Patience, Progress, type Transfer } from '../../wire/transfer-watch.ts';
import type { ContextCall } from './call-context.ts';
import { type CallStreamOptions, contextOfUnread } from './call-options.ts';
import { CallReply } from './call-reply.ts';
import { type CallStatus, callStatus, plainStatus } from './call-status.ts';
import { MessageReader } from './message-reader.ts';
import { headersForHandlers } from './needed-headers.ts';
import { openRequest, type RequestFault } from './open-request.ts';
import { grpcCallerKey } from './session-peer.ts';
import type { TakenMethod } from './taken-method.ts';

/** A call with one message in its request, read and answered on its HTTP/2 stream. */
export class CallStream implements ContextCall, StreamHearer, Transfer, ArrivedCall {
  readonly reply: CallReply;
  readonly callerKey: string;
  readonly caller: Caller | undefined;
  readonly #options: CallStreamOptions;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #method: TakenMethod<CallStream>;
  readonly #endCall: (() => void) | undefined;
  readonly #held: BytesHeld;
  readonly #place: number;
  readonly #deadlineAtMs: number;
  readonly #reader = new MessageReader();
  /** Runs until the request has come; from then on the context of the handler watches the deadline. */
  #timer: TimerHandle | undefined;
  /** Among the calls whose requests have not come. */
  #coming: number | undefined;
  /** Of what is received, then of what is sent. */
  #progress: Progress | undefined;
  /** What is left of a request that was refused. */
  #rest: RefusedRest | undefined;
  #request: Buffer | undefined;
  /** The request comes, waits for its turn, and is handled. */
  #phase: 'COMING' | 'WAITING' | 'HANDLED' = 'COMING';
  #isCancelled = false;
  /** The two who hear of the end: the context of the handler, and the writer of a stream. */
  #onCancelled: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  /** @param timeoutMs what the caller allows, without limit where it says nothing; undefined where it cannot be read */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    timeoutMs: number | undefined,
    method: TakenMethod<CallStream>,
    options: CallStreamOptions,
    caller?: Caller,
  ) {
    this.#options = options;
    this.#stream = stream;
    this.#headers = headers;
    this.#method = method;
    this.#endCall = method.calls?.begin();
    this.caller = caller;
    this.callerKey = caller === undefined ? grpcCallerKey(stream.session) : callerShareKey(caller);
    this.#held = options.transfers.budget.open(this.callerKey);
    this.reply = new CallReply(stream, this.#held, method.trailers);
    this.#place = options.transfers.watch.add(this);
    this.#deadlineAtMs = options.runtime.now() + (timeoutMs ?? Infinity);
    hearStream(stream, this);
    if (timeoutMs === undefined) {
      this.#refuse(Code.Internal, 'The grpc-timeout cannot be read.');
    } else if (timeoutMs !== Infinity) {
      const onDeadline = (): void => this.#refuse(Code.DeadlineExceeded, 'The deadline was reached.');
      this.#timer = options.runtime.setTimer(timeoutMs, onDeadline);
    }
    if (!this.reply.isEnded) this.#coming = method.openCalls.coming(this);
  }

  get metadata(): Metadata {
    return Metadata.fromHttp2Headers(headersForHandlers(this.#headers));
  }

  get cancelled(): boolean {
    return this.#isCancelled;
  }

  getDeadline(): number {
    return this.#deadlineAtMs;
  }

  getPath(): string {
    return this.#headers[':path'] ?? '';
  }

  on(_event: 'cancelled', listener: () => void): void {
    this.#onCancelled = listener;
  }

  off(_event: 'cancelled', listener: () => void): void {
    if (this.#onCancelled === listener) this.#onCancelled = undefined;
  }

  /** Sets who hears that nobody reads any more; undefined for nobody. */
  whenGone(listener: (() => void) | undefined): void {
    this.#onGone = listener;
  }

  /** Hands over the message of the request, which is not kept: what is decoded takes room enough. */
  takeRequest(): Buffer {
    const request = this.#request ?? Buffer.alloc(0);
    this.#request = undefined;
    return request;
  }

  /** Counts a refusal for what the request takes, and makes its error. */
  refusal(reason: RefusedTransfer, fault: TransferFault): ConnectError {
    this.#options.transfers.budget.refused[reason] += 1;
    return transferError(fault, contextOfUnread(this.#headers, this.#options));
  }

  /** Refuses the call, whose request has not come, since the door closes. */
  shutDown(): void {
    const remainingMs = this.#deadlineAtMs - this.#options.runtime.now();
    const context = { ...contextOfUnread(this.#headers, this.#options), remainingMs };
    this.#refuseWith(callStatus(callError(endedByShutdown(false), context)));
  }

  check(nowMs: number, patience: Patience): void {
    if (this.#phase === 'HANDLED') this.#checkSending(nowMs, patience);
    else if (this.reply.isEnded) {
      // It was refused, and the client goes on sending.
      if (this.#rest?.isOver(nowMs) === true) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    } else if (this.#phase === 'COMING' && this.#isOver(nowMs, this.#reader.received, patience)) {
      this.#refuseFor('receive_timeout', 'too_slow');
    }
  }

  #checkSending(nowMs: number, patience: Patience): void {
    const { isWaiting, isWhole, sentBytes } = this.reply;
    if (!isWaiting) this.#progress = undefined;
    // A stream may last as long as its deadline lets it, as long as it moves.
    const isStuck =
      isWaiting && this.#isOver(nowMs, sentBytes, isWhole ? patience : { ...patience, limitMs: Infinity });
    if (nowMs < this.#deadlineAtMs + LATE_MS && !isStuck) return;
    this.#options.transfers.budget.refused.send_timeout += 1;
    this.reply.reset();
  }

  #isOver(nowMs: number, bytes: number, patience: Patience): boolean {
    this.#progress ??= new Progress(nowMs);
    return this.#progress.isOver(nowMs, bytes, patience);
  }

  received(chunk: Buffer): void {
    if (this.reply.isEnded) return;
    this.#reader.push(chunk, (length) => this.#accept(length));
    if (this.#reader.received > LARGE_BYTES) paceInput(this.#stream, chunk.length, this.#options.pace);
    if (this.#reader.hasMore) this.#refuse(Code.Unimplemented, 'The request has more than one message.');
  }

  #accept(length: number): boolean {
    if (length > this.#options.transfers.limits.maxMessageBytes) this.#refuseFor('message_size', 'too_large');
    else if (!this.#held.take(length)) this.#refuseFor('bytes_in_flight', 'over_budget');
    else this.reply.requestBytes = length;
    return !this.reply.isEnded;
  }

  ended(): void {
    // A stream that is reset emits 'end' as well.
    if (this.reply.isEnded || this.#stream.closed) return;
    const { maxMessageBytes } = this.#options.transfers.limits;
    const request = openRequest(this.#reader, this.#headers['grpc-encoding'], this.#held, maxMessageBytes);
    if (request instanceof Promise) void request.then((opened) => this.#hasCome(opened));
    else this.#hasCome(request);
  }

  #hasCome(request: Buffer | RequestFault): void {
    if (this.reply.isEnded || this.#stream.closed) return;
    if ('code' in request) this.#refuse(request.code, request.details);
    else if ('fault' in request) this.#refuseFor(request.reason, request.fault);
    else {
      this.#request = request;
      this.#phase = 'WAITING';
      (this.#method.turns ?? this.#options.turns).add(this, request.byteLength);
    }
  }

  begin(): boolean {
    // Its caller has left, its time was up, or the door has closed.
    if (this.reply.isEnded || this.#stream.closed) return false;
    this.#release();
    this.#phase = 'HANDLED';
    this.#method.handle(this);
    return true;
  }

  refuseAsLate(): void {
    if (!this.reply.isEnded && !this.#stream.closed) this.#refuseFor('turn_wait', 'no_turn');
  }

  #refuseFor(reason: RefusedTransfer, fault: TransferFault): void {
    this.#refuseWith(callStatus(this.refusal(reason, fault)));
  }

  #refuse(code: Code, details: string): void {
    this.#refuseWith(plainStatus(code, details));
  }

  #refuseWith(status: CallStatus): void {
    this.#release();
    this.#request = undefined;
    this.#rest = new RefusedRest();
    this.reply.fail(status);
    dropInput(this.#stream, this.#options.pace);
    this.#held.dropRequest();
  }

  #release(): void {
    if (this.#timer !== undefined) this.#options.runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    if (this.#coming !== undefined) this.#method.openCalls.hasCome(this.#coming);
    this.#coming = undefined;
    this.#reader.clear();
    this.#progress = undefined;
  }

  wantsTrailers(): void {
    this.reply.sendTrailers();
  }

  closed(): void {
    this.#release();
    this.#held.release();
    this.#options.transfers.watch.remove(this.#place);
    this.#endCall?.();
    if (this.reply.streamClosed()) {
      this.#isCancelled = true;
      this.#onCancelled?.();
    }
    this.#onGone?.();
  }
}
