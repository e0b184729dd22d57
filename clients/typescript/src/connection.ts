import { Code, ConnectError } from '@connectrpc/connect';
import { type GrpcTransportOptions, type Http2SessionOptions, Http2SessionManager } from '@connectrpc/connect-node';

type SessionManager = NonNullable<GrpcTransportOptions['sessionManager']>;
type Stream = Awaited<ReturnType<SessionManager['request']>>;

/** The HTTP/2 connection of a client: opened by the first call, opened anew after a loss, and closed for good by `close`. */
export class Connection implements SessionManager {
  readonly authority: string;
  readonly #sessions: Http2SessionManager;
  #isClosed = false;

  constructor(baseUrl: string, options: Http2SessionOptions, nodeOptions: GrpcTransportOptions['nodeOptions']) {
    this.#sessions = new Http2SessionManager(baseUrl, options, nodeOptions);
    this.authority = this.#sessions.authority;
  }

  /** Opens a stream. Rejects with CANCELLED once closed. */
  async request(...call: Parameters<SessionManager['request']>): Promise<Stream> {
    if (this.#isClosed) throw closedError();
    const stream = await this.#sessions.request(...call);
    // Closed while it was opening or being verified: the session manager has made a new connection by now.
    if (this.isClosed) {
      // The stream will tell of its end, and nobody else listens to it yet.
      stream.on('error', () => {});
      this.#sessions.abort(closedError());
      throw closedError();
    }
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
  }
}

function closedError(): ConnectError {
  return new ConnectError('the client is closed', Code.Canceled);
}
