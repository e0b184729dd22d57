import type { Failure } from '../../core/failure.ts';
import type { ClaudeModel } from '../models/claude-models.ts';
import type { ReadChoice, ReadTool, ReadTools } from '../shared/asked-tools.ts';
import { allowedTools } from '../shared/asked-tools.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { unsupported } from '../shared/provider-failure.ts';

/**
 * Translates the tools. A choice of one required tool is sent as such, beside all tools; any other list of
 * names has no form in the API, so that only the named tools are sent. What is listed is part of the cached prefix, and of
 * the prefix that reasoning is bound to: who wants either kept names the same tools in every turn. Where no tool may be
 * called the list stays, for the same reason.
 *
 * That a tool must be called is never given up silently: a model that cannot be made to is no model for the request.
 */
export function anthropicTools(
  read: ReadTools,
  model: ClaudeModel,
): { readonly fields: JsonRecord } | { readonly failure: Failure } {
  const { choice } = read;
  if (read.tools.length === 0) return { fields: {} };
  if (choice.mode === 'required' && !model.forcesTools) {
    return { failure: unsupported('tool_choice.mode', 'The model cannot be made to call a tool.') };
  }
  const tools = isOneRequired(choice) ? read.tools : allowedTools(read);
  return { fields: { tools: tools.map(toolOf) } };
}

/** Writes the choice among the tools, which says as well whether several of them may be called at once. */
export function choiceFields(choice: ReadChoice, parallel: boolean | undefined): JsonRecord {
  const wireChoice = choiceOf(choice, parallel);
  return wireChoice === undefined ? {} : { tool_choice: wireChoice };
}

/** Arguments are always an object; the API wants that said. */
function toolOf({ name, description, parameters, strict }: ReadTool): JsonRecord {
  return {
    name,
    ...(description !== '' && { description }),
    input_schema: parameters.type === undefined ? { type: 'object', ...parameters } : parameters,
    ...(strict && { strict }),
  };
}

/** Undefined where the API's own default, `auto`, is meant. */
function choiceOf(choice: ReadChoice, parallel: boolean | undefined): JsonRecord | undefined {
  if (choice.mode === 'none') return { type: 'none' };
  const single = parallel === false ? { disable_parallel_tool_use: true } : undefined;
  if (choice.mode === 'auto') return single && { type: 'auto', ...single };
  return isOneRequired(choice) ? { type: 'tool', name: choice.names[0], ...single } : { type: 'any', ...single };
}

function isOneRequired({ mode, names }: ReadChoice): boolean {
  return mode === 'required' && names.length === 1;
}
