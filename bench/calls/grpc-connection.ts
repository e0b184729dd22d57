import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { Caller } from './doors.ts';
import { FrameCounter } from './frames.ts';
import { BodySender } from './http2/body-sender.ts';
import type { Outgoing } from './http2/body-sender.ts';
import { FrameReader } from './http2/frame-reader.ts';
import {
  FIRST_WINDOW_BYTES,
  FRAME_FLAG,
  FRAME_TYPE,
  MOST_WINDOW_BYTES,
  PREFACE,
  SETTING,
} from './http2/frame-types.ts';
import { FrameWriter } from './http2/frame-writer.ts';
import type { KnownEnds } from './http2/known-ends.ts';
import type { RequestBlocks } from './http2/request-blocks.ts';
import { checkCount } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** What all calls of a connection have in common. */
export interface GrpcRequest {
  readonly port: number;
  readonly scenario: Scenario;
  readonly blocks: RequestBlocks;
  /** The request in its frame of gRPC. */
  readonly body: Buffer;
  readonly ends: KnownEnds;
}

/** One call under way. */
class GrpcCall implements Outgoing {
  readonly id: number;
  readonly caller: Caller;
  readonly counter = new FrameCounter();
  readonly kept: Buffer[] | undefined;
  hasHead = false;
  sent = 0;
  windowBytes = 0;

  constructor(id: number, caller: Caller) {
    this.id = id;
    this.caller = caller;
    this.kept = caller.onAnswer && [];
  }
}

/** One call may be so many behind another of its connection; a power of two. */
const PLACES = 8_192;
const READ_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Calls over one HTTP/2 connection, written for this use alone: `node:http2` takes several times as much time for a call, and leaves so much
 * garbage that its collections stand in the latencies that are measured.
 */
export class GrpcConnection {
  readonly #request: GrpcRequest;
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #sender: BodySender;
  /** By half of their numbers, in places that are used again. */
  readonly #calls = Array.from({ length: PLACES }, (): GrpcCall | undefined => undefined);
  #nextId = 1;
  /** Since the window was widened. */
  #readBytes = 0;
  #failure: Error | undefined;
  readonly #opened = Promise.withResolvers<void>();
  /** Resolves when it stands, and the server has said what it allows. */
  readonly opened = this.#opened.promise;

  constructor(request: GrpcRequest) {
    this.#request = request;
    const reader = new FrameReader({
      onData: (id, bytes, from, to) => this.#onData(id, bytes, from, to),
      onDataEnd: (id) => this.#fail(this.#take(id), new Error('a call ended without a status')),
      onFrame: (type, flags, id, bytes, from, to) => this.#onFrame(type, flags, id, bytes, from, to),
    });
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (size: number): boolean => {
      try {
        reader.push(buffer, size);
      } catch (error) {
        this.#end(error instanceof Error ? error : new Error(String(error)));
      }
      return true;
    };
    this.#socket = connect({ port: request.port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('a connection was closed during a call')));
    this.#socket.write(PREFACE);
    this.#writer = new FrameWriter(this.#socket);
    this.#sender = new BodySender(this.#writer, request.body);
    this.#writer.write(FRAME_TYPE.SETTINGS, 0, 0, settings());
    this.#writer.write(FRAME_TYPE.WINDOW_UPDATE, 0, 0, fourBytesOf(MOST_WINDOW_BYTES - FIRST_WINDOW_BYTES));
  }

  /** Makes a call. */
  call(caller: Caller): void {
    const id = this.#nextId;
    const place = placeOf(id);
    if (this.#failure !== undefined || this.#calls[place] !== undefined) {
      caller.onFailure(this.#failure ?? new Error(`a call is ${PLACES} calls behind another`));
      return;
    }
    this.#nextId += 2;
    const call = new GrpcCall(id, caller);
    this.#calls[place] = call;
    const { first, others } = this.#request.blocks;
    this.#writer.write(FRAME_TYPE.HEADERS, FRAME_FLAG.END_HEADERS, id, id === 1 ? first : others);
    this.#sender.start(call);
  }

  /** Leaves all calls, and tells nobody. */
  close(): void {
    this.#calls.fill(undefined);
    this.#socket.destroy();
  }

  #onData(id: number, bytes: Buffer, from: number, to: number): void {
    this.#readBytes += to - from;
    if (this.#readBytes > MOST_WINDOW_BYTES / 2) {
      this.#writer.write(FRAME_TYPE.WINDOW_UPDATE, 0, 0, fourBytesOf(this.#readBytes));
      this.#readBytes = 0;
    }
    const call = this.#find(id);
    call?.counter.push(bytes, from, to);
    call?.kept?.push(Buffer.from(bytes.subarray(from, to)));
  }

  #onFrame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    switch (type) {
      case FRAME_TYPE.HEADERS:
        this.#onHeaders(flags, id, bytes, from, to);
        break;
      case FRAME_TYPE.RST_STREAM:
        this.#fail(this.#take(id), new Error(`a call was reset with code ${bytes.readUInt32BE(from)}`));
        break;
      case FRAME_TYPE.SETTINGS:
        if ((flags & FRAME_FLAG.ACK) === 0) this.#onSettings(bytes, from, to);
        break;
      case FRAME_TYPE.PING:
        if ((flags & FRAME_FLAG.ACK) === 0)
          this.#writer.write(FRAME_TYPE.PING, FRAME_FLAG.ACK, 0, bytes.subarray(from, to));
        break;
      case FRAME_TYPE.GOAWAY:
        throw new Error(`a connection was ended with code ${bytes.readUInt32BE(from + 4)}`);
      case FRAME_TYPE.WINDOW_UPDATE:
        this.#sender.widen(id, bytes.readUInt32BE(from));
        break;
      case FRAME_TYPE.PUSH_PROMISE:
      case FRAME_TYPE.CONTINUATION:
        throw new Error(`a frame of type ${type} came, which is not known here`);
      default:
    }
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if ((flags & FRAME_FLAG.END_HEADERS) === 0) throw new Error('headers came in several frames');
    if ((flags & FRAME_FLAG.END_STREAM) === 0) {
      const call = this.#find(id);
      if (call !== undefined) call.hasHead = true;
      return;
    }
    const call = this.#take(id);
    if (call === undefined) return;
    const { ends } = this.#request;
    if (ends.has(bytes, from, to)) this.#finish(call);
    else
      ends.learn(Buffer.from(bytes.subarray(from, to)), !call.hasHead).then(
        () => this.#finish(call),
        (error: unknown) => this.#fail(call, error),
      );
  }

  #onSettings(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; at += 6) {
      const setting = bytes.readUInt16BE(at);
      const value = bytes.readUInt32BE(at + 2);
      if (setting === SETTING.HEADER_TABLE_SIZE && value < 4_096) throw new Error('the table of headers is too small');
      if (setting === SETTING.INITIAL_WINDOW_SIZE) this.#sender.resize(value);
    }
    this.#writer.write(FRAME_TYPE.SETTINGS, FRAME_FLAG.ACK, 0, NOTHING);
    this.#opened.resolve();
  }

  #find(id: number): GrpcCall | undefined {
    const call = this.#calls[placeOf(id)];
    return call?.id === id ? call : undefined;
  }

  /** Finds a call that has ended: its place is free from then on, and no more of its request is sent. */
  #take(id: number): GrpcCall | undefined {
    const call = this.#find(id);
    if (call === undefined) return undefined;
    this.#calls[placeOf(id)] = undefined;
    this.#sender.stop(call);
    return call;
  }

  #finish(call: GrpcCall): void {
    const { caller, counter, kept } = call;
    try {
      checkCount(this.#request.scenario, counter);
      if (kept !== undefined) caller.onAnswer?.(Buffer.concat(kept));
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    caller.onEnd(counter.messages);
  }

  #fail(call: GrpcCall | undefined, error: unknown): void {
    call?.caller.onFailure(error);
  }

  /** Ends the connection with all of its calls, and those that come later. */
  #end(failure: Error): void {
    this.#failure ??= failure;
    this.#opened.reject(this.#failure);
    this.#socket.destroy();
    const failed = this.#calls.filter((call) => call !== undefined);
    this.#calls.fill(undefined);
    for (const call of failed) this.#fail(call, this.#failure);
  }
}

function placeOf(id: number): number {
  return (id >> 1) & (PLACES - 1);
}

/** What is told to the server: no table for headers (see {@link KnownEnds}), no pushes, and a window that holds nobody back. */
function settings(): Buffer {
  const wanted = [
    [SETTING.HEADER_TABLE_SIZE, 0],
    [SETTING.ENABLE_PUSH, 0],
    [SETTING.INITIAL_WINDOW_SIZE, MOST_WINDOW_BYTES],
  ] as const;
  return Buffer.concat(
    wanted.map(([setting, value]) => Buffer.concat([Buffer.from([0, setting]), fourBytesOf(value)])),
  );
}

function fourBytesOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
