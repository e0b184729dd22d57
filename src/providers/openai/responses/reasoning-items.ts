import type { AdapterEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import type { AnswerParts } from '../../shared/answer-parts.ts';
import { indexIn, wordsIn } from '../../shared/json/odd-value.ts';
import { stateBytes } from '../../shared/json/state-bytes.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { textOf } from '../../shared/json/value.ts';

/** Where a reasoning item has words: in summaries, or in its content. */
export type ReasoningPlace = 'summary' | 'text';

const NOTHING: readonly AdapterEvent[] = [];

/**
 * Reads the reasoning of one response, each item by its key. Every summary and every text is a part of the answer, and the
 * last part of an item has its state.
 */
export class ReasoningItems {
  readonly #parts: AnswerParts;
  /** The newest part of each item. */
  readonly #last = new Map<string, string>();

  #hasUnknown = false;

  /** @param parts the parts of the answer, which other items have in common with these. */
  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Whether something stood for words in which nobody finds any. */
  get hasUnknown(): boolean {
    return this.#hasUnknown;
  }

  /** Reads a piece of a summary or a text. */
  delta(key: string, event: JsonRecord, place: ReasoningPlace): readonly AdapterEvent[] {
    return this.#words(key, partKey(key, place, indexOf(event, place)), event.delta);
  }

  /** Reads the end of a summary or a text, which has all of its words; they are told where no delta did. */
  endPart(key: string, event: JsonRecord, place: ReasoningPlace, words: unknown): readonly AdapterEvent[] {
    const own = partKey(key, place, indexOf(event, place));
    return this.#parts.has(own) ? NOTHING : this.#words(key, own, words);
  }

  /** Reads a whole item. It is complete only here: the copy at its beginning may lack some of the encrypted reasoning. */
  end(key: string, item: JsonRecord): readonly AdapterEvent[] {
    const told = this.#last.has(key)
      ? NOTHING
      : [...this.#whole(key, 'summary', item.summary), ...this.#whole(key, 'text', item.content)];
    const last = this.#last.get(key) ?? `${key} reasoning`;
    const state = textOf(item.encrypted_content) === '' ? undefined : stateBytes(item);
    return [...told, ...this.#parts.finish(last, state)];
  }

  #whole(key: string, place: ReasoningPlace, value: unknown): readonly AdapterEvent[] {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.flatMap((words, index) => this.#words(key, partKey(key, place, index), words));
  }

  #words(key: string, part: string, value: unknown): readonly AdapterEvent[] {
    const words = typeof value === 'string' ? value : wordsIn(value);
    if (words === undefined) {
      this.#hasUnknown = true;
      return UNKNOWN;
    }
    if (words === '') return NOTHING;
    const previous = this.#last.get(key);
    this.#last.set(key, part);
    const finished = previous === undefined || previous === part ? NOTHING : this.#parts.finish(previous);
    const told = this.#parts.text('reasoning', part, words);
    return finished.length === 0 ? told : [...finished, ...told];
  }
}

function indexOf(event: JsonRecord, place: ReasoningPlace): number {
  return indexIn(place === 'summary' ? event.summary_index : event.content_index) ?? 0;
}

function partKey(key: string, place: ReasoningPlace, index: number): string {
  return `${key} reasoning ${place} ${index}`;
}
