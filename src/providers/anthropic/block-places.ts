import { indexIn, isSaid } from '../shared/json/odd-value.ts';
import type { JsonSource } from '../shared/json/source-text.ts';
import type { JsonRecord } from '../shared/json/value.ts';

/** Types of blocks of tools that run at the provider. */
export const SERVER_TOOLS: RegExp = /_tool_(use|result)$/;

/** A block that goes into the answer, from its start to its end. */
export interface OpenBlock {
  readonly kind: 'text' | 'thinking' | 'tool_use';
  /** Its name among the parts of the answer. */
  readonly key: string;
  /** The whole input of a call, as JSON, where no fragments of it follow. */
  readonly input: string;
  hasFragments: boolean;
  signature: string;
}

/** Says at which place of an answer a block stands: at its index, or in order where a server gives no block one. */
export class BlockPlaces {
  #count = 0;
  #hasIndexes = false;

  /** Returns the place of a block that begins; undefined where it alone has no index. */
  next(index: unknown): number | undefined {
    const given = this.#given(index);
    if (given !== undefined || this.#hasIndexes) return given;
    this.#count += 1;
    return this.#count - 1;
  }

  /** Returns the place of the block that an event goes on with, or ends; undefined as above. */
  current(index: unknown): number | undefined {
    const given = this.#given(index);
    return given !== undefined || this.#hasIndexes ? given : Math.max(this.#count - 1, 0);
  }

  #given(index: unknown): number | undefined {
    const given = indexIn(index);
    this.#hasIndexes ||= given !== undefined;
    return given;
  }
}

/** Returns the type of a delta, by what it has in it where it does not say. */
export function deltaType(delta: JsonRecord): unknown {
  if (delta.type !== undefined) return delta.type;
  if (delta.text !== undefined) return 'text_delta';
  if (delta.thinking !== undefined) return 'thinking_delta';
  return delta.partial_json === undefined ? undefined : 'input_json_delta';
}

/** Returns the input of a call as JSON: an object on the wire; some servers send its text, or an empty list for none. */
export function inputText(input: unknown, source: JsonSource): string {
  if (typeof input === 'string') return input;
  return !isSaid(input) || (Array.isArray(input) && input.length === 0) ? '' : source.write(input);
}
