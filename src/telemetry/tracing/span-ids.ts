/** Three hexadecimal digits of each number of twelve bits. */
const DIGITS: readonly string[] = Array.from({ length: 4_096 }, (_, bits) => bits.toString(16).padStart(3, '0'));

const TWO_TO_24 = 16_777_216;

/** Makes ids of traces and spans out of chance. */
export class SpanIds {
  readonly #random: () => number;

  /** @param random chance, 0 to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Makes the id of a trace: 32 hexadecimal digits, not all of them 0. */
  trace(): string {
    return this.#twelve() + this.#twelve() + this.#eight();
  }

  /** Makes the id of a span: 16 hexadecimal digits, not all of them 0. */
  span(): string {
    return this.#twelve() + this.#four();
  }

  /** Twelve digits: 48 bits, of the 52 that chance has. */
  #twelve(): string {
    const random = this.#random() * TWO_TO_24;
    const high = Math.floor(random);
    const low = Math.floor((random - high) * TWO_TO_24);
    return sixOf(high) + sixOf(low);
  }

  #eight(): string {
    return this.#four() + this.#four();
  }

  /** Four digits, which are not all 0. */
  #four(): string {
    const bits = 1 + Math.floor(this.#random() * 65_535);
    return (bits >> 12).toString(16) + DIGITS[bits & 4_095];
  }
}

function sixOf(bits: number): string {
  return `${DIGITS[bits >> 12]}${DIGITS[bits & 4_095]}`;
}
