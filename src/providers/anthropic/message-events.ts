import type { FinishReason } from '../../core/answer.ts';
import type { AdapterEvent, EventReader, WireEvent } from '../port/adapter.ts';
import { UNKNOWN } from '../port/adapter.ts';
import { AnswerParts } from '../shared/answer-parts.ts';
import { anthropicInBandFailure } from './error-types.ts';
import { encodeState } from './thinking-state.ts';
import { anthropicUsage, mergeUsage } from './message-usage.ts';
import { Identity } from '../shared/identity.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf, parseJson, textOf, wordOf } from '../shared/json/value.ts';
import { inPlaceOfAnswer } from '../shared/errors/refusal-failure.ts';
import { providerFailure } from '../shared/provider-failure.ts';

const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'STOP'],
  ['stop_sequence', 'STOP'],
  ['max_tokens', 'LENGTH'],
  ['model_context_window_exceeded', 'LENGTH'],
  ['tool_use', 'TOOL_CALLS'],
  ['refusal', 'REFUSAL'],
]);

const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/** Makes a reader of a streamed answer of the Messages API. `message_stop` is its terminal marker. */
export function anthropicEvents(): EventReader {
  const reader = new AnthropicReader();
  return (event) => reader.read(event);
}

/** Reads a whole answer of the Messages API. */
export function anthropicResponse(json: unknown): readonly AdapterEvent[] {
  const message = asRecord(json);
  if (message?.type === 'error') return [{ type: 'failure', failure: anthropicInBandFailure(message) }];
  if (message === undefined) return MALFORMED;
  if (!Array.isArray(message.content)) return inPlaceOfAnswer(message);
  return new AnthropicReader().whole(message, message.content);
}

/** Blocks of tools that run at the provider. */
const OF_SERVER = /_tool_(use|result)$/;

/** A block that goes into the answer, from its start to its end. */
interface Block {
  readonly kind: 'text' | 'thinking' | 'tool_use';
  /** The whole input of a call, where no fragments of it follow. */
  readonly input?: unknown;
  hasFragments: boolean;
  signature?: string;
}

class AnthropicReader {
  readonly #identity = new Identity();
  readonly #parts = new AnswerParts();
  /** By index; the blocks that are the server's own affair (its tools and their results) are undefined. */
  readonly #blocks = new Map<number, Block | undefined>();
  #usage: JsonRecord = {};
  #stopReason: unknown;
  #isOver = false;

  read(event: WireEvent): readonly AdapterEvent[] {
    if (this.#isOver) return [];
    const data = asRecord(parseJson(event.data));
    // The error of another server may have a type of its own.
    const type = event.name === 'error' ? 'error' : (data?.type ?? event.name);
    const events = data === undefined ? MALFORMED : this.#event(type, data);
    const last = events.at(-1)?.type;
    this.#isOver = last === 'end' || last === 'failure';
    return events;
  }

  whole(message: JsonRecord, content: readonly unknown[]): readonly AdapterEvent[] {
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

  #event(type: unknown, data: JsonRecord): readonly AdapterEvent[] {
    switch (type) {
      case 'message_start':
        return this.#messageStart(asRecord(data.message));
      case 'content_block_start':
        return this.#start(countOf(data.index), asRecord(data.content_block));
      case 'content_block_delta':
        return this.#delta(countOf(data.index), asRecord(data.delta));
      case 'content_block_stop':
        return this.#stop(countOf(data.index));
      case 'message_delta':
        this.#stopReason = asRecord(data.delta)?.stop_reason ?? this.#stopReason;
        this.#usage = mergeUsage(this.#usage, data.usage);
        return [{ type: 'usage', usage: anthropicUsage(this.#usage) }];
      case 'message_stop':
        return this.#finish();
      case 'error':
        return [{ type: 'failure', failure: anthropicInBandFailure(data) }];
      case 'ping':
        return [];
      default:
        return asRecord(data.error) === undefined
          ? UNKNOWN
          : [{ type: 'failure', failure: anthropicInBandFailure(data) }];
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
        this.#blocks.set(index, { kind: 'text', hasFragments: false });
        return this.#parts.text('text', key, textOf(block.text));
      case 'thinking':
        this.#blocks.set(index, { kind: 'thinking', hasFragments: false, signature: textOf(block.signature) });
        return this.#parts.text('reasoning', key, textOf(block.thinking));
      case 'redacted_thinking':
        this.#blocks.set(index, undefined);
        return this.#parts.finish(
          key,
          encodeState({ type: 'redacted_thinking', data: textOf(block.data), ...this.#madeBy() }),
        );
      case 'tool_use':
        this.#blocks.set(index, { kind: 'tool_use', input: block.input, hasFragments: false });
        return this.#parts.call(key, { id: textOf(block.id), name: textOf(block.name), argumentsFragment: '' });
      default:
        this.#blocks.set(index, undefined);
        return OF_SERVER.test(textOf(block.type)) ? [] : UNKNOWN;
    }
  }

  #delta(index: number | undefined, delta: JsonRecord | undefined): readonly AdapterEvent[] {
    if (index === undefined || delta === undefined || !this.#blocks.has(index)) return MALFORMED;
    const block = this.#blocks.get(index);
    if (block === undefined) return [];
    const key = String(index);
    switch (delta.type) {
      case 'text_delta':
        return typeof delta.text === 'string' ? this.#parts.text('text', key, delta.text) : MALFORMED;
      case 'thinking_delta':
        return typeof delta.thinking === 'string' ? this.#parts.text('reasoning', key, delta.thinking) : MALFORMED;
      case 'signature_delta':
        block.signature = textOf(delta.signature);
        return [];
      case 'input_json_delta':
        if (typeof delta.partial_json !== 'string') return MALFORMED;
        if (delta.partial_json !== '') block.hasFragments = true;
        return this.#parts.call(key, { id: '', name: '', argumentsFragment: delta.partial_json });
      case 'citations_delta':
        return [];
      default:
        return UNKNOWN;
    }
  }

  #stop(index: number | undefined): readonly AdapterEvent[] {
    if (index === undefined || !this.#blocks.has(index)) return MALFORMED;
    const block = this.#blocks.get(index);
    const key = String(index);
    if (block?.kind === 'tool_use' && !block.hasFragments) {
      const argumentsFragment = JSON.stringify(asRecord(block.input) ?? {});
      return [...this.#parts.call(key, { id: '', name: '', argumentsFragment }), ...this.#parts.finish(key)];
    }
    const signature = block?.signature ?? '';
    const state = signature === '' ? undefined : encodeState({ type: 'thinking', signature, ...this.#madeBy() });
    return this.#parts.finish(key, state);
  }

  /** Newer models take back only what they thought themselves. */
  #madeBy(): { readonly model?: string } {
    return this.#identity.model === '' ? {} : { model: this.#identity.model };
  }

  #finish(): readonly AdapterEvent[] {
    const raw = wordOf(this.#stopReason) ?? '';
    return [
      ...this.#parts.finishAll(),
      { type: 'finish', reason: FINISH_REASONS.get(raw) ?? 'OTHER', raw },
      { type: 'end' },
    ];
  }
}
