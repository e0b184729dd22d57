import type { FinishReason } from '../../../core/answer.ts';
import type { AdapterEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import { AnswerParts } from '../../shared/answer-parts.ts';
import type { JsonSource } from '../../shared/json/source-text.ts';
import { nameIn } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../shared/json/value.ts';
import { CallItems } from './call-items.ts';
import { ItemKeys } from './item-keys.ts';
import { MessageItems } from './message-items.ts';
import { ReasoningItems } from './reasoning-items.ts';

/** Events that say nothing which others do not say. */
const REPEATED: ReadonlySet<string> = new Set([
  'keepalive',
  'response.queued',
  'response.reasoning_part.added',
  'response.reasoning_part.done',
  'response.reasoning_summary_part.added',
  'response.output_text.annotation.added',
]);

/** Events and items of tools that run at the provider. */
const OF_SERVER = /(^|[._])(mcp_|\w+_call(\.|_code|_output|$))/;

/** Items that the provider keeps for itself. */
const FOR_ITSELF: ReadonlySet<string> = new Set([
  'program',
  'program_output',
  'tool_search_output',
  'additional_tools',
  'compaction',
]);

/** Calls that the caller would have to carry out, of tools that the contract does not have. */
const OF_CALLER = /^(custom_tool|computer|local_shell|shell|apply_patch)_call$/;

const IS_REASONING = /^(reasoning|summary)/;

const NOTHING: readonly AdapterEvent[] = [];

/**
 * Reads the output items of one response, whole or in events. Each text, refusal or summary is a part of the answer, and so
 * is each function call; the state of a reasoning item goes with its last part, the phase of a message with its texts. What
 * no delta told is read from the end of its part, of its item or of the response, whichever has it first. Items of unknown
 * types are ignored, and counted.
 */
export class ResponsesOutput {
  readonly #parts = new AnswerParts();
  readonly #items = new ItemKeys();
  readonly #messages = new MessageItems(this.#parts);
  readonly #reasoning = new ReasoningItems(this.#parts);
  readonly #calls: CallItems;
  readonly #unknown = new Set<string>();

  /** @param source the text that what is read was parsed from. */
  constructor(source: JsonSource) {
    this.#calls = new CallItems(this.#parts, source);
  }

  /** Whether an item or a part was of a kind that nobody knows. */
  get hasUnknown(): boolean {
    return this.#unknown.size > 0 || this.#messages.hasUnknown || this.#reasoning.hasUnknown;
  }

  /** Whether nothing of the answer was told. */
  get isEmpty(): boolean {
    return this.#parts.isEmpty;
  }

  /** Reads an event about the output. */
  readEvent(type: string, event: JsonRecord): readonly AdapterEvent[] {
    switch (type) {
      case 'response.output_text.delta':
        return this.#messages.delta(this.#items.keyOf(event, 'message'), event, 'output_text');
      case 'response.refusal.delta':
        return this.#messages.delta(this.#items.keyOf(event, 'message'), event, 'refusal');
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_summary.delta':
        return this.#reasoning.delta(this.#items.keyOf(event, 'reasoning'), event, 'summary');
      case 'response.reasoning_text.delta':
      case 'response.reasoning.delta':
      case 'response.reasoning_content.delta':
        return this.#reasoning.delta(this.#items.keyOf(event, 'reasoning'), event, 'text');
      case 'response.function_call_arguments.delta':
        return this.#calls.delta(this.#items.keyOf(event, 'function_call'), event.delta);
      case 'response.output_item.added':
        return this.#itemAdded(event);
      case 'response.output_item.done':
        return this.#itemDone(event);
      default:
        return this.#readEndOfPart(type, event);
    }
  }

  /** Reads the `output` of a whole response; that at the end of a stream tells what the stream did not tell. */
  readWhole(output: unknown): readonly AdapterEvent[] {
    const items = recordsOf(output);
    const keys = this.#items.keysOf(items);
    return items.flatMap((item, position) => this.#item(keys[position] ?? '', item));
  }

  /** Ends all parts that are still open. */
  finish(): readonly AdapterEvent[] {
    return this.#parts.finishAll();
  }

  /** Why a completed response ended, by what it consists of. */
  finishReason(): FinishReason {
    if (this.#parts.callCount > 0) return 'TOOL_CALLS';
    return this.#messages.isRefused ? 'REFUSAL' : 'STOP';
  }

  #readEndOfPart(type: string, event: JsonRecord): readonly AdapterEvent[] {
    switch (type) {
      case 'response.content_part.added':
        if (!isReasoning(event.part)) this.#messages.beginPart(this.#items.keyOf(event, 'message'), event);
        return NOTHING;
      case 'response.content_part.done':
        return this.#partDone(event, asRecord(event.part) ?? {});
      case 'response.output_text.done':
        return this.#partDone(event, { type: 'output_text', text: event.text });
      case 'response.refusal.done':
        return this.#partDone(event, { type: 'refusal', refusal: event.refusal });
      case 'response.reasoning_summary_text.done':
        return this.#reasoningDone(event, 'summary', event.text);
      case 'response.reasoning_summary_part.done':
        return this.#reasoningDone(event, 'summary', event.part);
      case 'response.reasoning_text.done':
        return this.#reasoningDone(event, 'text', event.text);
      case 'response.function_call_arguments.done': {
        const key = this.#items.keyOf(event, 'function_call');
        const { call_id: callId, name } = event;
        return [
          ...this.#calls.begin(key, { call_id: callId, name }),
          ...this.#calls.endArguments(key, event.arguments),
        ];
      }
      default:
        return REPEATED.has(type) || OF_SERVER.test(type) ? NOTHING : UNKNOWN;
    }
  }

  #partDone(event: JsonRecord, part: JsonRecord): readonly AdapterEvent[] {
    if (isReasoning(part)) return this.#reasoningDone(event, 'text', part);
    return this.#messages.endPart(this.#items.keyOf(event, 'message'), event, part);
  }

  #reasoningDone(event: JsonRecord, place: 'summary' | 'text', words: unknown): readonly AdapterEvent[] {
    return this.#reasoning.endPart(this.#items.keyOf(event, 'reasoning'), event, place, words);
  }

  #itemAdded(event: JsonRecord): readonly AdapterEvent[] {
    const item = asRecord(event.item) ?? {};
    const key = this.#items.keyOf(event, nameIn(item.type), true);
    if (item.type === 'message') this.#messages.begin(key, item);
    return item.type === 'function_call' ? this.#calls.begin(key, item) : NOTHING;
  }

  #itemDone(event: JsonRecord): readonly AdapterEvent[] {
    const item = asRecord(event.item) ?? {};
    const key = this.#items.keyOf(event, nameIn(item.type));
    this.#items.close(key);
    return this.#item(key, item);
  }

  #item(key: string, item: JsonRecord): readonly AdapterEvent[] {
    switch (item.type) {
      case 'function_call':
        return this.#calls.end(key, item);
      case 'reasoning':
        return this.#reasoning.end(key, item);
      case 'message':
        return this.#messages.end(key, item);
      default:
        return this.#isUnknown(textOf(item.type)) && !this.#unknown.has(key) ? this.#noteUnknown(key) : NOTHING;
    }
  }

  #isUnknown(type: string): boolean {
    return OF_CALLER.test(type) || !(OF_SERVER.test(type) || FOR_ITSELF.has(type));
  }

  #noteUnknown(key: string): readonly AdapterEvent[] {
    this.#unknown.add(key);
    return UNKNOWN;
  }
}

function isReasoning(part: unknown): boolean {
  return IS_REASONING.test(textOf(asRecord(part)?.type));
}
