import type { ConfigInput } from '../../../src/config/file/schema.ts';
import { DIALECTS } from '../chaos-dialects.ts';
import type { ChaosDialect } from '../chaos-dialects.ts';
import { completion, event } from '../openai-bodies.ts';

/** How a sick target is spoken with: its provider, and the API that it is asked in. */
export interface WireForm {
  readonly name: string;
  readonly target: Partial<NonNullable<ConfigInput['targets']>[number]>;
  /** Added to the origin to make the base URL. */
  readonly path: string;
  /** The pieces of a stream, each one or more whole events. */
  readonly stream: Pick<ChaosDialect, 'startup' | 'say' | 'end' | 'malformed'>;
  /** The events of a tool call whose arguments come in pieces. */
  readonly toolCall: (name: string, pieces: readonly string[]) => readonly string[];
  /** A whole answer as JSON. */
  readonly json: (text: string) => string;
}

const CHAT = { stream: dialect('Chat Completions'), toolCall: calledInChat, json: (text: string) => completion(text) };
const RESPONSES = { stream: dialect('Responses'), toolCall: calledInResponses, json: response };

/** The form of most servers: Chat Completions. */
export const OPENAI: WireForm = {
  name: 'openai',
  target: { provider: 'openai' },
  path: '/v1',
  ...CHAT,
};

/** Every form of the three providers that speak as OpenAI does. */
export const FORMS: readonly WireForm[] = [
  OPENAI,
  {
    name: 'openai by Responses',
    target: { provider: 'openai', api: 'responses' },
    path: '/v1',
    ...RESPONSES,
  },
  { name: 'azure-openai', target: { provider: 'azure-openai' }, path: '/openai/v1', ...CHAT },
  {
    name: 'azure-openai by Responses',
    target: { provider: 'azure-openai', api: 'responses' },
    path: '/openai/v1',
    ...RESPONSES,
  },
  { name: 'deepseek', target: { provider: 'deepseek' }, path: '', ...CHAT },
];

function dialect(name: string): ChaosDialect {
  const found = DIALECTS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no dialect ${name}`);
  return found;
}

/** A whole answer of the Responses API, with the same usage as all others. */
function response(text: string): string {
  const content = [{ type: 'output_text', text, annotations: [] }];
  const output = [{ type: 'message', id: 'm', role: 'assistant', status: 'completed', content }];
  const usage = { input_tokens: 9, output_tokens: 3, total_tokens: 12 };
  return JSON.stringify({ id: 'resp_1', object: 'response', model: 'model-1', status: 'completed', output, usage });
}

function calledInChat(name: string, pieces: readonly string[]): readonly string[] {
  return [
    event({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: '' } }] }),
    ...pieces.map((piece) => event({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
  ];
}

function calledInResponses(name: string, pieces: readonly string[]): readonly string[] {
  const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name, arguments: '' };
  const events = [
    { type: 'response.output_item.added', output_index: 1, item },
    ...pieces.map((delta) => ({
      type: 'response.function_call_arguments.delta',
      item_id: 'fc_1',
      output_index: 1,
      delta,
    })),
  ];
  return events.map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
}
