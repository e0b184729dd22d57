import { connect } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';

/** A response over HTTP with its body as text. */
export interface WebAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks with GET. */
export async function get(url: string): Promise<WebAnswer> {
  const response = await fetch(url);
  return { status: response.status, body: await response.text() };
}

/** Calls a unary method over Connect with JSON, and returns status and JSON. */
export async function postJson(
  origin: string,
  method: string,
  request: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly json: unknown }> {
  const response = await fetch(`${origin}/understudy.v1.LlmService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
  return { status: response.status, json: await response.json() };
}

/** Calls a streaming method over Connect with JSON, and returns its messages; the last one is the end of the stream. */
export async function streamJson(origin: string, method: string, request: unknown): Promise<readonly unknown[]> {
  const response = await fetch(`${origin}/understudy.v1.LlmService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/connect+json' },
    body: envelope(Buffer.from(JSON.stringify(request))),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const messages: unknown[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(JSON.parse(bytes.subarray(at + 5, end).toString('utf8')));
    at = end;
  }
  return messages;
}

/** Sends bytes as they are and returns all that comes back until the connection is closed. */
export function sendRaw(origin: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = '';
    socket.on('data', (data) => {
      received += data.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });
}

/** Sends one gRPC call with an authority of the test's choice; returns its status, or what became of it. */
export function callWithAuthority(address: string, authority: string): Promise<string> {
  const session = connectHttp2(`http://${address}`);
  return new Promise<string>((resolve) => {
    session.on('error', (error) => resolve(error.message));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/understudy.v1.LlmService/Health',
      ':authority': authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = '';
    const read = (headers: IncomingHttpHeaders): void => {
      status = headers['grpc-status']?.toString() ?? status;
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('error', (error) => resolve(error.message));
    stream.on('close', () => resolve(status));
    stream.resume();
    stream.end(envelope(Buffer.alloc(0)));
  }).finally(() => session.destroy());
}

function envelope(message: Buffer): Buffer<ArrayBuffer> {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}
