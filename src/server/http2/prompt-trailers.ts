import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { versions } from 'node:process';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';

import { isKnownNode, nodeField } from './node-field.ts';

/** Node's own mark of a stream that waits for trailers, as a bit of `flags`. */
const HAS_TRAILERS = 0x20;

/** The part of Node's own side of a stream that is asked here. */
interface StreamHandle {
  /** Takes `name \0 value \0 flags` one behind the other, and how many they are; returns less than 0 where it failed. */
  trailers(list: readonly [string, number]): number;
}

/** The same in all streams of a process. */
let fields: { readonly state: symbol; readonly handle: symbol } | undefined;

/**
 * Has the end of an answer, which waits for trailers, leave with the last that is written: Node sends it a turn of the event loop later, and the
 * trailers another one (`docs/adr/0054-trailers-leave-with-the-answer.md`). To be called behind `respond`. Does nothing in a Node of
 * which it is not known what it keeps where.
 *
 * @param version of Node; default: of this process
 * @returns whether it was done
 */
export function endWithLastWrite(stream: ServerHttp2Stream, version = versions.node): boolean {
  if (fields === undefined) {
    const [state, handle] = [nodeField(stream, 'state'), nodeField(stream, 'kHandle')];
    if (state === undefined || handle === undefined) return false;
    fields = { state, handle };
  }
  if (!isKnownNode(version)) return false;
  const state: unknown = Reflect.get(stream, fields.state);
  if (!hasFlags(state)) return false;
  state.flags &= ~HAS_TRAILERS;
  stream.destroy = destroyWhenWritten;
  return true;
}

/**
 * Sends the trailers for which a stream asks just now, and not a turn of the event loop later. Throws where Node does.
 *
 * @param trailers by their names in lower case
 * @param version of Node; default: of this process
 */
export function sendTrailersNow(
  stream: ServerHttp2Stream,
  trailers: OutgoingHttpHeaders,
  version = versions.node,
): void {
  const handle: unknown = fields && isKnownNode(version) ? Reflect.get(stream, fields.handle) : undefined;
  if (!isHandle(handle)) {
    stream.sendTrailers(trailers);
    return;
  }
  let list = '';
  let count = 0;
  for (const [name, values] of Object.entries(trailers)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value === undefined) continue;
      list += `${name}\0${value}\0\0`;
      count += 1;
    }
  }
  if (handle.trailers([list, count]) < 0) throw new Error('the trailers cannot be sent');
}

/** Streams that have come to a good end in this turn. */
const ended: ServerHttp2Stream[] = [];

/**
 * Node destroys a stream when nghttp2 has made its last frame, while the write of this frame is under way, and makes an error, with its stack, for
 * whoever would wait for the end of the write. Behind this turn it is over.
 */
function destroyWhenWritten(this: ServerHttp2Stream, error?: Error): ServerHttp2Stream {
  const isWell = error === undefined && this.closed && this.rstCode === constants.NGHTTP2_NO_ERROR;
  if (!isWell || this.session?.destroyed !== false) {
    Duplex.prototype.destroy.call(this, error);
    return this;
  }
  if (ended.push(this) === 1) setImmediate(destroyEnded);
  return this;
}

function destroyEnded(): void {
  for (const stream of ended.splice(0)) Duplex.prototype.destroy.call(stream);
}

function hasFlags(state: unknown): state is { flags: number } {
  return typeof state === 'object' && state !== null && typeof Reflect.get(state, 'flags') === 'number';
}

function isHandle(handle: unknown): handle is StreamHandle {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'trailers') === 'function';
}
