import type { ProviderName } from '../../core/provider.ts';
import { chatApiOf } from './chat-apis.ts';
import { listOf, objectOf } from '../shared/fields.ts';
import { offeredTools } from './offered-tools.ts';
import type { OfferedTools } from './offered-tools.ts';
import { isTakenByAnthropic } from './taken-by-anthropic.ts';
import { isTakenByOllama } from './taken-by-ollama.ts';
import { hasTakenIds } from './taken-call-ids.ts';
import { wantedJson } from './wanted-json.ts';
import type { WantedJson } from './wanted-json.ts';

/** The APIs that the mock speaks, told apart by the path. */
export type Dialect = 'chat' | 'responses' | 'anthropic' | 'ollama';

/** A request as the mock understands it, in whatever wire format it came. */
export interface MockCall extends OfferedTools {
  readonly dialect: Dialect;
  readonly model: string;
  readonly streamed: boolean;
  /** Text of the last message of the user that has any; empty without one. */
  readonly question: string;
  /** The messages as they came: what makes two calls the same. */
  readonly conversation: string;
  /** UTF-8 bytes of all texts in the prompt. */
  readonly promptBytes: number;
  /** Limit of the output in tokens. */
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  /** Whether a Chat Completions stream reports its usage. */
  readonly includesUsage: boolean;
  /** Whether streams of OpenAI carry padding against traffic analysis. */
  readonly includesObfuscation: boolean;
  /** The JSON that is asked for; undefined: words. */
  readonly json: WantedJson | undefined;
  /** Whether the last message is the result of a tool. */
  readonly endsWithToolResult: boolean;
}

const PATHS = [
  ['/chat/completions', 'chat'],
  ['/responses', 'responses'],
  ['/messages', 'anthropic'],
  ['/api/chat', 'ollama'],
] as const satisfies readonly (readonly [string, Dialect])[];

/** Returns the API that a path belongs to. */
export function dialectOf(path: string): Dialect | undefined {
  return PATHS.find(([ending]) => path.endsWith(ending))?.[1];
}

/** Reads the body of a request; `undefined` where it names no model, or is one that the provider refuses. */
export function readCall(
  body: Readonly<Record<string, unknown>>,
  provider: ProviderName,
  dialect: Dialect,
): MockCall | undefined {
  const { model } = body;
  if (typeof model !== 'string' || model === '') return undefined;
  if (dialect === 'anthropic' && !isTakenByAnthropic(body)) return undefined;
  if (dialect === 'ollama' && !isTakenByOllama(body)) return undefined;
  const { callIds } = chatApiOf(provider);
  if (dialect === 'chat' && callIds !== undefined && !hasTakenIds(body, callIds)) return undefined;
  const messages = listOf(body['messages'] ?? body['input']);
  const options = objectOf(body['options']);
  const streamOptions = objectOf(body['stream_options']);
  return {
    dialect,
    model,
    streamed: dialect === 'ollama' ? body['stream'] !== false : body['stream'] === true,
    question: questionOf(messages),
    conversation: JSON.stringify([body['system'], body['instructions'], messages]),
    promptBytes: Buffer.byteLength(textOf([body['system'], body['instructions'], messages])),
    maxTokens: firstLimit(
      body['max_tokens'],
      body['max_completion_tokens'],
      body['max_output_tokens'],
      options['num_predict'],
    ),
    stop: listOf(body['stop'] ?? body['stop_sequences'] ?? options['stop']).filter(isNonEmptyText),
    includesUsage: streamOptions['include_usage'] === true,
    includesObfuscation: streamOptions['include_obfuscation'] !== false,
    ...offeredTools(body['tools'], body['tool_choice']),
    json: wantedJson(body),
    endsWithToolResult: isToolResult(messages.at(-1)),
  };
}

function isNonEmptyText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** All texts of a message, a part or a list of them, joined; the fields are those of all four APIs. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textOf).join('');
  const { content, text, output } = objectOf(value);
  return [content, text, output].map((field) => (field === undefined ? '' : textOf(field))).join('');
}

function questionOf(messages: readonly unknown[]): string {
  const texts = messages
    .filter((message) => typeof message === 'string' || objectOf(message)['role'] === 'user')
    .map(textOf);
  return texts.findLast((text) => text !== '') ?? '';
}

function isToolResult(message: unknown): boolean {
  const { role, type, content } = objectOf(message);
  if (role === 'tool' || type === 'function_call_output') return true;
  return listOf(content).some((part) => objectOf(part)['type'] === 'tool_result');
}

/** The first that is a limit; a negative one means none, as in Ollama. */
function firstLimit(...values: readonly unknown[]): number | undefined {
  return values.find((value): value is number => typeof value === 'number' && value >= 0);
}
