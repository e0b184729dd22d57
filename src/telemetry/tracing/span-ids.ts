const TWO_TO_32 = 4_294_967_296;
const NO_WORD = '00000000';

/** Makes ids of traces and spans out of chance. */
export class SpanIds {
  readonly #random: () => number;

  /** @param random chance, 0 to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Makes the id of a trace: 32 hexadecimal digits, not all of them 0. */
  trace(): string {
    return this.span() + this.span();
  }

  /** Makes the id of a span: 16 hexadecimal digits, not all of them 0. */
  span(): string {
    const last = this.#word();
    return this.#word() + (last === NO_WORD ? '00000001' : last);
  }

  #word(): string {
    return Math.floor(this.#random() * TWO_TO_32)
      .toString(16)
      .padStart(8, '0');
  }
}
