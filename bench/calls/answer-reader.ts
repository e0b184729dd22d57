const HEAD_END = '\r\n\r\n';
const LINE_END = '\r\n';
const LINE_END_BYTES = 2;

/** Where an answer over HTTP/1.1 goes. */
export interface AnswerSink {
  /** The head was read. */
  onHead(status: number): void;
  /** A piece of the body, without the framing of chunked coding; may be overwritten when the call is over. */
  onPiece(piece: Buffer): void;
  onEnd(): void;
}

/** Reads the answers that come over one HTTP/1.1 connection, one after the other. Knows lengths and chunked coding, no trailers. */
export class AnswerReader {
  readonly #sink: AnswerSink;
  /** Part of a head, or of the line before a chunk. */
  #held: Buffer | undefined;
  /** Bytes of a body, of a chunk with the end of its line, or of the last line. */
  #left = 0;
  #part: 'head' | 'body' | 'length' | 'chunk' | 'last' = 'head';

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** Takes what has come, which is read later no more. Throws where it is not HTTP. */
  push(chunk: Buffer): void {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    for (let at = 0; at < bytes.length;) {
      const next = this.#take(bytes, at);
      if (next === at) {
        this.#held = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** Takes one part, and returns where the next begins: where this one did, if more of it is needed. */
  #take(bytes: Buffer, at: number): number {
    if (this.#part === 'head') return this.#takeHead(bytes, at);
    if (this.#part === 'length') return this.#takeLength(bytes, at);
    const taken = Math.min(this.#left, bytes.length - at);
    const payload = this.#part === 'body' ? taken : Math.min(taken, this.#left - LINE_END_BYTES);
    if (payload > 0) this.#sink.onPiece(bytes.subarray(at, at + payload));
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#part === 'chunk') this.#part = 'length';
      else this.#end();
    }
    return at + taken;
  }

  #takeHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(HEAD_END, at);
    if (end === -1) return at;
    const head = bytes.toString('latin1', at, end);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    this.#sink.onHead(Number(head.slice(head.indexOf(' '), head.indexOf(' ') + 4)));
    this.#left = Number(length ?? 0);
    if (length === undefined) this.#part = 'length';
    else if (this.#left > 0) this.#part = 'body';
    else this.#end();
    return end + HEAD_END.length;
  }

  #takeLength(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_END, at);
    if (end === -1) return at;
    const length = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (Number.isNaN(length)) throw new Error('an answer is not HTTP in chunks');
    this.#left = length + LINE_END_BYTES;
    this.#part = length === 0 ? 'last' : 'chunk';
    return end + LINE_END_BYTES;
  }

  #end(): void {
    this.#part = 'head';
    this.#sink.onEnd();
  }
}
