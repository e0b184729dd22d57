import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { API_KEY } from '../servers/accounts.ts';
import { AnswerReader } from './answer-reader.ts';
import type { Caller, Calls, Door } from './doors.ts';
import { EventCounter } from './completions.ts';
import { frame, FrameCounter } from './frames.ts';
import { checkCount } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** One call under way. */
interface WebCall {
  readonly caller: Caller;
  readonly counter: FrameCounter | EventCounter;
  readonly kept: Buffer[];
  status: number;
}

/** Who is called over HTTP/1.1, and how. */
export interface WebServer {
  readonly port: number;
  readonly door: WebDoor;
  /** Headers that it needs besides those that everybody sends. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

type WebDoor = Exclude<Door, 'grpc'>;

/** What is sent to a door, and how its streams are framed. */
const WAYS = {
  'connect-json': { type: 'application/json', streamType: 'application/connect+json', codec: 'json' },
  'connect-proto': { type: 'application/proto', streamType: 'application/connect+proto', codec: 'proto' },
  completions: { type: 'application/json', streamType: 'application/json', codec: 'completions' },
} as const satisfies Record<WebDoor, object>;

const READ_BYTES = 64 * 1024;
const CONNECT_HEADERS = { 'connect-protocol-version': '1', 'connect-timeout-ms': '30000' };

/** Opens connections of HTTP/1.1, each for one call at a time, and kept, as browsers and fetch do; more where none is free. */
export async function openWebCalls(server: WebServer, scenario: Scenario, connections: number): Promise<Calls> {
  const request = requestOf(server, scenario);
  const all: WebConnection[] = [];
  const free: WebConnection[] = [];
  const open = (): WebConnection => {
    const connection = new WebConnection(server, scenario, () => free.push(connection));
    all.push(connection);
    return connection;
  };
  free.push(...Array.from({ length: connections }, open));
  await Promise.all(free.map((connection) => connection.opened));
  return {
    get connections() {
      return all.length;
    },
    call: (caller) => (free.pop() ?? open()).call(request, caller),
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}

function requestOf({ port, door, headers = {} }: WebServer, { path, isStream, body }: Scenario): Buffer {
  const { type, streamType, codec } = WAYS[door];
  const isFramed = isStream && door !== 'completions';
  const bytes = isFramed ? frame(body[codec]) : body[codec];
  const all = {
    host: `127.0.0.1:${port}`,
    connection: 'keep-alive',
    'content-type': isStream ? streamType : type,
    ...(door !== 'completions' && CONNECT_HEADERS),
    authorization: `Bearer ${API_KEY}`,
    accept: '*/*',
    'user-agent': 'bench',
    ...headers,
    'content-length': String(bytes.byteLength),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const start = `POST ${door === 'completions' ? '/v1/chat/completions' : path} HTTP/1.1\r\n`;
  return Buffer.concat([Buffer.from(`${start}${lines.join('')}\r\n`), bytes]);
}

class WebConnection {
  readonly #door: WebDoor;
  readonly #scenario: Scenario;
  readonly #socket: Socket;
  readonly #onFree: () => void;
  /** Resolves when it stands. */
  readonly opened: Promise<unknown>;
  #under: WebCall | undefined;

  constructor({ port, door }: WebServer, scenario: Scenario, onFree: () => void) {
    this.#door = door;
    this.#scenario = scenario;
    this.#onFree = onFree;
    const reader = new AnswerReader({
      onHead: (status) => {
        if (this.#under !== undefined) this.#under.status = status;
      },
      onPiece: (piece) => {
        if (this.#scenario.isStream) this.#under?.counter.push(piece);
        if (this.#under?.caller.onAnswer !== undefined || this.#under?.status !== 200)
          this.#under?.kept.push(Buffer.from(piece));
      },
      onEnd: () => this.#end(),
    });
    // One buffer for all that is read, or it would be garbage with each answer.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (size: number): boolean => {
      try {
        reader.push(buffer.subarray(0, size));
      } catch (error) {
        this.#socket.destroy(error instanceof Error ? error : undefined);
      }
      return true;
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.opened = once(this.#socket, 'connect');
    let failure = new Error('a connection was closed during a call');
    this.#socket.on('error', (error) => (failure = error));
    this.#socket.on('close', () => this.#under?.caller.onFailure(failure));
  }

  call(request: Buffer, caller: Caller): void {
    const counter = this.#door === 'completions' ? new EventCounter() : new FrameCounter();
    this.#under = { caller, counter, kept: [], status: 0 };
    this.#socket.write(request);
  }

  close(): void {
    this.#under = undefined;
    this.#socket.destroy();
  }

  #end(): void {
    const call = this.#under;
    if (call === undefined) return;
    this.#under = undefined;
    let messages: number;
    try {
      messages = this.#messagesOf(call);
    } catch (error) {
      call.caller.onFailure(error);
      return;
    }
    this.#onFree();
    call.caller.onEnd(messages);
  }

  /** Checks an answer that has ended. */
  #messagesOf({ status, kept, counter, caller }: WebCall): number {
    const bytes = Buffer.concat(kept);
    if (status !== 200) throw new Error(`a call ended with HTTP status ${status} (${bytes.toString('utf8', 0, 500)})`);
    if (this.#scenario.isStream) {
      if (counter.end?.includes('"error"') ?? true) throw new Error(`a stream ended with ${counter.end ?? 'no end'}`);
      if (counter instanceof FrameCounter) checkCount(this.#scenario, counter);
    }
    caller.onAnswer?.(bytes);
    return this.#scenario.isStream ? counter.messages : 1;
  }
}
