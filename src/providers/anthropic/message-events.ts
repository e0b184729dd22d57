import type { AdapterEvent, EventReader, WireEvent } from '../port/adapter.ts';
import { UNKNOWN } from '../port/adapter.ts';
import { AnswerParts } from '../shared/answer-parts.ts';
import type { OpenBlock } from './block-places.ts';
import { BlockPlaces, deltaType, inputText, SERVER_TOOLS } from './block-places.ts';
import { anthropicInBandFailure, anthropicTextFailure } from './error-types.ts';
import { encodeState } from './thinking-state.ts';
import { anthropicUsage, mergeUsage } from './message-usage.ts';
import { Identity } from '../shared/identity.ts';
import { JsonSource } from '../shared/json/source-text.ts';
import { isSaid, nameIn, wordsIn } from '../shared/json/odd-value.ts';
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

class AnthropicReader {
  readonly #identity = new Identity();
  readonly #parts = new AnswerParts(() => this.#identity.responseId);
  readonly #source = new JsonSource();
  /** By index; the blocks that are the server's own affair (its tools and their results) are undefined. */
  readonly #blocks = new Map<number, OpenBlock | undefined>();
  readonly #open = new Set<number>();
  readonly #places = new BlockPlaces();
  #count = 0;
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

  /** `[DONE]`, which some servers send, says nothing here but behind a reason, where it stands for the marker of this API. */
  #readOdd(name: string, data: string): readonly AdapterEvent[] {
    const isEnd = data === DONE && endingOf(this.#stopReason).type === 'known';
    if (data === '' || data === DONE) return isEnd ? this.#settled(this.#finish()) : NOTHING;
    const documents = gluedDocuments(data);
    if (documents === undefined) return this.#settled([{ type: 'failure', failure: anthropicTextFailure(name, data) }]);
    return upToFailure(documents.flatMap((document) => this.read({ name, data: document })));
  }

  #settled(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
    this.#isOver = events.some(({ type }) => type === 'failure' || type === 'end');
    return this.#isOver ? upToFailure(events) : events;
  }

  #event(type: unknown, data: JsonRecord): readonly AdapterEvent[] {
    switch (type) {
      case 'message_start':
        return this.#messageStart(asRecord(data.message));
      case 'content_block_start':
        return this.#startNext(this.#places.next(data.index), asRecord(data.content_block));
      case 'content_block_delta':
        return this.#delta(this.#places.current(data.index), asRecord(data.delta));
      case 'content_block_stop':
        return this.#stop(this.#places.current(data.index));
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

  /** A block at the place of another follows it: some servers give each the index 0. */
  #startNext(index: number | undefined, block: JsonRecord | undefined): readonly AdapterEvent[] {
    if (index === undefined) return MALFORMED;
    return this.#open.has(index) ? [...this.#stop(index), ...this.#start(index, block)] : this.#start(index, block);
  }

  #start(index: number, block: JsonRecord | undefined): readonly AdapterEvent[] {
    if (block === undefined) return MALFORMED;
    this.#count += 1;
    const key = String(this.#count);
    switch (block.type) {
      case 'text':
        this.#begin(index, key, 'text');
        return this.#words('text', key, block.text ?? '');
      case 'thinking':
        this.#begin(index, key, 'thinking', { signature: textOf(block.signature) });
        return this.#words('reasoning', key, block.thinking ?? '');
      case 'redacted_thinking':
        this.#blocks.set(index, undefined);
        return this.#parts.finish(
          key,
          encodeState({ type: 'redacted_thinking', data: textOf(block.data), ...this.#madeBy() }),
        );
      case 'tool_use':
        this.#begin(index, key, 'tool_use', { input: inputText(block.input, this.#source) });
        return this.#parts.call(key, { id: nameIn(block.id), name: nameIn(block.name), argumentsFragment: '' });
      default:
        this.#blocks.set(index, undefined);
        if (SERVER_TOOLS.test(textOf(block.type))) return NOTHING;
        this.#hasUnknown = true;
        return UNKNOWN;
    }
  }

  #begin(
    index: number,
    key: string,
    kind: OpenBlock['kind'],
    { input = '', signature = '' }: Partial<OpenBlock> = {},
  ): void {
    this.#blocks.set(index, { kind, key, input, signature, hasFragments: false });
    this.#open.add(index);
  }

  #words(kind: 'text' | 'reasoning', key: string, value: unknown): readonly AdapterEvent[] {
    const words = value === undefined ? undefined : wordsIn(value);
    return words === undefined ? MALFORMED : this.#parts.text(kind, key, words);
  }

  #delta(index: number | undefined, delta: JsonRecord | undefined): readonly AdapterEvent[] {
    if (index === undefined || delta === undefined) return MALFORMED;
    const type = deltaType(delta);
    if (!this.#blocks.has(index)) return this.#deltaAlone(index, type, delta);
    const block = this.#blocks.get(index);
    if (block === undefined) return NOTHING;
    const { key } = block;
    switch (type) {
      case 'text_delta':
        return this.#words('text', key, delta.text);
      case 'thinking_delta':
        return this.#words('reasoning', key, delta.thinking);
      case 'signature_delta':
        block.signature = textOf(delta.signature) || block.signature;
        return NOTHING;
      case 'input_json_delta':
        return this.#input(block, inputText(delta.partial_json, this.#source));
      case 'citations_delta':
        return NOTHING;
      default:
        this.#hasUnknown = true;
        return UNKNOWN;
    }
  }

  /** Some servers tell words of a block without its beginning; a call without it has no name. */
  #deltaAlone(index: number, type: unknown, delta: JsonRecord): readonly AdapterEvent[] {
    const kind = type === 'text_delta' ? 'text' : type === 'thinking_delta' ? 'thinking' : undefined;
    if (kind === undefined || this.#blocks.size > 0) return MALFORMED;
    return [...this.#start(index, { type: kind }), ...this.#delta(index, delta)];
  }

  /** Some servers tell that there are no arguments, and then the arguments. */
  #input(block: OpenBlock, argumentsFragment: string): readonly AdapterEvent[] {
    if (argumentsFragment === '{}' && !block.hasFragments) return NOTHING;
    if (argumentsFragment !== '') block.hasFragments = true;
    return this.#parts.call(block.key, { id: '', name: '', argumentsFragment });
  }

  #stop(index: number | undefined): readonly AdapterEvent[] {
    if (index === undefined || !this.#blocks.has(index)) return MALFORMED;
    this.#open.delete(index);
    const block = this.#blocks.get(index);
    if (block === undefined) return NOTHING;
    const { kind, key, signature } = block;
    if (kind === 'tool_use' && !block.hasFragments) {
      const told = this.#parts.call(key, { id: '', name: '', argumentsFragment: block.input });
      return [...told, ...this.#parts.finish(key)];
    }
    // Other servers that speak this API may sign nothing, and want it back all the same.
    const isThinking = kind === 'thinking' && (signature !== '' || this.#parts.has(key));
    if (!isThinking) return this.#parts.finish(key);
    return this.#parts.finish(key, encodeState({ type: 'thinking', signature, ...this.#madeBy() }));
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
    const raw = ending.type === 'none' ? '' : ending.raw;
    const ended = reasonBesideCalls(isKnown ? ending.reason : 'OTHER', this.#parts.callCount, this.#parts.isEmpty);
    return [
      ...stopped,
      ...this.#parts.finishAll(),
      finishEvent({ reason: ended, raw, isKnown, hasUnknown: this.#hasUnknown }),
      { type: 'end' },
    ];
  }
}
