import type { Socket } from 'node:net';
import type { UniversalHandler, UniversalServerResponse } from '@connectrpc/connect/protocol';
import { createContextValues } from '@connectrpc/connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { Caller } from '../../../callers/port/caller.ts';
import type { Timers } from '../../../core/ports.ts';
import { CLOSE_STALLED_STREAM, TIME_LEFT } from '../../handlers/run-request.ts';
import { CALLER } from '../../port/caller-key.ts';
import { SHARE_KEY } from '../../port/share-key.ts';
import { resetResponse, type WebRequest, type WebResponse, writeBytes } from '../exchange.ts';
import { answerEarly } from '../unread-request.ts';
import type { BodyTransfer } from './body-transfer.ts';
import { chunkSocket, writeChunk } from './direct-chunks.ts';
import { PEER_ADDRESS, peerOf } from './peer.ts';

/** What a call over HTTP has besides its request and its response. */
export interface WebCallParts {
  readonly handle: UniversalHandler;
  readonly transfer: BodyTransfer;
  readonly caller: Caller | undefined;
  readonly runtime: Pick<Timers, 'setTimer' | 'clearTimer'>;
}

/** One call over HTTP: answered by Connect, or in its place. */
export class WebCall {
  readonly request: WebRequest;
  readonly transfer: BodyTransfer;
  /** Who makes it, where callers are named. */
  readonly caller: Caller | undefined;
  readonly #response: WebResponse;
  readonly #parts: WebCallParts;
  /** What was written last, whose `drain` says that its client has read. */
  #written: WebResponse | Socket | undefined;

  constructor(request: WebRequest, response: WebResponse, parts: WebCallParts) {
    this.request = request;
    this.#response = response;
    this.#parts = parts;
    this.transfer = parts.transfer;
    this.caller = parts.caller;
  }

  /** The path of its method. */
  get path(): string {
    return this.#parts.handle.requestPath;
  }

  /** Whether the response is closed. */
  get isGone(): boolean {
    return this.transfer.isClosed;
  }

  /** Cuts it off: its client must not take what it has for the whole. */
  readonly reset = (): void => resetResponse(this.#response);

  /** Has Connect answer it, with the body that was received already where there is one. Rejects where the answer cannot be written. */
  async answerByConnect(received?: Promise<Uint8Array>): Promise<void> {
    const { handle, transfer, caller } = this.#parts;
    const values = createContextValues()
      .set(CLOSE_STALLED_STREAM, this.reset)
      .set(TIME_LEFT, () => transfer.timeLeftMs())
      .set(SHARE_KEY, transfer.callerKey)
      .set(CALLER, caller)
      .set(PEER_ADDRESS, peerOf(this.request));
    const asked = universalRequestFromNodeRequest(this.request, this.#response, undefined, values);
    await this.respond(await handle({ ...asked, body: this.#body(received) }));
  }

  /** Connect reads it when it is ready to hear of a refusal. */
  async *#body(received?: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield await (received ?? this.transfer.receive(this.#parts.handle.method.input));
  }

  /** Writes an answer as it is read, also where the request has not come whole. Rejects where it cannot be written. */
  async respond(answer: UniversalServerResponse): Promise<void> {
    const { transfer, runtime } = this.#parts;
    const watched = answerEarly(transfer.answered(answer), this.request, this.#response, runtime);
    await universalResponseToNodeResponse(watched, this.#response);
  }

  /** Sends the head of an answer with what is written next. Throws where Node cannot send it. */
  begin(status: number, header: Headers, length?: number): void {
    this.transfer.begun(length);
    const head = Object.fromEntries(header);
    const response = this.#response;
    if ('stream' in response) response.writeHead(status, head);
    else response.writeHead(status, head);
  }

  /** Writes bytes; false where the client is behind. */
  write(bytes: Uint8Array): boolean {
    this.transfer.wrote(bytes.byteLength);
    // The head goes out with the first of them.
    const socket = this.#written === undefined ? undefined : chunkSocket(this.#response);
    this.#written = socket ?? this.#response;
    return socket === undefined ? writeBytes(this.#response, bytes) : writeChunk(socket, bytes);
  }

  /** Ends the answer with these bytes. From here on nobody hears that the response closes, which it does because of this. */
  end(bytes: Uint8Array): void {
    this.transfer.wrote(bytes.byteLength);
    this.transfer.whenClosed(undefined);
    this.#response.end(bytes);
  }

  /** Calls back, once, when more may be written, or the client is gone. */
  whenWritable(listener: () => void): void {
    const response = this.#response;
    const written = this.#written ?? response;
    const settle = (): void => {
      written.off('drain', settle);
      response.off('close', settle);
      listener();
    };
    written.on('drain', settle);
    response.on('close', settle);
  }
}
