import type { ServerHttp2Stream } from 'node:http2';

/** Who hears what comes of a stream. */
export interface StreamHearer {
  /** A piece of the request has come. */
  received(chunk: Buffer): void;
  /** The request has come to its end; also said of a stream that is reset. */
  ended(): void;
  /** The answer has left, and its trailers may be sent. */
  wantsTrailers(): void;
  /** The last that is heard. */
  closed(): void;
}

const HEARER = Symbol('hearer');

interface HeardStream extends ServerHttp2Stream {
  [HEARER]?: StreamHearer | undefined;
}

/**
 * Tells what comes of a stream until it closes, and lets go of who has heard it then: streams outlive their calls, and would drag them
 * along (`docs/adr/0045-streams-let-go-of-their-calls.md`). The listeners are the same for all streams.
 */
export function hearStream(stream: HeardStream, hearer: StreamHearer): void {
  stream[HEARER] = hearer;
  // After an error comes 'close'.
  stream.on('error', IGNORED);
  stream.on('data', received);
  stream.on('end', ended);
  stream.on('wantTrailers', wantsTrailers);
  stream.on('close', closed);
}

const IGNORED = (): void => undefined;

function received(this: HeardStream, chunk: Buffer): void {
  this[HEARER]?.received(chunk);
}

function ended(this: HeardStream): void {
  this[HEARER]?.ended();
}

function wantsTrailers(this: HeardStream): void {
  this[HEARER]?.wantsTrailers();
}

function closed(this: HeardStream): void {
  this[HEARER]?.closed();
  this[HEARER] = undefined;
}
