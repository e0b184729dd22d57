import type { FunctionTool } from '../../gen/understudy/v1/chat_pb.ts';
import { ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../core/failure.ts';
import type { Chat } from './adapter.ts';
import type { ClaudeModel } from './anthropic-models.ts';
import { exactJson } from './exact-json.ts';
import { invalid, unsupported } from './provider-failure.ts';

/** The fields of a request body that concern tools. */
interface AnthropicTools {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether a call is required: the model must not think then. */
  readonly isForced: boolean;
}

/**
 * Translates the tools and their choice. A choice of one required tool is sent as such, beside all tools; any other list of
 * names has no form in the API, so that only the named tools are sent. What is listed is part of the cached prefix, and of
 * the prefix that reasoning is bound to: who wants either kept names the same tools in every turn. Where no tool may be
 * called the list stays, for the same reason.
 */
export function anthropicTools(chat: Chat, model: ClaudeModel): AnthropicTools | { readonly failure: Failure } {
  const { toolChoice } = chat;
  const mode = toolChoice?.mode ?? ToolChoiceMode.AUTO;
  const names = toolChoice?.toolNames ?? [];
  const isForced = mode === ToolChoiceMode.REQUIRED;
  if (isForced && !model.forcesTools) {
    return { failure: unsupported('tool_choice.mode', 'The model cannot be made to call a tool.') };
  }
  const [onlyName] = isForced && names.length === 1 ? names : [];
  const isFiltered = names.length > 0 && onlyName === undefined && mode !== ToolChoiceMode.NONE;
  const tools: unknown[] = [];
  for (const [index, { kind }] of chat.tools.entries()) {
    if (kind.case !== 'function' || (isFiltered && !names.includes(kind.value.name))) continue;
    const schema = schemaOf(kind.value);
    if (schema === undefined) {
      return { failure: invalid(`tools[${index}].function.parameters_json`, 'It must be a JSON object.') };
    }
    tools.push(toolOf(kind.value, schema));
  }
  if (tools.length === 0) return { fields: {}, isForced: false };
  const choice = choiceOf(mode, onlyName, chat.options?.parallelToolCalls);
  return { fields: { tools, ...(choice && { tool_choice: choice }) }, isForced };
}

function toolOf({ name, description, strict }: FunctionTool, schema: Readonly<Record<string, unknown>>) {
  return {
    name,
    ...(description !== '' && { description }),
    input_schema: schema,
    ...(strict && { strict }),
  };
}

/** Arguments are always an object; the API wants that said. */
function schemaOf({ parametersJson }: FunctionTool): Readonly<Record<string, unknown>> | undefined {
  if (parametersJson === '') return { type: 'object', properties: {} };
  const schema = exactJson(parametersJson);
  return schema === undefined || schema.type !== undefined ? schema : { type: 'object', ...schema };
}

/** Undefined where the API's own default, `auto`, is meant. */
function choiceOf(mode: ToolChoiceMode, onlyName: string | undefined, parallel: boolean | undefined) {
  if (mode === ToolChoiceMode.NONE) return { type: 'none' };
  const single = parallel === false ? { disable_parallel_tool_use: true } : undefined;
  if (mode !== ToolChoiceMode.REQUIRED) return single && { type: 'auto', ...single };
  return onlyName === undefined ? { type: 'any', ...single } : { type: 'tool', name: onlyName, ...single };
}
