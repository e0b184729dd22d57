import type { IncomingHttpHeaders } from 'node:http';

import type { Dispatcher } from 'undici';

import { FailureError } from '../../core/failure.ts';
import type { Proxy } from '../../core/outbound/proxy.ts';
import { decodingHandler } from './content-decoding.ts';
import type { DecodingHandler } from './content-decoding.ts';
import { ConnectionError } from './socket-failure.ts';
import type { ConnectionPhase } from './socket-failure.ts';
import { PROXY_AUTH_REQUIRED, refusedCredentials } from './proxy-failure.ts';
import { protocolFailure } from '../port/answer-failures.ts';
import type { HttpExchange, HttpHandler, HttpRequest } from '../../core/transport.ts';

/** One connection slot of a pool, as the exchange that it serves sees it. */
export interface TrackedConnection {
  /** Requests that were written to the connection that stands now. */
  requests: number;
  /** Destroys the socket if its connection does not stand yet. */
  cancelConnecting(): void;
}

/** Interim answers (1xx) that are overlooked before their sender is taken for broken. */
const MAX_INTERIM = 16;

/** Where a request goes and with which headers, in the form that undici takes. */
interface UndiciHead {
  /** What `fields` were made of. */
  readonly headers: HttpRequest['headers'];
  /** What it goes through as it stands; absent: it goes straight, or through a tunnel. */
  readonly forward: Proxy | undefined;
  readonly origin: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly fields: string[];
}

/** The heads of a target's requests are the same few objects again and again. */
const HEADS = new WeakMap<URL, UndiciHead>();

function undiciHead({ url, headers }: HttpRequest, proxy: Proxy | undefined): UndiciHead {
  const forward = url.protocol === 'http:' ? proxy : undefined;
  const known = HEADS.get(url);
  if (known !== undefined && known.headers === headers && known.forward === forward) return known;
  const path = `${url.pathname}${url.search}`;
  const fields = { ...headers, 'accept-encoding': 'identity' };
  const head =
    forward === undefined
      ? { headers, forward, origin: url.origin, path, fields: Object.entries(fields).flat() }
      : {
          headers,
          forward,
          origin: forward.origin,
          path: `${url.origin}${path}`,
          fields: forwarded(fields, url, forward),
        };
  HEADS.set(url, head);
  return head;
}

function forwarded(fields: HttpRequest['headers'], { host }: URL, { authorization }: Proxy): string[] {
  const credentials = authorization === undefined ? {} : { 'proxy-authorization': authorization };
  return Object.entries({ ...fields, host, ...credentials }).flat();
}

/** One request through undici: undici's handler on one side, our exchange on the other. */
export class UndiciExchange implements Dispatcher.DispatchHandler, HttpExchange {
  /** Until it is handed over: what it was made of may be long, and an answer may last. */
  #request: HttpRequest | undefined;
  readonly #handler: HttpHandler;
  readonly #proxy: Proxy | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #connection: TrackedConnection | undefined;
  #decoding: DecodingHandler | undefined;
  #phase: ConnectionPhase = 'unsent';
  #reused = false;
  #interim = 0;
  #paused = false;
  /** The handler has heard its last. */
  #done = false;
  /** undici has no more to do with this request. */
  #received = false;

  constructor(request: HttpRequest, handler: HttpHandler, proxy?: Proxy) {
    this.#request = request;
    this.#handler = handler;
    this.#proxy = proxy;
  }

  /** Hands the request to undici, unless it was aborted before. */
  start(dispatcher: Dispatcher): void {
    const request = this.#request;
    this.#request = undefined;
    if (this.#done || request === undefined) return;
    const { method, body, ownHeaders } = request;
    const { origin, path, fields } = undiciHead(request, this.#proxy);
    const headers = ownHeaders === undefined ? fields : fields.concat(ownHeaders);
    dispatcher.dispatch({ origin, path, method, headers, body: method === 'GET' ? null : body }, this);
  }

  /** Learns which connection serves the request. */
  assign(connection: TrackedConnection): void {
    this.#connection = connection;
  }

  abort(): void {
    this.#done = true;
    this.#decoding?.destroy();
    if (this.#received) return;
    this.#received = true;
    if (this.#controller === undefined) this.#connection?.cancelConnecting();
    else this.#controller.abort(new Error('aborted'));
  }

  pause(): void {
    this.#paused = true;
    this.#decoding?.pause();
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // undici's parser reads on within resume() and is not reentrant: a resume out of another exchange's callback must wait.
    queueMicrotask(() => {
      if (this.#paused || this.#done) return;
      this.#decoding?.resume();
      this.#readOn();
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, this takes the request from undici's queue and leaves the connection to others.
    if (this.#done) throw new Error('aborted before it was written');
    this.#controller = controller;
    this.#phase = 'sent';
    if (this.#connection !== undefined) {
      this.#reused = this.#connection.requests > 0;
      this.#connection.requests += 1;
    }
    if (this.#paused) controller.pause();
  }

  onResponseStarted(): void {
    this.#phase = 'answered';
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (this.#done) return;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) this.#fail(protocolFailure('The provider sent too many interim answers.'));
      return;
    }
    if (status === PROXY_AUTH_REQUIRED && this.#proxy !== undefined) {
      this.#fail(new FailureError(refusedCredentials()));
      return;
    }
    const plain = plainHeaders(headers);
    const coding = plain['content-encoding'] ?? 'identity';
    if (coding.trim().toLowerCase() !== 'identity' && coding !== '') {
      this.#decoding = decodingHandler(coding, this.#guarded(), {
        pause: () => this.#controller?.pause(),
        resume: () => this.#readOn(),
        abort: () => this.#destroyConnection(),
      });
      if (this.#decoding === undefined) {
        this.#handler.onHeaders(status, plain);
        if (!this.#done) this.#fail(protocolFailure('The provider sent a body with an unknown content-encoding.'));
        return;
      }
    }
    // They stand in the whole piece that was read from the socket, and undici keeps them as long as the answer lasts.
    if (this.#controller !== undefined) this.#controller.rawHeaders = null;
    this.#handler.onHeaders(status, plain);
  }

  onResponseData(_controller: unknown, chunk: Uint8Array): void {
    if (this.#done) return;
    (this.#decoding ?? this.#handler).onData(chunk);
  }

  onResponseEnd(): void {
    this.#received = true;
    if (this.#done) return;
    if (this.#decoding === undefined) this.#done = true;
    (this.#decoding ?? this.#handler).onEnd();
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.#received = true;
    if (this.#done) return;
    this.#done = true;
    this.#decoding?.destroy();
    this.#handler.onError(new ConnectionError(error, this.#phase, this.#reused));
  }

  /** After its last byte the connection may serve another exchange already, which alone decides when to read on. */
  #readOn(): void {
    if (!this.#received) this.#controller?.resume();
  }

  /** What the decoder may call: nothing after the end. */
  #guarded(): HttpHandler {
    const handler = this.#handler;
    const last = (tell: () => void): void => {
      if (this.#done) return;
      this.#done = true;
      tell();
    };
    return {
      onHeaders: () => undefined,
      onData: (chunk) => {
        if (!this.#done) handler.onData(chunk);
      },
      onEnd: () => last(() => handler.onEnd()),
      onError: (error) => last(() => handler.onError(error)),
    };
  }

  #fail(error: unknown): void {
    this.#done = true;
    this.#destroyConnection();
    this.#handler.onError(error);
  }

  #destroyConnection(): void {
    if (this.#received) return;
    this.#received = true;
    this.#controller?.abort(new Error('aborted'));
  }
}

function plainHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  if (isPlain(headers)) return headers;
  const plain: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain.push([name, typeof value === 'string' ? value : value.join(', ')]);
  }
  return Object.fromEntries(plain);
}

/** Whether no header is repeated, as in most answers: then there is nothing to join. */
function isPlain(headers: Readonly<NodeJS.Dict<string | string[]>>): headers is Readonly<Record<string, string>> {
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}
