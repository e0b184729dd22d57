import type { FinishReason } from '../../../core/answer.ts';
import type { Failure } from '../../../core/failure.ts';
import type { AdapterEvent, EventReader, WireEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import { AnswerParts } from '../../shared/answer-parts.ts';
import { Identity } from '../../shared/identity.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, parseJson, recordsOf, textOf, wordOf } from '../../shared/json/value.ts';
import { openAiInBandFailure } from '../shared/error-codes.ts';
import { contentPieces } from './content-pieces.ts';
import { chatUsage } from '../shared/token-usage.ts';
import { inPlaceOfAnswer, refusedInPlaceOfAnswer } from '../../shared/errors/refusal-failure.ts';
import { providerFailure } from '../../shared/provider-failure.ts';

const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['stop', 'STOP'],
  ['length', 'LENGTH'],
  ['tool_calls', 'TOOL_CALLS'],
  ['content_filter', 'CONTENT_FILTER'],
]);

/** Reasons that end an answer without completing it: DeepSeek's word for a lack of capacity, and that of some routers. */
const FAILED_FINISHES: ReadonlySet<string> = new Set(['insufficient_system_resource', 'error']);

/** What of answers the providers that speak Chat Completions have in different forms. */
export interface AnswerForms {
  /** Whether reasoning gets a state, by which it is known when the caller brings it back. */
  readonly keepsReasoning: boolean;
  /** Reasons to end an answer that OpenAI does not have. */
  readonly finishReasons?: ReadonlyMap<string, FinishReason>;
}

/** Reads a whole answer of Chat Completions. Of several choices only the first counts. */
export function completionResponse(json: unknown, forms: AnswerForms): readonly AdapterEvent[] {
  const body = asRecord(json);
  const choice = firstChoice(body);
  if (body === undefined) return MALFORMED;
  if (isError(body.error)) return [{ type: 'failure', failure: openAiInBandFailure(body.error) }];
  if (choice === undefined) return inPlaceOfAnswer(body);
  if (isError(choice.error)) return [{ type: 'failure', failure: openAiInBandFailure(choice.error) }];
  const reader = new ChatReader(forms);
  const events: AdapterEvent[] = [];
  add(events, reader.readIdentity(body));
  reader.readMessage(asRecord(choice.message), events);
  add(events, chatUsage(body.usage, body.service_tier));
  add(events, reader.finish(wordOf(choice.finish_reason) ?? ''));
  add(events, reader.end());
  return events;
}

/**
 * Makes a reader for a streamed answer of Chat Completions. Chunks without choices, or whose choice has no delta (Azure's
 * filters), say nothing; usage comes with the last choice or after it; `[DONE]` ends the stream, with reason OTHER where
 * none was given.
 */
export function chatEvents(forms: AnswerForms): EventReader {
  const reader = new ChatReader(forms);
  return (event) => reader.readEvent(event);
}

/** The words are in the part itself; that it has a state says whose they are. */
const STATE = new TextEncoder().encode('{"type":"reasoning_content"}');

const NOTHING: readonly AdapterEvent[] = [];

const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/** Remembers what one answer has told so far. */
class ChatReader {
  readonly #parts = new AnswerParts();
  readonly #identity = new Identity();
  /** The newest call at each index. */
  readonly #calls = new Map<number, { readonly key: string; readonly id: string }>();
  #callCount = 0;
  #serviceTier: unknown;
  #isClosed = false;
  #isFinished = false;
  #isRefused = false;
  readonly #forms: AnswerForms;

  constructor(forms: AnswerForms) {
    this.#forms = forms;
  }

  readEvent(event: WireEvent): readonly AdapterEvent[] {
    const data = event.data.trim();
    if (this.#isClosed || data === '') return NOTHING;
    if (data === '[DONE]') return [...this.finish(''), ...this.end()];
    const chunk = asRecord(parseJson(data));
    if (chunk === undefined) return this.#fail(providerFailure('protocol'));
    if (isError(chunk.error)) return this.#fail(openAiInBandFailure(chunk.error));
    if (event.name === 'error' || chunk.object === 'error') return this.#fail(openAiInBandFailure(chunk));
    if (!Array.isArray(chunk.choices) && !isSet(chunk.usage)) return this.#notAChunk(chunk);
    const choice = firstChoice(chunk);
    // Routers put the error of the server behind them into the choice.
    if (isError(choice?.error)) return this.#fail(openAiInBandFailure(choice?.error));
    this.#serviceTier = chunk.service_tier ?? this.#serviceTier;
    const events: AdapterEvent[] = [];
    add(events, this.readIdentity(chunk));
    this.readMessage(asRecord(choice?.delta), events);
    if (isSet(chunk.usage)) add(events, chatUsage(chunk.usage, this.#serviceTier));
    if (isSet(choice?.finish_reason)) add(events, this.finish(wordOf(choice?.finish_reason) ?? ''));
    return events;
  }

  readIdentity(body: JsonRecord): readonly AdapterEvent[] {
    return this.#identity.read(body.model, body.id);
  }

  /** Reads a whole message or a delta of one, which have the same fields, and adds what it says to `events`. */
  readMessage(message: JsonRecord | undefined, events: AdapterEvent[]): void {
    if (message === undefined || this.#isFinished) return;
    const refusal = textOf(message.refusal);
    if (refusal !== '') this.#isRefused = true;
    // DeepSeek writes `reasoning_content`, Ollama, vLLM and Groq `reasoning`, and some servers both.
    const reasoning = textOf(message.reasoning_content) || textOf(message.reasoning);
    add(events, this.#parts.text('reasoning', 'reasoning', reasoning));
    for (const { kind, text } of contentPieces(message.content)) add(events, this.#parts.text(kind, kind, text));
    add(events, this.#parts.text('text', 'refusal', refusal));
    let position = 0;
    for (const call of recordsOf(message.tool_calls)) {
      add(events, this.#readCall(call, position));
      position += 1;
    }
  }

  finish(raw: string): readonly AdapterEvent[] {
    if (this.#isFinished) return [];
    if (FAILED_FINISHES.has(raw)) {
      return this.#fail(providerFailure('overload', { providerCode: raw }));
    }
    this.#isFinished = true;
    const told =
      this.#forms.keepsReasoning && this.#parts.has('reasoning') ? this.#parts.finish('reasoning', STATE) : [];
    return [...told, ...this.#parts.finishAll(), { type: 'finish', reason: this.#reasonOf(raw), raw }];
  }

  end(): readonly AdapterEvent[] {
    return this.#isClosed ? [] : this.#close([{ type: 'end' }]);
  }

  #readCall(call: JsonRecord, position: number): readonly AdapterEvent[] {
    const described = asRecord(call.function);
    if (described === undefined) return [];
    const id = textOf(call.id);
    const name = textOf(described.name);
    const key = this.#keyOf(call.index, position, id, name !== '');
    return this.#parts.call(key, { id, name, argumentsFragment: textOf(described.arguments) });
  }

  /**
   * Returns which call a fragment belongs to. Some servers give every call the index 0, or none: where a fragment with a name
   * has another id than the call that stands there, or neither id nor index, it begins a further one. An id alone says
   * nothing, since some servers make up a new one for every fragment.
   */
  #keyOf(index: unknown, position: number, id: string, isNamed: boolean): string {
    const slot = typeof index === 'number' ? index : position;
    const known = this.#calls.get(slot);
    const isOther = id === '' || known?.id === '' ? index !== slot : id !== known?.id;
    if (known !== undefined && !(isNamed && isOther)) return known.key;
    this.#callCount += 1;
    const key = `call ${this.#callCount}`;
    this.#calls.set(slot, { key, id });
    return key;
  }

  /** A refusal, and a call that the request forced, end with `stop` on the wire. */
  #reasonOf(raw: string): FinishReason {
    const reason = FINISH_REASONS.get(raw) ?? this.#forms.finishReasons?.get(raw) ?? 'OTHER';
    if (reason !== 'STOP') return reason;
    if (this.#isRefused) return 'REFUSAL';
    return this.#callCount > 0 ? 'TOOL_CALLS' : 'STOP';
  }

  /** Some number their errors, and have no object for them: MiniMax `{"base_resp": {"status_code": …}}`, Baidu `error_code`. */
  #notAChunk(chunk: JsonRecord): readonly AdapterEvent[] {
    const isNumbered = isSet(chunk.base_resp) || isSet(chunk.error_code);
    const failure = isNumbered ? refusedInPlaceOfAnswer(chunk) : undefined;
    return failure === undefined ? UNKNOWN : this.#fail(failure);
  }

  /** What goes wrong after the end of an answer does not spoil it. */
  #fail(failure: Failure): readonly AdapterEvent[] {
    return this.#isFinished ? this.end() : this.#close([{ type: 'failure', failure }]);
  }

  #close(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
    this.#isClosed = true;
    return events;
  }
}

function firstChoice(body: JsonRecord | undefined): JsonRecord | undefined {
  const choices = body?.choices;
  if (!Array.isArray(choices)) return undefined;
  for (const item of choices) {
    const choice = asRecord(item);
    if (choice !== undefined && (choice.index === 0 || choice.index === undefined)) return choice;
  }
  return undefined;
}

function isError(value: unknown): boolean {
  return isSet(value) && value !== '';
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function add(events: AdapterEvent[], more: readonly AdapterEvent[]): void {
  for (const event of more) events.push(event);
}
