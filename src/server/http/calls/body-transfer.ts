import type { DescMessage } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { LiveList } from '../../../core/live-list.ts';
import type { Runtime } from '../../../core/ports.ts';
import { callError, endedByShutdown } from '../../errors/status.ts';
import type { TransferFault } from '../../errors/transfer-errors.ts';
import { LARGE_BYTES, LATE_MS, timeoutOfHeaders } from '../../port/limits.ts';
import { httpCallerKey } from '../../port/share-key.ts';
import { dropInput, paceInput, readInput } from '../../http2/unread-input.ts';
import type { BytesHeld } from '../../wire/byte-budget.ts';
import type { FairTurns } from '../../wire/fair-turns.ts';
import type { ReadingPace } from '../../wire/reading-pace.ts';
import { type Patience, Progress, type Transfer } from '../../wire/transfer-watch.ts';
import type { Transfers } from '../../wire/transfers.ts';
import { awaitTurn } from './await-turn.ts';
import { type BodyFraming, readBodyFraming } from './body-framing.ts';
import { bodyRefusal, contextOfBody } from './body-refusal.ts';
import { SentBody } from './sent-body.ts';
import { resetResponse, type WebRequest, type WebResponse } from '../exchange.ts';

/** What the bodies of a listener share. */
export interface BodyTransferOptions {
  readonly runtime: Pick<Runtime, 'now' | 'random' | 'setTimer' | 'clearTimer'>;
  readonly transfers: Transfers;
  /** The requests whose bodies have not come whole; filled here. */
  readonly coming: LiveList<BodyTransfer>;
  /** Lets calls begin in fair turns. Default: at once. */
  readonly turns?: FairTurns;
  /** How fast large bodies are received. Default: as fast as they come. */
  readonly pace?: ReadingPace;
}

/** Bytes around a message that are none of it: prefixes of envelopes. */
const FRAME_BYTES = 16;

/** Receives the body of one HTTP request and watches its answer, within the bounds of the process. */
export class BodyTransfer implements Transfer {
  readonly #options: BodyTransferOptions;
  readonly #request: WebRequest;
  readonly #response: WebResponse;
  readonly #length: number | undefined;
  readonly #framing: BodyFraming;
  /** Whom the call is counted for. */
  readonly callerKey: string;
  readonly #refused: ConnectError | undefined;
  readonly #held: BytesHeld;
  /** When the caller's time is up, by the monotonic clock. */
  readonly #deadlineAtMs: number | undefined;
  #received = 0;
  #progress: Progress | undefined;
  /** Fails what is being received; absent while nothing is. */
  #fail: ((error: ConnectError) => void) | undefined;
  #isWhole = false;
  #isClosed = false;
  #onClosed: (() => void) | undefined;
  readonly #sent = new SentBody();

  /**
   * Reads the headers and takes from them what their body is coded in: what goes on is expanded.
   *
   * @param callerKey whom the call is counted for; absent: its connection, or its address
   * @param refused what the call ends with before anything of its body is read; absent: it is read
   */
  constructor(
    request: WebRequest,
    response: WebResponse,
    options: BodyTransferOptions,
    callerKey?: string,
    refused?: ConnectError,
  ) {
    const { budget, watch } = options.transfers;
    this.#options = options;
    this.#request = request;
    this.#response = response;
    this.#length = declaredLength(request);
    this.#framing = readBodyFraming(request.headers);
    // Connect would make room for all of it before anything has come, beside the room that is made here.
    if (this.#length !== undefined && this.#length > LARGE_BYTES) delete request.headers['content-length'];
    this.#refused = refused;
    this.callerKey = callerKey ?? httpCallerKey(request.httpVersionMajor, request.socket);
    this.#held = budget.open(this.callerKey);
    const timeoutMs = timeoutOfHeaders(request.headers);
    this.#deadlineAtMs = timeoutMs === undefined ? undefined : options.runtime.now() + timeoutMs;
    const place = watch.add(this);
    response.once('close', () => {
      watch.remove(place);
      this.#held.release();
      this.#isClosed = true;
      this.#onClosed?.();
    });
  }

  /** Returns how many milliseconds the caller's deadline leaves, at least 0; undefined without one. */
  timeLeftMs(): number | undefined {
    return this.#deadlineAtMs && Math.max(0, this.#deadlineAtMs - this.#options.runtime.now());
  }

  /**
   * Receives the whole body, expands it and looks at it, and waits for the turn of the call. What it returns needs no more than decoding.
   * Rejects with a ConnectError where the request takes more than it may, and where its framing is none.
   */
  async receive(schema: DescMessage): Promise<Uint8Array> {
    if (this.#refused !== undefined) throw this.#refused;
    const bytes = await this.#receive();
    const { maxMessageBytes } = this.#options.transfers.limits;
    const opened = await this.#framing.open(bytes, schema, this.#held, maxMessageBytes);
    if (typeof opened === 'string') throw this.#refusal(opened);
    const { turns, runtime } = this.#options;
    if (turns !== undefined) {
      const { callerKey } = this;
      const lateError = (): ConnectError => this.#refusal('no_turn');
      const whenClosed = this.whenClosed.bind(this);
      const call = { callerKey, requestBytes: opened.byteLength, leftMs: this.timeLeftMs(), lateError, whenClosed };
      await awaitTurn(turns, call, runtime);
    }
    return opened;
  }

  /** Whether the response is closed, be it that it has left or that the client has. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sets who hears, once, that the response is closed, at once where it is already; undefined for nobody. */
  whenClosed(listener: (() => void) | undefined): void {
    this.#onClosed = listener;
    if (this.#isClosed) listener?.();
  }

  /** Says that an answer begins that is written as it comes, whole where its length is given. */
  begun(length: number | undefined): void {
    this.#isWhole = length !== undefined;
    this.#held.answerIs(length ?? 0);
  }

  /** Says that so many bytes of it have been given to the response. */
  wrote(bytes: number): void {
    this.#sent.add(bytes);
  }

  /** Says that the answer is there. Returns it as it is to be sent: watched. */
  answered(answer: UniversalServerResponse): UniversalServerResponse {
    const length = answer.header?.get('content-length') ?? undefined;
    this.begun(length === undefined ? undefined : Number(length));
    return answer.body === undefined ? answer : { ...answer, body: this.#sent.pieces(answer.body) };
  }

  /** Refuses the request, whose body has not come, since the door closes. */
  shutDown(): void {
    const remainingMs = this.timeLeftMs();
    this.#fail?.(callError(endedByShutdown(false), { ...contextOfBody(this.#request, this.#options), remainingMs }));
  }

  check(nowMs: number, patience: Patience): void {
    if (this.#fail !== undefined) {
      const isLate = this.#deadlineAtMs !== undefined && nowMs >= this.#deadlineAtMs;
      if (isLate || this.#isOver(nowMs, this.#received, patience)) this.#fail(this.#refusal('too_slow'));
      return;
    }
    const response = this.#response;
    if (!response.headersSent) return;
    const unread = response.writableLength + this.#sent.left;
    this.#held.answerIs(unread);
    if (unread === 0) {
      this.#progress = undefined;
      return;
    }
    // A stream may last as long as it likes, as long as it moves.
    const limitMs = this.#isWhole ? patience.limitMs : Infinity;
    const isLate = this.#deadlineAtMs !== undefined && nowMs >= this.#deadlineAtMs + LATE_MS;
    const written = this.#sent.taken - response.writableLength;
    if (!isLate && !this.#isOver(nowMs, written, { limitMs, stallMs: patience.stallMs })) return;
    this.#options.transfers.budget.refused.send_timeout += 1;
    resetResponse(response);
  }

  #isOver(nowMs: number, bytes: number, patience: Patience): boolean {
    this.#progress ??= new Progress(nowMs);
    return this.#progress.isOver(nowMs, bytes, patience);
  }

  #receive(): Promise<Buffer> {
    const request = this.#request;
    const length = this.#length;
    const mostBytes = this.#options.transfers.limits.maxMessageBytes + FRAME_BYTES;
    if (length !== undefined && length > mostBytes) throw this.#refusal('too_large');
    if (length !== undefined && !this.#held.take(length)) throw this.#refusal('over_budget');
    const whole = length === undefined ? undefined : Buffer.allocUnsafeSlow(length);
    const chunks: Buffer[] = [];
    return new Promise((resolve, reject) => {
      const { pace, coming } = this.#options;
      const place = coming.add(this);
      const settle = (): void => {
        if (!('stream' in request)) pace?.leave(request);
        this.#fail = undefined;
        this.#progress = undefined;
        coming.remove(place);
        request.off('data', onData).off('end', onEnd).off('close', onClose);
      };
      const fail = (error: ConnectError): void => {
        settle();
        // The rest is read, and dropped, behind the answer, as long as the door lets the connection live.
        request.pause();
        if ('stream' in request) dropInput(request.stream, pace);
        reject(error);
      };
      const onData = (chunk: Buffer): void => {
        whole?.set(chunk, this.#received);
        this.#received += chunk.length;
        if (this.#received > LARGE_BYTES) this.#waits(chunk.length);
        if (whole !== undefined) return;
        chunks.push(chunk);
        const declaresTooMuch = this.#framing.declaresTooMuch(chunks[0] ?? chunk, mostBytes - FRAME_BYTES);
        if (this.#received > mostBytes || declaresTooMuch) fail(this.#refusal('too_large'));
        else if (!this.#held.take(chunk.length)) fail(this.#refusal('over_budget'));
      };
      const onEnd = (): void => {
        settle();
        resolve(whole ?? Buffer.concat(chunks));
      };
      const onClose = (): void => fail(new ConnectError('The caller is gone.', Code.Canceled));
      if ('stream' in request) readInput(request.stream);
      this.#fail = fail;
      request.on('data', onData).on('end', onEnd).on('close', onClose);
    });
  }

  /** Has a large body wait for its turn: over HTTP/2 its connection, of which Node would keep here what its windows let come. */
  #waits(bytes: number): void {
    const { pace } = this.#options;
    if ('stream' in this.#request) paceInput(this.#request.stream, bytes, pace);
    else pace?.read(this.#request, bytes);
  }

  #refusal(fault: TransferFault): ConnectError {
    return bodyRefusal(fault, this.#request, this.#options);
  }
}

/** Returns the length that a request declares; Node's parser holds it to that. */
function declaredLength({ headers }: WebRequest): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}
