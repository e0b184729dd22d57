import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import type { Said } from './streamed-answers.ts';

/** A function that the model may call. */
export interface DirectTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonRecord;
}

/** One entry of a conversation, whatever the API. */
export type DirectTurn =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly said: Said }
  | { readonly role: 'tool'; readonly id: string; readonly name: string; readonly text: string };

/** A conversation up to the next answer. */
export interface DirectConversation {
  readonly model: string;
  readonly rules: string;
  readonly tools: readonly DirectTool[];
  readonly turns: readonly DirectTurn[];
}

/** Writes the body of a streamed request as the guides of a provider do; `extras` are its other fields. */
export type DirectWriter = (conversation: DirectConversation, extras?: JsonRecord) => JsonRecord;

/** Makes the writer of Chat Completions, by the role of instructions and what every message of the assistant has besides. */
export function directChat(role: 'system' | 'developer', besides: JsonRecord = {}): DirectWriter {
  return ({ model, rules, tools, turns }, extras) => ({
    model,
    messages: [
      { role, content: rules },
      ...turns.map((turn) => {
        if (turn.role === 'user') return { role: 'user', content: turn.text };
        if (turn.role === 'tool') return { role: 'tool', tool_call_id: turn.id, content: turn.text };
        const { text, call } = turn.said;
        if (call === undefined) return { role: 'assistant', content: text, ...besides };
        const called = { id: call.id, type: 'function', function: { name: call.name, arguments: call.args } };
        return { role: 'assistant', content: null, ...besides, tool_calls: [called] };
      }),
    ],
    tools: tools.map((tool) => ({ type: 'function', function: tool })),
    stream: true,
    ...extras,
  });
}

/** Writes for the Responses API. */
export const directResponses: DirectWriter = ({ model, rules, tools, turns }, extras) => ({
  model,
  instructions: rules,
  input: turns.map((turn) => {
    if (turn.role === 'user') return { role: 'user', content: turn.text };
    if (turn.role === 'tool') return { type: 'function_call_output', call_id: turn.id, output: turn.text };
    const { text, call } = turn.said;
    if (call === undefined) return { role: 'assistant', content: text };
    return { type: 'function_call', call_id: call.id, name: call.name, arguments: call.args };
  }),
  tools: tools.map((tool) => ({ type: 'function', ...tool, strict: false })),
  stream: true,
  ...extras,
});

/** Writes for Anthropic's Messages API, with the mark that its guide puts on the last block. */
export const directMessages: DirectWriter = ({ model, rules, tools, turns }, extras) => ({
  model,
  tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
  system: [{ type: 'text', text: rules }],
  messages: turns.map((turn, index) => {
    const mark = index === turns.length - 1 ? { cache_control: { type: 'ephemeral' } } : {};
    if (turn.role === 'user') return { role: 'user', content: [{ type: 'text', text: turn.text, ...mark }] };
    if (turn.role === 'tool') {
      const content = [{ type: 'text', text: turn.text }];
      return { role: 'user', content: [{ type: 'tool_result', tool_use_id: turn.id, content, ...mark }] };
    }
    const { text, call } = turn.said;
    const block =
      call === undefined
        ? { type: 'text', text }
        : { type: 'tool_use', id: call.id, name: call.name, input: JSON.parse(call.args) as unknown };
    return { role: 'assistant', content: [block] };
  }),
  max_tokens: 1_000,
  stream: true,
  ...extras,
});

/** Writes for Ollama. */
export const directOllama: DirectWriter = ({ model, rules, tools, turns }, extras) => ({
  model,
  messages: [
    { role: 'system', content: rules },
    ...turns.map((turn) => {
      if (turn.role === 'user') return { role: 'user', content: turn.text };
      if (turn.role === 'tool') {
        return { role: 'tool', content: turn.text, tool_call_id: turn.id, tool_name: turn.name };
      }
      const { text = '', call } = turn.said;
      if (call === undefined) return { role: 'assistant', content: text };
      const called = { id: call.id, function: { name: call.name, arguments: JSON.parse(call.args) as unknown } };
      return { role: 'assistant', content: '', tool_calls: [called] };
    }),
  ],
  tools: tools.map((tool) => ({ type: 'function', function: tool })),
  stream: true,
  ...extras,
});
