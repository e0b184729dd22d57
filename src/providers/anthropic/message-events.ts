import type { AdapterEvent, EventReader, WireEvent } from '../port/adapter.ts';
import { UNKNOWN } from '../port/adapter.ts';
import { AnswerParts } from '../shared/answer-parts.ts';
import { anthropicInBandFailure } from './error-types.ts';
import { encodeState } from './thinking-state.ts';
import { anthropicUsage, mergeUsage } from './message-usage.ts';
import { Identity } from '../shared/identity.ts';
import { JsonSource } from '../shared/json/source-text.ts';
import { indexIn, isSaid, nameIn, wordsIn } from '../shared/json/odd-value.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, parseJson, textOf } from '../shared/json/value.ts';
import { inPlaceOfAnswer } from '../shared/errors/refusal-failure.ts';
import { providerFailure } from '../shared/provider-failure.ts';
import { finishEvent, reasonBesideCalls } from '../shared/reading/finish-event.ts';
import { endingOf } from '../shared/reading/finish-words.ts';
import { DONE, gluedDocuments } from '../shared/reading/glued-documents.ts';
import { upToFailure } from '../shared/reading/up-to-failure.ts';

const NOTHING: readonly AdapterEvent[] = [];
const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/** Makes a reader of a streamed answer of the Messages API. `message_stop` is its terminal marker. */
export function anthropicEvents(): EventReader {
  const reader = new AnthropicReader();
  return (event) => reader.read(event);
}

/** Reads a whole answer of the Messages API; `text` is the body. */
export function anthropicResponse(json: unknown, text?: string): readonly AdapterEvent[] {
  const message = asRecord(json);
  if (message?.type === 'error' || isSaid(message?.error)) {
    return [{ type: 'failure', failure: anthropicInBandFailure(message) }];
  }
  if (message === undefined) return MALFORMED;
  if (!Array.isArray(message.content)) return inPlaceOfAnswer(message);
  return new AnthropicReader().whole(message, message.content, text);
}

/** Blocks of tools that run at the provider. */
const OF_SERVER = /_tool_(use|result)$/;

/** A block that goes into the answer, from its start to its end. */
interface Block {
  readonly kind: 'text' | 'thinking' | 'tool_use';
  /** The whole input of a call, as JSON, where no fragments of it follow. */
  readonly input: string;
  hasFragments: boolean;
  signature: string;
}

class AnthropicReader {
  readonly #identity = new Identity();
  readonly #parts = new AnswerParts(() => this.#identity.responseId);
  readonly #source = new JsonSource();
  /** By index; the blocks that are the server's own affair (its tools and their results) are undefined. */
  readonly #blocks = new Map<number, Block | undefined>();
  readonly #open = new Set<number>();
  #usage: JsonRecord = {};
  #stopReason: unknown;
  #hasUnknown = false;
  #isOver = false;

  read({ name, data }: WireEvent): readonly AdapterEvent[] {
    if (this.#isOver) return NOTHING;
    const parsed = parseJson(data);
    const body = asRecord(parsed);
    if (body === undefined) return parsed === null ? NOTHING : this.#readOdd(name, data.trim());
    this.#source.read(data, body);
    return this.#settled(this.#event(name === 'error' ? name : (body.type ?? name), body));
  }

  whole(message: JsonRecord, content: readonly unknown[], text: string | undefined): readonly AdapterEvent[] {
    this.#source.read(text, message);
    const events: AdapterEvent[] = [...this.#identity.read(message.model, message.id)];
    for (const [index, block] of content.entries()) {
      events.push(...this.#start(index, asRecord(block)), ...this.#stop(index));
    }
    this.#usage = mergeUsage(this.#usage, message.usage);
    this.#stopReason = message.stop_reason;
    events.push({ type: 'usage', usage: anthropicUsage(this.#usage) }, ...this.#finish());
    const failure = events.find(({ type }) => type === 'failure');
    return failure === undefined ? events : [failure];
  }

  /** `[DONE]`, which some servers send, says nothing here. */
  #readOdd(name: string, data: string): readonly AdapterEvent[] {
    if (data === '' || data === DONE) return NOTHING;
    const documents = gluedDocuments(data);
    if (documents === undefined) return this.#settled(MALFORMED);
    return upToFailure(documents.flatMap((document) => this.read({ name, data: document })));
  }

  #settled(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
    for (const { type } of events) if (type === 'failure' || type === 'end') this.#isOver = true;
    return this.#isOver ? upToFailure(events) : events;
  }

  #event(type: unknown, data: JsonRecord): readonly AdapterEvent[] {
    switch (type) {
      case 'message_start':
        return this.#messageStart(asRecord(data.message));
      case 'content_block_start':
        return this.#start(indexIn(data.index), asRecord(data.content_block));
      case 'content_block_delta':
        return this.#delta(indexIn(data.index), asRecord(data.delta));
      case 'content_block_stop':
        return this.#stop(indexIn(data.index));
      case 'message_delta':
        if (isSaid(asRecord(data.delta)?.stop_reason)) this.#stopReason = asRecord(data.delta)?.stop_reason;
        this.#usage = mergeUsage(this.#usage, data.usage);
        return [{ type: 'usage', usage: anthropicUsage(this.#usage) }];
      case 'message_stop':
        return this.#finish();
      case 'error':
        return [{ type: 'failure', failure: anthropicInBandFailure(isSaid(data.error) ? data : { error: data }) }];
      case 'ping':
        return NOTHING;
      default:
        return isSaid(data.error) ? [{ type: 'failure', failure: anthropicInBandFailure(data) }] : UNKNOWN;
    }
  }

  #messageStart(message: JsonRecord | undefined): readonly AdapterEvent[] {
    if (message === undefined) return MALFORMED;
    this.#usage = mergeUsage({}, message.usage);
    // What has been written so far is a placeholder here: a stream that breaks off must not be billed by it.
    const usage = { ...anthropicUsage(this.#usage), outputTokens: undefined, reasoningTokens: undefined };
    return [...this.#identity.read(message.model, message.id), { type: 'usage', usage }];
  }

  #start(index: number | undefined, block: JsonRecord | undefined): readonly AdapterEvent[] {
    if (index === undefined || block === undefined) return MALFORMED;
    const key = String(index);
    switch (block.type) {
      case 'text':
        this.#begin(index, 'text');
        return this.#words('text', key, block.text ?? '');
      case 'thinking':
        this.#begin(index, 'thinking', { signature: textOf(block.signature) });
        return this.#words('reasoning', key, block.thinking ?? '');
      case 'redacted_thinking':
        this.#blocks.set(index, undefined);
        return this.#parts.finish(
          key,
          encodeState({ type: 'redacted_thinking', data: textOf(block.data), ...this.#madeBy() }),
        );
      case 'tool_use':
        this.#begin(index, 'tool_use', { input: this.#inputText(block.input) });
        return this.#parts.call(key, { id: nameIn(block.id), name: nameIn(block.name), argumentsFragment: '' });
      default:
        this.#blocks.set(index, undefined);
        if (OF_SERVER.test(textOf(block.type))) return NOTHING;
        this.#hasUnknown = true;
        return UNKNOWN;
    }
  }

  #begin(index: number, kind: Block['kind'], { input = '', signature = '' }: Partial<Block> = {}): void {
    this.#blocks.set(index, { kind, input, signature, hasFragments: false });
    this.#open.add(index);
  }

  #words(kind: 'text' | 'reasoning', key: string, value: unknown): readonly AdapterEvent[] {
    const words = value === undefined ? undefined : wordsIn(value);
    return words === undefined ? MALFORMED : this.#parts.text(kind, key, words);
  }

  /** An object on the wire; some servers send its text, or an empty list for none. */
  #inputText(input: unknown): string {
    if (typeof input === 'string') return input;
    return !isSaid(input) || (Array.isArray(input) && input.length === 0) ? '' : this.#source.write(input);
  }

  #delta(index: number | undefined, delta: JsonRecord | undefined): readonly AdapterEvent[] {
    if (index === undefined || delta === undefined || !this.#blocks.has(index)) return MALFORMED;
    const block = this.#blocks.get(index);
    if (block === undefined) return NOTHING;
    const key = String(index);
    switch (delta.type) {
      case 'text_delta':
        return this.#words('text', key, delta.text);
      case 'thinking_delta':
        return this.#words('reasoning', key, delta.thinking);
      case 'signature_delta':
        block.signature = textOf(delta.signature) || block.signature;
        return NOTHING;
      case 'input_json_delta': {
        const argumentsFragment = this.#inputText(delta.partial_json);
        if (argumentsFragment !== '') block.hasFragments = true;
        return this.#parts.call(key, { id: '', name: '', argumentsFragment });
      }
      case 'citations_delta':
        return NOTHING;
      default:
        return UNKNOWN;
    }
  }

  #stop(index: number | undefined): readonly AdapterEvent[] {
    if (index === undefined || !this.#blocks.has(index)) return MALFORMED;
    this.#open.delete(index);
    const block = this.#blocks.get(index);
    const key = String(index);
    if (block?.kind === 'tool_use' && !block.hasFragments) {
      return [
        ...this.#parts.call(key, { id: '', name: '', argumentsFragment: block.input }),
        ...this.#parts.finish(key),
      ];
    }
    const signature = block?.signature ?? '';
    // Other servers that speak this API may sign nothing, and want it back all the same.
    const isThinking = block?.kind === 'thinking' && (signature !== '' || this.#parts.has(key));
    const state = isThinking ? encodeState({ type: 'thinking', signature, ...this.#madeBy() }) : undefined;
    return this.#parts.finish(key, state);
  }

  /** Newer models take back only what they thought themselves. */
  #madeBy(): { readonly model?: string } {
    return this.#identity.model === '' ? {} : { model: this.#identity.model };
  }

  /** Blocks that were never stopped end here. */
  #finish(): readonly AdapterEvent[] {
    const ending = endingOf(this.#stopReason);
    if (ending.type === 'broken')
      return [{ type: 'failure', failure: anthropicInBandFailure({ error: { type: ending.raw } }) }];
    const stopped = [...this.#open].flatMap((index) => this.#stop(index));
    const isKnown = ending.type === 'known';
    const reason = isKnown ? ending.reason : 'OTHER';
    const raw = ending.type === 'none' ? '' : ending.raw;
    const ended = reasonBesideCalls(reason, this.#parts.callCount, this.#parts.isEmpty);
    return [
      ...stopped,
      ...this.#parts.finishAll(),
      finishEvent({ reason: ended, raw, isKnown, hasUnknown: this.#hasUnknown }),
      { type: 'end' },
    ];
  }
}
