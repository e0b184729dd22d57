import type { AdapterEvent } from '../port/adapter.ts';
import { textOf } from './json/value.ts';

const NOTHING: readonly AdapterEvent[] = [];

/** Longest name of a model, or id of an answer, in characters. What is longer is neither. */
const MAX_LENGTH = 256;

/** Reads which model answers and under which id; empty values say nothing, and nothing is told twice. */
export class Identity {
  #model = '';
  #responseId = '';

  /** The model that answers; empty while nothing said. */
  get model(): string {
    return this.#model;
  }

  /** The id of the answer; empty while nothing said. */
  get responseId(): string {
    return this.#responseId;
  }

  /** Takes the values as they stand in an answer; returns an event where one of them is new. */
  read(modelValue: unknown, idValue: unknown): readonly AdapterEvent[] {
    const model = nameOf(modelValue) || this.#model;
    const responseId = nameOf(idValue) || this.#responseId;
    if (model === this.#model && responseId === this.#responseId) return NOTHING;
    this.#model = model;
    this.#responseId = responseId;
    return [
      {
        type: 'identity',
        ...(model === '' ? {} : { model }),
        ...(responseId === '' ? {} : { responseId }),
      },
    ];
  }
}

function nameOf(value: unknown): string {
  const text = textOf(value);
  return text.length > MAX_LENGTH ? '' : text;
}
