import type { FinishReason } from '../../../core/answer.ts';
import type { Failure } from '../../../core/failure.ts';
import type { TokenUsage } from '../../../core/ports.ts';
import type { AdapterEvent, EventReader, RepeatedForm, RepeatedReader, WireEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import { Identity } from '../../shared/identity.ts';
import { isSaid } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, parseJson } from '../../shared/json/value.ts';
import {
  failureOfText,
  inPlaceOfAnswer,
  refusedInBand,
  refusedInPlaceOfAnswer,
} from '../../shared/errors/refusal-failure.ts';
import { providerFailure } from '../../shared/provider-failure.ts';
import { addEvents } from '../../shared/reading/add-events.ts';
import { finishEvent } from '../../shared/reading/finish-event.ts';
import { endingOf } from '../../shared/reading/finish-words.ts';
import { DONE, gluedDocuments } from '../../shared/reading/glued-documents.ts';
import { upToFailure } from '../../shared/reading/up-to-failure.ts';
import { chatUsage, laterUsage } from '../shared/token-usage.ts';
import type { MessageFields } from './first-choice.ts';
import { firstChoice, messageOf } from './first-choice.ts';
import { MessagePieces } from './message-pieces.ts';
import { RepeatedChunks } from './repeated-chunks.ts';

/** What of answers the providers that speak Chat Completions have in different forms. */
export interface AnswerForms {
  /** Whether reasoning and what stands beside it get a state, by which they are known when the caller brings them back. */
  readonly keepsReasoning: boolean;
}

/**
 * Reads a whole answer of Chat Completions; `text` is the body. Of several choices only the first counts. The end of the body
 * is its end, so that an answer without a finish reason that anybody knows is one, with reason OTHER; one that has neither a
 * reason nor any output is none.
 */
export function completionResponse(json: unknown, forms: AnswerForms, text?: string): readonly AdapterEvent[] {
  const body = asRecord(json);
  return body === undefined ? [{ type: 'failure', failure: MALFORMED }] : new ChatReader(forms).readWhole(body, text);
}

/**
 * Makes a reader for a streamed answer of Chat Completions. Chunks without choices, or whose choice has no delta (Azure's
 * filters), say nothing, nor does `null`; usage comes with the last choice or after it. A finish reason that is known ends the
 * answer; where there is none, or one that nobody knows, `[DONE]` does, with reason OTHER.
 */
export function chatEvents(forms: AnswerForms): EventReader {
  const reader = new ChatReader(forms);
  return Object.assign((event: WireEvent) => reader.readEvent(event), { repeated: reader });
}

const NOTHING: readonly AdapterEvent[] = [];
const NO_FORMS: readonly RepeatedForm[] = [];

const MALFORMED: Failure = providerFailure('protocol');

const WHOLE: MessageFields = ['message', 'delta', 'text'];
const PIECE: MessageFields = ['delta', 'text'];
const FIRST_PIECE: MessageFields = ['delta', 'message', 'text'];

/** Remembers what one answer has told so far. */
class ChatReader implements RepeatedReader {
  readonly #identity = new Identity();
  readonly #pieces: MessagePieces;
  #serviceTier: unknown;
  /** As told so far. */
  #usage: TokenUsage | undefined;
  /** A finish reason that nobody knows; empty where there was none. */
  #unknownReason = '';
  #isClosed = false;
  #isFinished = false;
  /** Of a stream alone. */
  #repeated: RepeatedChunks | undefined;

  constructor(forms: AnswerForms) {
    this.#pieces = new MessagePieces(() => this.#identity.responseId, forms.keepsReasoning);
  }

  forms(): readonly RepeatedForm[] {
    return this.#isFinished || this.#isClosed ? NO_FORMS : (this.#repeated?.forms() ?? NO_FORMS);
  }

  read(form: RepeatedForm, text: string): readonly AdapterEvent[] {
    this.#repeated?.came(form);
    return this.#settled(this.#pieces.readText(form.kind, text));
  }

  readEvent(event: WireEvent): readonly AdapterEvent[] {
    const data = event.data.trim();
    if (this.#isClosed || data === '') return NOTHING;
    const repeated = this.#isFinished ? undefined : this.#repeated?.read(event.name, data);
    if (repeated !== undefined) return this.#settled(this.#pieces.readText(repeated.kind, repeated.text));
    if (data === DONE)
      return this.#saysNothing ? this.#fail(MALFORMED) : this.#settled([...this.#end(), { type: 'end' }]);
    const parsed = parseJson(data);
    if (parsed === null) return NOTHING;
    const chunk = asRecord(parsed);
    if (chunk === undefined) return this.#readGlued(event.name, data);
    const error = errorIn(chunk, event.name);
    if (error !== undefined) return this.#fail(refusedInBand(error));
    if (!Array.isArray(chunk.choices) && !isSaid(chunk.usage)) {
      return isSaid(chunk.choices) ? this.#fail(MALFORMED) : this.#notAChunk(chunk);
    }
    const [tier, reason] = [this.#serviceTier, this.#unknownReason];
    this.#serviceTier = chunk.service_tier ?? tier;
    const fields = this.#pieces.isEmpty ? FIRST_PIECE : PIECE;
    const choice = firstChoice(chunk.choices);
    const told = this.#settled(this.#readBody(chunk, choice, fields, data));
    this.#repeated ??= new RepeatedChunks();
    if (event.name === '')
      this.#repeated.learn(data, choice, told, tier === this.#serviceTier && reason === this.#unknownReason);
    else this.#repeated.forget();
    return told;
  }

  readWhole(body: JsonRecord, text: string | undefined): readonly AdapterEvent[] {
    const error = errorIn(body, '');
    if (error !== undefined) return this.#fail(refusedInBand(error));
    const choice = firstChoice(body.choices);
    if (choice === undefined) return inPlaceOfAnswer(body);
    this.#serviceTier = body.service_tier;
    const events = [...this.#readBody(body, choice, WHOLE, text)];
    const saysNothing = this.#saysNothing;
    addEvents(events, this.#end());
    const failure = events.find(({ type }) => type === 'failure');
    if (failure !== undefined) return [failure];
    return saysNothing ? [{ type: 'failure', failure: MALFORMED }] : [...events, { type: 'end' }];
  }

  /** Whether there was neither output nor a reason for the end. */
  get #saysNothing(): boolean {
    return !this.#isFinished && this.#unknownReason === '' && this.#pieces.isEmpty && !this.#pieces.hasUnknown;
  }

  /** Data that are no document may be several, or one with the end marker behind it. */
  #readGlued(name: string, data: string): readonly AdapterEvent[] {
    const documents = gluedDocuments(data);
    if (documents === undefined) return this.#fail(failureOfText(name, data));
    return upToFailure(documents.flatMap((document) => this.readEvent({ name, data: document })));
  }

  #readBody(
    body: JsonRecord,
    choice: JsonRecord | undefined,
    fields: MessageFields,
    text: string | undefined,
  ): readonly AdapterEvent[] {
    const events: AdapterEvent[] = [];
    this.#pieces.source.read(text, body);
    addEvents(events, this.#identity.read(body.model, body.id));
    if (choice !== undefined && !this.#isFinished) this.#readChoice(choice, fields, events);
    if (!this.#readUsage(body.usage, events) && !this.#readUsage(choice?.usage, events))
      this.#readUsage(asRecord(body.x_groq)?.usage, events);
    if (choice !== undefined) addEvents(events, this.#readReason(choice.finish_reason));
    return events;
  }

  /** Returns whether there are counts in a usage, which are added to `events`. */
  #readUsage(value: unknown, events: AdapterEvent[]): boolean {
    if (!isSaid(value)) return false;
    const [event] = chatUsage(value, this.#serviceTier);
    if (event?.type !== 'usage') return false;
    this.#usage = laterUsage(this.#usage, event.usage);
    events.push({ type: 'usage', usage: this.#usage });
    return true;
  }

  /** Adds what a choice says of the answer to `events`. Some routers put the error of a provider into it. */
  #readChoice(choice: JsonRecord, fields: MessageFields, events: AdapterEvent[]): void {
    const message = messageOf(choice, fields);
    if (isSaid(choice.error)) events.push({ type: 'failure', failure: refusedInBand(choice.error) });
    else if (message === 'malformed') events.push({ type: 'failure', failure: MALFORMED });
    else if (message !== undefined) this.#pieces.read(message, events);
  }

  #readReason(value: unknown): readonly AdapterEvent[] {
    const ending = endingOf(value);
    switch (ending.type) {
      case 'none':
        return NOTHING;
      case 'known':
        return this.#finish(this.#pieces.reasonOf(ending.reason), ending.raw, true);
      case 'broken':
        return this.#isFinished ? NOTHING : [{ type: 'failure', failure: refusedInBand({ code: ending.raw }) }];
      case 'unknown':
        this.#unknownReason = ending.raw;
        return NOTHING;
    }
  }

  /** The answer has ended; where no known reason has said so, it is not known why. */
  #end(): readonly AdapterEvent[] {
    return this.#finish('OTHER', this.#unknownReason, false);
  }

  #finish(reason: FinishReason, raw: string, isKnown: boolean): readonly AdapterEvent[] {
    if (this.#isFinished) return NOTHING;
    this.#isFinished = true;
    const told = this.#pieces.end();
    return [...told, finishEvent({ reason, raw, isKnown, hasUnknown: this.#pieces.hasUnknown })];
  }

  /** Nothing follows a failure or the end. */
  #settled(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
    for (const { type } of events) if (type === 'failure' || type === 'end') this.#isClosed = true;
    return this.#isClosed ? upToFailure(events) : events;
  }

  /** Some number their errors, and have no object for them: MiniMax `{"base_resp": {"status_code": …}}`, Baidu `error_code`. */
  #notAChunk(chunk: JsonRecord): readonly AdapterEvent[] {
    const isNumbered = isSaid(chunk.base_resp) || isSaid(chunk.error_code);
    const failure = isNumbered ? refusedInPlaceOfAnswer(chunk) : undefined;
    return failure === undefined ? UNKNOWN : this.#fail(failure);
  }

  /** What goes wrong after the end of an answer does not spoil it. */
  #fail(failure: Failure): readonly AdapterEvent[] {
    this.#isClosed = true;
    return [this.#isFinished ? { type: 'end' } : { type: 'failure', failure }];
  }
}

/**
 * Returns the error that an object has or is: in its field `error`, by the name of its event, or words and a code without
 * anything of an answer.
 */
function errorIn(body: JsonRecord, name: string): unknown {
  if (isSaid(body.error)) return body.error;
  if (name === 'error' || body.object === 'error') return body;
  if (typeof body.message !== 'string' || isSaid(body.choices)) return undefined;
  return isSaid(body.code) || isSaid(body.type) ? body : undefined;
}
