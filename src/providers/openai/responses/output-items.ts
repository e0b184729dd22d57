import type { FinishReason } from '../../../core/answer.ts';
import type { AdapterEvent } from '../../port/adapter.ts';
import { UNKNOWN } from '../../port/adapter.ts';
import { AnswerParts } from '../../shared/answer-parts.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, recordsOf, textOf, wordOf } from '../../shared/json/value.ts';

/** Events that say nothing which others do not say. */
const REPEATED: ReadonlySet<string> = new Set([
  'keepalive',
  'response.queued',
  'response.content_part.added',
  'response.content_part.done',
  'response.function_call_arguments.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.done',
  'response.output_text.annotation.added',
]);

/** Events and items of tools that run at the provider. */
const OF_SERVER = /(^|[._])(mcp_|\w+_call(\.|_code|$))/;

/**
 * Reads the output items of one response, whole or in events. Each text, refusal or summary is a part of the answer, and so
 * is each function call; the state of a reasoning item goes with its last part, the phase of a message with its texts. Items of unknown types are ignored, and counted.
 */
export class ResponsesOutput {
  readonly #parts = new AnswerParts();
  /** Characters of arguments that were told, by the key of the call. */
  readonly #argumentsLength = new Map<string, number>();
  /** The newest part of each reasoning item, by the item's index. */
  readonly #lastReasoning = new Map<string, string>();
  /** The state of the texts of each message that has a phase, by the item's index. */
  readonly #phases = new Map<string, Uint8Array>();
  #hasCalls = false;
  #isRefused = false;

  /** Reads an event about the output. */
  readEvent(type: string, event: JsonRecord): readonly AdapterEvent[] {
    const item = String(event.output_index);
    const content = `${item} content ${String(event.content_index)}`;
    switch (type) {
      case 'response.output_text.delta':
        return this.#parts.text('text', content, textOf(event.delta));
      case 'response.output_text.done':
        return this.#wordsDone(content, this.#phases.get(item));
      case 'response.refusal.delta':
        return this.#refusal(content, textOf(event.delta));
      case 'response.refusal.done':
        return this.#parts.finish(content);
      case 'response.reasoning_summary_text.delta':
        return this.#reasoning(item, `summary ${String(event.summary_index)}`, textOf(event.delta));
      case 'response.reasoning_text.delta':
        return this.#reasoning(item, `text ${String(event.content_index)}`, textOf(event.delta));
      case 'response.function_call_arguments.delta':
        return this.#arguments(item, textOf(event.delta));
      case 'response.output_item.added':
        return this.#itemAdded(item, asRecord(event.item) ?? {});
      case 'response.output_item.done':
        return this.#itemDone(item, asRecord(event.item) ?? {});
      default:
        return REPEATED.has(type) || OF_SERVER.test(type) ? [] : UNKNOWN;
    }
  }

  /** Reads the `output` of a whole response; that at the end of a stream tells nothing but where the stream told nothing. */
  readWhole(output: unknown): readonly AdapterEvent[] {
    if (!this.#parts.isEmpty) return [];
    const events: AdapterEvent[] = [];
    for (const [index, item] of recordsOf(output).entries()) {
      const key = String(index);
      events.push(...this.#itemAdded(key, item), ...this.#reasoningContent(key, item), ...this.#itemDone(key, item));
    }
    return events;
  }

  /** Ends all parts that are still open. */
  finish(): readonly AdapterEvent[] {
    return this.#parts.finishAll();
  }

  /** Why a completed response ended, by what it consists of. */
  finishReason(): FinishReason {
    if (this.#hasCalls) return 'TOOL_CALLS';
    return this.#isRefused ? 'REFUSAL' : 'STOP';
  }

  #itemAdded(key: string, item: JsonRecord): readonly AdapterEvent[] {
    const phase = item.type === 'message' ? wordOf(item.phase) : undefined;
    if (phase !== undefined) this.#phases.set(key, encode({ type: 'message', phase }));
    if (item.type !== 'function_call') return [];
    this.#hasCalls = true;
    return this.#parts.call(key, { id: textOf(item.call_id), name: textOf(item.name), argumentsFragment: '' });
  }

  #reasoningContent(key: string, item: JsonRecord): readonly AdapterEvent[] {
    if (item.type !== 'reasoning') return [];
    return [
      ...recordsOf(item.summary).flatMap(({ text }, index) => this.#reasoning(key, `summary ${index}`, textOf(text))),
      ...recordsOf(item.content).flatMap(({ text }, index) => this.#reasoning(key, `text ${index}`, textOf(text))),
    ];
  }

  #itemDone(key: string, item: JsonRecord): readonly AdapterEvent[] {
    switch (item.type) {
      case 'function_call': {
        const rest = textOf(item.arguments).slice(this.#argumentsLength.get(key) ?? 0);
        return [...this.#itemAdded(key, item), ...this.#arguments(key, rest), ...this.#parts.finish(key)];
      }
      case 'reasoning':
        return this.#reasoningDone(key, item);
      case 'message':
        return recordsOf(item.content).flatMap((part, index) =>
          this.#contentDone(`${key} content ${index}`, part, this.#phases.get(key)),
        );
      default:
        return OF_SERVER.test(textOf(item.type)) ? [] : UNKNOWN;
    }
  }

  /** Tells the words of a part that came without deltas, as all do in a whole response, and ends it. */
  #contentDone(key: string, part: JsonRecord, phase: Uint8Array | undefined): readonly AdapterEvent[] {
    const isTold = this.#parts.has(key);
    if (!isTold && part.type === 'refusal') {
      return [...this.#refusal(key, textOf(part.refusal)), ...this.#parts.finish(key)];
    }
    const words = !isTold && part.type === 'output_text' ? textOf(part.text) : '';
    const told = this.#parts.text('text', key, words);
    return [...told, ...this.#wordsDone(key, phase)];
  }

  #wordsDone(key: string, phase: Uint8Array | undefined): readonly AdapterEvent[] {
    return this.#parts.has(key) ? this.#parts.finish(key, phase) : [];
  }

  #arguments(key: string, argumentsFragment: string): readonly AdapterEvent[] {
    this.#argumentsLength.set(key, (this.#argumentsLength.get(key) ?? 0) + argumentsFragment.length);
    return this.#parts.call(key, { id: '', name: '', argumentsFragment });
  }

  #refusal(key: string, text: string): readonly AdapterEvent[] {
    if (text !== '') this.#isRefused = true;
    return this.#parts.text('text', key, text);
  }

  #reasoning(item: string, part: string, text: string): readonly AdapterEvent[] {
    if (text === '') return [];
    const key = `${item} reasoning ${part}`;
    const previous = this.#lastReasoning.get(item);
    this.#lastReasoning.set(item, key);
    const finished = previous === undefined || previous === key ? [] : this.#parts.finish(previous);
    return [...finished, ...this.#parts.text('reasoning', key, text)];
  }

  /** The item is complete only here: the copy in `output_item.added` may lack some of the encrypted reasoning. */
  #reasoningDone(item: string, value: JsonRecord): readonly AdapterEvent[] {
    const key = this.#lastReasoning.get(item) ?? `${item} reasoning`;
    if (textOf(value.encrypted_content) === '') return this.#parts.finish(key);
    return this.#parts.finish(key, encode(value));
  }
}

function encode(state: JsonRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state));
}
