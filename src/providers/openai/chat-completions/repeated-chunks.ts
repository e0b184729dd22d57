import type { AdapterEvent, RepeatedForm } from '../../port/adapter.ts';
import { isSaid } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord } from '../../shared/json/value.ts';
import { RepeatedText } from '../../shared/reading/repeated-text.ts';
import { firstChoice } from './first-choice.ts';
import { gathersState } from './kept-state.ts';

const NONE: readonly RepeatedForm[] = [];

const CONTENT = /"content"\s*:\s*"/;
const REASONING = /"reasoning_content"\s*:\s*"/;

/** The delta of a chunk that says nothing yet, such as `{"role":"assistant","content":""}`. */
const PLAIN_DELTA = /"delta":\{(?:"\w+":(?:"\w*"|null),?)*\}/;
const DELTA = '"delta"';
const BEFORE_TEXT = `${DELTA}:{"content":"`;
const BEHIND_TEXT = '"}';

/** A piece of the answer, as a chunk has it. */
interface RepeatedPiece {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/** Reads chunks of one answer that repeat one before them but for their text or their reasoning, as most do. */
export class RepeatedChunks {
  readonly #text = new RepeatedText('text', CONTENT, (json) => deltaIn(json)?.content);
  readonly #reasoning = new RepeatedText('reasoning', REASONING, (json) => deltaIn(json)?.reasoning_content);

  /** Returns what the data of an event say; undefined where they are no such chunk. */
  read(name: string, data: string): RepeatedPiece | undefined {
    if (name !== '') return undefined;
    const text = this.#text.textIn(data);
    if (text !== undefined) return { kind: 'text', text };
    const thoughts = this.#reasoning.textIn(data);
    return thoughts === undefined ? undefined : { kind: 'reasoning', text: thoughts };
  }

  /** Returns what such chunks look like, as far as it is known. */
  forms(): readonly RepeatedForm[] {
    const [text, thoughts] = [this.#text.form, this.#reasoning.form];
    if (text === undefined) return thoughts === undefined ? NONE : [thoughts];
    return thoughts === undefined ? [text] : [text, thoughts];
  }

  /** Notes that chunks of a form have come. */
  came({ kind }: RepeatedForm): void {
    (kind === 'text' ? this.#text : this.#reasoning).used();
  }

  /**
   * Learns what such chunks look like from one that has said a piece and nothing else. Behind any other nothing that was learnt is
   * true any more: who read a chunk of before again would take back what that one has changed.
   *
   * @param choice the choice that counts
   * @param isUsual whether reading the chunk changed nothing but what it told
   */
  learn(data: string, choice: JsonRecord | undefined, told: readonly AdapterEvent[], isUsual: boolean): void {
    const [only] = told;
    const delta = asRecord(choice?.delta);
    const said = told.length === 1 && only?.type === 'delta' ? only.delta : undefined;
    if (delta === undefined) this.forget();
    else if (told.every(({ type }) => type === 'identity')) this.#expect(data);
    else if (!isUsual || gathersState(delta) || isSaid(delta.reasoning)) this.forget();
    else if (said?.kind === 'text' && delta.content === said.text && !isSaid(delta.reasoning_content))
      this.#text.learn(data);
    else if (said?.kind === 'reasoning' && delta.reasoning_content === said.text && !isSaid(delta.content))
      this.#reasoning.learn(data);
    else this.forget();
  }

  /** Takes no chunk for a repetition of those before it. */
  forget(): void {
    this.#text.forget();
    this.#reasoning.forget();
  }

  /**
   * Most answers begin with a chunk that says nothing, and go on with others that have the same around their deltas. Read again, what stands
   * there changes nothing. Without escapes its only `"delta"` is the name of the delta that was read, and what follows is all of that.
   */
  #expect(data: string): void {
    this.forget();
    const found = PLAIN_DELTA.exec(data);
    if (found === null || data.includes('\\') || data.indexOf(DELTA) !== data.lastIndexOf(DELTA)) return;
    const behind = data.slice(found.index + found[0].length);
    this.#text.expect(data.slice(0, found.index) + BEFORE_TEXT, BEHIND_TEXT + behind);
  }
}

/** The delta of the choice that counts. */
function deltaIn(json: unknown): JsonRecord | undefined {
  return asRecord(firstChoice(asRecord(json)?.choices)?.delta);
}
