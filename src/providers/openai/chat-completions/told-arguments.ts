/** Characters up to which arguments are looked at; what is longer is taken as it comes. */
const MOST = 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * The arguments of one call as far as they were told. Whether they are whole is looked at when somebody asks, each character
 * once, however often that is.
 */
export class ToldArguments {
  #pieces: string[] = [];
  #length = 0;
  #looked = 0;
  #depth = 0;
  #hasBegun = false;
  #isInText = false;
  #isEscaped = false;

  /** Takes a further piece. */
  push(piece: string): void {
    if (piece === '' || this.#length > MOST) return;
    this.#length += piece.length;
    if (this.#length > MOST) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  /** Whether nothing was told. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Whether an object has begun and every bracket of it is closed. */
  get isWhole(): boolean {
    this.#look();
    return this.#hasBegun && this.#depth === 0;
  }

  /** Whether an object has begun and is not closed. */
  get isHalf(): boolean {
    this.#look();
    return this.#hasBegun && this.#depth > 0;
  }

  /** Whether a piece says once more all that was told, which was whole. */
  isRepeatedBy(piece: string): boolean {
    return piece.length === this.#length && piece !== '' && this.isWhole && this.#pieces.join('') === piece;
  }

  #look(): void {
    for (; this.#looked < this.#pieces.length; this.#looked += 1) {
      const piece = this.#pieces[this.#looked] ?? '';
      for (let at = 0; at < piece.length; at += 1) this.#lookAt(piece.charCodeAt(at));
    }
  }

  #lookAt(code: number): void {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (code === BACKSLASH) this.#isEscaped = true;
      else if (code === QUOTE) this.#isInText = false;
    } else if (code === QUOTE) {
      this.#isInText = true;
    } else if (OPENING.has(code)) {
      this.#depth += 1;
      this.#hasBegun = true;
    } else if (CLOSING.has(code)) {
      this.#depth -= 1;
    }
  }
}
