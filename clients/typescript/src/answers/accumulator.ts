import { create } from '@bufbuild/protobuf';
import { type Message, MessageSchema, Role } from '../../gen/understudy/v1/chat_pb.js';
import type {
  StreamChatResponse,
  StreamChatResponse_Finished,
  StreamChatResponse_Restarted,
  StreamChatResponse_Started,
} from '../../gen/understudy/v1/llm_pb.js';
import { answerParts } from './answer-parts.ts';

/** A streamed answer, put together. */
export interface CollectedAnswer {
  /** The text parts, joined. */
  readonly text: string;
  /** The reasoning, as far as the provider showed it, joined. */
  readonly reasoning: string;
  /** The whole answer: text, reasoning and tool calls in their order. It can be sent back as it is. */
  readonly message: Message;
  /** What the last event says: finish reason, usage, cost, attempts, warnings. */
  readonly finished: StreamChatResponse_Finished;
  /** What the first event says. */
  readonly started: StreamChatResponse_Started | undefined;
  /** Each new beginning, in order. `text`, `reasoning` and `message` hold the last one alone. */
  readonly restarts: readonly StreamChatResponse_Restarted[];
  /** The events that count, in order: without those that a restart discarded, and without pings. */
  readonly events: readonly StreamChatResponse[];
}

/**
 * Puts a streamed answer together, for those who read the stream themselves: what it has is what counts so far, without what
 * `restarted` events discarded.
 */
export class Accumulator {
  #events: StreamChatResponse[] = [];
  readonly #restarts: StreamChatResponse_Restarted[] = [];
  #started: StreamChatResponse_Started | undefined;
  #finished: StreamChatResponse_Finished | undefined;
  #message: Message | undefined;

  /** Takes the next event of the stream. */
  add(response: StreamChatResponse): void {
    const { event } = response;
    if (event.case === 'ping') return;
    this.#message = undefined;
    if (event.case === 'started') this.#started = event.value;
    if (event.case === 'finished') this.#finished = event.value;
    if (event.case === 'restarted') {
      const { discardFromSequence } = event.value;
      this.#events = this.#events.filter(({ sequence }) => sequence < discardFromSequence);
      this.#restarts.push(event.value);
    }
    this.#events.push(response);
  }

  /** The text so far. */
  get text(): string {
    return this.message.content.map(({ part }) => (part.case === 'text' ? part.value : '')).join('');
  }

  /** The reasoning so far, as far as the provider shows it. */
  get reasoning(): string {
    return this.message.content.map(({ part }) => (part.case === 'reasoning' ? part.value.text : '')).join('');
  }

  /** The answer so far. It can be sent back once {@link Accumulator.finished} is there. */
  get message(): Message {
    this.#message ??= create(MessageSchema, { role: Role.ASSISTANT, content: answerParts(this.#events) });
    return this.#message;
  }

  /** What the last event says; undefined until the answer is complete. */
  get finished(): StreamChatResponse_Finished | undefined {
    return this.#finished;
  }

  /** What the first event says. */
  get started(): StreamChatResponse_Started | undefined {
    return this.#started;
  }

  /** Each new beginning so far. */
  get restarts(): readonly StreamChatResponse_Restarted[] {
    return [...this.#restarts];
  }

  /** The events that count so far, without pings. */
  get events(): readonly StreamChatResponse[] {
    return [...this.#events];
  }
}
