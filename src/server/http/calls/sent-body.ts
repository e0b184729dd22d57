import { PIECE_BYTES } from '../../port/limits.ts';

/**
 * Hands out the body of an answer, what is large in pieces, and knows how far it is: of what is written at once nobody can say how
 * much has left, and over HTTP/2 what the connection has sent is of all of its streams.
 */
export class SentBody {
  #taken = 0;
  #rest: Uint8Array = new Uint8Array(0);

  /** How many bytes have been handed out so far. */
  get taken(): number {
    return this.#taken;
  }

  /** How many bytes are there and have not been asked for. */
  get left(): number {
    return this.#rest.byteLength;
  }

  /** Counts bytes that were handed out otherwise. */
  add(bytes: number): void {
    this.#taken += bytes;
  }

  /** Hands out what `body` yields. Its writer tells it of its faults as without this. */
  pieces(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const chunks = body[Symbol.asyncIterator]();
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (this.#rest.byteLength === 0) {
        const chunk = await chunks.next();
        if (chunk.done === true) return chunk;
        this.#rest = chunk.value;
      }
      const piece = this.#rest.subarray(0, PIECE_BYTES);
      this.#rest = this.#rest.subarray(PIECE_BYTES);
      this.#taken += piece.byteLength;
      return { done: false, value: piece };
    };
    const iterator = {
      next,
      return: async (): Promise<IteratorResult<Uint8Array>> =>
        (await chunks.return?.()) ?? { done: true, value: undefined },
      throw: async (error: unknown): Promise<IteratorResult<Uint8Array>> =>
        (await chunks.throw?.(error)) ?? { done: true, value: undefined },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }
}
