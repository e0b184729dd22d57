import type { FinishReason } from '../../../core/answer.ts';
import type { AdapterEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import type { CallFragment } from '../../shared/answer-parts.ts';
import { AnswerParts } from '../../shared/answer-parts.ts';
import { JsonSource } from '../../shared/json/source-text.ts';
import { isSaid, nameIn, wordsIn } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord } from '../../shared/json/value.ts';
import { providerFailure } from '../../shared/provider-failure.ts';
import { addEvents } from '../../shared/reading/add-events.ts';
import { reasonBesideCalls } from '../../shared/reading/finish-event.ts';
import { CallSlots } from './call-slots.ts';
import { contentPieces } from './content-pieces.ts';
import { callCarriesState, carriesState, KeptState } from './kept-state.ts';
import { otherThoughts } from './other-thoughts.ts';

const NOTHING: readonly AdapterEvent[] = [];

const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/**
 * Reads the messages of one answer of Chat Completions, whole or in deltas. What has another type than the API says is
 * converted where words or arguments can be found in it, and otherwise a failure of class `protocol`: nothing of an answer
 * is lost in silence.
 */
export class MessagePieces {
  /** The text that what is read was parsed from, for arguments that stand in it as objects. */
  readonly source = new JsonSource();
  readonly #parts: AnswerParts;
  readonly #keepsState: boolean;
  /** Most answers have none. */
  #state: KeptState | undefined;
  #slots: CallSlots | undefined;
  #hasUnknown = false;
  #isRefused = false;

  /**
   * @param seed returns what the ids of calls without ids are made of
   * @param keepsState whether parts get a state, of what the server wants back with them
   */
  constructor(seed: () => string, keepsState: boolean) {
    this.#parts = new AnswerParts(seed);
    this.#keepsState = keepsState;
  }

  /** Whether nothing of the answer has been told. */
  get isEmpty(): boolean {
    return this.#parts.isEmpty;
  }

  /** Whether a part was of a kind that nobody knows. */
  get hasUnknown(): boolean {
    return this.#hasUnknown;
  }

  /** Reads a whole message or a delta of one, which have the same fields, and adds what it says to `events`. */
  read(message: JsonRecord, events: AdapterEvent[]): void {
    const { content, refusal, tool_calls: calls, function_call: called } = message;
    if (this.#keepsState && carriesState(message)) {
      this.#state ??= new KeptState();
      this.#state.take(message);
    }
    addEvents(events, this.#reasoning(message));
    if (typeof content === 'string') addEvents(events, this.#parts.text('text', 'text', content));
    else if (content !== undefined && content !== null) addEvents(events, this.#content(content));
    if (isSaid(refusal)) addEvents(events, this.#refusal(wordsIn(refusal)));
    if (isSaid(calls)) addEvents(events, this.#calls(calls));
    // The form that calls had before there were several in an answer; some servers write both.
    else if (isSaid(called))
      addEvents(events, this.#parts.call('function_call', this.#fragmentOf({ function: called })));
  }

  /** Reads a piece of the text or the reasoning that has begun. */
  readText(kind: 'text' | 'reasoning', text: string): readonly AdapterEvent[] {
    return this.#parts.text(kind, kind, text);
  }

  /** Ends all parts, with their states. */
  end(): readonly AdapterEvent[] {
    return [...this.#states(), ...this.#parts.finishAll()];
  }

  /** A refusal ends with `stop` on the wire. */
  reasonOf(reason: FinishReason): FinishReason {
    if (reason === 'STOP' && this.#isRefused) return 'REFUSAL';
    return reasonBesideCalls(reason, this.#parts.callCount, this.isEmpty);
  }

  /** What goes with the parts of the answer: with its reasoning, or its text where it has none, and with its calls. */
  #states(): readonly AdapterEvent[] {
    if (this.#state === undefined) return NOTHING;
    const { ofMessage } = this.#state;
    const isBesideText = !this.#parts.has('reasoning') && this.#parts.has('text');
    const told: AdapterEvent[] = [];
    if (ofMessage !== undefined) addEvents(told, this.#parts.finish(isBesideText ? 'text' : 'reasoning', ofMessage));
    for (const [key, state] of this.#state.ofCalls()) {
      if (this.#parts.has(key)) addEvents(told, this.#parts.finish(key, state));
    }
    return told;
  }

  /** DeepSeek writes `reasoning_content`, Ollama, vLLM and Groq `reasoning`, some servers both, and OpenRouter also details. */
  #reasoning(message: JsonRecord): readonly AdapterEvent[] {
    const { reasoning_content: content, reasoning } = message;
    const value = isSaid(content) ? content : isSaid(reasoning) ? reasoning : otherThoughts(message);
    if (!isSaid(value)) return NOTHING;
    const words = wordsIn(value);
    return words === undefined ? this.#unknown() : this.#parts.text('reasoning', 'reasoning', words);
  }

  #content(content: unknown): readonly AdapterEvent[] {
    const pieces = contentPieces(content);
    if (pieces === undefined) return MALFORMED;
    return pieces.flatMap((piece) => {
      if (piece.kind === 'unknown') return this.#unknown();
      return piece.kind === 'refusal'
        ? this.#refusal(piece.text)
        : this.#parts.text(piece.kind, piece.kind, piece.text);
    });
  }

  #refusal(words: string | undefined): readonly AdapterEvent[] {
    if (words === undefined) return MALFORMED;
    if (words !== '') this.#isRefused = true;
    return this.#parts.text('text', 'refusal', words);
  }

  #unknown(): readonly AdapterEvent[] {
    this.#hasUnknown = true;
    return UNKNOWN;
  }

  #calls(value: unknown): readonly AdapterEvent[] {
    const calls: readonly unknown[] = Array.isArray(value) ? value : [value];
    this.#slots ??= new CallSlots();
    const slots = this.#slots;
    return calls.flatMap((item, position) => {
      if (!isSaid(item)) return NOTHING;
      const call = asRecord(item);
      if (call === undefined) return MALFORMED;
      const fragment = this.#fragmentOf(call);
      const { key, argumentsFragment } = slots.take({ ...fragment, index: call.index, position });
      if (this.#keepsState && callCarriesState(call)) {
        this.#state ??= new KeptState();
        this.#state.takeCall(key, call);
      }
      return isSaid(call.custom) ? this.#unknown() : this.#parts.call(key, { ...fragment, argumentsFragment });
    });
  }

  /** Some servers write name and arguments into the call itself, arguments as an object, or under the names of other APIs. */
  #fragmentOf(call: JsonRecord): CallFragment {
    const described = asRecord(call.function) ?? call;
    const given = described.arguments ?? described.parameters ?? described.input;
    const argumentsFragment = typeof given === 'string' ? given : isSaid(given) ? this.source.write(given) : '';
    return { id: nameIn(call.id), name: nameIn(described.name), argumentsFragment };
  }
}
