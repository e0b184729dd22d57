import type { ToolCall, ToolResult } from '../../../gen/understudy/v1/chat_pb.ts';
import { checkJsonObject } from '../../structured-output/json-text.ts';
import { TOOL_NAME, TOOL_NAME_RULE, type Report } from '../port/violations.ts';

/** Longest id of a tool call, in characters. */
const MAX_ID_LENGTH = 256;

/** Longest arguments of a tool call, in bytes (1 MiB). */
const MAX_ARGUMENTS_BYTES = 1024 * 1024;

/**
 * Holds the tool calls of a conversation to their results, as every provider does: an id is used once; a message of the
 * assistant with calls is followed by messages of tools, which answer each of its calls once and no other.
 */
export class ToolTurns {
  readonly #report: Report;
  readonly #ids = new Set<string>();
  /** The calls of the last message of the assistant that have no result yet: their ids and where they stand. */
  readonly #open = new Map<string, string>();
  /** The calls of the last message of the assistant that have one. */
  readonly #answered = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Takes a call; `path` is that of the call. */
  call({ id, name, argumentsJson }: ToolCall, path: string): void {
    if (id === '') this.#report(`${path}.id`, 'must not be empty');
    else if (id.length > MAX_ID_LENGTH) this.#report(`${path}.id`, `must have at most ${MAX_ID_LENGTH} characters`);
    else if (this.#ids.has(id)) this.#report(`${path}.id`, 'must be unique in the conversation');
    else this.#open.set(id, path);
    this.#ids.add(id);
    if (!TOOL_NAME.test(name)) this.#report(`${path}.name`, TOOL_NAME_RULE);
    // A model that has nothing to say may say nothing.
    const read = argumentsJson === '' ? undefined : checkJsonObject(argumentsJson, MAX_ARGUMENTS_BYTES);
    if (read !== undefined && 'problem' in read) this.#report(`${path}.arguments_json`, read.problem);
  }

  /** Takes a result; `path` is that of the result. */
  result({ toolCallId: id }: ToolResult, path: string): void {
    if (this.#open.delete(id)) this.#answered.add(id);
    else if (this.#answered.has(id)) this.#report(`${path}.tool_call_id`, 'this tool call has a result already');
    else this.#report(`${path}.tool_call_id`, 'must be the id of a tool call of the message of the assistant before');
  }

  /** Says that what follows is no message of a tool: whatever was called must have its result by now. */
  end(): void {
    for (const path of this.#open.values()) this.#report(path, 'must have a result in the messages of tools after it');
    this.#open.clear();
    this.#answered.clear();
  }
}
