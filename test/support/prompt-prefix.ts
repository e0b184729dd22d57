import type { JsonRecord } from '../../src/providers/shared/json/value.ts';
import { asRecord } from '../../src/providers/shared/json/value.ts';

/**
 * Returns what a provider reads of a request body before it answers, in the order in which it reads it, each piece as the bytes that
 * are sent: its cache finds the beginning of a prompt that it has read before, however the body that carries it is put together.
 *
 * - Chat Completions, of OpenAI, Azure, DeepSeek, Groq, Mistral and other servers: the schema of the answer, which OpenAI puts before
 *   the first instructions; the tools in their order; each message.
 * - Responses: the schema of the answer, the tools, the instructions, each item of the input.
 * - Anthropic's Messages: the tools; the blocks of `system`; the schema of the answer, how tools are chosen and how much is thought,
 *   since a change of these makes it forget the messages; each block of the messages, which it caches one by one.
 * - Ollama: the tools, the format and whether the model thinks, which its template writes; each message.
 *
 * All dialects are held to the strictest of these. What says where to cache (`cache_control`, `prompt_cache_breakpoint`) is no part of the prompt: it moves from turn to turn. Since it
 * needs a list to stand in, a list of one text is the same as the text. All other fields (the model apart, which has a cache of its own)
 * are settings of the answer and may change.
 *
 * @param path where the body goes, such as `/v1/messages`
 */
export function promptPieces(body: JsonRecord, path: string): readonly string[] {
  const { messages, input, instructions, system, tools } = body;
  const format = body['response_format'] ?? body['format'] ?? asRecord(body['text'])?.['format'];
  const pieces: readonly unknown[] = [
    { format },
    ...listOf(tools),
    { instructions },
    ...listOf(system),
    { settings: [body['output_config'], body['tool_choice'], body['thinking'], body['think']] },
    ...(path.endsWith('/messages') ? listOf(messages).flatMap(blocksOf) : listOf(messages ?? input)),
  ];
  return pieces.map((piece) => JSON.stringify(piece, withoutMarks));
}

/** Returns the first place at which a prompt that shall go on another one differs from it; undefined where it goes on. */
export function firstDifference(before: readonly string[], after: readonly string[]): string | undefined {
  const at = before.findIndex((piece, index) => piece !== after[index]);
  return at < 0 ? undefined : `piece ${at}: ${before[at]} became ${after[at]}`;
}

/** The blocks of a message, each with who speaks. */
function blocksOf(message: unknown): readonly unknown[] {
  const { role, content } = asRecord(message) ?? {};
  return listOf(content).map((block) => ({ role, block }));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function withoutMarks(name: string, value: unknown): unknown {
  if (name === 'cache_control' || name === 'prompt_cache_breakpoint') return undefined;
  if (!Array.isArray(value) || value.length !== 1) return value;
  const { text, type, ...rest } = asRecord(value[0]) ?? {};
  const isText = typeof text === 'string' && (type === 'text' || type === 'input_text');
  return isText && Object.keys(rest).every((field) => withoutMarks(field, 0) === undefined) ? text : value;
}
