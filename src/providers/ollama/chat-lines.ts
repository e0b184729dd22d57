import type { AdapterEvent, EventReader, WireEvent } from '../port/adapter.ts';
import { UNKNOWN } from '../port/adapter.ts';
import { AnswerParts } from '../shared/answer-parts.ts';
import { Identity } from '../shared/identity.ts';
import { JsonSource } from '../shared/json/source-text.ts';
import { isSaid, nameIn, wordsIn } from '../shared/json/odd-value.ts';
import { stateBytes } from '../shared/json/state-bytes.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf, parseJson, textOf } from '../shared/json/value.ts';
import { refusedInBand } from '../shared/errors/refusal-failure.ts';
import { providerFailure } from '../shared/provider-failure.ts';
import { finishEvent, reasonBesideCalls } from '../shared/reading/finish-event.ts';
import { endingOf } from '../shared/reading/finish-words.ts';
import { upToFailure } from '../shared/reading/up-to-failure.ts';

const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/** What reasoning is known by when it comes back; the API wants nothing but its text. */
const THINKING = stateBytes({ type: 'thinking' });

/** Makes a reader of a streamed answer, one JSON object per line. `done: true` is its terminal marker. */
export function ollamaEvents(): EventReader {
  const reader = new OllamaReader();
  return (event) => reader.read(event);
}

/** Reads a whole answer: it has the form of the last line of a stream, with all of the message in it; `text` is the body. */
export function ollamaResponse(json: unknown, text?: string): readonly AdapterEvent[] {
  const events = new OllamaReader().object(asRecord(json), text);
  const last = events.at(-1);
  if (last?.type === 'end') return events;
  return last?.type === 'failure' ? [last] : MALFORMED;
}

class OllamaReader {
  readonly #identity = new Identity();
  readonly #parts = new AnswerParts();
  readonly #source = new JsonSource();
  /** Reasoning, text and calls follow one another; a part ends where something else begins. */
  #current: { readonly kind: 'text' | 'reasoning'; readonly key: string } | undefined;
  #partCount = 0;
  #callNumber = 0;
  #isOver = false;

  read(event: WireEvent): readonly AdapterEvent[] {
    if (this.#isOver || event.data.trim() === '') return [];
    const parsed = parseJson(event.data);
    return parsed === null ? [] : this.object(asRecord(parsed), event.data);
  }

  object(data: JsonRecord | undefined, text: string | undefined): readonly AdapterEvent[] {
    this.#source.read(text, data);
    const events = upToFailure(this.#events(data));
    const last = events.at(-1)?.type;
    this.#isOver = last === 'end' || last === 'failure';
    return events;
  }

  #events(data: JsonRecord | undefined): readonly AdapterEvent[] {
    if (data === undefined) return MALFORMED;
    if (isSaid(data.error)) return [{ type: 'failure', failure: refusedInBand(data) }];
    if (data.message === undefined && data.done === undefined) return UNKNOWN;
    const message = isSaid(data.message) ? asRecord(data.message) : {};
    if (message === undefined) return MALFORMED;
    return [
      ...this.#identity.read(data.model, undefined),
      ...this.#text('reasoning', message.thinking ?? message.reasoning ?? message.reasoning_content),
      ...this.#text('text', message.content),
      ...(isSaid(message.tool_calls) ? this.#calls(message.tool_calls, textOf(data.created_at)) : []),
      ...(data.done === true || data.done === 'true' ? this.#finish(data) : []),
    ];
  }

  #text(kind: 'text' | 'reasoning', value: unknown): readonly AdapterEvent[] {
    const text = typeof value === 'string' ? value : wordsIn(value);
    if (text === undefined) return MALFORMED;
    if (text === '') return [];
    const ended = this.#current?.kind === kind ? [] : this.#endCurrent();
    this.#current ??= { kind, key: this.#newKey() };
    return [...ended, ...this.#parts.text(kind, this.#current.key, text)];
  }

  #calls(value: unknown, createdAt: string): readonly AdapterEvent[] {
    const calls: readonly unknown[] = Array.isArray(value) ? value : [value];
    return calls.flatMap((item) => {
      const call = asRecord(item);
      if (call === undefined) return isSaid(item) ? MALFORMED : [];
      return this.#call(call, createdAt);
    });
  }

  /**
   * Calls come whole, with their arguments as an object. Older servers give them no id: theirs is made of the time at which
   * they were written, because it must not come again in a later turn.
   */
  #call(call: JsonRecord, createdAt: string): readonly AdapterEvent[] {
    const details = asRecord(call.function) ?? call;
    const id = nameIn(call.id) || `call_${createdAt.replaceAll(/\D/g, '')}_${this.#callNumber}`;
    const given = details.arguments;
    const argumentsFragment = typeof given === 'string' ? given : isSaid(given) ? this.#source.write(given) : '{}';
    const key = this.#newKey();
    this.#callNumber += 1;
    const told = [
      ...this.#parts.call(key, { id, name: nameIn(details.name), argumentsFragment }),
      ...this.#parts.finish(key),
    ];
    return told.length === 0 ? told : [...this.#endCurrent(), ...told];
  }

  /** The server leaves the reason out where the model's process was cut off: that is no proper stop. */
  #finish(data: JsonRecord): readonly AdapterEvent[] {
    const ending = endingOf(data.done_reason);
    if (ending.type === 'broken') return [{ type: 'failure', failure: refusedInBand({ code: ending.raw }) }];
    const isKnown = ending.type === 'known';
    const reason = isKnown ? ending.reason : 'OTHER';
    const ended = reasonBesideCalls(reason, this.#parts.callCount, this.#parts.isEmpty);
    return [
      ...this.#endCurrent(),
      ...this.#parts.finishAll(),
      ...usageOf(data),
      finishEvent({ reason: ended, raw: ending.type === 'none' ? '' : ending.raw, isKnown, hasUnknown: false }),
      { type: 'end' },
    ];
  }

  #endCurrent(): readonly AdapterEvent[] {
    const ended = this.#current;
    this.#current = undefined;
    if (ended === undefined) return [];
    return this.#parts.finish(ended.key, ended.kind === 'reasoning' ? THINKING : undefined);
  }

  #newKey(): string {
    this.#partCount += 1;
    return String(this.#partCount);
  }
}

/**
 * Counts of zero are left out by the server. Beside a prompt's count a missing output count is therefore zero. A missing
 * prompt count is unknown: no prompt has zero tokens.
 */
function usageOf(data: JsonRecord): readonly AdapterEvent[] {
  const inputTokens = countOf(data.prompt_eval_count);
  const outputTokens = countOf(data.eval_count) ?? (inputTokens === undefined ? undefined : 0);
  return inputTokens === undefined && outputTokens === undefined
    ? []
    : [{ type: 'usage', usage: { inputTokens, outputTokens } }];
}
