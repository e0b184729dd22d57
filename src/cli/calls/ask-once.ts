import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { toJson, toJsonString } from '@bufbuild/protobuf';
import type { Client } from '@connectrpc/connect';

import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import {
  ChatResponseSchema,
  GenerateResponseSchema,
  type LlmService,
  type StreamChatRequestSchema,
  type StreamChatResponse,
  StreamChatResponseSchema,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { printable } from '../../config/port/aligned-table.ts';
import type { AskFlags } from '../command-line.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { tellFacts } from './answer-facts.ts';
import { messagesOf, requestOfFlags } from './request-of-flags.ts';
import { endedEarly } from './call-error.ts';
import { enumName } from './enum-name.ts';
import { withDeadline } from '../connection/gateway-connection.ts';
import { StreamedReply } from './streamed-reply.ts';

/** Deadlines where none is given, in milliseconds: a stream has to last as long as its answer. */
const WHOLE_TIMEOUT_MS = 120_000;
const STREAM_TIMEOUT_MS = 600_000;

/** What asks, and what shows the answer. */
export interface AskContext {
  readonly client: Client<typeof LlmService>;
  readonly terminal: Terminal;
  readonly flags: AskFlags;
  /** Ends the call. */
  readonly signal: AbortSignal;
}

/** Asks one prompt and shows the answer. Rejects with the error of the call. */
export async function askOnce(method: 'generate' | 'chat', prompt: string, context: AskContext): Promise<void> {
  const { client, flags, signal } = context;
  const { system, recovery, ...request } = requestOfFlags(flags);
  const messages = messagesOf(system, [], prompt);
  if (flags.stream ?? streamsByDefault(method, context)) {
    await streamReply({ ...request, messages, recovery }, context);
    return;
  }
  const options = withDeadline(signal, flags.timeout ?? WHOLE_TIMEOUT_MS);
  if (method === 'chat') {
    const response = await client.chat({ ...request, messages }, options);
    showWhole(ChatResponseSchema, response, context);
  } else {
    const response = await client.generate({ ...request, system, prompt }, options);
    showWhole(GenerateResponseSchema, response, context);
  }
}

/** A conversation is watched as it goes; a program that reads one answer wants it whole. */
function streamsByDefault(method: 'generate' | 'chat', { terminal, flags }: AskContext): boolean {
  return method === 'chat' || (terminal.isTerminal && !flags.json);
}

/**
 * Shows an answer as it comes.
 *
 * @returns the complete answer; rejects with the error of the call, also where the stream ends before the answer is complete
 */
export async function streamReply(
  request: MessageInitShape<typeof StreamChatRequestSchema>,
  { client, terminal, flags, signal }: AskContext,
): Promise<StreamedReply> {
  const reply = new StreamedReply();
  const words = new ShownWords(terminal, flags);
  const options = withDeadline(signal, flags.timeout ?? STREAM_TIMEOUT_MS);
  try {
    for await (const response of client.streamChat(request, options)) {
      reply.add(response);
      words.show(response);
    }
    if (reply.finished === undefined) throw endedEarly();
    words.complete(reply.text);
  } finally {
    words.endLine();
  }
  tellFacts(reply.finished, terminal, flags.verbose ?? false);
  return reply;
}

/** Shows the events of one stream. */
class ShownWords {
  readonly #terminal: Terminal;
  readonly #flags: AskFlags;
  /** What a restart discards cannot be taken back from a pipe or a file. */
  readonly #holdsBack: boolean;
  #isAtLineStart = true;
  #isReasoning = false;

  constructor(terminal: Terminal, flags: AskFlags) {
    this.#terminal = terminal;
    this.#flags = flags;
    this.#holdsBack = Boolean(flags.restart) && !terminal.isTerminal;
  }

  show(response: StreamChatResponse): void {
    const { event } = response;
    if (this.#flags.json) this.#terminal.print(`${toJsonString(StreamChatResponseSchema, response)}\n`);
    else if (event.case === 'textDelta' && !this.#holdsBack) this.#print(event.value.text);
    else if (event.case === 'reasoningDelta' && this.#flags.showReasoning) this.#reason(event.value.text);
    else if (event.case === 'restarted') {
      const { target, model, reason } = event.value;
      this.endLine();
      const why = enumName(ErrorReason, reason);
      const text = `the answer broke off (${why}) and begins anew with ${printable(target)}/${printable(model)}`;
      this.#terminal.tell(this.#terminal.style('yellow', text, 'stderr'));
    }
  }

  /** Shows what was held back. */
  complete(text: string): void {
    if (this.#holdsBack && !this.#flags.json) this.#print(text);
  }

  /** Ends a line that has begun: a text file and a terminal both want it. */
  endLine(): void {
    this.#endReasoning();
    if (!this.#isAtLineStart) this.#terminal.print('\n');
    this.#isAtLineStart = true;
  }

  #print(text: string): void {
    if (text === '') return;
    this.#endReasoning();
    this.#terminal.print(text);
    this.#isAtLineStart = text.endsWith('\n');
  }

  #reason(text: string): void {
    this.#isReasoning = true;
    this.#terminal.tellPart(text);
  }

  #endReasoning(): void {
    if (this.#isReasoning) this.#terminal.tellPart('\n\n');
    this.#isReasoning = false;
  }
}

function showWhole<Desc extends typeof ChatResponseSchema | typeof GenerateResponseSchema>(
  schema: Desc,
  response: MessageShape<Desc>,
  { terminal, flags }: AskContext,
): void {
  const { text } = response;
  if (flags.json) printJson(terminal, schema, response);
  else if (text !== '') terminal.print(text.endsWith('\n') ? text : `${text}\n`);
  tellFacts(response, terminal, flags.verbose ?? false);
}

/** Writes a message as one JSON document: on one line for a program, indented for a person. */
export function printJson<Desc extends DescMessage>(
  terminal: Terminal,
  schema: Desc,
  message: MessageShape<Desc>,
): void {
  terminal.print(`${JSON.stringify(toJson(schema, message), undefined, terminal.isTerminal ? 2 : 0)}\n`);
}
