import type { Http2Session } from 'node:http2';
import { versions } from 'node:process';

import { LiveMap } from './live-map.ts';
import { isKnownNode, nodeField } from './node-field.ts';

/** Streams that have no number yet: on the side of a server one, and for a moment. A Set, as far as `node:http2` uses one. */
class NewStreams {
  readonly #streams: unknown[] = [];

  get size(): number {
    return this.#streams.length;
  }

  add(stream: unknown): this {
    this.#streams.push(stream);
    return this;
  }

  delete(stream: unknown): boolean {
    const place = this.#streams.lastIndexOf(stream);
    if (place === -1) return false;
    const last = this.#streams.pop();
    if (place < this.#streams.length) this.#streams[place] = last;
    return true;
  }

  forEach(call: (stream: unknown) => void): void {
    this.#streams.slice().forEach((stream) => call(stream));
  }
}

/**
 * Has a new connection hold its streams in tables that leave nothing behind, in place of Node's own Map and Set
 * (`docs/adr/0051-what-calls-leave-dies-young.md`). Does nothing in a later Node than is known, where Node keeps them elsewhere, or has
 * streams already.
 *
 * @param version of Node; default: of this process
 * @returns whether it was done
 */
export function tableStreams(session: Http2Session, version = versions.node): boolean {
  if (!isKnownNode(version)) return false;
  const state = stateOf(session);
  if (state === undefined || !isEmpty(Reflect.get(state, 'streams')) || !isEmpty(Reflect.get(state, 'pendingStreams')))
    return false;
  Reflect.set(state, 'streams', new LiveMap<unknown>());
  Reflect.set(state, 'pendingStreams', new NewStreams());
  return true;
}

/** Node's own description of the connection. */
function stateOf(session: Http2Session): object | undefined {
  const key = nodeField(session, 'state');
  const state: unknown = key === undefined ? undefined : Reflect.get(session, key);
  return typeof state === 'object' && state !== null ? state : undefined;
}

function isEmpty(held: unknown): boolean {
  return typeof held === 'object' && held !== null && Reflect.get(held, 'size') === 0;
}
