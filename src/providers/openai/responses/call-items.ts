import type { AdapterEvent } from '../../port/adapter.ts';
import type { AnswerParts } from '../../shared/answer-parts.ts';
import { replacesArguments } from '../../shared/answer-parts.ts';
import type { JsonSource } from '../../shared/json/source-text.ts';
import { isSaid, nameIn } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { parseJson } from '../../shared/json/value.ts';
import { providerFailure } from '../../shared/provider-failure.ts';

const NOTHING: readonly AdapterEvent[] = [];
const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/**
 * Reads the function calls of one response, each by the key of its item. Arguments come in deltas, or only with the end of the
 * arguments, of the item or of the response; what one of them has told, the others repeat.
 */
export class CallItems {
  readonly #parts: AnswerParts;
  readonly #source: JsonSource;
  readonly #told = new Map<string, string>();

  /**
   * @param parts the parts of the answer, which other items have in common with these
   * @param source the text that what is read was parsed from
   */
  constructor(parts: AnswerParts, source: JsonSource) {
    this.#parts = parts;
    this.#source = source;
  }

  /** Reads id and name of a call, from its item or from an event that has them. */
  begin(key: string, { call_id: callId, id, name }: JsonRecord): readonly AdapterEvent[] {
    return this.#parts.call(key, { id: nameIn(callId) || nameIn(id), name: nameIn(name), argumentsFragment: '' });
  }

  /** Reads a piece of the arguments. */
  delta(key: string, value: unknown): readonly AdapterEvent[] {
    return this.#tell(key, this.#textOf(value));
  }

  /** Reads all of the arguments, and tells what was not told. What contradicts what was told is a failure, unless that is whole. */
  endArguments(key: string, value: unknown): readonly AdapterEvent[] {
    const text = this.#textOf(value);
    const told = this.#told.get(key) ?? '';
    if (text.trim() === '' || text === told) return NOTHING;
    if (text.startsWith(told)) return this.#tell(key, text.slice(told.length));
    if (told.trim() === '' || replacesArguments(told, text)) return this.#tell(key, text);
    return parseJson(told) === undefined ? MALFORMED : NOTHING;
  }

  /** Reads a whole call. One without arguments may get them yet, and ends with the response. */
  end(key: string, item: JsonRecord): readonly AdapterEvent[] {
    const told = [...this.begin(key, item), ...this.endArguments(key, item.arguments)];
    return (this.#told.get(key) ?? '').trim() === '' ? told : [...told, ...this.#parts.finish(key)];
  }

  #tell(key: string, argumentsFragment: string): readonly AdapterEvent[] {
    const told = this.#told.get(key) ?? '';
    this.#told.set(key, replacesArguments(told, argumentsFragment) ? argumentsFragment : told + argumentsFragment);
    return this.#parts.call(key, { id: '', name: '', argumentsFragment });
  }

  /** Some servers send arguments as an object. */
  #textOf(value: unknown): string {
    if (typeof value === 'string') return value;
    return isSaid(value) ? this.#source.write(value) : '';
  }
}
