import type { FinishReason } from '../../core/answer.ts';
import type { AdapterEvent, EventReader, WireEvent } from '../port/adapter.ts';
import { UNKNOWN } from '../port/adapter.ts';
import { AnswerParts } from '../shared/answer-parts.ts';
import { Identity } from '../shared/identity.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf, parseJson, recordsOf, textOf, wordOf } from '../shared/json/value.ts';
import { ollamaInBandFailure } from './error-texts.ts';
import { providerFailure } from '../shared/provider-failure.ts';

const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/** What reasoning is known by when it comes back; the API wants nothing but its text. */
const THINKING = new TextEncoder().encode(JSON.stringify({ type: 'thinking' }));

/** Makes a reader of a streamed answer, one JSON object per line. `done: true` is its terminal marker. */
export function ollamaEvents(): EventReader {
  const reader = new OllamaReader();
  return (event) => reader.read(event);
}

/** Reads a whole answer: it has the form of the last line of a stream, with all of the message in it. */
export function ollamaResponse(json: unknown): readonly AdapterEvent[] {
  const events = new OllamaReader().object(asRecord(json));
  const last = events.at(-1);
  if (last?.type === 'end') return events;
  return last?.type === 'failure' ? [last] : MALFORMED;
}

class OllamaReader {
  readonly #identity = new Identity();
  readonly #parts = new AnswerParts();
  /** Reasoning, text and calls follow one another; a part ends where something else begins. */
  #current: { readonly kind: 'text' | 'reasoning'; readonly key: string } | undefined;
  #partCount = 0;
  #callCount = 0;
  #isOver = false;

  read(event: WireEvent): readonly AdapterEvent[] {
    if (this.#isOver || event.data.trim() === '') return [];
    return this.object(asRecord(parseJson(event.data)));
  }

  object(data: JsonRecord | undefined): readonly AdapterEvent[] {
    const events = this.#events(data);
    const last = events.at(-1)?.type;
    this.#isOver = last === 'end' || last === 'failure';
    return events;
  }

  #events(data: JsonRecord | undefined): readonly AdapterEvent[] {
    if (data === undefined) return MALFORMED;
    if (data.error !== undefined) return [{ type: 'failure', failure: ollamaInBandFailure(data) }];
    if (data.message === undefined && data.done === undefined) return UNKNOWN;
    const message = data.message === undefined ? {} : asRecord(data.message);
    if (message === undefined || !isText(message.content) || !isText(message.thinking)) return MALFORMED;
    return [
      ...this.#identity.read(data.model, undefined),
      ...this.#text('reasoning', textOf(message.thinking)),
      ...this.#text('text', textOf(message.content)),
      ...recordsOf(message.tool_calls).flatMap((call) => this.#call(call, textOf(data.created_at))),
      ...(data.done === true ? this.#finish(data) : []),
    ];
  }

  #text(kind: 'text' | 'reasoning', text: string): readonly AdapterEvent[] {
    if (text === '') return [];
    const ended = this.#current?.kind === kind ? [] : this.#endCurrent();
    this.#current ??= { kind, key: this.#newKey() };
    return [...ended, ...this.#parts.text(kind, this.#current.key, text)];
  }

  /**
   * Calls come whole, with their arguments as an object. Older servers give them no id: theirs is made of the time at which
   * they were written, because it must not come again in a later turn.
   */
  #call(call: JsonRecord, createdAt: string): readonly AdapterEvent[] {
    const details = asRecord(call.function) ?? {};
    const id = textOf(call.id) || `call_${createdAt.replaceAll(/\D/g, '')}_${this.#callCount}`;
    const argumentsFragment = textOf(details.arguments) || JSON.stringify(details.arguments ?? {});
    const key = this.#newKey();
    this.#callCount += 1;
    return [
      ...this.#endCurrent(),
      ...this.#parts.call(key, { id, name: textOf(details.name), argumentsFragment }),
      ...this.#parts.finish(key),
    ];
  }

  #finish(data: JsonRecord): readonly AdapterEvent[] {
    const raw = wordOf(data.done_reason) ?? '';
    return [
      ...this.#endCurrent(),
      ...this.#parts.finishAll(),
      ...usageOf(data),
      { type: 'finish', reason: finishReason(raw, this.#callCount > 0), raw },
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

function isText(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

/** The server leaves the reason out where the model's process was cut off: that is no proper stop. */
function finishReason(raw: string, hasCalls: boolean): FinishReason {
  if (raw === 'length') return 'LENGTH';
  if (raw !== 'stop') return 'OTHER';
  return hasCalls ? 'TOOL_CALLS' : 'STOP';
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
