import type { Http2Session, SecureClientSessionOptions } from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Code, ConnectError } from '@connectrpc/connect';
import { type GrpcTransportOptions, Http2SessionManager, type Http2SessionOptions } from '@connectrpc/connect-node';
import { notSentError } from '../calls/not-sent.ts';

type SessionManager = NonNullable<GrpcTransportOptions['sessionManager']>;
type Stream = Awaited<ReturnType<SessionManager['request']>>;

/** What a gateway may send before it hears that it was read, in bytes; Node's 64 KiB for each way there and back are slow from afar. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** The least that a server that speaks HTTP/2 sends: the head of a frame (RFC 9113, section 4.1). */
const FRAME_HEAD_BYTES = 9;
/** How the system says that a connection is lost; whatever else it says is about TLS, and tells more. */
const LOSSES: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/**
 * The HTTP/2 connection to one gateway: opened by the first call, opened anew after a loss or when the gateway goes down, and
 * closed for good by `close`. It keeps the process alive while calls are open or wait for it, and not otherwise.
 */
export class Connection implements SessionManager {
  readonly authority: string;
  readonly #sessions: Http2SessionManager;
  #socket: Socket | undefined;
  #waiting = 0;
  #session: Http2Session | undefined;
  /** Open streams that keep the process alive. */
  readonly #awaited = new WeakMap<Http2Session, number>();
  /** All open streams. */
  readonly #streams = new WeakMap<Http2Session, Set<Stream>>();
  #connecting: Promise<void> | undefined;
  #isLeaving = false;
  #isClosed = false;

  /** The IP address is one of those that the host of the URL has; without it any of them is taken. */
  constructor(baseUrl: string, options: Http2SessionOptions, tls: SecureClientSessionOptions, ipAddress?: string) {
    const { hostname, port, protocol } = new URL(baseUrl);
    const name = hostname.replace(/^\[(.*)\]$/, '$1');
    const createConnection = (): Socket => {
      const host = ipAddress ?? name;
      const to = { host, port: Number(port || (protocol === 'https:' ? 443 : 80)), noDelay: true, keepAlive: true };
      const names = tls.servername === undefined && isIP(name) === 0 ? { servername: name } : {};
      this.#socket =
        protocol === 'https:' ? connectTls({ ...names, ...tls, ...to, ALPNProtocols: ['h2'] }) : connectTcp(to);
      this.#refer();
      return this.#socket;
    };
    const settings = { initialWindowSize: WINDOW_BYTES };
    this.#sessions = new Http2SessionManager(baseUrl, options, { ...tls, createConnection, settings });
    this.authority = this.#sessions.authority;
    this.beside.authority = this.authority;
  }

  /** Whether calls can be sent at once. */
  get isReady(): boolean {
    if (this.#isClosed || this.#isLeaving || this.#session?.closed === true) return false;
    return ['open', 'idle', 'verifying'].includes(this.#sessions.state());
  }

  /** Connects, unless that is under way. Rejects with UNAVAILABLE, having sent nothing. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    this.#refer();
    return this.#connecting;
  }

  /** Says that somebody waits for the connection, which keeps the process alive until what this returns is called, once. */
  await(): () => void {
    this.#waiting += 1;
    this.#refer();
    return () => {
      this.#waiting -= 1;
      this.#refer();
    };
  }

  /** The same connection for streams that nobody waits for: they do not keep the process alive. */
  readonly beside: SessionManager = {
    authority: '',
    request: (...call) => this.#open(call, false),
    notifyResponseByteRead: (stream) => this.notifyResponseByteRead(stream),
  };

  /** Opens a stream. Rejects with CANCELLED once closed. */
  request(...call: Parameters<SessionManager['request']>): Promise<Stream> {
    return this.#open(call, true);
  }

  async #open(call: Parameters<SessionManager['request']>, isAwaited: boolean): Promise<Stream> {
    if (this.#isClosed) throw closedError();
    const stream = await this.#request(call);
    // Closed while it was opening or being verified: the session manager has made a new connection by now.
    if (this.isClosed) {
      // The stream will tell of its end, and nobody else listens to it yet.
      stream.on('error', () => {});
      this.#sessions.abort(closedError());
      throw closedError();
    }
    const { session } = stream;
    if (session !== undefined && session !== this.#session) {
      this.#session = session;
      this.#isLeaving = false;
      session.setLocalWindowSize(WINDOW_BYTES);
      const streams = new Set<Stream>();
      this.#streams.set(session, streams);
      this.#hearLoss(session, streams);
      session.once('goaway', () => {
        if (this.#session === session) this.#isLeaving = true;
      });
    }
    if (session !== undefined) this.#count(stream, session, isAwaited);
    return stream;
  }

  /** Tells the keepalive that bytes came. */
  notifyResponseByteRead(stream: Stream): void {
    this.#sessions.notifyResponseByteRead(stream);
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends the open streams with CANCELLED and closes the connection. Further calls do nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sessions.abort(closedError());
    this.#socket?.destroy();
  }

  /** Until it is connected, the socket keeps the process alive for those who wait; then the session manager decides. */
  #refer(): void {
    if (this.#connecting === undefined) return;
    if (this.#waiting > 0) this.#socket?.ref();
    else this.#socket?.unref();
  }

  /** The session manager counts all streams alike; those that are awaited decide about the process. */
  #count(stream: Stream, session: Http2Session, isAwaited: boolean): void {
    const streams = this.#streams.get(session);
    streams?.add(stream);
    stream.once('close', () => streams?.delete(stream));
    const left = (): number => this.#awaited.get(session) ?? 0;
    if (isAwaited) {
      this.#awaited.set(session, left() + 1);
      stream.once('close', () => this.#awaited.set(session, left() - 1));
    }
    const refer = (): void => {
      if (session.destroyed) return;
      if (left() > 0) session.ref();
      else session.unref();
    };
    stream.once('close', refer);
    refer();
  }

  /** Of a connection that is lost, Node says that its streams were cancelled, or how it broke; here they hear it before Node does. */
  #hearLoss(session: Http2Session, streams: ReadonlySet<Stream>): void {
    const { socket } = session;
    const tellLoss = (): void => {
      if (this.#isClosed || session.destroyed) return;
      const isPlaintext = this.authority.startsWith('http:');
      const why =
        isPlaintext && socket.bytesRead < FRAME_HEAD_BYTES
          ? 'and spoke no HTTP/2; for TLS, the address has to begin with https://'
          : 'before the end of the call';
      const error = new ConnectError(`${this.authority} closed the connection ${why}`, Code.Unavailable);
      // One that has come to its end may still be read.
      for (const stream of streams) if (!stream.closed) stream.destroy(error);
    };
    // One that breaks says why first; what closes in order says nothing.
    socket.prependOnceListener('error', ({ code }: NodeJS.ErrnoException) => {
      if (LOSSES.has(code)) tellLoss();
    });
    socket.prependOnceListener('close', tellLoss);
  }

  async #connect(): Promise<void> {
    if (this.#isClosed) throw closedError();
    const state = await this.#sessions.connect();
    if (this.isClosed) {
      this.#sessions.abort(closedError());
      throw closedError();
    }
    if (state === 'error') throw this.#unreached(this.#sessions.error());
    // A session that was sent away is not the one that is open now.
    if (this.#isLeaving) this.#session = undefined;
    this.#isLeaving = false;
  }

  async #request(call: Parameters<SessionManager['request']>): Promise<Stream> {
    try {
      return await this.#sessions.request(...call);
    } catch (error) {
      throw this.isClosed ? closedError() : this.#unreached(error);
    }
  }

  #unreached(error: unknown): ConnectError {
    const tlsCode = tlsCodeOf(error);
    const said = error instanceof ConnectError ? error.rawMessage : String(error);
    const why =
      tlsCode === 'ERR_SSL_WRONG_VERSION_NUMBER'
        ? 'it does not speak TLS; for plaintext, the address has to begin with http://'
        : said;
    const message = `no connection to ${this.authority}: ${why}`;
    // A certificate that is not trusted is not trusted a second later either.
    if (tlsCode !== undefined) return new ConnectError(message, Code.Unavailable, undefined, undefined, error);
    return notSentError(message, error);
  }
}

function closedError(): ConnectError {
  return new ConnectError('the client is closed', Code.Canceled);
}

/** What Node calls a fault of TLS or of a certificate, in a chain of causes; undefined where there is none. */
function tlsCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /CERT|^ERR_(?:TLS|SSL)|SIGNATURE/.test(code) ? code : tlsCodeOf(error.cause);
}
