import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ByteBudget } from '../wire/byte-budget.ts';
import type { ReadingPace } from '../wire/reading-pace.ts';
import { pacedSession } from './paced-session.ts';

/** What may wait on a stream that somebody else reads, in bytes. */
const MOST_WAITING_BYTES = 64 * 1024;

/** How what is held is let go. */
const RELEASES = new WeakMap<ServerHttp2Stream, () => void>();

/**
 * Holds what comes on a stream before anybody reads it, and counts it: Node keeps all of it, as much as the window of the stream
 * lets come. Where there is no room for it, the stream is refused, and clients may repeat it elsewhere. Ends with
 * {@link readInput} or {@link dropInput}.
 */
export function holdInput(stream: ServerHttp2Stream, budget: ByteBudget, shareKey: string): void {
  const held = budget.open(shareKey);
  const release = (): void => {
    held.release();
    RELEASES.delete(stream);
  };
  RELEASES.set(stream, release);
  stream.once('close', release);
  interceptInput(stream, (bytes) => {
    if (held.take(bytes)) return true;
    budget.refused.bytes_in_flight += 1;
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
    return false;
  });
}

/** Lets a stream be read whose input was held. */
export function readInput(stream: ServerHttp2Stream): void {
  RELEASES.get(stream)?.();
  Reflect.deleteProperty(stream, 'push');
}

/** Drops what has come on a stream and what comes. Its window is not opened again, so that its client cannot go on for long. */
export function dropInput(stream: ServerHttp2Stream, pace: ReadingPace | undefined): void {
  RELEASES.get(stream)?.();
  interceptInput(stream, (bytes) => {
    paceInput(stream, bytes, pace);
    return false;
  });
  stream.resume();
}

/** Counts what has come on a stream, and has its connection wait where too much has come in this turn. */
export function paceInput(stream: ServerHttp2Stream, bytes: number, pace: ReadingPace | undefined): void {
  const { session } = stream;
  if (session !== undefined) pace?.read(pacedSession(session), bytes);
}

/** Bounds what waits on a stream for a library that reads it: what is beyond is dropped. */
export function boundInput(stream: ServerHttp2Stream): void {
  interceptInput(stream, (bytes) => stream.readableLength + bytes <= MOST_WAITING_BYTES);
}

/**
 * Looks at each piece before Node keeps it. One that is not kept leaves the stream as if nobody read it: the end still comes. Node has
 * no other way to drop what comes without asking for more; a test watches that it hands over what has come through `push`.
 */
function interceptInput(stream: ServerHttp2Stream, keeps: (bytes: number) => boolean): void {
  const { push } = Object.getPrototypeOf(stream);
  stream.push = (chunk: Uint8Array | null): boolean =>
    chunk === null || keeps(chunk.byteLength) ? Reflect.apply(push, stream, [chunk]) : false;
}
