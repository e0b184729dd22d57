import type { AdapterEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import type { AnswerParts } from '../../shared/answer-parts.ts';
import { indexIn, wordsIn } from '../../shared/json/odd-value.ts';
import { stateBytes } from '../../shared/json/state-bytes.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, wordOf } from '../../shared/json/value.ts';
import { providerFailure } from '../../shared/provider-failure.ts';

/** What of a message's content goes into the answer as text. */
type WordKind = 'output_text' | 'refusal';

const KINDS: ReadonlyMap<unknown, WordKind> = new Map<unknown, WordKind>([
  [undefined, 'output_text'],
  ['output_text', 'output_text'],
  ['text', 'output_text'],
  ['refusal', 'refusal'],
]);

const NOTHING: readonly AdapterEvent[] = [];
const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/** Reads the messages of one response, each by the key of its item. Every text and every refusal is a part of the answer. */
export class MessageItems {
  readonly #parts: AnswerParts;
  /** Parts of each message that have begun, for events that do not say which of them they are about. */
  readonly #begun = new Map<string, number>();
  /** Parts of each message whose words were told. */
  readonly #told = new Map<string, number>();
  /** The state of the texts of each message that has a phase. */
  readonly #phases = new Map<string, Uint8Array>();
  /** The part that was written to last, and what was told of it. */
  #last = { key: '', index: -1, part: '', told: '' };
  #hasUnknown = false;
  #isRefused = false;

  /** @param parts the parts of the answer, which other items have in common with these. */
  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Whether a part was of a kind that nobody knows. */
  get hasUnknown(): boolean {
    return this.#hasUnknown;
  }

  /** Whether the model refused. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Reads what a message says of itself at its beginning. */
  begin(key: string, item: JsonRecord): void {
    const phase = wordOf(item.phase);
    if (phase !== undefined) this.#phases.set(key, stateBytes({ type: 'message', phase }));
  }

  /** Takes note of a part that begins; where the event has no index it is the next one. */
  beginPart(key: string, event: JsonRecord): void {
    if (indexIn(event.content_index) === undefined) this.#begun.set(key, (this.#begun.get(key) ?? 0) + 1);
  }

  /** Reads a piece of a text or of a refusal. */
  delta(key: string, event: JsonRecord, kind: WordKind): readonly AdapterEvent[] {
    return this.#words(key, this.#indexOf(key, event), kind, event.delta);
  }

  /** Reads the end of a part; `part` has its words. */
  endPart(key: string, event: JsonRecord, part: JsonRecord): readonly AdapterEvent[] {
    return this.#end(key, this.#indexOf(key, event), part, true);
  }

  /** Reads a whole message: the words of parts that were not told, and the ends of all. */
  end(key: string, item: JsonRecord): readonly AdapterEvent[] {
    this.begin(key, item);
    const { content } = item;
    const parts: readonly unknown[] = Array.isArray(content) ? content : [content ?? []].flat();
    const isWhole = (this.#told.get(key) ?? 0) >= parts.length;
    return parts.flatMap((part, index) => {
      const record = asRecord(part) ?? { text: part };
      return this.#end(key, index, record, !isWhole);
    });
  }

  #indexOf(key: string, event: JsonRecord): number {
    return indexIn(event.content_index) ?? Math.max(0, (this.#begun.get(key) ?? 0) - 1);
  }

  #words(key: string, index: number, kind: WordKind, value: unknown): readonly AdapterEvent[] {
    const words = typeof value === 'string' ? value : wordsIn(value);
    if (words === undefined) return MALFORMED;
    if (words === '') return NOTHING;
    if (kind === 'refusal') this.#isRefused = true;
    const part = this.#partKey(key, index);
    if (!this.#parts.has(part)) this.#told.set(key, (this.#told.get(key) ?? 0) + 1);
    this.#last.told += words;
    return this.#parts.text('text', part, words);
  }

  /** Most pieces are of the part of the piece before. */
  #partKey(key: string, index: number): string {
    const last = this.#last;
    if (last.key === key && last.index === index) return last.part;
    const part = `${key} content ${index}`;
    this.#last = { key, index, part, told: '' };
    return part;
  }

  /** What the words at the end of the last part have beyond those that were told; none where they are others. */
  #restOf(words: unknown): string {
    const { told } = this.#last;
    return typeof words === 'string' && told !== '' && words.startsWith(told) ? words.slice(told.length) : '';
  }

  #end(key: string, index: number, part: JsonRecord, tells: boolean): readonly AdapterEvent[] {
    const own = this.#partKey(key, index);
    const kind = KINDS.get(part.type);
    if (kind === undefined) {
      this.#hasUnknown = true;
      return UNKNOWN;
    }
    const words = part.text ?? part.refusal ?? part.content;
    const hasBegun = this.#parts.has(own);
    const missing = hasBegun ? this.#restOf(words) : words;
    const told = tells || hasBegun ? this.#words(key, index, kind, missing) : NOTHING;
    if (!this.#parts.has(own)) return told;
    return [...told, ...this.#parts.finish(own, kind === 'refusal' ? undefined : this.#phases.get(key))];
  }
}
