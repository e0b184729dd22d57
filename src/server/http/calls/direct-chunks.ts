import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebResponse } from '../exchange.ts';

const CR = 0x0d;
const LF = 0x0a;
const HEX = Buffer.from('0123456789abcdef');

/**
 * Finds the socket to which pieces of an answer may be written as they stand on the wire, past Node's response
 * (`docs/adr/0049-a-delta-on-the-web-is-one-write.md`); undefined where they may not: over HTTP/2, without chunked coding (HTTP/1.0),
 * while what was written with the head has not left the response, and while an earlier answer of the connection is sent.
 */
export function chunkSocket(response: WebResponse): Socket | undefined {
  if ('stream' in response || !isAtRest(response)) return undefined;
  const { socket } = response;
  return socket?.writable === true && socket.writableCorked === 0 ? socket : undefined;
}

/** Node holds what is written back until the end of the turn, and nothing that a socket could take behind that. */
function isAtRest(response: ServerResponse): boolean {
  return response.chunkedEncoding && response.writableCorked === 0 && !response.writableEnded;
}

/**
 * Writes bytes as one piece of HTTP's chunked coding (RFC 9112, section 7.1), in one buffer. False where the client is behind, until the
 * socket emits `drain`.
 */
export function writeChunk(socket: Socket, bytes: Uint8Array): boolean {
  const { byteLength } = bytes;
  if (byteLength === 0) return true;
  let digits = 1;
  while (byteLength >>> (4 * digits) > 0) digits += 1;
  const chunk = Buffer.allocUnsafe(digits + byteLength + 4);
  for (let at = 0, rest = byteLength; at < digits; at += 1, rest >>>= 4) chunk[digits - 1 - at] = HEX[rest & 15] ?? 0;
  chunk[digits] = CR;
  chunk[digits + 1] = LF;
  chunk.set(bytes, digits + 2);
  chunk[digits + 2 + byteLength] = CR;
  chunk[digits + 3 + byteLength] = LF;
  return socket.write(chunk);
}
