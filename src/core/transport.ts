/** An HTTP request that is ready to be sent. */
export interface HttpRequest {
  /** Always `POST` or `GET`. */
  readonly method: 'POST' | 'GET';
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers of this request alone, names and values in turn. */
  readonly ownHeaders?: readonly string[] | undefined;
  readonly body: string;
}

/** Receives an HTTP response. `onEnd` or `onError` comes once and last; nothing comes before `send` has returned. */
export interface HttpHandler {
  /** Names in lower case; values of a repeated header are joined with `, `. */
  onHeaders(status: number, headers: Readonly<Record<string, string>>): void;
  /** A piece of the body, decoded from its content-encoding. It is lent: whoever keeps it keeps `keptBytes` of it. */
  onData(chunk: Uint8Array): void;
  onEnd(): void;
  /** The connection failed, in whatever phase; not called after `abort`. */
  onError(error: unknown): void;
}

/** An HTTP exchange under way. Every method may be called at any time, also after the end. */
export interface HttpExchange {
  /** Destroys the connection in the same turn; the handler is not called again. */
  abort(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads on. */
  resume(): void;
}

/** Sends requests: over sockets, or to the mock. */
export interface Transport {
  send(request: HttpRequest, handler: HttpHandler): HttpExchange;
  /**
   * Closes all connections behind what is under way, which goes on. What is sent all the same has a connection of its own, until its
   * end. Resolves when nothing is under way; never rejects.
   */
  retire(): Promise<void>;
  /** Closes all connections; what is under way is destroyed. */
  close(): Promise<void>;
}
