import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';

/** A whole answer of the web door. */
export interface ProxiedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a call is made. */
export interface WebCallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Hears of each piece of the answer as it comes. */
  readonly onData?: (piece: Buffer) => void;
}

/** A client as browsers are one: HTTP/2 over TLS, and nothing is repeated. */
export interface WebClient {
  /** Calls a unary method with JSON. */
  post(method: string, request: unknown, options?: WebCallOptions): Promise<ProxiedAnswer>;
  /** Calls StreamChat with JSON of Connect; resolves with its messages, the end of the stream last. */
  stream(request: unknown, options?: WebCallOptions): Promise<readonly unknown[]>;
  /** Calls a unary method of the gRPC door with a message. */
  grpc(method: string, message: Uint8Array, options?: WebCallOptions): Promise<ProxiedAnswer>;
  close(): void;
}

/** Makes a client that connects with its first call, and again where its connection was closed. */
export function openWebClient(address: string, ca: string): WebClient {
  let session: ClientHttp2Session | undefined;
  const current = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(`https://${address}`, { ca, servername: 'localhost' });
    session.on('error', () => undefined);
    return session;
  };
  const send = (method: string, type: string, body: Buffer, options: WebCallOptions): Promise<ProxiedAnswer> =>
    new Promise((resolve, reject) => {
      const stream = current().request({
        ':method': 'POST',
        ':path': `/understudy.v1.LlmService/${method}`,
        ':authority': 'localhost',
        'content-type': type,
        ...options.headers,
      });
      const pieces: Buffer[] = [];
      let headers: IncomingHttpHeaders = {};
      let isWhole = false;
      options.signal?.addEventListener('abort', () => stream.close(8), { once: true });
      stream.on('response', (received) => {
        headers = received;
      });
      stream.on('data', (piece: Buffer) => {
        pieces.push(piece);
        options.onData?.(piece);
      });
      stream.on('end', () => {
        isWhole = true;
      });
      stream.on('error', reject);
      stream.on('close', () => {
        const status = Number(headers[':status']);
        if (isWhole && status > 0) resolve({ status, headers, body: Buffer.concat(pieces) });
        else reject(new Error('the answer broke off'));
      });
      stream.end(body);
    });
  return {
    post: (method, request, options = {}) =>
      send(method, 'application/json', Buffer.from(JSON.stringify(request)), options),
    stream: async (request, options = {}) => {
      const body = enveloped(Buffer.from(JSON.stringify(request)));
      const answer = await send('StreamChat', 'application/connect+json', body, options);
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
      return messagesOf(answer.body);
    },
    grpc: (method, message, options = {}) =>
      send(method, 'application/grpc', enveloped(message), {
        ...options,
        headers: { te: 'trailers', ...options.headers },
      }),
    close: () => session?.destroy(),
  };
}

/** Reads the messages of a stream of Connect. */
function messagesOf(bytes: Buffer): readonly unknown[] {
  const messages: unknown[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(JSON.parse(bytes.subarray(at + 5, end).toString('utf8')));
    at = end;
  }
  return messages;
}

function enveloped(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
